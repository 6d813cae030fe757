"""The assertions on one batch while its rows are in memory, before anybody reads them back.

What must hold: these are the same queries as those on the lake, over views of the same names, so that a batch for which
nothing is found here would be found good there. Whether several batches of a date share a key is not seen here.
"""

import datetime as dt
from collections.abc import Mapping

import duckdb
import pyarrow as pa
from duckdb import ConstantExpression, StarExpression

from catalog.contracts import TABLES
from warehouse.assertions.keys import repeated_in
from warehouse.assertions.run import BrokenAssertion, broken_by, broken_on
from warehouse.connection import VIEWS, run_script

_READ = {
    "interactions": "closed_interactions",
    "repricings": "closed_repricings",
    "unit_sales": "unit_sales",
    "demand_cells": "demand_cells",
    "visit_counts": "visit_counts",
    "store_visits": "store_visits",
}
"""The tables by day that the queries read, with the view that shows each."""


def broken_in_batch(
    connection: duckdb.DuckDBPyConnection, business_date: dt.date, tables: Mapping[str, pa.Table]
) -> list[BrokenAssertion]:
    """Run every assertion on the tables of a batch, by name; one that is left out has no rows.

    Parameters
    ----------
    connection
        In memory, with the warehouse's macros and the products; views of the batch are made in it.
    """
    shown = {name: TABLES[name].schema.empty_table() for name in _READ} | dict(tables)
    rows = {name: _dated(connection, business_date, table) for name, table in shown.items()}
    connection.begin()
    try:
        for name, view in _READ.items():
            rows[name].create_view(view, replace=True)
        run_script(connection, VIEWS / "decisions_with_stock.sql")
        broken = broken_on(connection, [business_date])
    finally:
        connection.rollback()  # takes the views away, and with them the rows
    for name in tables:
        repeated = repeated_in(rows[name], TABLES[name].key)
        broken.extend(broken_by(f"the_key_of_{name}_is_unique", ((business_date, row[:-1]) for row in repeated)))
    return broken


def _dated(connection: duckdb.DuckDBPyConnection, business_date: dt.date, table: pa.Table) -> duckdb.DuckDBPyRelation:
    """Return rows with the business date that a partition has from the name of its folder."""
    date = ConstantExpression(business_date).alias("business_date")
    return connection.from_arrow(table).select(StarExpression(), date)
