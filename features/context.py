"""The context of a store's day: what is known of it before its prices are set, and may decide what is bought.

Public holidays and the day before, days since pay day, announced events and the day's temperature, as
`contexts/context.sql` defines them. The belief itself learns what a weekday adds.
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
from warehouse.lake import Lake, Partition
from warehouse.query.connection import run_script

_SCRIPT = Path(__file__).parent / "contexts" / "context.sql"
TABLES_OF_CONTEXT = ("events", "weather")
KEYS = ("business_date", "store_id")
"""Columns that name a store day."""
_MOST_YEARS = 30
_EVENT = "event_"  # begins the name of an event's column
_SHORTLY = 5  # days after pay day


def show_context(connection: duckdb.DuckDBPyConnection, catalog: Catalog, first: dt.date, last: dt.date) -> None:
    """Create the views and macros of the context of some dates on a connection of `feature_workbench`."""
    free = _public_holidays(catalog.store, first, last)
    shown = {
        "public_holidays": pa.table({"business_date": pa.array(free, pa.date32())}),
        "pay_days": pa.table({"day": pa.array([catalog.store.pay_day], pa.int32())}),
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
        The two columns, and the features of the day: doubles, NaN where a temperature or a pay day is unknown.
    """
    connection.register("store_days_asked", store_days)
    try:
        return connection.execute(query("context_of_days")).df()
    finally:
        connection.unregister("store_days_asked")


def days_in_context(connection: duckdb.DuckDBPyConnection, catalog: Catalog, dates: Sequence[dt.date]) -> pd.DataFrame:
    """Return what is known of some days beyond weekday and hour: a row each by `business_date`, a store's mean.

    Parameters
    ----------
    connection
        Of `feature_workbench`, however few dates it shows.
    dates
        Ascending.
    """
    show_context(connection, catalog, dates[0], dates[-1])
    asked = pd.DataFrame([(date, name) for date in dates for name in catalog.store.stores], columns=list(KEYS))
    known = context_of_days(connection, asked)
    return known.drop(columns="store_id").groupby("business_date").mean()


def day_in_words(day: pd.Series) -> str:
    """Return what is known of a day, a row of `days_in_context`, in words: "pay day, 28 degrees"."""
    flags = {"is_holiday": "public holiday", "is_day_before_holiday": "the day before a public holiday"}
    flags |= {name: name.removeprefix(_EVENT) for name in day.index if name.startswith(_EVENT)}
    words = [word for name, word in flags.items() if day.get(name) == 1]
    since, degrees = day.get("days_since_pay_day", np.nan), day.get("temperature", np.nan)
    if since <= _SHORTLY:
        words.append("pay day" if since == 0 else f"{since:.0f} days after pay day")
    if np.isfinite(degrees):
        words.append(f"{degrees:.0f} degrees")
    return ", ".join(words)


def _public_holidays(store: Store, first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the public holidays of the years about some dates."""
    if store.country is None:
        return []
    years = range(max(first.year, last.year - _MOST_YEARS), (last + dt.timedelta(days=1)).year + 1)
    return sorted(holidays.country_holidays(store.country, years=years))
