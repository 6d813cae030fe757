"""Who asks for some dates gets these, and no file of another date is opened."""

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from opened_files import opened_below

from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from training.champion import ChampionChange, newest, record
from warehouse.checks.assertions import broken_assertions
from warehouse.commits.notes import KEYS
from warehouse.lake import Lake, Partition
from warehouse.partition import between
from warehouse.query.connection import workbench

DAYS = [dt.date(2026, 3, 2) + dt.timedelta(days=day) for day in range(6)]
ASKED = between(DAYS[2], DAYS[3])


@pytest.fixture
def lake(settings: Settings) -> Lake:
    lake = Lake(settings)
    lake.prepare()
    for number, date in enumerate(DAYS):
        lake.publish(Partition("demand_cells", date, "g000"), cells(number + 1), inputs="x")
    return lake


@pytest.fixture
def opened(lake: Lake) -> Iterator[object]:
    if sys.platform != "linux":
        pytest.skip("only Linux tells which files were opened")
    with opened_below(lake.root) as files:
        yield files


def cells(count: int) -> pa.Table:
    return pa.table(
        {
            "sku": ["MILK"] * count,
            "price_offered": [1.0 + row / 100 for row in range(count)],
            "price_ratio": [1.0] * count,
            "inventory_level": list(range(count)),
            "n_offered": [2] * count,
            "n_purchased": [1] * count,
        }
    ).cast(TABLES["demand_cells"].schema)


def change(number: int) -> ChampionChange:
    moment = dt.datetime.combine(DAYS[0], dt.time(), dt.UTC) + dt.timedelta(days=number)
    return ChampionChange(
        number, f"{number}", None, "promoted_by_gate", "the gate", moment, "earns more", moment.date()
    )


def test_a_folder_without_partitions_is_no_date(lake: Lake) -> None:
    lake.remove(Partition("demand_cells", DAYS[-1], "g000"))
    assert next(lake.newest_dates("demand_cells")) == DAYS[-2]
    assert lake.dates("demand_cells") == DAYS[:-1]


def test_a_workbench_of_some_dates_shows_their_rows_and_opens_no_other_file(
    settings: Settings, lake: Lake, opened: object
) -> None:
    with workbench(settings, ASKED) as connection:
        rows = connection.execute("select business_date, count(*) from demand_cells group by all order by all")
        assert rows.fetchall() == [(DAYS[2], 3), (DAYS[3], 4)]
    files = opened.since_last_look()  # type: ignore[attr-defined]
    dates = {folder_of(file) for file in files if file.parts[-3] == "demand_cells"}
    assert dates - {"business_date=1970-01-01"} == {f"business_date={date}" for date in DAYS[2:4]}


def test_dates_without_a_file_leave_a_table_empty_and_with_its_columns(settings: Settings, lake: Lake) -> None:
    assert lake.dates("demand_cells") == DAYS
    with workbench(settings, between(dt.date(2030, 1, 1), dt.date(2031, 1, 1))) as connection:
        assert connection.execute("select sku, n_offered from demand_cells").fetchall() == []


def test_the_newest_champion_is_read_from_one_file(lake: Lake, opened: object) -> None:
    for number in range(1, 12):
        record(lake, change(number))
    opened.since_last_look()  # type: ignore[attr-defined]
    assert newest(lake) == change(11)
    files = opened.since_last_look()  # type: ignore[attr-defined]
    assert {file.name.partition(".")[0] for file in files} == {"part-000011"}


def repeated(settings: Settings) -> list[str]:
    return [one.assertion for one in broken_assertions(settings, DAYS[:1]) if "_key_" in one.assertion]


def test_of_many_partitions_without_dates_only_new_ones_are_read_and_their_keys_are_compared_with_all(
    settings: Settings, lake: Lake, opened: object
) -> None:
    for number in range(1, 25):
        record(lake, change(number))
    assert repeated(settings) == []
    record(lake, change(25))
    opened.since_last_look()  # type: ignore[attr-defined]
    assert repeated(settings) == []
    of_champions = [file for file in opened.since_last_look() if file.parts[-2] == "champions"]  # type: ignore[attr-defined]
    read = {file.name for file in of_champions if file.suffix == ".parquet"} - {"part-contract.parquet"}
    assert read == {"part-000025.parquet"}
    again, part = pa.Table.from_pylist([vars(change(1))], schema=TABLES["champions"].schema), "000026"
    lake.publish(Partition("champions", None, part), again, inputs="again")
    assert repeated(settings) == ["the_key_of_champions_is_unique"]
    lake.notes.remove(f"{KEYS}/champions.json")
    assert repeated(settings) == ["the_key_of_champions_is_unique"]
    lake.remove(Partition("champions", None, part))
    assert repeated(settings) == []


def folder_of(file: Path) -> str:
    return file.parent.name
