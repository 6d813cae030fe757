"""How a store is: is everything there, fresh, proven and answering? Each check says what was found and what to do."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from catalog.errors import ModelError
from features.cells import feature_workbench, stale_cells
from features.shifts import demand_shifts
from flows.edge import Surroundings
from flows.nights import ONE_DAY, comes_from_outside, is_done, newest_sold
from serving.book_store import book_in_force
from serving.champion import Champion, load_champion
from warehouse.assertions.run import broken_assertions
from warehouse.verify import verify

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `remedy` is a command or a sentence, and empty when there is nothing to do."""

    name: str
    state: State
    found: str
    remedy: str = ""


def check_up(around: Surroundings, on_file: Callable[[int, int], None] = lambda _done, _total: None) -> list[Check]:
    """Look at the decisions, cells, prices, champion, registry and files of a store.

    Parameters
    ----------
    on_file
        Called with (files done, files in all) while the lake is verified.
    """
    newest = newest_sold(around.lake)
    files = _files(around, on_file)
    if newest is None:
        nothing = Check("decisions", "warning", "no decisions yet", "shelfprice demo, or shelfprice ingest FILE")
        return [nothing, *_registry(around)[0], files]
    registry, champion = _registry(around)
    return [
        _decisions(around, newest),
        _cells(around),
        _assertions(around, newest),
        *registry,
        *_age(around, champion, newest),
        *_drift(around, champion, newest),
        _prices(around, champion, newest),
        files,
    ]


def _decisions(around: Surroundings, newest: dt.date) -> Check:
    """Warn of business dates that nobody sold between the first and the newest."""
    dates = around.lake.dates("interactions")
    first = dates[0] if dates else newest
    days = (first + dt.timedelta(days=day) for day in range((newest - first).days))
    missing = sorted(set(days).difference(dates))
    if missing and not comes_from_outside(around.lake, dates[-1]):
        remedy = f"shelfprice backfill --start {missing[0]} --end {missing[-1]}"
        return Check(
            "decisions", "warning", f"through {newest}, {len(missing)} days missing, such as {missing[0]}", remedy
        )
    return Check("decisions", "ok", f"{len(dates)} days, through {newest}")


def _cells(around: Surroundings) -> Check:
    stale = [item.decisions for item in stale_cells(around.lake, around.catalog)]
    if stale:
        return Check("demand cells", "failed", f"{len(stale)} partitions are not in them", "shelfprice transform")
    return Check("demand cells", "ok", "made from the decisions as they are now")


def _assertions(around: Surroundings, newest: dt.date) -> Check:
    """Run the SQL assertions on the newest closed date; a day that is being sold is not over yet."""
    is_closed = newest in around.lake.dates("interactions")
    broken = broken_assertions(around.settings, [newest] if is_closed else [])
    if broken:
        return Check(
            "assertions", "failed", "; ".join(map(str, broken)), "mend what wrote the rows, then transform again"
        )
    return Check("assertions", "ok", f"all hold on {newest}")


def _registry(around: Surroundings) -> tuple[list[Check], Champion | None]:
    try:
        champion = load_champion(around.settings)
    except ModelError as error:
        return [Check("registry", "failed", str(error), "shelfprice up, or see MLFLOW_TRACKING_URI")], None
    if champion is None:
        return [Check("registry", "warning", "it answers, and has no champion", "shelfprice train")], None
    return [Check("registry", "ok", f"it answers; champion {champion.version} loads")], champion


def _age(around: Surroundings, champion: Champion | None, newest: dt.date) -> list[Check]:
    """Warn of a champion that has not seen the newest days; without one there is no age."""
    if champion is None or champion.trained_through is None:
        return []
    age, allowed = (newest - champion.trained_through).days, around.catalog.store.gate.stale_after_days
    found = f"champion {champion.version} was trained through {champion.trained_through}, {age} days before {newest}"
    if age > allowed:
        return [Check("champion's age", "warning", f"{found}; it is stale after {allowed}", "shelfprice nightly")]
    return [Check("champion's age", "ok", found)]


def _drift(around: Surroundings, champion: Champion | None, newest: dt.date) -> list[Check]:
    """Warn of a change in demand that the champion does not know; the night learns from it."""
    if champion is None:
        return []
    with feature_workbench(around.settings) as connection:
        shifts = demand_shifts(connection, newest, champion.version)
    if shifts:
        found = f"demand changed on {shifts[-1]}, and champion {champion.version} does not know"
        return [Check("drift", "warning", found, "shelfprice nightly, and see what the gate says")]
    return [Check("drift", "ok", f"no change against champion {champion.version} was found")]


def _prices(around: Surroundings, champion: Champion | None, newest: dt.date) -> Check:
    """Ask for prices of the day after the newest, once that one is over."""
    tomorrow = newest + ONE_DAY
    if around.catalog.store.guardrails.kill_switch:
        remedy = "guardrails: {kill_switch: false}, when it is safe"
        return Check("prices", "warning", "the kill switch is on: base prices everywhere", remedy)
    found = book_in_force(around.lake, tomorrow)
    book = found[0] if found else None
    made_for = book.published_at.date() if book else None
    if book and made_for == tomorrow:
        return Check("prices", "ok", f"a book for {tomorrow}, by {book.policy} from version {book.model_version}")
    if is_done(around.lake, newest) and champion is None:
        return Check("prices", "ok", f"base prices on {tomorrow}, for no model was promoted yet")
    behind = f"the newest is for {made_for}" if made_for else "there is none"
    return Check("prices", "warning", f"no book for {tomorrow} yet, {behind}", "shelfprice nightly")


def _files(around: Surroundings, on_file: Callable[[int, int], None]) -> Check:
    verdict = verify(around.lake, on_file)
    if verdict.findings:
        first = verdict.findings[0]
        found = (
            f"{len(verdict.findings)} of {verdict.files} are not as published, such as {first.path.name}: {first.kind}"
        )
        return Check(
            "files", "failed", found, "shelfprice verify --set-aside, then shelfprice backfill over their dates"
        )
    return Check("files", "ok", f"{verdict.files:,} files with {verdict.rows:,} rows are as they were published")
