"""Group what was sold into demand cells, partition by partition, and assert what the data claim to be."""

import datetime as dt
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from catalog.errors import DataError, Declined
from catalog.progress import Progress, silent
from etl.ledger import in_force_in, keep_first_cells, kept_catalog
from features.cells import StaleCells, cells_of, definition_of, feature_workbench, stale_cells
from features.grouped import look_at_folders, settle
from warehouse.assertions.run import broken_assertions, dates_to_check_at_once, looked_at
from warehouse.lake import Lake, Partition
from warehouse.proof import Unproven
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

    Partitions of the dates in `anew_on` are grouped again even though nothing changed. Decisions whose bytes are not
    those of their receipt are set aside and named in the end; the cells that were made from them before stay.

    Raises
    ------
    DataError
        When an assertion finds rows that break it; the message names the assertion, the date and the first rows.
    DamagedError
        When decisions are damaged, or what the assertions look at; everything else was grouped and checked.
    """
    lake, unproven, left_out = workspace.lake, Unproven(workspace.lake), set[dt.date | None]()

    def note(decisions: Partition) -> None:
        left_out.add(decisions.business_date)
        _holds(unproven, decisions)

    look = look_at_folders(lake, workspace.catalog)
    stale = list(stale_cells(lake, workspace.catalog, anew_on, look.settled, note))
    settle(lake, look, {item.decisions.business_date for item in stale} | left_out)
    rows_of: dict[dt.date, int] = {}
    done = 0
    for at_once in _chunks(stale):
        grouped = group_partitions(workspace, at_once, unproven)
        for item in grouped:
            if date := item.decisions.business_date:
                rows_of[date] = rows_of.get(date, 0) + _rows_in(workspace.lake, item)
        done += len(grouped)
        progress("grouping decisions into demand cells", done, len(stale))
    try:
        _check_assertions(workspace, rows_of, progress, unproven)
    except DataError as error:
        raise DataError("; ".join(filter(None, (str(error), unproven.said())))) from error
    unproven.refuse()
    return Transformed(done, sum(rows_of.values()), tuple(sorted(rows_of)))


def group_all(workspace: Workspace, stale: list[StaleCells]) -> None:
    """Group and publish partitions whose cells are stale.

    Raises
    ------
    DamagedError
        When some of the decisions are damaged; the others were grouped.
    """
    unproven = Unproven(workspace.lake)
    for at_once in _chunks(stale):
        group_partitions(workspace, at_once, unproven)
    unproven.refuse()


def group_partitions(workspace: Workspace, stale: list[StaleCells], unproven: Unproven) -> list[StaleCells]:
    """Group and publish partition after partition with one connection; return those that were grouped.

    Each is held against its receipt before DuckDB parses it, by a thread that is some partitions ahead, so that nobody
    waits for it.
    """
    grouped, dates = [], {item.decisions.business_date for item in stale}
    with ThreadPoolExecutor(1) as ahead:
        proofs = [ahead.submit(_holds, unproven, item.decisions) for item in stale]
        with feature_workbench(workspace.settings, within=dates.__contains__) as connection:
            for item, is_proven in zip(stale, proofs, strict=True):
                if not is_proven.result():
                    continue
                cells = cells_of(connection, workspace.lake.places([item.decisions])[0], item.decisions.table)
                keep_first(workspace.lake, item)
                workspace.lake.publish(item.cells, cells, inputs=item.inputs)
                grouped.append(item)
    return grouped


def _chunks(stale: list[StaleCells]) -> Iterator[list[StaleCells]]:
    for first in range(0, len(stale), _PARTITIONS_AT_ONCE):
        yield stale[first : first + _PARTITIONS_AT_ONCE]


def _holds(unproven: Unproven, decisions: Partition) -> bool:
    """Tell whether decisions are proven; those that another process is writing are left to whoever comes next."""
    try:
        return unproven.holds(decisions)
    except Declined:
        return False


def _check_assertions(
    workspace: Workspace, rows_of: dict[dt.date, int], progress: Progress, unproven: Unproven
) -> None:
    """Run the assertions on some dates, once everything that they look at there is proven."""
    broken, checked = [], 0
    for dates in dates_to_check_at_once(rows_of):
        for partition in looked_at(workspace.lake, dates):
            _holds(unproven, partition)
        broken += broken_assertions(workspace.settings, dates, _NEWEST_KEYS)
        checked += len(dates)
        progress("checking what the data claim to be", checked, len(rows_of))
    if broken:
        raise DataError("; ".join(map(str, broken)))


def _rows_in(lake: Lake, item: StaleCells) -> int:
    receipt = lake.receipt(item.decisions)
    return receipt.rows if receipt else 0


def keep_first(lake: Lake, item: StaleCells) -> None:
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
