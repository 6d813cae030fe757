"""Batches and cells that are made elsewhere: the same bytes, and what was meant or nothing."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from elsewhere import Elsewhere

from catalog.errors import DamagedError, Declined
from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from catalog.spread import HERE, InThreads, Spread
from etl.batches import Batch, BatchResult, play_batch
from etl.transform import transform
from flows.spreading import Processes
from flows.workspace import prepared
from plugins.operations.machines.ready import sees, token_in
from serving.store.in_force import pricing_on
from serving.store.play import BatchToPlay, batches_to_play, close_day, play_again, play_one, priced_batches
from warehouse.lake import Partition
from warehouse.workspace import Workspace, whereabouts

pytestmark = pytest.mark.play

DATES = [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]
STORES = 4


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    return opened(tmp_path / "home", monkeypatch)


def opened(home: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("SHELFPRICE_HOME", str(home))
    return prepared(read_settings({"SHELFPRICE_HOME": str(home)}), load(CLASSIC))


def play(workspace: Workspace, spread: Spread) -> list[str]:
    """Play two dates of four stores in batches of two, and return what became of each."""
    priced = [
        (replace(batch, stores=batch.stores[first : first + 2], group=f"g{first:03d}"), priced_by)
        for batch, priced_by in priced_batches(workspace, DATES, STORES, "static")
        for first in (0, 2)
    ]
    jobs = batches_to_play(workspace, priced, "static", 7, spread)
    return [result.action for result in spread(play_one, jobs)]


def forget_cells(workspace: Workspace) -> None:
    """Remove the cells, so that `transform` has something to make."""
    for part in list(workspace.lake.partitions("demand_cells")):
        workspace.lake.remove(part)


def receipts(workspace: Workspace) -> dict[Partition, str]:
    tables = ("interactions", "repricings", "days_in_force", "demand_cells")
    found = [(part, workspace.lake.receipt(part)) for table in tables for part in workspace.lake.partitions(table)]
    return {part: receipt.sha256 for part, receipt in found if receipt is not None}


@pytest.mark.server
def test_batches_and_cells_have_the_same_bytes_wherever_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {}
    with Processes(2, lambda _: None) as processes:
        for spread in (HERE, InThreads(2), Elsewhere(), processes):
            workspace = opened(tmp_path / type(spread).__name__ / str(spread.width), monkeypatch)
            assert play(workspace, spread) == ["played"] * 4
            assert transform(workspace, spread=spread).partitions == 4
            assert play(workspace, spread) == ["unchanged"] * 4
            made[spread] = receipts(workspace)
    assert len(made[HERE]) == 16
    assert all(found == made[HERE] for found in made.values())


def test_neither_settings_nor_policies_travel_to_other_machines(workspace: Workspace) -> None:
    priced = pricing_on(workspace.lake, workspace.catalog, DATES[0], "static")
    batch = Batch(DATES[0], "g000", ("S01",))
    (job,) = batches_to_play(workspace, [(batch, priced)], "static", 7, Elsewhere())
    assert job.where.settings is None
    assert job.at_hand is priced
    assert BatchToPlay.__getstate__(job)["at_hand"] is None
    (here,) = batches_to_play(workspace, [(batch, priced)], "static", 7, HERE)
    assert here.where.settings == workspace.settings


def test_a_batch_is_not_played_at_other_prices_than_were_meant(workspace: Workspace) -> None:
    where = whereabouts(workspace, Elsewhere())
    job = BatchToPlay(where, Batch(DATES[0], "g000", ("S01",)), 7, "static", "of a book that was replaced")
    with pytest.raises(Declined, match=r"2026-01-05 g000: other prices came into force for 2026-01-05"):
        Elsewhere()(play_one, [job])
    assert list(workspace.lake.partitions("interactions")) == []


def test_a_day_is_closed_and_played_again_elsewhere(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert close_day(workspace, DATES[0], 7, Elsewhere()) == 1
    before, played = receipts(workspace), []

    def watched(*arguments: Any, anew: bool) -> BatchResult:
        played.append((arguments[1].group, anew))
        return play_batch(*arguments, anew=anew)

    monkeypatch.setattr("serving.store.play.play_batch", watched)
    play_again(workspace, DATES[0], Elsewhere())
    assert played == [("g000", True)]
    assert receipts(workspace) == before


def test_decisions_that_are_found_damaged_elsewhere_are_named_and_the_others_grouped(workspace: Workspace) -> None:
    play(workspace, HERE)
    forget_cells(workspace)
    damaged = workspace.lake.path(Partition("interactions", DATES[0], "g000"))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(DamagedError, match=r"interactions/business_date=2026-01-05/part-g000.parquet: expected"):
        transform(workspace, spread=Elsewhere())
    assert len(list(workspace.lake.partitions("demand_cells"))) == 3


def test_a_copy_of_a_lake_does_not_hold_its_token(settings: Settings, workspace: Workspace) -> None:
    with token_in(workspace.lake) as token:
        assert sees(workspace.settings, token)
        assert not sees(settings, token)
    assert not sees(workspace.settings, token)
