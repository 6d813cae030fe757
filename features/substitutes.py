"""Choices among substitutes: what stood at which price before shoppers who did not buy, and what they took instead.

They are counted partition by partition, like visits, and only where the shelf has substitutes. What must hold: they are
those of the decisions, substitutions and price decisions of their partition, and of the substitutes that the catalog
names.
"""

import datetime as dt
import hashlib
from contextlib import suppress

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.errors import Declined
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from features.cells import query
from warehouse.lake import Lake, Partition
from warehouse.query.connection import MACROS, run_script

_VIEWS = {"visits": "interactions", "taken": "substitutions", "repriced": "repricings"}


def count_choices(lake: Lake, catalog: Catalog) -> None:
    """Count the choices of every partition in which somebody may have taken a substitute, and that is not counted.

    A day that is still being sold waits, and so do partitions that are not proven, or that another process counts.
    """
    if not catalog.names_substitutes:
        return
    pairs = pairs_of(catalog)
    definition = hashlib.sha256(f"{query('choices_of_partition')}{pairs}".encode()).hexdigest()
    for part in lake.partitions(_VIEWS["taken"]):
        parts = {view: Partition(table, part.business_date, part.group) for view, table in _VIEWS.items()}
        receipts = [lake.receipt(place) for place in parts.values()]
        inputs = ":".join([*(receipt.sha256 for receipt in receipts if receipt is not None), definition])
        choices = Partition("substitute_choices", part.business_date, part.group)
        if None in receipts or lake.is_current(choices, inputs) or not all(map(lake.is_proven, parts.values())):
            continue
        counted = choices_of({view: lake.read(place) for view, place in parts.items()}, *pairs)
        with suppress(Declined):
            lake.publish(choices, counted, inputs=inputs)


def pairs_of(catalog: Catalog) -> tuple[list[str], list[str]]:
    """Return each product and one of its substitutes, in pairs."""
    product, other = np.nonzero(catalog.substitutes)
    return [catalog.skus[position] for position in product], [catalog.skus[position] for position in other]


def choices_of(rows: dict[str, pa.Table], skus: list[str], others: list[str]) -> pa.Table:
    """Return the choices in the rows of one partition, by the names of the query's views."""
    with duckdb.connect(config={"threads": 1}) as connection:
        run_script(connection, MACROS / "is_external.sql")
        for view, table in rows.items():
            connection.register(view, table)
        given = {"skus": skus, "others": others}
        choices = connection.sql(query("choices_of_partition"), params=given).to_arrow_table()
    return choices.cast(TABLES["substitute_choices"].schema)


def choices_in(connection: duckdb.DuckDBPyConnection, first: dt.date, last: dt.date) -> pd.DataFrame:
    """Return the choices of some days, in the columns of `substitute_choices`."""
    return connection.execute(query("choices"), {"first": first, "last": last}).df()
