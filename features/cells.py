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
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import Catalog
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from features.visit_counts import counts_beside, counts_inputs, show_visits
from warehouse.lake import Lake, Partition
from warehouse.origin import COUNTS, SOLD, sold_partitions
from warehouse.parquet import in_one_piece
from warehouse.partition import Within, between
from warehouse.query.connection import MACROS, VIEW_FOLDERS, queries_beside, run_script, run_scripts, workbench

FEATURE_VIEWS = Path(__file__).parent / "views"
ALL_VIEWS = (*VIEW_FOLDERS, FEATURE_VIEWS)
_CELLS_OF = {"interactions": "demand_cells", "unit_sales": "demand_cells_of_units"}
_MADE_OF = {"interactions": (*COUNTS, "demand_cells"), "unit_sales": ("demand_cells",)}
COLUMNS_GROUPED = {
    "interactions": (
        "store_id",
        "tick",
        "seen_at",
        "sku",
        "price_offered",
        "inventory_level",
        "purchased",
        "policy",
        "sticker_eur",
    ),
    "unit_sales": ("sku", "price", "units", "stock", "chances", "is_sudden_zero"),
}
"""By table of what was sold, the columns that grouping reads."""
_NUMBERED = {"stores": "store_id", "skus": "sku"}
_NOWHERE = "/nonexistent"
query = queries_beside(__file__)
"""Returns the text of one of the features' queries, by name."""


@dataclass(frozen=True)
class StaleCells:
    """A partition of decisions, or of unit sales, whose cells or counts are missing, or were made from other inputs.

    `counts` are the partitions that count the decisions, none for unit sales. `inputs` and `counts_inputs` say what
    cells and counts are made from.
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
        """Return whether all of it was made from these inputs already."""
        return all(lake.is_current(part, inputs) for part, inputs in self.parts.items())


def feature_workbench(
    settings: Settings, products: pa.Table | None = None, within: Within | None = None
) -> duckdb.DuckDBPyConnection:
    """Return a connection in memory with the warehouse's views and the features' definitions.

    Features use the products in the lake, or other `products`, such as those of an earlier day. With `within`, tables
    by day show the dates it asks for alone, as in `warehouse.query.connection.workbench`.
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
    """Return a connection in memory that groups what was sold by a shelf's products, and looks at no file of the lake.

    It works on one thread, which takes a third less processor time than two.
    """
    connection = duckdb.connect(config={"threads": 1, "file_search_path": _NOWHERE})
    run_scripts(connection, [MACROS])
    connection.register("products", products)
    run_script(connection, FEATURE_VIEWS / "2_model_input.sql")
    return connection


def stale_cells(
    lake: Lake,
    catalog: Catalog,
    anew_on: Collection[dt.date] = (),
    on_unproven: Callable[[Partition], object] = lambda _: None,
) -> Iterator[StaleCells]:
    """Yield the partitions to transform: those whose decisions, base prices or definition of features changed.

    Parameters
    ----------
    anew_on
        Dates whose partitions are always among them.
    on_unproven
        Called with each partition of decisions that has no receipt in force: nothing can be made from it, and the other
        partitions do not wait for it.
    """
    definitions = {table: definition_of(catalog, table) for table in SOLD}
    for decisions in sold_partitions(lake):
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


def groups_of(connection: duckdb.DuckDBPyConnection, lake: Lake, sold: Partition) -> dict[str, pa.Table]:
    """Group one partition, read from the lake, as `groups_of_rows` does.

    Raises
    ------
    LakeError
        When its bytes are not those of its receipt.
    """
    return groups_of_rows(connection, rows_to_group(lake, sold), sold.table)


def rows_to_group(lake: Lake, sold: Partition) -> pa.Table:
    """Read the columns of a partition that it is grouped by; raise as `groups_of` does."""
    return lake.read(sold, COLUMNS_GROUPED[sold.table])


def groups_of_rows(
    connection: duckdb.DuckDBPyConnection, sold: pa.Table, table: str = "interactions"
) -> dict[str, pa.Table]:
    """Group decisions or unit sales into demand cells and count the decisions; return each table by its name.

    DuckDB groups numbers three times as fast as text, so stores and products go in as positions among their names in
    alphabetical order, and the few rows that come out get the names back.

    Parameters
    ----------
    connection
        Of `grouping_connection` or `feature_workbench`: with the macros and the products of the shelf.
    sold
        Rows in the columns of the contract of `table`.
    """
    names = dict[str, list[str]]()
    for parameter, column in _NUMBERED.items():
        if column in sold.column_names:
            positions, names[parameter] = _numbered(sold[column])
            sold = sold.set_column(sold.column_names.index(column), column, positions)
    connection.register("sold", sold)
    try:
        return {name: _made(connection, name, table, names) for name in _MADE_OF[table]}
    finally:
        connection.unregister("sold")


def _numbered(texts: pa.ChunkedArray) -> tuple[pa.Array, list[str]]:
    """Return texts as positions among their names in alphabetical order, and these names."""
    encoded = in_one_piece(texts.unify_dictionaries())
    order = pc.array_sort_indices(encoded.dictionary)
    positions = np.argsort(order.to_numpy()).astype(np.int32)
    return pa.array(positions[encoded.indices.to_numpy()]), encoded.dictionary.take(order).to_pylist()


def _made(connection: duckdb.DuckDBPyConnection, name: str, table: str, names: Mapping[str, list[str]]) -> pa.Table:
    """Return the rows of one table that is made from what was sold."""
    text = query(_CELLS_OF[table] if name == "demand_cells" else name)
    parameters = {parameter: words for parameter, words in names.items() if f"${parameter}" in text}
    rows: pa.Table = connection.sql(text, params=parameters).to_arrow_table()
    for parameter, words in names.items():
        column = _NUMBERED[parameter]
        if column in rows.column_names and pa.types.is_integer(rows[column].type):
            named = pa.DictionaryArray.from_arrays(in_one_piece(rows[column]), pa.array(words, pa.string()))
            rows = rows.set_column(rows.column_names.index(column), column, named)
    return rows.cast(TABLES[name].schema)


def publish_groups(lake: Lake, item: StaleCells, groups: Mapping[str, pa.Table]) -> None:
    """Publish what was made from a partition: counts before cells, so that where cells are, counts are.

    Raises
    ------
    Declined
        When another process is writing one of them.
    """
    for part, inputs in item.parts.items():
        lake.publish(part, groups[part.table], inputs=inputs)


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
