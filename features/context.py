"""The context of a price: what is known of a store's hour before its prices are set, and may decide what is bought.

Weekday and hour on the store's clock, public holidays and the day before, days since pay day, the store and its
attributes, announced events and the day's temperature: one definition, `contexts/context.sql`, serves training and
pricing. It says nothing about a shopper. What a store's days have in common is worked out once for each of them, never
for each decision.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import holidays
import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.load import Catalog
from catalog.records.store import Store
from features.cells import query
from features.context_names import looks_at_context
from warehouse.connection import run_script
from warehouse.lake import Lake, Partition

_SCRIPT = Path(__file__).parent / "contexts" / "context.sql"
TABLES_OF_CONTEXT = ("events", "weather")
KEYS = ("business_date", "store_id")
"""Columns that name a store day."""
_WEEKEND = (6, 7)  # where no country is said
_MOST_YEARS = 30  # that days are learned from
_MOST_STORES = 24  # that have a column each; of more, their attributes tell


def show_context(connection: duckdb.DuckDBPyConnection, catalog: Catalog, first: dt.date, last: dt.date) -> None:
    """Create the views and macros of the context of some dates on a connection of `feature_workbench`."""
    store = catalog.store
    labels, sizes = list(_labels_of(store)), [(name, own.size) for name, own in store.attributes.items() if own.size]
    free, weekend = _free_days(store, first, last)
    shown = {
        "public_holidays": pa.table({"business_date": pa.array(free, pa.date32())}),
        "weekend_days": pa.table({"weekday": pa.array(weekend, pa.int64())}),
        "store_labels": _pairs(labels, "label", pa.string()),
        "store_sizes": _pairs(sizes, "size", pa.float64()),
        "pay_days": pa.table({"day": pa.array([store.pay_day], pa.int32())}),
    }
    for name, rows in shown.items():
        connection.register(name, rows)
    run_script(connection, _SCRIPT)


def seals_of_context(lake: Lake, first: dt.date, last: dt.date) -> Iterator[str]:
    """Yield the fingerprint of each table that the context of some dates rests on beside the catalog, if it has any."""
    for name in TABLES_OF_CONTEXT:
        part = Partition(name, None, "all")
        if lake.receipt(part) is not None:
            rows = [row for row in lake.read(part).to_pylist() if first <= row["date"] <= last]
            if rows:
                yield f"{name}:{hashlib.sha256(repr(rows).encode()).hexdigest()}\n"


def context_of_days(connection: duckdb.DuckDBPyConnection, store_days: pd.DataFrame) -> pd.DataFrame:
    """Return the context of some store days, a row each, in order of date and store.

    Parameters
    ----------
    store_days
        Columns `business_date` and `store_id`.

    Returns
    -------
    pd.DataFrame
        The two columns, and the features of the day: doubles, NaN where a temperature, a size or a pay day is unknown.
    """
    connection.register("store_days_asked", store_days)
    try:
        return connection.execute(query("context_of_days")).df()
    finally:
        connection.unregister("store_days_asked")


def days_sold_in_context(connection: duckdb.DuckDBPyConnection, first: dt.date, last: dt.date) -> pd.DataFrame:
    """Return the context of every store day between two dates on which something was sold, as `context_of_days`."""
    return context_of_days(
        connection, connection.execute(query("store_days_sold"), {"first": first, "last": last}).df()
    )


def cells_in_context(
    connection: duckdb.DuckDBPyConnection, days: pd.DataFrame, features: Sequence[str]
) -> pd.DataFrame:
    """Group what was sold on some store days losslessly by the features that a model sees.

    Parameters
    ----------
    days
        Rows of `context_of_days`, with a column `period`: days of different periods are not merged.
    features
        Columns of `days` that the model sees.

    Returns
    -------
    pd.DataFrame
        One row per `period` and distinct feature vector: `period`, `sku`, `price_offered` (EUR), `price_ratio`, `hour`,
        `inventory_level` (a full shelf), the features, the products one-hot, `n_offered` and `n_purchased`.
    """
    told = days[list(features)]
    context = told.groupby(list(features), dropna=False, sort=True).ngroup() if features else pd.Series(0, told.index)
    numbered = days[["business_date", "store_id", "period"]].assign(context=context)
    connection.register("contexts_of_days", numbered)
    # DuckDB takes each table for as long as its first file, which has no row, and would hash the longer side
    connection.execute("set disabled_optimizers = 'join_order,build_side_probe_side'")
    try:
        cells = connection.execute(query("cells_in_context")).df()
    finally:
        connection.execute("reset disabled_optimizers")
        connection.unregister("contexts_of_days")
    known = told.assign(context=context).drop_duplicates("context").set_index("context")
    return cells.join(known, on="context").drop(columns="context")


def _labels_of(store: Store) -> Iterator[tuple[str, str]]:
    for name in store.stores:
        if 1 < len(store.stores) <= _MOST_STORES:
            yield name, f"store_{name}"
        if own := store.attributes.get(name):
            yield from ((name, f"tag_{tag}") for tag in dict.fromkeys(own.tags))
            if own.region:
                yield name, f"region_{own.region}"


def _free_days(store: Store, first: dt.date, last: dt.date) -> tuple[list[dt.date], list[int]]:
    """Return the public holidays about some dates, and the days of the weekend, 1 is Monday."""
    if store.country is None:
        return [], list(_WEEKEND)
    years = range(max(first.year, last.year - _MOST_YEARS), (last + dt.timedelta(days=1)).year + 1)
    known = holidays.country_holidays(store.country, years=years)
    return sorted(known), sorted(day + 1 for day in known.weekend)


def _pairs(rows: Sequence[tuple[str, object]], name: str, kind: pa.DataType) -> pa.Table:
    stores, values = ([row[place] for row in rows] for place in (0, 1))
    return pa.table({"store_id": pa.array(stores, pa.string()), name: pa.array(values, kind)})


def holdout_of(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, features: Sequence[str], after: dt.date, through: dt.date
) -> pd.DataFrame:
    """Return the cells of the days after a date as a model with some features can be asked about them.

    They have the columns of the query `holdout_cells`, and the context where the model looks at it.
    """
    if not looks_at_context(features):
        return connection.execute(query("holdout_cells"), {"trained_through": after, "judged_through": through}).df()
    first = after + dt.timedelta(days=1)
    show_context(connection, catalog, first, through)
    days = days_sold_in_context(connection, first, through)
    return dated_cells(connection, days)


def dated_cells(connection: duckdb.DuckDBPyConnection, days: pd.DataFrame) -> pd.DataFrame:
    """Group what was sold on some store days as `cells_in_context` does, each `business_date` for itself."""
    dates, ordinal = np.unique(days["business_date"], return_inverse=True)
    told = [str(name) for name in days if name not in KEYS]
    cells = cells_in_context(connection, days.assign(period=ordinal), told)
    cells.insert(0, "business_date", pd.to_datetime(dates)[cells.pop("period")])
    return cells
