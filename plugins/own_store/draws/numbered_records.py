"""Records under ascending numbers, each in a partition of its own."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from catalog.tables.contracts import TABLES
from warehouse.lake import Lake, Partition


def numbered_records(lake: Lake, table: str) -> list[dict[str, Any]]:
    """Return the records of a table, in the order of their numbers."""
    rows = [row for part in lake.partitions(table) for row in lake.read(part).to_pylist()]
    return sorted(rows, key=lambda row: int(row["number"]))


def next_number(lake: Lake, table: str) -> int:
    """Return the number of the next record, above all that there are; precondition: the table's lock is held."""
    return 1 + max((int(part.group[1:]) for part in lake.partitions(table)), default=0)


def add_record(lake: Lake, table: str, facts: Mapping[str, Any], moment: str) -> None:
    """Keep a record under the next number, unless the newest one has the same facts: a killed command is run again.

    Parameters
    ----------
    moment
        Column with the time of the record, which is not compared.

    Precondition: the table's lock is held.
    """
    newest = (numbered_records(lake, table) or [{}])[-1]
    is_again = all(newest.get(name) == value for name, value in facts.items() if name != moment)
    put_record(lake, table, newest if is_again else {"number": next_number(lake, table), **facts})


def put_record(lake: Lake, table: str, record: Mapping[str, Any]) -> None:
    """Keep a record under its `number`, in place of one that has it; precondition: the table's lock is held."""
    rows = pa.Table.from_pylist([dict(record)], schema=TABLES[table].schema)
    lake.publish(Partition(table, None, f"{table[0]}{record['number']:06d}"), rows, inputs=repr(rows.to_pylist()))
