"""Exports that are killed at any moment: no batch is lost, and whoever keeps their ids sees each of them once.

`KILLS=200 pytest tests/plugins/connect/labels/test_export_kills.py` tries more moments than the few of every day.
"""

import json
import os
import random
from pathlib import Path

import pytest
from forked_work import ForkedWork
from price_shop import Shop
from receiver import Receiver, receiving

from etl.calendar import stores_now
from plugins.connect.labels.export_log import ExportLog
from plugins.connect.labels.targets import json_of
from plugins.connect.labels.wanted import wanted_of
from plugins.operations.checks.proving import verify

pytestmark = pytest.mark.server

KILLS = int(os.environ.get("KILLS", "3"))
_WORK = Path(__file__).with_name("exporter.py")
_TICKS = 4  # that a process sells where it is not killed


def test_killed_at_random_moments_every_batch_arrives_and_none_comes_twice(tmp_path: Path) -> None:
    Shop(tmp_path).publish()
    dice = random.Random(os.urandom(8))
    with receiving() as receiver:
        work = ForkedWork(_WORK, tmp_path, receiver.url)
        try:
            longest = work.run(_TICKS)
            for _ in range(KILLS):
                work.run(0, kill_after=dice.uniform(0, longest))
            work.run(_TICKS)
        finally:
            work.end()
        assert_nothing_is_lost_or_doubled(tmp_path, receiver)


def assert_nothing_is_lost_or_doubled(folder: Path, receiver: Receiver) -> None:
    shop = Shop(folder)
    history = ExportLog(shop.lake).history()
    expected = {batch.id: json_of(batch) for batch in history.batches}
    assert len(expected) == len(history.batches)
    assert {name: body.decode() for name, body in receiver.batches.items()} == expected
    assert all(receiver.batches[name] == body for name, body in receiver.requests), "the same id with the same bytes"
    assert list(receiver.batches) == [batch.id for batch in history.batches], "in the order in which they were made"
    files = sorted((folder / "labels").glob("*.json"))
    assert [json.loads(file.read_text(encoding="utf-8")) for file in files] == [
        json.loads(json_of(batch)) for batch in history.batches
    ]
    assert len(set(history.acknowledgements)) == len(history.acknowledgements), "no acknowledgement is recorded twice"
    now = stores_now(shop.lake, shop.catalog, ["S01"])
    wanted = {own.sku: own.price for own in wanted_of(shop.lake, shop.catalog, now)["S01"]}
    sent = {sku: own[-1].price.price for sku, own in history.of("S01").sent.items()}
    assert sent == wanted
    assert not verify(shop.lake).findings
