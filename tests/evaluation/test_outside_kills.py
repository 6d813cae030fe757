"""An outside store and the engine beside it, killed at any moment: in the end the lake is that of a run without kills.

Sales are taken in, dates made, nights done, prices drawn, exported and acknowledged in one process, so a kill meets any
of them. `KILLS=200 pytest tests/evaluation/test_outside_kills.py` tries more moments than the few of every day.
"""

import datetime as dt
import os
import random
from pathlib import Path

import pytest
from forked_work import ForkedWork

from catalog.load import load
from catalog.settings import read_settings
from connect.export.export_log import ExportLog
from serving.drawn_prices import draw_on
from warehouse.lake import Lake
from warehouse.proof import verify

pytestmark = pytest.mark.server

KILLS = int(os.environ.get("KILLS", "3"))
WEEKS = 2
_WORK = Path(__file__).with_name("outside_seller.py")


def lake_of(folder: Path) -> Lake:
    return Lake(read_settings({"SHELFPRICE_HOME": str(folder / "home")}))


def bytes_of(folder: Path) -> dict[str, str | None]:
    """Return the SHA-256 of everything that was sold, learned, drawn and sent."""
    lake, tables = lake_of(folder), ("unit_sales", "exposures", "price_draws", "nights", "export_batches")
    return {str(part): lake.sha256(part) for table in tables for part in lake.partitions(table)}


def said_in(folder: Path) -> list[str]:
    """Return what tills and labels said, in whatever parts and whenever it was recorded."""
    lake, when = lake_of(folder), {"taken_at", "recorded_at", "effective_at", "number", "position"}
    parts = [part for table in ("receipt_lines", "label_states") for part in lake.partitions(table)]
    rows = [row for part in parts for row in lake.read(part).to_pylist()]
    return sorted(str({name: value for name, value in row.items() if name not in when}) for row in rows)


def test_killed_at_random_moments_nothing_is_lost_doubled_or_learned_twice(tmp_path: Path) -> None:
    (whole := tmp_path / "whole").mkdir()
    (killed := tmp_path / "killed").mkdir()
    dice, work = random.Random(os.urandom(8)), ForkedWork(_WORK, whole)
    try:
        longest = work.run(WEEKS)
    finally:
        work.end()
    work = ForkedWork(_WORK, killed)
    try:
        for _ in range(KILLS):
            work.run(0, kill_after=dice.uniform(0, longest))
        work.run(WEEKS)
    finally:
        work.end()
    assert bytes_of(killed) == bytes_of(whole)
    assert said_in(killed) == said_in(whole)
    assert {file.name: file.read_bytes() for file in (killed / "labels").glob("*.json")} == {
        file.name: file.read_bytes() for file in (whole / "labels").glob("*.json")
    }
    assert not verify(lake_of(killed)).findings
    assert_every_label_shows_what_was_drawn(killed)


def assert_every_label_shows_what_was_drawn(folder: Path) -> None:
    lake, catalog = lake_of(folder), load(folder / "shelf")
    stores, checked = list(catalog.store.stores), 0
    for batch in ExportLog(lake).history().batches:
        draw = draw_on(lake, catalog, batch.effective_at.date())
        assert draw is not None
        for price in batch.prices:
            drawn = draw.prices[stores.index(batch.store), catalog.skus.index(price.sku)]
            assert price.price == drawn
            checked += 1
    assert checked >= WEEKS * len(stores)
    weeks = [dt.date(2026, 1, 26) + dt.timedelta(weeks=week) for week in range(WEEKS + 1)]
    assert lake.dates("price_draws") == weeks
