"""A lake that is not a plain folder does all that one in a folder does: the same code, other settings."""

import datetime as dt
from pathlib import Path

import pytest

from catalog.errors import DamagedError, Declined
from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from dashboard.components import SOLD
from dashboard.data.reader import Reader
from etl.batches import BatchResult, batches_of, play_batch
from etl.open_days import LiveDay
from etl.transform import transform
from flows.cli.loop import reset
from flows.workspace import prepared
from plugins.connect.labels.export import DeliveryProgress
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from plugins.operations.checks.proving import set_aside, verify
from plugins.operations.delta.open import open_delta
from plugins.operations.replay.day import replay
from serving.store.in_force import pricing_on
from warehouse.lake import Lake, Partition
from warehouse.origin import origin_of
from warehouse.query.connection import read_only, workbench_with_marts
from warehouse.query.questions import past_day
from warehouse.workspace import Workspace

DAY = dt.date(2026, 1, 6)
QUESTION = {"on": DAY, "date": DAY, "store": "S01"}
SEED = 7


def played(settings: Settings, seed: int = SEED) -> tuple[Workspace, BatchResult]:
    """Play one date of the catalog's stores and group it."""
    workspace = prepared(settings, load(CLASSIC))
    (batch,) = batches_of(workspace.catalog, [DAY], None)
    result = play_batch(workspace, batch, pricing_on(workspace.lake, workspace.catalog, DAY, "static"), seed)
    transform(workspace)
    return workspace, result


def receipts(lake: Lake) -> dict[str, str]:
    tables = ("interactions", "repricings", "days_in_force", "demand_cells", "products", "shoppers")
    found = [(part, lake.receipt(part)) for table in tables for part in lake.partitions(table)]
    return {str(part): receipt.sha256 for part, receipt in found if receipt is not None}


def test_a_day_is_played_grouped_proven_shown_and_replayed(bucket_settings: Settings, tmp_path: Path) -> None:
    workspace, result = played(bucket_settings)
    embedded, _ = played(read_settings({"SHELFPRICE_HOME": str(tmp_path / "embedded")}))
    assert receipts(workspace.lake) == receipts(embedded.lake)
    found = verify(workspace.lake)
    assert found.findings == ()
    assert found.rows == verify(embedded.lake).rows
    assert origin_of(workspace.lake.store) == "twin"
    with read_only(bucket_settings) as connection:
        assert connection.execute("select count(*) from interactions").fetchone() == (result.rows,)
        (named,) = connection.execute("select sha256 from receipts where table_name = 'interactions'").fetchall()
    receipt = workspace.lake.receipt(result.batch.partition)
    assert receipt is not None
    assert named == (receipt.sha256,)
    assert past_day(bucket_settings, DAY)[0]["decisions_sha256"] == receipt.sha256
    parts = replay(bucket_settings, DAY)
    assert {part.part for part in parts} >= {"decisions", "features"}
    assert all(part.remark == "" for part in parts)


def test_the_monitor_shows_what_was_published_since_it_was_opened(bucket_settings: Settings) -> None:
    workspace, result = played(bucket_settings)
    asking, part = Reader(bucket_settings), result.batch.partition
    before = asking.ask("shelf_by_tick", SOLD, **QUESTION)
    assert asking.ask("shelf_by_tick", SOLD, **QUESTION) is before
    workspace.lake.publish(part, workspace.lake.read(part).slice(0, 500), inputs="fewer", seed=SEED)
    assert asking.ask("shelf_by_tick", SOLD, **QUESTION) is not before


def test_a_live_day_is_shown_while_it_sells_and_once_when_it_has_closed(bucket_settings: Settings) -> None:
    workspace = prepared(bucket_settings, load(CLASSIC))
    day = LiveDay("S01", DAY)
    player = Player(workspace.lake, LivePrices(workspace.lake, load, day, SEED), day, SEED)
    for _ in range(3):
        player.sell_tick()
    seen = "select count(*), count(distinct tick) from interactions where store_id = 'S01'"
    with workbench_with_marts(bucket_settings) as connection:
        rows = connection.execute(seen).fetchone()
    assert rows is not None
    assert rows[1] == 3
    assert not any(workspace.lake.partitions("interactions"))
    while not player.is_over:
        player.sell_tick()
    player.close()
    with workbench_with_marts(bucket_settings) as connection:
        shown = connection.execute(seen).fetchone()
    (closed,) = workspace.lake.partitions("interactions")
    receipt = workspace.lake.receipt(closed)
    assert receipt is not None
    assert shown is not None
    assert shown[0] == receipt.rows
    assert verify(workspace.lake).findings == ()


def test_damaged_decisions_are_named_set_aside_and_played_again(bucket_settings: Settings) -> None:
    workspace, result = played(bucket_settings)
    store, part = open_delta(bucket_settings), result.batch.partition
    (place,) = workspace.lake.places([part])
    name = place.removeprefix(store.objects.address.of("")).lstrip("/")
    whole = store.objects.read(name)
    assert whole is not None
    store.objects.write(name, whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    with pytest.raises(DamagedError, match=r"interactions/business_date=2026-01-06/part-g000"):
        transform(workspace, [DAY])
    assert not workspace.lake.holds(part)
    kinds = {(finding.name.split("/")[0], finding.kind) for finding in verify(workspace.lake).findings}
    assert kinds == {("interactions", "missing")}
    set_aside(workspace.lake, verify(workspace.lake))
    played(bucket_settings)
    assert verify(workspace.lake).findings == ()
    assert store.objects.read(f"set-aside/{name}") is not None
    assert store.objects.read(name) == whole


def test_of_two_seeds_without_a_common_lock_one_wins_whole(bucket_settings: Settings, tmp_path: Path) -> None:
    workspace, _ = played(bucket_settings)
    before = workspace.lake.receipt(Partition("repricings", DAY, "g000"))
    elsewhere = prepared(bucket_settings.model_copy(update={"home": tmp_path / "another machine"}), load(CLASSIC))
    (batch,) = batches_of(workspace.catalog, [DAY], None)
    priced_by = pricing_on(workspace.lake, workspace.catalog, DAY, "static")
    part = Partition("repricings", DAY, "g000")

    def publish_while_another_does() -> None:
        with workspace.lake.commit("batch-2026-01-06-g000", inputs="first", seed=8) as late:
            late.publish(part, workspace.lake.read(part).slice(0, 5))
            assert play_batch(elsewhere, batch, priced_by, 9).action == "replaced"

    with pytest.raises(Declined, match="another has published it meanwhile"):
        publish_while_another_does()
    after = workspace.lake.receipt(part)
    assert after is not None
    assert after.seed == 9
    assert after != before
    assert verify(workspace.lake).findings == ()


def test_reset_clears_the_lake_and_refuses_where_others_keep_something(
    bucket_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    played(bucket_settings)
    monkeypatch.setattr("flows.cli.loop.read_settings", lambda: bucket_settings)
    store = open_delta(bucket_settings)
    DeliveryProgress(store.notes, "/tills").begin({"S001": 1}, ["S001"])
    store.objects.write("somebody-elses.txt", b"kept")
    with pytest.raises(Declined, match=r"also holds somebody-elses.txt"):
        reset(yes=True)
    store.objects.remove(["somebody-elses.txt"])
    reset(yes=True)
    assert list(store.objects.under("")) == []
    assert not bucket_settings.home.exists()
