"""Fill a business date: what is missing or stale of it is made, and the rest is left alone."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from catalog.spread import HERE
from etl.calendar import ONE_DAY
from etl.transform import transform
from serving.book.make import has_belief, make_book_again
from serving.book.store import is_priced
from serving.store.play import close_day, play_again
from training.evening import PLAINLY, RunContext
from training.night import require_new_prices, run_night
from training.registry import ModelRegistry
from training.schedule import needs_a_decision, refuse_what_cannot_be_closed
from warehouse.lake import Lake
from warehouse.workspace import Workspace

Became = Literal["made", "replaced", "unchanged", "none"]


@dataclass(frozen=True)
class Filled:
    """What became of one business date: its decisions, its demand cells, and the price book of the day after.

    Each was `made`, `replaced` by other bytes, is `unchanged`, or there is `none`.
    """

    business_date: dt.date
    decisions: Became
    cells: Became
    prices: Became


@dataclass(frozen=True)
class Filling:
    """How dates are filled: with which seed where a date is missing, and whether everything is made anew by `force`.

    The `spread` of its means is also where batches are played.
    """

    seed: int
    force: bool = False
    means: RunContext = PLAINLY


def fill_date(workspace: Workspace, registry: ModelRegistry, date: dt.date, how: Filling) -> None:
    """Close the day, group its decisions, and price the day after if it is unsold.

    Raises
    ------
    Declined
        When the date would leave a gap after the newest one.
    ModelError
        When old prices hold because the registry is away.
    """
    lake, means = workspace.lake, how.means
    run = means.run
    refuse_what_cannot_be_closed(lake, date)
    if how.force:
        run(play_again, workspace, date, means.spread)
    run(close_day, workspace, date, how.seed, means.spread)
    run(
        transform,
        workspace,
        (date,) if how.force else (),
        means.progress,
        means.spread if means.spread.is_elsewhere else HERE,
    )
    if has_belief(lake, date + ONE_DAY) and (how.force or not is_priced(lake, date + ONE_DAY)):
        run(make_book_again, workspace, date + ONE_DAY)
    elif needs_a_decision(lake, date):
        require_new_prices(run_night(workspace, registry, date, how.seed, means))


def seals(lake: Lake, date: dt.date) -> list[tuple[str, ...]]:
    """Return the SHA-256 of a date's decisions and cells, and of the price book of the day after."""
    parts = (("interactions", date), ("demand_cells", date), ("booked_prices", date + ONE_DAY))
    receipts = ([lake.receipt(part) for part in lake.partitions_on(table, day)] for table, day in parts)
    return [tuple(receipt.sha256 for receipt in published if receipt is not None) for published in receipts]


def what_became_of(date: dt.date, before: list[tuple[str, ...]], after: list[tuple[str, ...]]) -> Filled:
    """Compare a date's seals before it was filled with those after."""
    return Filled(date, *(_became(*pair) for pair in zip(before, after, strict=True)))


def _became(before: tuple[str, ...], after: tuple[str, ...]) -> Became:
    if before == after:
        return "unchanged" if after else "none"
    return "replaced" if before else "made"
