"""Demand cells: decisions grouped losslessly into distinct feature vectors with counts, partition by partition.

Units that a retailer counted become cells too: a unit sold is a purchase out of many chances, so that a chance of sale
times the chances is the rate at which units sell.

Beside its cells, a partition of decisions has visit counts, see `features.visit_counts`.

Why cells are as good as rows: a model that sees only these features cannot tell two decisions of one cell apart, so
counts as weights carry everything that the rows do.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from catalog.load import Catalog
from catalog.settings import Settings
from catalog.tables.decisions import DEMAND_CELLS
from features.tallies import TALLIED, TooManyError, tallies_of
from features.visit_counts import counts_beside, counts_inputs, counts_of_view, show_visits
from warehouse.connection import MACROS, VIEW_FOLDERS, run_script, run_scripts, workbench
from warehouse.lake import Lake, Partition
from warehouse.partition import Within, between
from warehouse.sold import PRODUCTS, SOLD, sold_partitions
from warehouse.sql_files import queries_beside

FEATURE_VIEWS = Path(__file__).parent / "views"
ALL_VIEWS = (*VIEW_FOLDERS, FEATURE_VIEWS)
_CELLS_OF = {"interactions": "demand_cells", "unit_sales": "demand_cells_of_units"}
_MEMORY_OF_A_BATCH = "1GB"
_NOWHERE = "/nonexistent"
_MOST_ROWS = 4_000_000  # that are tallied in memory, at about 100 bytes each
query = queries_beside(__file__)
"""Returns the text of one of the features' queries, by name."""


@dataclass(frozen=True)
class StaleCells:
    """A partition of decisions, or of unit sales, whose cells or counts are missing, or were made from other inputs.

    Attributes
    ----------
    decisions, cells
        What was sold, and its cells.
    inputs
        What the cells are made from.
    counts, counts_inputs
        Partitions that count the decisions, none for unit sales, and what they are made from.
    """

    decisions: Partition
    cells: Partition
    inputs: str
    counts: tuple[Partition, ...]
    counts_inputs: str

    @property
    def parts(self) -> dict[Partition, str]:
        """Everything that is made from the decisions in the order of publishing, with what it is made from."""
        return {**dict.fromkeys(self.counts, self.counts_inputs), self.cells: self.inputs}

    def is_current(self, lake: Lake) -> bool:
        """Tell whether all of it was made from these inputs already."""
        return all(lake.is_current(part, inputs) for part, inputs in self.parts.items())


def feature_workbench(
    settings: Settings, products: pa.Table | None = None, within: Within | None = None
) -> duckdb.DuckDBPyConnection:
    """Return a connection in memory with the warehouse's views and the features' definitions.

    Features use the products in the lake, or other `products`, such as those of an earlier day. With `within`, tables
    by day show the dates it asks for alone, as in `warehouse.connection.workbench`.
    """
    connection = workbench(settings, within)
    if products is not None:
        connection.execute("drop view products")
        connection.register("products", products)
    run_scripts(connection, [FEATURE_VIEWS])
    connection.execute(query("shelf_sku"))
    show_visits(connection, Lake(settings), within)
    return connection


def grouping_connection(products: pa.Table) -> duckdb.DuckDBPyConnection:
    """Return a connection in memory that groups rows in memory by a shelf, and looks at no file of the lake.

    It works on one thread: who groups batches does so in several processes.
    """
    connection = duckdb.connect(config={"threads": 1, "memory_limit": _MEMORY_OF_A_BATCH, "file_search_path": _NOWHERE})
    run_scripts(connection, [MACROS])
    connection.register("products", products)
    run_script(connection, FEATURE_VIEWS / "2_model_input.sql")
    return connection


def _unnoticed(_partition: Partition) -> None:
    """Tell nobody."""


def stale_cells(
    lake: Lake,
    catalog: Catalog,
    anew_on: Collection[dt.date] = (),
    settled: Collection[dt.date] = (),
    on_unproven: Callable[[Partition], object] = _unnoticed,
) -> Iterator[StaleCells]:
    """Yield the partitions to transform: those whose decisions, base prices or definition of features changed.

    Parameters
    ----------
    anew_on
        Dates whose partitions are always among them.
    settled
        Dates that are known to be grouped; no partition of theirs is opened.
    on_unproven
        Called with each partition of decisions that has no receipt in force: nothing can be made from it, and the other
        partitions do not wait for it.
    """
    definitions = {table: definition_of(catalog, table) for table in SOLD}
    for decisions in sold_partitions(lake, lambda date: date in anew_on or date not in settled):
        receipt = lake.receipt(decisions)
        if receipt is None:
            on_unproven(decisions)
            continue
        cells = cells_from(decisions, receipt.sha256, definitions[decisions.table])
        if decisions.business_date in anew_on or not cells.is_current(lake):
            yield cells


def cells_from(decisions: Partition, sha256: str, definition: str) -> StaleCells:
    """Return which cells and counts belong to decisions of these bytes, and what they are made from."""
    cells = Partition("demand_cells", decisions.business_date, decisions.group)
    inputs = f"{sha256}:{definition}"
    return StaleCells(decisions, cells, inputs, counts_beside(decisions), counts_inputs(sha256))


def definition_of(catalog: Catalog, table: str = "interactions") -> str:
    """Return the fingerprint of what cells depend on beside what was sold: the features' SQL and the base prices."""
    definition = hashlib.sha256(query(_CELLS_OF[table]).encode())
    for script in (MACROS / "with_stock.sql", *sorted(FEATURE_VIEWS.glob("*.sql"))):
        definition.update(script.read_bytes())
    for product in catalog.products:
        definition.update(f"{product.sku}\n{product.base_price}\n".encode())
    return definition.hexdigest()


def seals_of_cells(lake: Lake, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, str]]:
    """Yield the date and the fingerprint of each partition of cells from one date through another, in order.

    While these are the same, the cells are the same: the fingerprint of anything made from them builds on these.
    """
    for partition in lake.partitions("demand_cells", between(first, last)):
        date, receipt = partition.business_date, lake.receipt(partition)
        if receipt is not None and date is not None:
            yield date, f"{partition}:{receipt.sha256}\n"


def cells_of(connection: duckdb.DuckDBPyConnection, sold: Path | str, table: str = "interactions") -> pa.Table:
    """Group one partition of decisions or unit sales into demand cells, with the columns of their contract.

    Precondition: the partition's bytes are proven (`warehouse.proof`).

    Parameters
    ----------
    sold
        What DuckDB opens for it, as `Lake.places` returns it.
    """
    with _shown_as_sold(connection, connection.read_parquet(str(sold))):
        return _cells_of_view(connection, table)


def groups_of(connection: duckdb.DuckDBPyConnection, lake: Lake, sold: Partition) -> dict[str, pa.Table]:
    """Group one partition as `cells_of` does, and count its decisions; return the rows of each table by its name."""
    if is_tallied(lake, sold):
        return groups_of_rows(lake.read(PRODUCTS), lake.read(sold, TALLIED))
    with _shown_as_sold(connection, connection.read_parquet(lake.places([sold])[0])):
        return _groups_of_view(connection, sold.table)


def is_tallied(lake: Lake, sold: Partition) -> bool:
    """Tell whether a partition is grouped in memory, without a connection; others may be larger."""
    receipt = lake.receipt(sold)
    return sold.table == "interactions" and receipt is not None and receipt.rows <= _MOST_ROWS


def groups_of_rows(products: pa.Table, decisions: pa.Table) -> dict[str, pa.Table]:
    """Group and count decisions that are in memory, as `groups_of` does those of a partition, by a shelf's products."""
    try:
        return tallies_of(decisions, products)
    except TooManyError:
        with grouping_connection(products) as own, _shown_as_sold(own, own.from_arrow(decisions)):
            return _groups_of_view(own, "interactions")


def publish_groups(lake: Lake, item: StaleCells, groups: Mapping[str, pa.Table]) -> None:
    """Publish what was made from a partition: counts before cells, so that where cells are, counts are.

    Raises
    ------
    Declined
        When another process is writing one of them.
    """
    for part, inputs in item.parts.items():
        lake.publish(part, groups[part.table], inputs=inputs)


@contextmanager
def _shown_as_sold(connection: duckdb.DuckDBPyConnection, sold: duckdb.DuckDBPyRelation) -> Iterator[None]:
    sold.create_view("rows_sold", replace=True)
    connection.execute(query("sold"))
    try:
        yield
    finally:
        connection.execute("drop view sold")
        connection.execute("drop view rows_sold")


def _groups_of_view(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, pa.Table]:
    counts = counts_of_view(connection) if table == "interactions" else {}
    return {**counts, "demand_cells": _cells_of_view(connection, table)}


def _cells_of_view(connection: duckdb.DuckDBPyConnection, table: str) -> pa.Table:
    cells: pa.Table = connection.sql(query(_CELLS_OF[table])).to_arrow_table()
    return cells.cast(DEMAND_CELLS.schema)


def model_input(connection: duckdb.DuckDBPyConnection, candidates: pd.DataFrame) -> pd.DataFrame:
    """Return the features of candidate prices, one row each in the same order; `sku` knows the shelf.

    Parameters
    ----------
    candidates
        Columns `sku`, `price_offered` (EUR) and `inventory_level` (units).
    """
    numbered = candidates.assign(row_number=range(len(candidates)))
    connection.register("shelf_candidates", numbered)
    try:
        return connection.execute(query("candidate_input")).df()
    finally:
        connection.unregister("shelf_candidates")
