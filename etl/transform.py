"""Group what was sold into demand cells, partition by partition, and assert what the data claim to be."""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from catalog.errors import DataError
from catalog.progress import Progress, silent
from etl.ledger import in_force_in, keep_first_cells, kept_catalog
from features.cells import StaleCells, cells_of, definition_of, feature_workbench, stale_cells
from features.grouped import look_at_folders, settle
from warehouse.assertions.run import broken_assertions, dates_to_check_at_once
from warehouse.lake import Lake
from warehouse.workspace import Workspace

_NEWEST_KEYS = 20  # partitions of a table without dates whose keys a night compares; `shelfprice health` takes all
_PARTITIONS_AT_ONCE = 64  # with one connection: to open one takes as long as to group ten small partitions


@dataclass(frozen=True)
class Transformed:
    """How many partitions were transformed, the decisions in them, and their dates."""

    partitions: int
    decisions: int
    dates: tuple[dt.date, ...]


def transform(workspace: Workspace, anew_on: Collection[dt.date] = (), progress: Progress = silent) -> Transformed:
    """Group the decisions of every new or changed partition, then run the SQL assertions on their dates.

    Partitions of the dates in `anew_on` are grouped again even though nothing changed.

    Raises
    ------
    DataError
        When an assertion finds rows that break it; the message names the assertion, the date and the first rows.
    """
    look = look_at_folders(workspace.lake, workspace.catalog)
    stale = list(stale_cells(workspace.lake, workspace.catalog, anew_on, look.settled))
    settle(workspace.lake, look, {item.decisions.business_date for item in stale})
    rows_of: dict[dt.date, int] = {}
    for item in stale:
        if date := item.decisions.business_date:
            rows_of[date] = rows_of.get(date, 0) + _rows_in(workspace.lake, item)
    for done in group_partitions(workspace, stale):
        progress("grouping decisions into demand cells", done, len(stale))
    _check_assertions(workspace, rows_of, progress)
    return Transformed(len(stale), sum(rows_of.values()), tuple(sorted(rows_of)))


def group_partitions(workspace: Workspace, stale: list[StaleCells]) -> Iterator[int]:
    """Group and publish partition after partition; yield how many are done, now and then."""
    for first in range(0, len(stale), _PARTITIONS_AT_ONCE):
        own = stale[first : first + _PARTITIONS_AT_ONCE]
        dates = {item.decisions.business_date for item in own}
        with feature_workbench(workspace.settings, within=dates.__contains__) as connection:
            for item in own:
                cells = cells_of(connection, workspace.lake.path(item.decisions), item.decisions.table)
                _keep_first(workspace.lake, item)
                workspace.lake.publish(item.cells, cells, inputs=item.inputs)
        yield first + len(own)


def _check_assertions(workspace: Workspace, rows_of: dict[dt.date, int], progress: Progress) -> None:
    broken, checked = [], 0
    for dates in dates_to_check_at_once(rows_of):
        broken += broken_assertions(workspace.settings, dates, _NEWEST_KEYS)
        checked += len(dates)
        progress("checking what the data claim to be", checked, len(rows_of))
    if broken:
        raise DataError("; ".join(map(str, broken)))


def _rows_in(lake: Lake, item: StaleCells) -> int:
    receipt = lake.receipt(item.decisions)
    return receipt.rows if receipt else 0


def _keep_first(lake: Lake, item: StaleCells) -> None:
    """Remember the cells that a day's decisions had under its own catalog, before those of another replace them."""
    before, decisions = lake.receipt(item.cells), lake.receipt(item.decisions)
    if before is None or decisions is None or before.inputs == item.inputs:
        return
    if not before.inputs.startswith(f"{decisions.sha256}:"):
        return
    for row in in_force_in(lake, item.cells.business_date or dt.date.min, item.cells.group)[:1]:
        own = definition_of(kept_catalog(lake, row.catalog))
        if before.inputs.endswith(f":{own}"):
            keep_first_cells(lake, item.cells, before.sha256)
