"""The only reader: read-only, read once, and never behind the lake."""

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from catalog.errors import LakeError
from catalog.settings import Settings
from dashboard.components import SOLD
from dashboard.data import reader
from dashboard.data.reader import Reader, Views
from warehouse.lake import Lake, Partition

DAY = dt.date(2026, 1, 6)
QUESTION: dict[str, Any] = {"on": DAY, "date": DAY, "store": "S01"}


@pytest.fixture
def copied(sold: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(sold.home, tmp_path, dirs_exist_ok=True)
    return sold.model_copy(update={"home": tmp_path})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every query that the warehouse answered."""
    queries: list[str] = []
    really = Views.answer

    def counting(self: Views, query: str, *given: Any) -> Any:
        queries.append(query)
        return really(self, query, *given)

    monkeypatch.setattr(Views, "answer", counting)
    return queries


def publish_again(settings: Settings, *, rows: int) -> None:
    lake, part = Lake(settings), Partition("interactions", DAY, "all")
    lake.publish(part, lake.read(part).slice(0, rows), inputs=f"{rows} rows", seed=7)


def test_an_unchanged_lake_is_read_once(sold: Settings, asked: list[str]) -> None:
    asking = Reader(sold)
    first = asking.ask("shelf_by_tick", SOLD, **QUESTION)
    assert asking.ask("shelf_by_tick", SOLD, **QUESTION) is first
    assert len(asked) == 1


def test_a_day_that_is_published_again_is_read_again(copied: Settings) -> None:
    asking = Reader(copied)
    before = asking.ask("shelf_by_tick", SOLD, **QUESTION)["count_visits"].sum()
    publish_again(copied, rows=40)
    assert asking.ask("shelf_by_tick", SOLD, **QUESTION)["count_visits"].sum() == 40 < before


def test_another_day_that_is_published_disturbs_nobody(copied: Settings, asked: list[str]) -> None:
    asking = Reader(copied)
    yesterday = DAY - dt.timedelta(days=1)
    question = {"on": yesterday, "date": yesterday, "store": "S01"}
    first = asking.ask("shelf_by_tick", SOLD, **question)
    publish_again(copied, rows=40)
    assert asking.ask("shelf_by_tick", SOLD, **question) is first
    assert len(asked) == 1


def test_a_file_of_views_that_was_replaced_is_opened_anew(copied: Settings) -> None:
    asking = Reader(copied)
    asking.ask("shelf", ("products",))
    draft = copied.home / "draft.duckdb"
    with duckdb.connect(str(draft)) as connection:
        connection.execute(
            "create view products as select 'X' as sku, 'New' as product_name, 'none' as category, '' as icon, "
            "1.0 as base_price, 1.0 as unit_cost, 1.0 as floor_price, 1.0 as ceiling_price, 1 as par_stock"
        )
    draft.replace(copied.warehouse_file)
    assert asking.ask("shelf", ("products",))["product_name"].tolist() == ["New"]


class Flaky:
    """A warehouse whose first `failures` openings fail as when a partition vanishes while it is read."""

    def __init__(self, failures: int) -> None:
        self.failures, self.really = failures, reader.read_only

    def __call__(self, settings: Settings, memory_limit: str) -> duckdb.DuckDBPyConnection:
        self.failures -= 1
        if self.failures >= 0:
            raise duckdb.IOException("No such file\nand more lines")
        return self.really(settings, memory_limit)


def test_a_partition_replaced_while_it_is_read_is_read_again(sold: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "read_only", Flaky(1))
    assert len(Reader(sold).ask("shelf_by_tick", SOLD, **QUESTION))


def test_what_cannot_be_read_twice_says_what_to_do(sold: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "read_only", Flaky(2))
    with pytest.raises(LakeError, match=r"No such file\); run `shelfprice transform`"):
        Reader(sold).ask("shelf_by_tick", SOLD, **QUESTION)
