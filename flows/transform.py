"""Turn new or changed decisions into demand cells, and check what the data claims to be."""

import datetime as dt
from dataclasses import dataclass

from prefect import flow, task

from catalog.errors import DataError
from etl.ledger import in_force_in, keep_first_cells, kept_catalog
from features.cells import StaleCells, cells_of, definition_of, feature_workbench, stale_cells
from flows.edge import TOUCHES_THE_DISK, Surroundings, tag_run
from flows.progress import tell
from warehouse.assertions.run import BrokenAssertion, broken_assertions, dates_to_check_at_once
from warehouse.lake import Lake

_PARTITIONS_PER_TASK = 16


@dataclass(frozen=True)
class Transformed:
    """How many partitions were transformed, the decisions in them, and their dates."""

    partitions: int
    decisions: int
    dates: tuple[dt.date, ...]


@flow(name="transform")
def transform(catalog_dir: str | None = None, anew_on: tuple[dt.date, ...] = ()) -> Transformed:
    """Group the decisions of every new or changed partition into demand cells, then run the SQL assertions on them.

    Partitions of the dates in `anew_on` are grouped again even though nothing changed.

    Raises
    ------
    DataError
        When an assertion finds rows that break it; the message names the claim, the date and the first rows.
    """
    around = Surroundings(catalog_dir)
    stale = list(stale_cells(around.lake, around.catalog, anew_on))
    decisions = 0
    sold = around.lake.dates("interactions")
    tag_run("features", f"transform-{sold[-1] if sold else 'empty'}")
    for first in range(0, len(stale), _PARTITIONS_PER_TASK):
        decisions += group_partitions(around, stale[first : first + _PARTITIONS_PER_TASK])
        tell("grouping decisions into demand cells", min(first + _PARTITIONS_PER_TASK, len(stale)), len(stale))
    rows_of: dict[dt.date, int] = {}
    for item in stale:
        if date := item.decisions.business_date:
            rows_of[date] = rows_of.get(date, 0) + rows_in(around.lake, item)
    broken: list[BrokenAssertion] = []
    checked = 0
    for dates in dates_to_check_at_once(rows_of):
        broken += broken_assertions(around.settings, dates)
        checked += len(dates)
        tell("checking what the data claim to be", checked, len(rows_of))
    if broken:
        raise DataError("; ".join(map(str, broken)))
    return Transformed(len(stale), decisions, tuple(sorted(rows_of)))


@task(**TOUCHES_THE_DISK)
def group_partitions(around: Surroundings, stale: list[StaleCells]) -> int:
    """Transform some partitions and publish their cells; return how many decisions they hold."""
    decisions = 0
    with feature_workbench(around.settings) as connection:
        for item in stale:
            cells = cells_of(connection, around.lake.path(item.decisions))
            keep_what_the_day_had(around.lake, item)
            around.lake.publish(item.cells, cells, inputs=item.inputs)
            decisions += rows_in(around.lake, item)
    return decisions


def rows_in(lake: Lake, item: StaleCells) -> int:
    """Return how many decisions a partition holds by its receipt."""
    receipt = lake.receipt(item.decisions)
    return receipt.rows if receipt else 0


def keep_what_the_day_had(lake: Lake, item: StaleCells) -> None:
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
