"""Group what was sold into demand cells and visit counts, and assert what the data claim to be."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import pyarrow as pa

from catalog.errors import DataError, Declined, LakeError
from catalog.spread import HERE, Progress, Spread, silent
from etl.load import tell_weather
from features.cells import (
    StaleCells,
    grouping_connection,
    groups_of_rows,
    publish_groups,
    rows_to_group,
    stale_cells,
)
from features.substitutes import count_choices
from warehouse.checks.assertions import BrokenAssertion, broken_assertions, dates_to_check_at_once, looked_at
from warehouse.checks.proof import Unproven
from warehouse.lake import Lake, Partition
from warehouse.origin import PRODUCTS
from warehouse.workspace import Whereabouts, Workspace, whereabouts

_Item = TypeVar("_Item")
_PARTITIONS_AT_ONCE = 64  # with one connection: to open one takes as long as to group ten small partitions
_JOBS_EACH = 4  # for each that works on them, so that none waits long for the last


@dataclass(frozen=True)
class Transformed:
    """How many partitions were transformed, the decisions in them, and their dates."""

    partitions: int
    decisions: int
    dates: tuple[dt.date, ...]


@dataclass(frozen=True)
class CellsToGroup:
    """Partitions whose cells are stale, to be grouped by this process or by a worker."""

    where: Whereabouts
    stale: tuple[StaleCells, ...]

    @property
    def name(self) -> str:
        """The first of the partitions, and how many they are."""
        first = self.stale[0].cells
        return f"cells of {first.business_date} {first.group} and {len(self.stale) - 1} more"


@dataclass(frozen=True)
class GroupedCells:
    """Those that were grouped, and the decisions that were found damaged."""

    grouped: tuple[StaleCells, ...]
    damaged: tuple[Partition, ...]


def transform(
    workspace: Workspace, anew_on: Collection[dt.date] = (), progress: Progress = silent, spread: Spread = HERE
) -> Transformed:
    """Group the decisions of every new or changed partition, then run the SQL assertions on their dates.

    Partitions of the dates in `anew_on` are grouped again even though nothing changed. Decisions whose bytes are not
    those of their receipt are set aside and named in the end; the cells that were made from them before stay.

    Raises
    ------
    DataError
        When an assertion finds rows that break it; the message names the assertion, the date and the first rows.
    DamagedError
        When decisions are damaged, or what the assertions look at; everything else was grouped and checked.
    """
    lake, unproven, rows_of = workspace.lake, Unproven(workspace.lake), Counter[dt.date]()
    tell_weather(lake, workspace.catalog)
    stale = list(stale_cells(lake, workspace.catalog, anew_on, partial(_holds, unproven)))
    grouped = _grouped(workspace, stale, unproven, progress, spread)
    count_choices(lake, workspace.catalog)
    for item in grouped:
        receipt = lake.receipt(item.decisions)
        if item.decisions.business_date and receipt:
            rows_of[item.decisions.business_date] += receipt.rows
    broken = _broken_assertions(workspace, rows_of, progress, unproven)
    if broken:
        raise DataError("; ".join(filter(None, (*map(str, broken), unproven.sentence))))
    unproven.refuse()
    return Transformed(len(grouped), rows_of.total(), tuple(sorted(rows_of)))


def group_stale(job: CellsToGroup) -> GroupedCells:
    """Group and publish the partitions of a job."""
    workspace = job.where.opened()
    unproven = Unproven(workspace.lake)
    grouped = group_partitions(workspace, job.stale, unproven)
    return GroupedCells(tuple(grouped), tuple(unproven.partitions))


def group_partitions(workspace: Workspace, stale: Sequence[StaleCells], unproven: Unproven) -> list[StaleCells]:
    """Group and publish partition after partition; return those that were grouped.

    While one is grouped, a thread reads the next one, and no other, and holds it against its receipt.
    """
    if not stale:
        return []
    lake, grouped = workspace.lake, list[StaleCells]()
    with grouping_connection(lake.read(PRODUCTS)) as connection:
        for item, rows in ahead((item, _proven_rows(lake, unproven, item)) for item in stale):
            if rows is not None:
                publish_groups(lake, item, groups_of_rows(connection, rows, item.decisions.table))
                grouped.append(item)
    return grouped


def _proven_rows(lake: Lake, unproven: Unproven, item: StaleCells) -> pa.Table | None:
    """Read what is grouped of a partition; None where it is not proven, which is noted."""
    try:
        return rows_to_group(lake, item.decisions)
    except LakeError:
        if _holds(unproven, item.decisions):
            raise
        return None


def _grouped(
    workspace: Workspace, stale: list[StaleCells], unproven: Unproven, progress: Progress, spread: Spread
) -> list[StaleCells]:
    """Group and publish partitions, note those found damaged, and return the others.

    It is done by other machines or by this process: most of a night's work is read from the disk.
    """
    spread, size = spread if spread.is_elsewhere else HERE, _PARTITIONS_AT_ONCE
    if spread.is_elsewhere and stale:
        size = min(size, -(-len(stale) // (_JOBS_EACH * spread.width)))
    where = whereabouts(workspace, spread)
    jobs = [CellsToGroup(where, tuple(stale[first : first + size])) for first in range(0, len(stale), size)]
    progressed = partial(progress, "grouping decisions into demand cells")
    done = spread(group_stale, jobs, lambda done, total: progressed(len(stale) * done // total, len(stale)))
    unproven.partitions += [partition for job in done for partition in job.damaged]
    return [item for job in done for item in job.grouped]


def _holds(unproven: Unproven, decisions: Partition) -> bool:
    """Return whether decisions are proven; those that another process is writing are left for later."""
    try:
        return unproven.holds(decisions)
    except Declined:
        return False


def _broken_assertions(
    workspace: Workspace, rows_of: Mapping[dt.date, int], progress: Progress, unproven: Unproven
) -> list[BrokenAssertion]:
    """Run the assertions on some dates, once everything that they look at there is proven."""
    broken, checked = list[BrokenAssertion](), 0
    for dates in dates_to_check_at_once(rows_of):
        for partition in looked_at(workspace.lake, dates):
            _holds(unproven, partition)
        broken += broken_assertions(workspace.settings, dates)
        checked += len(dates)
        progress("checking what the data claim to be", checked, len(rows_of))
    return broken


def ahead(items: Iterator[_Item]) -> Generator[_Item]:
    """Yield items while the next one is made in another thread."""
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = maker.submit(next, items, None)
            yield item
