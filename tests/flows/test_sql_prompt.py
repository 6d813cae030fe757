"""Asking while partitions are replaced under the reader's feet, and asking for more than there is memory."""

import json
import resource
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Literal

import pytest

from catalog.errors import DataError
from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from features.cells import ALL_VIEWS
from flows.cli.sql import answer, keep
from warehouse.lake import Lake, Partition
from warehouse.query.connection import build_file


def test_every_question_is_answered_although_a_partition_is_replaced_all_the_while(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path)})
    lake = Lake(settings)
    lake.prepare()
    schema = TABLES["shoppers"].schema
    sizes = [
        schema.empty_table().from_pydict(
            {"shopper_id": range(rows), "shopper_name": [f"shopper {row}" for row in range(rows)]}, schema=schema
        )
        for rows in (50, 51)
    ]
    partition = Partition("shoppers", None, "all")
    lake.publish(partition, sizes[0], inputs="0")
    build_file(settings, ALL_VIEWS)
    done = Event()

    def keep_replacing() -> int:
        turn = 0
        while not done.wait(0.01):
            turn += 1
            lake.publish(partition, sizes[turn % 2], inputs=str(turn))
        return turn

    counts = Counter[int]()
    limit = time.monotonic() + 120
    with ThreadPoolExecutor(1) as executor:
        writing = executor.submit(keep_replacing)
        try:
            while counts.total() < 200 or len(counts) < 2:
                answer(settings, "select count(*) from shoppers", "json")
                counts[json.loads(capsys.readouterr().out)["rows"][0][0]] += 1
                assert time.monotonic() < limit, counts
        finally:
            done.set()
        assert writing.result() > 1
    assert counts.keys() == {50, 51}


@pytest.fixture
def small(tmp_path: Path) -> Settings:
    """Return a warehouse without a row, and a tenth of the usual memory for its questions."""
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path), "SHELFPRICE_SQL_MEMORY": "100"})
    Lake(settings).prepare()
    build_file(settings, ALL_VIEWS)
    return settings


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("select list(i) from range(60000000) as own(i)", "table"),
        ("select i, random() as r from range(20000000) as own(i) order by r", "csv"),
        ("select repeat('x', 900000000)", "table"),
        ("select i, i::varchar from range(9000000) as own(i)", "json"),
    ],
)
def test_a_question_that_needs_more_memory_than_it_may_take_ends_in_one_sentence(
    small: Settings, query: str, form: Literal["table", "csv", "json"]
) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(DataError, match=r"at most 100 MB of memory, .*SHELFPRICE_SQL_MEMORY to more") as refused:
        answer(small, query, form)
    assert "\n" not in str(refused.value)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    answer(small, "select 1", "table")


def test_an_answer_as_csv_needs_no_memory_for_its_rows(small: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    answer(small, "select i, i::varchar from range(1000000) as own(i)", "csv")
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[-1]) == (1_000_001, "999999,999999")


_ENDLESS = "select count(*) from range(1000000000000)"


@pytest.mark.parametrize(
    ("query", "form"),
    [
        (_ENDLESS, "table"),
        (f"{_ENDLESS}; select 1", "json"),
        ("from range(1000000000000)", "csv"),
        ("with recursive t as (select 1 as n union all select n + 1 from t) select max(n) from t", "parquet"),
        ("select levenshtein(repeat('ab', 100000), repeat('ba', 100000))", "table"),
    ],
)
def test_a_question_that_takes_longer_than_it_may_ends_in_one_sentence(
    small: Settings, tmp_path: Path, query: str, form: Literal["table", "csv", "json", "parquet"]
) -> None:
    quick, start = small.model_copy(update={"sql_seconds": 1}), time.monotonic()
    with pytest.raises(DataError, match=r"at most 1 seconds, .*SHELFPRICE_SQL_SECONDS to more") as refused:
        keep(quick, query, tmp_path / "out.parquet") if form == "parquet" else answer(quick, query, form)
    assert "\n" not in str(refused.value)
    assert 1 <= time.monotonic() - start < 30
    assert not list(tmp_path.glob("*out*"))
    answer(small, "select 1", "table")
