"""Fill the business dates between two: what is missing or stale is made, in order, and the rest is left alone."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from prefect import flow

from catalog.errors import DataError
from flows.closing import close_day, play_again
from flows.drift import watch_drift
from flows.edge import DEFAULT_SEED, Surroundings, dates_from, name_run
from flows.learn import learn
from flows.nights import ONE_DAY, is_priced, needs_a_decision, refuse_what_cannot_be_closed
from flows.price import has_curves, make_book_again
from flows.progress import tell
from flows.transform import transform
from warehouse.lake import Lake
from warehouse.locks import held

Change = Literal["made", "replaced", "unchanged", "none"]


@dataclass(frozen=True)
class Filled:
    """What became of one business date: its decisions, its demand cells, and the price book of the day after.

    Each was `made`, `replaced` by other bytes, is `unchanged`, or there is `none`.
    """

    business_date: dt.date
    decisions: Change
    cells: Change
    prices: Change


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
    around = Surroundings(catalog_dir)
    with held(around.settings.locks, "night"):
        name_run(f"backfill-{start}-to-{end}")
        dates = dates_from(start, (end - start).days + 1)
        before = {date: _seals(around.lake, date) for date in dates}
        for done, date in enumerate(dates, start=1):
            refuse_what_cannot_be_closed(around.lake, date)
            _fill(around, date, seed, force=force)
            tell("business dates filled", done, len(dates))
        return [_what_became_of(date, before[date], _seals(around.lake, date)) for date in dates]


def _fill(around: Surroundings, date: dt.date, seed: int, *, force: bool) -> None:
    if force:
        play_again(around, date)
    close_day(around, date, seed)
    transform(around.catalog_dir, (date,) if force else ())
    if has_curves(around.lake, date + ONE_DAY) and (force or not is_priced(around.lake, date + ONE_DAY)):
        make_book_again(around, date + ONE_DAY)
    elif needs_a_decision(around.lake, date):
        watch_drift(date, around.catalog_dir)
        learn(date, seed, around.catalog_dir)


def _seals(lake: Lake, date: dt.date) -> list[tuple[str, ...]]:
    """Return the SHA-256 of a date's decisions and cells, and of the price book of the day after."""
    parts = (("interactions", date), ("demand_cells", date), ("price_book", date + ONE_DAY))
    return [
        tuple(
            receipt.sha256
            for part in lake.partitions(table)
            if part.business_date == day and (receipt := lake.receipt(part)) is not None
        )
        for table, day in parts
    ]


def _what_became_of(date: dt.date, before: list[tuple[str, ...]], after: list[tuple[str, ...]]) -> Filled:
    return Filled(date, *(_change(*pair) for pair in zip(before, after, strict=True)))


def _change(before: tuple[str, ...], after: tuple[str, ...]) -> Change:
    if before == after:
        return "unchanged" if after else "none"
    return "replaced" if before else "made"
