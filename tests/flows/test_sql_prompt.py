"""Asking while partitions are replaced under the reader's feet."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from catalog.contracts import TABLES
from catalog.settings import read_settings
from features.cells import ALL_VIEWS
from flows.cli.sql_prompt import answer
from warehouse.connection import build_file
from warehouse.lake import Lake, Partition


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
    limit = time.monotonic() + 60
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
