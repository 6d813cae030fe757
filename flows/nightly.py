"""A night of the store: close the day, group its decisions, watch for drift, learn if that is due, price tomorrow.

Beside the whole night: `learn`, which the event of a drift starts, and `backfill`, which makes the nights that are
missing or stale between two dates, in order, and leaves the rest alone.
"""

import datetime as dt
from collections.abc import Sequence
from uuid import NAMESPACE_OID, uuid5

from prefect import flow
from prefect.events import emit_event

from catalog.errors import DataError
from catalog.hooks import AFTER_NIGHT, SELLERS, DemandChange
from etl.batches import DEFAULT_SEED
from etl.calendar import ONE_DAY, dates_from, newest_grouped, newest_sold
from flows.environment import has_server
from flows.pipeline import seconds_to_play
from flows.progress import say, tell
from flows.runs import as_task, ended, name_run, registry_of, tag_run, warn_of_damaged_books
from flows.spreading import spreading
from flows.workspace import now_of, open_workspace
from serving.store.play import close_day
from training.backfill import Filled, Filling, fill_date, seals, what_became_of
from training.evening import Evening, RunContext
from training.fit.session import train_once
from training.night import Priced, decide, price_date, require_new_prices, run_night
from training.registry import JudgedVersion
from training.schedule import Night, night_to_do, refuse_what_cannot_be_closed
from warehouse.commits.locks import held
from warehouse.commits.notes import left_unended, write_down
from warehouse.lake import Lake

DRIFT_DETECTED = "shelfprice.drift.detected"
SHELF = {"prefect.resource.id": "shelfprice.shelf"}
"""The event that asks for a new model, and the resource it is about."""


def announce(version: str, changes: Sequence[DemandChange]) -> None:
    """Emit the event of a drift, where a server hears it; announced again after a kill, it carries the same id."""
    newest = max(change.business_date for change in changes)
    since = max(change.since for change in changes)
    skus = sorted({change.sku for change in changes})
    if has_server():
        emit_event(
            event=DRIFT_DETECTED,
            resource=SHELF,
            payload={"business_date": newest.isoformat(), "skus": skus, "since": since.isoformat()},
            id=uuid5(NAMESPACE_OID, f"{version} {newest} {' '.join(skus)}"),
        )
    say(f"drift in {', '.join(skus)} since {since}: a new model is asked for")


def price(for_date: dt.date | None = None, catalog_dir: str | None = None) -> Priced:
    """Make the price book of a business date, by default the day after the newest one with decisions.

    When the registry is away or the champion cannot be trusted, the last known good book stands.

    Raises
    ------
    Declined
        When the kill switch is on: base prices stand and no book is written. When the champion is being changed.
    DataError
        When there is no champion.
    ModelError
        When the champion cannot be used and there is no earlier book either.
    """
    workspace = open_workspace(catalog_dir)
    date = for_date or newest_grouped(workspace.lake) + ONE_DAY
    priced = price_date(workspace, registry_of(workspace), date)
    warn_of_damaged_books(workspace.lake, [date])  # where old prices hold, they may be older than the newest book
    return priced


@flow(name="train", flow_run_name="train-{through}")
def train(
    through: dt.date | None = None,
    seed: int = DEFAULT_SEED,
    catalog_dir: str | None = None,
    since: dt.date | None = None,
    again: bool = False,  # noqa: FBT001, FBT002 - parameters of a deployment are named
) -> JudgedVersion:
    """Train every candidate on the demand cells up to a date, and promote the best if the gate lets it pass.

    From days, catalog and seed that were learned from before comes the same model: its version stands then, and the
    registry follows if a kill kept it from that.

    Parameters
    ----------
    since
        First business date to learn from, by default as far back as `learning.window_days` lets it.
    again
        Train although the same was learned from before.

    Raises
    ------
    DataError
        When the data cannot teach anything; no model is registered.
    """
    workspace = open_workspace(catalog_dir)
    tag_run("training")
    date = through or newest_grouped(workspace.lake)
    with spreading(workspace.settings, seconds=0) as spread:
        means = RunContext(progress=tell, spread=spread)
        return as_task(train_once, Evening(workspace, registry_of(workspace), date, seed, means), since, again=again)


@flow(name="learn", flow_run_name="learn-{through}")
def learn(through: dt.date | None = None, seed: int = DEFAULT_SEED, catalog_dir: str | None = None) -> Night:
    """Train on everything through a business date if that is due, and price the day after it.

    The event of a drift starts it. If another run is training, it waits, then reuses the result if the inputs are
    unchanged.

    Parameters
    ----------
    through
        Last business date to learn from; by default the newest one with demand cells.

    Raises
    ------
    ModelError
        When the registry is away while a model is due, or there is no earlier book; the night is yet to do.
    """
    workspace = open_workspace(catalog_dir)
    date = through or newest_grouped(workspace.lake)
    if through is None:
        name_run(f"learn-{date}", through=date.isoformat())
    with spreading(workspace.settings, seconds=0) as spread:
        opens = workspace.catalog.store.next_opening(now_of(workspace))
        means = RunContext(progress=tell, run=as_task, spread=spread, opens=opens)
        return decide(Evening(workspace, registry_of(workspace), date, seed, means))


@flow(name="nightly", persist_result=False, on_completion=[ended])
def nightly(date: dt.date | None = None, seed: int = DEFAULT_SEED, catalog_dir: str | None = None) -> Night:
    """Close a business date, group its decisions, watch for drift, learn if that is due, and price the day after.

    The run is named by its business date and keeps it as its parameter, so that running it again means the same night.
    A night that is done is not done again; one that was interrupted goes on where it stopped.

    Parameters
    ----------
    date
        Business date to close; by default the one that a run was killed at a short while ago, else the first one whose
        night is not done.
    seed
        Seed of the world, for stores that the twin plays.

    Raises
    ------
    Declined
        When another process does a night of this lake or sells one of its stores live, or the date would leave a gap.
    ModelError
        When the registry is away: old prices hold, and the night is yet to do.
    """
    workspace = open_workspace(catalog_dir)
    with held(workspace.settings.locks, "night"):
        now = now_of(workspace)
        for seller in SELLERS.all():
            as_task(seller.close_days, workspace, now)
        night_of = date or _left_unended(workspace.lake) or night_to_do(workspace.lake)
        write_down(workspace.lake.notes, "nightly", night_of)
        name_run(f"nightly-{night_of}", date=night_of.isoformat())
        refuse_what_cannot_be_closed(workspace.lake, night_of)
        with spreading(workspace.settings, seconds=seconds_to_play(workspace, [night_of])) as spread:
            as_task(close_day, workspace, night_of, seed, spread)
        registry = registry_of(workspace)
        with spreading(workspace.settings, seconds=0) as spread:
            opens = workspace.catalog.store.next_opening(now)
            means = RunContext(announce, tell, as_task, spread, opens)
            done = require_new_prices(run_night(workspace, registry, night_of, seed, means))
    for look in AFTER_NIGHT.all():  # a slow webhook keeps nobody from the next night
        for sentence in look(workspace):
            say(sentence)
    return done


def _left_unended(lake: Lake) -> dt.date | None:
    """Return the night that a run was killed at, unless what was sold since makes another one due."""
    left = left_unended(lake.notes, "nightly")
    return left if left is not None and left in {newest_sold(lake), night_to_do(lake)} else None


@flow(name="backfill", persist_result=False)
def backfill(
    start: dt.date,
    end: dt.date,
    force: bool = False,  # noqa: FBT001, FBT002 - parameters of a deployment are named
    seed: int = DEFAULT_SEED,
    catalog_dir: str | None = None,
) -> list[Filled]:
    """Go through business dates in order: close the day, group its decisions, and price the day after if it is unsold.

    Parameters
    ----------
    start, end
        First and last business date.
    force
        Make everything anew: the twin's days with their own seeds, cells, and books from the curves they stood on.
        Equal inputs end in the same bytes; days that were sold live or ingested stay as they are.
    seed
        Seed of the world, for dates that are missing.

    Returns
    -------
    list of Filled
        One for each date.

    Raises
    ------
    DataError
        When the end is before the start.
    Declined
        When another process does a night of this lake, or the start would leave a gap after the newest date.
    """
    if end < start:
        raise DataError(f"expected an end on or after the start {start}, found {end}; nothing was done")
    workspace = open_workspace(catalog_dir, for_the_twin=True)
    registry, lake = registry_of(workspace), workspace.lake
    with held(workspace.settings.locks, "night"):
        name_run(f"backfill-{start}-to-{end}")
        dates = dates_from(start, (end - start).days + 1)
        before = {date: seals(lake, date) for date in dates}
        with spreading(workspace.settings, seconds=seconds_to_play(workspace, dates)) as spread:
            how = Filling(seed, force, RunContext(announce, tell, as_task, spread))
            for done, date in enumerate(dates, start=1):
                fill_date(workspace, registry, date, how)
                tell("business dates filled", done, len(dates))
        return [what_became_of(date, before[date], seals(lake, date)) for date in dates]
