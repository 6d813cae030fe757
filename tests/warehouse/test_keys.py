"""The key of every table is unique, and a row that comes twice is found."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from catalog.tables.table import Table
from warehouse.checks.assertions import BrokenAssertion, broken_assertions
from warehouse.lake import Lake, Partition

DAY = dt.date(2026, 1, 5)
KEY = re.compile("the_key_of_(.+)_is_unique")
NEXT_DAY = dt.date(2026, 1, 6)
A_MOMENT = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)


def a_value(kind: pa.DataType, number: int) -> Any:
    """Return a value of a type that differs with the number."""
    if pa.types.is_timestamp(kind):
        return A_MOMENT + dt.timedelta(minutes=number)
    if pa.types.is_date(kind):
        return DAY + dt.timedelta(days=number)
    if pa.types.is_list(kind):
        return []
    if pa.types.is_boolean(kind):
        return False
    if pa.types.is_integer(kind):
        return number
    return float(number) if pa.types.is_floating(kind) else f"text {number}"


def some_rows(table: Table, numbers: list[int]) -> pa.Table:
    """Return rows whose keys differ with their numbers in the last column of the key alone."""
    rows = [
        {field.name: a_value(field.type, number if field.name == table.key[-1] else 0) for field in table.schema}
        for number in numbers
    ]
    return pa.Table.from_pylist(rows, schema=table.schema)


def part_of(table: Table, group: str, date: dt.date = DAY) -> Partition:
    return Partition(table.name, date if table.by == "day" else None, group)


def broken_keys(settings: Settings, dates: list[dt.date]) -> dict[str, BrokenAssertion]:
    """Return what is found about keys, by table."""
    found = broken_assertions(settings, dates)
    return {key[1]: broken for broken in found if (key := KEY.fullmatch(broken.assertion))}


@pytest.fixture
def prepared(lake: Lake) -> Lake:
    lake.prepare()
    return lake


def publish_all(lake: Lake, numbers: list[int], group: str = "one", date: dt.date = DAY) -> None:
    for table in TABLES.values():
        lake.publish(part_of(table, group, date), some_rows(table, numbers), inputs=f"{numbers}{group}")


def test_a_key_that_two_rows_have_is_found_in_every_table_and_told(settings: Settings, prepared: Lake) -> None:
    publish_all(prepared, [1, 2, 3])
    assert broken_keys(settings, [DAY]) == {}
    publish_all(prepared, [1, 2, 3, 2])
    broken = broken_keys(settings, [DAY])
    assert list(broken) == list(TABLES)
    for name, found in broken.items():
        table = TABLES[name]
        key = some_rows(table, [2]).select(table.key).to_pylist()[0]
        assert (found.rows, found.examples) == (1, (tuple(key.values()),))
        assert found.business_date == (DAY if table.by == "day" else None)
        assert f"not true that the key of {name.replace('_', ' ')} is unique: 1 rows, such as " in str(found)


def test_a_key_in_two_partitions_of_a_date_is_found_unless_the_contract_allows_it(
    settings: Settings, prepared: Lake
) -> None:
    publish_all(prepared, [1, 2], "one")
    publish_all(prepared, [1, 2], "other")
    allowed = {name for name, table in TABLES.items() if table.unique_in == "partition"}
    assert "demand_cells" in allowed
    assert {name: found.rows for name, found in broken_keys(settings, [DAY]).items()} == dict.fromkeys(
        TABLES.keys() - allowed, 2
    )


def test_a_key_on_two_dates_is_no_repetition_and_only_the_dates_asked_for_are_looked_at(
    settings: Settings, prepared: Lake
) -> None:
    for date in (DAY, NEXT_DAY):
        publish_all(prepared, [1, 2], date=date)
    assert broken_keys(settings, [DAY, NEXT_DAY]) == {}
    for table in TABLES.values():
        if table.by == "day":
            prepared.publish(part_of(table, "one", NEXT_DAY), some_rows(table, [1, 1]), inputs="again")
    assert broken_keys(settings, [DAY]) == {}
    assert set(broken_keys(settings, [NEXT_DAY])) == {name for name, table in TABLES.items() if table.by == "day"}


def test_keys_of_unknown_stock_are_told_apart_like_any_other(settings: Settings, prepared: Lake) -> None:
    table = TABLES["demand_cells"]
    rows = some_rows(table, [1, 2]).to_pylist()
    for row in rows:
        row["inventory_level"] = None
    prepared.publish(part_of(table, "one"), pa.Table.from_pylist(rows, schema=table.schema), inputs="1")
    assert [found.rows for found in broken_keys(settings, [DAY]).values()] == [1]


def test_a_damaged_file_is_left_to_verify(settings: Settings, prepared: Lake) -> None:
    table = TABLES["regret_by_day_history"]
    partition = part_of(table, "one")
    prepared.publish(partition, some_rows(table, [1]), inputs="1")
    prepared.path(partition).write_bytes(b"PAR1")
    assert broken_keys(settings, [DAY]) == {}


def test_every_key_of_a_played_day_is_unique(settings: Settings, fill_lake: Callable[[Settings], Lake]) -> None:
    lake = fill_lake(settings)
    assert broken_keys(settings, lake.dates("interactions")) == {}
