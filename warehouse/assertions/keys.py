"""The key of each table is unique, as its contract says: checked from the contract, with no query for each table.

A table without dates may have a partition for each night. Where it has many, the hashes of the keys in each are kept in
a note, so that only partitions that were published since are read; where two hashes agree, all are read and whole keys
are compared. The note only saves work: without it, every partition is read.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from contextlib import suppress

import duckdb
import numpy as np
from duckdb import ColumnExpression, Expression, FunctionExpression

from catalog.errors import LakeError
from catalog.table import Table
from warehouse.lake import Lake, Partition
from warehouse.notes import KEYS, read_sealed, write_sealed
from warehouse.proof import is_proven

Row = tuple[object, ...]
_MANY = 20  # partitions of a table without dates


def repeated_keys(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table, business_dates: Collection[dt.date]
) -> list[tuple[dt.date | None, Row]]:
    """Return every key that more than one row of a table has, with its business date.

    Rows are told apart by a hash of the key first, which needs a fraction of the memory and time; whole keys are
    compared only where two hashes agree.

    Parameters
    ----------
    business_dates
        Dates to look at. Tables without dates are looked at whole, unless there are no dates at all.
    """
    partitions = list(lake.partitions(table.name, set(business_dates).__contains__)) if business_dates else []
    if table.by == "key" and len(partitions) > _MANY and not _may_repeat(connection, lake, table, partitions):
        return []
    files = lake.places(partition for partition in partitions if is_proven(lake, partition))  # `health` names others
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


def _may_repeat(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table, partitions: Sequence[Partition]
) -> bool:
    """Tell whether two keys of a table without dates have the same hash; what is not proven is left out."""
    note, made_by = f"{KEYS}/{table.name}.json", f"{duckdb.__version__} {table.key}"
    before, now, columns = _kept(lake, note, made_by), dict[str, str](), list(map(ColumnExpression, table.key))
    for part in partitions:
        published = str(lake.published_at(part)).replace(" ", "T")
        if before.get(part.group, "").split(" ")[0] == published:
            now[part.group] = before[part.group]
        elif is_proven(lake, part):
            hashed = connection.read_parquet(lake.places([part])).select(_hash_of(columns)).fetchall()
            now[part.group] = " ".join([published, *(str(own) for (own,) in hashed)])
    if now != before:
        with suppress(OSError, LakeError):
            write_sealed(lake.notes, note, {"made_by": made_by, "keys": "\n".join(map(" ".join, now.items()))})
    is_apart = table.unique_in == "partition"
    hashes = [(group if is_apart else "", own) for group, line in now.items() for own in line.split(" ")[1:]]
    return len(set(hashes)) < len(hashes)


def _kept(lake: Lake, note: str, made_by: str) -> dict[str, str]:
    """Return when each partition was published whose keys were looked at, and their hashes, by its group."""
    try:
        said = read_sealed(lake.notes, note) or {}
        lines = str(said["keys"]).splitlines() if said["made_by"] == made_by else []
        return {group: line for group, _, line in (one.partition(" ") for one in lines)}
    except (OSError, ValueError, KeyError):
        return {}
