"""The key of each table is unique, as its contract says: checked from the contract, with no query for each table."""

import datetime as dt
from collections.abc import Collection, Sequence

import duckdb
import numpy as np
from duckdb import ColumnExpression, Expression, FunctionExpression

from catalog.table import Table
from warehouse.lake import Lake
from warehouse.proof import is_proven

Row = tuple[object, ...]
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


def repeated_keys(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    table: Table,
    business_dates: Collection[dt.date],
    newest: int | None = None,
) -> list[tuple[dt.date | None, Row]]:
    """Return every key that more than one row of a table has, with its business date.

    Rows are told apart by a hash of the key first, which needs a fraction of the memory and time; whole keys are
    compared only where two hashes agree.

    Parameters
    ----------
    business_dates
        Dates to look at. Tables without dates are looked at whole, unless there are no dates at all.
    newest
        How many partitions of a table without dates are looked at, those that changed last; by default all of them.
    """
    files = _files(lake, table, business_dates, newest)
    if not files:
        return []
    rows = connection.read_parquet(files, filename=True, hive_partitioning=table.by == "day")
    within = ["business_date"] if table.by == "day" else []
    if table.unique_in == "partition":
        within.append("filename")
    found = repeated_in(rows, [*within, *table.key])
    return [(_date_of(row, table), row[len(within) : -1]) for row in found]


def repeated_in(rows: duckdb.DuckDBPyRelation, names: Sequence[str]) -> list[Row]:
    """Return every combination of some columns that more than one row has, in order, with how many have it.

    Columns of numbers and times are tried first: where no two rows agree in these, none agree in all.
    """
    types = dict(zip(rows.columns, map(str, rows.types), strict=True))
    narrow = [ColumnExpression(name) for name in names if types[name] != "VARCHAR"]
    if 1 < len(narrow) < len(names) and not _any_twice(rows.select(_hash_of(narrow))):
        return []
    columns = [ColumnExpression(name) for name in names]
    hashed = rows.select(_hash_of(columns))
    if not _any_twice(hashed):
        return []
    repeated_hashes = _repeated(hashed, ["key_hash"])
    suspects = rows.select(*columns, _hash_of(columns)).join(
        repeated_hashes.select(ColumnExpression("key_hash")).set_alias("repeated"), "key_hash", how="semi"
    )
    found: list[Row] = _repeated(suspects, names).sort(*columns).fetchall()
    return found


def _date_of(row: Row, table: Table) -> dt.date | None:
    return row[0] if table.by == "day" and isinstance(row[0], dt.date) else None


def _hash_of(columns: Sequence[Expression]) -> Expression:
    return FunctionExpression("hash", *columns).alias("key_hash")


def _any_twice(hashed: duckdb.DuckDBPyRelation) -> bool:
    """Tell whether a number stands in two rows; to sort numbers is faster than to group them."""
    hashes = np.sort(hashed.to_arrow_table()["key_hash"].to_numpy())
    return bool((hashes[1:] == hashes[:-1]).any())


def _repeated(rows: duckdb.DuckDBPyRelation, names: Sequence[str]) -> duckdb.DuckDBPyRelation:
    columns = [ColumnExpression(name) for name in names]
    counted = rows.aggregate([*columns, FunctionExpression("count").alias("count_rows")])
    return counted.filter(ColumnExpression("count_rows") > 1)


def _files(lake: Lake, table: Table, business_dates: Collection[dt.date], newest: int | None) -> list[str]:
    """Return the files of proven partitions; `verify` names the others."""
    if not business_dates:
        return []
    partitions = list(lake.partitions(table.name, set(business_dates).__contains__))
    if table.by == "key" and newest is not None and len(partitions) > newest:
        partitions = sorted(partitions, key=lambda one: lake.published_at(one) or _LONG_AGO)[-newest:]
    return lake.places(partition for partition in partitions if is_proven(lake, partition))
