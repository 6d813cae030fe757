"""A lake knows whose decisions it holds: the twin never sells in a retailer's lake, nor is a log read into its own."""

import datetime as dt
import itertools
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Terminal

from catalog.errors import Declined, LakeError
from catalog.load import CLASSIC, load
from catalog.names import EXPORT_GROUP
from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from etl.batches import Batch, play_batch
from flows.nightly import backfill
from flows.pipeline import pipeline, simulate
from flows.workspace import prepared
from plugins.live.flow import live
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import ingest
from serving.store.in_force import pricing_on
from serving.store.play import close_day
from warehouse.lake import Lake, Partition
from warehouse.origin import RECORD, Side, claim, origin_of
from warehouse.receipts import unsealed
from warehouse.stores.folder import LocalStore
from warehouse.workspace import Workspace

MONDAY = dt.date(2026, 1, 5)
OTHER: dict[Side, Side] = {"twin": "retailer", "retailer": "twin"}
HOMES = {"twin": "twin_home", "retailer": "log_home"}
NOW = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
LOG = "time,sku,price,bought\n" + "".join(
    f"2026-01-{day:02} 1{hour}:00,{sku},1.{hour},{hour % 2}\n" for day in (5, 7) for hour in range(6) for sku in "AB"
)


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def read_log(settings: Settings, folder: Path) -> None:
    file = folder / "log.csv"
    file.write_text(LOG, encoding="utf-8")
    ingest(settings, file, Reading(), None, NOW)


def play_monday(settings: Settings) -> Workspace:
    workspace = prepared(settings, load(CLASSIC))
    batch = Batch(MONDAY, "g000", ("S01",))
    play_batch(workspace, batch, pricing_on(workspace.lake, workspace.catalog, MONDAY), 7)
    return workspace


def said_by(lake: Path) -> dict[str, object]:
    """Return what the record of a lake says."""
    return unsealed((lake / RECORD).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def log_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("log")
    read_log(read_settings({"SHELFPRICE_HOME": str(home)}), tmp_path_factory.mktemp("shop"))
    return home


@pytest.fixture(scope="module")
def twin_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("twin")
    play_monday(read_settings({"SHELFPRICE_HOME": str(home)}))
    return home


@pytest.fixture
def log_lake(log_home: Path, settings: Settings) -> Settings:
    """A home of its own that holds a retailer's log alone."""
    shutil.copytree(log_home, settings.home, dirs_exist_ok=True)
    return settings


@pytest.fixture
def twin_lake(twin_home: Path, settings: Settings) -> Settings:
    """A home of its own in which the twin sold one day."""
    shutil.copytree(twin_home, settings.home, dirs_exist_ok=True)
    return settings


def test_a_lake_says_whose_decisions_it_holds(log_lake: Settings, twin_home: Path) -> None:
    assert said_by(log_lake.lake) == {"holds": "retailer"}
    assert said_by(twin_home / "lake") == {"holds": "twin"}


def test_a_lake_without_decisions_has_no_record(settings: Settings) -> None:
    prepared(settings, load(CLASSIC))
    assert origin_of(LocalStore(settings.lake)) is None
    assert not (settings.lake / RECORD).exists()


@pytest.mark.parametrize("side", ["retailer", "twin"])
def test_a_lake_that_lost_its_record_is_recognised_and_refuses_the_other_side(
    side: Side, settings: Settings, request: pytest.FixtureRequest
) -> None:
    shutil.copytree(request.getfixturevalue(HOMES[side]), settings.home, dirs_exist_ok=True)
    (settings.lake / RECORD).unlink()
    lake = Lake(settings)
    assert origin_of(lake.store) == side
    with pytest.raises(Declined, match="set SHELFPRICE_HOME to another folder"):
        publish_empty(lake, OTHER[side])
    assert said_by(settings.lake) == {"holds": side}
    publish_empty(lake, side)


def test_a_lake_with_anything_of_a_retailer_is_no_lake_for_the_twin(twin_lake: Settings, log_home: Path) -> None:
    shutil.copytree(log_home / "lake" / "ingested_files", twin_lake.lake / "ingested_files", dirs_exist_ok=True)
    (twin_lake.lake / RECORD).unlink()
    with pytest.raises(Declined, match="found a retailer's decisions; nothing was played"):
        publish_empty(Lake(twin_lake), "twin")


def publish_empty(lake: Lake, side: Side) -> None:
    """Publish decisions of a side, of which there are none."""
    rows = TABLES["interactions"].schema.empty_table()
    group, seed = ("g007", 7) if side == "twin" else (f"{EXPORT_GROUP}1", None)
    lake.publish(Partition("interactions", MONDAY, group), rows, inputs="x", seed=seed)


def test_of_two_first_writers_one_is_refused(tmp_path: Path) -> None:
    for attempt in range(25):
        lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path / str(attempt))}))
        start, refused = threading.Barrier(2), list[Side]()

        def begin(
            side: Side, lake: Lake = lake, start: threading.Barrier = start, refused: list[Side] = refused
        ) -> None:
            start.wait()
            try:
                publish_empty(lake, side)
            except Declined:
                refused.append(side)

        writers = [threading.Thread(target=begin, args=(side,)) for side in ("twin", "retailer")]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        (loser,) = refused
        assert origin_of(lake.store) == OTHER[loser]
        (published,) = lake.partitions("interactions")
        assert published.group.startswith(EXPORT_GROUP) == (loser == "twin")
        assert [path.name for path in lake.root.glob("*.draft")] == []


@pytest.mark.parametrize(
    "command",
    [
        ("demo",),
        ("simulate",),
        ("pipeline", "--days", "2"),
        ("backfill", "--start", "2026-01-05", "--end", "2026-01-08"),
        ("live",),
    ],
    ids=lambda command: command[0],
)
def test_no_command_of_the_twin_touches_a_retailers_lake(
    command: tuple[str, ...], log_lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    before = files_in(log_lake.home)
    answer = Terminal(log_lake.home)(*command)
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        f"declined: expected a lake for the twin's decisions in {log_lake.lake}, found a retailer's decisions; nothing "
        "was played: set SHELFPRICE_HOME to another folder"
    ]
    assert files_in(log_lake.home) == before


@pytest.mark.parametrize(
    "play",
    [
        lambda: simulate.fn(MONDAY),
        pipeline.fn,
        lambda: backfill.fn(MONDAY, MONDAY),
        lambda: live.fn("S01"),
    ],
    ids=["simulate", "pipeline", "backfill", "live"],
)
def test_no_deployment_plays_in_a_retailers_lake(
    play: Callable[[], object], log_lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFPRICE_HOME", str(log_lake.home))
    before = files_in(log_lake.lake)
    with pytest.raises(Declined, match="found a retailer's decisions; nothing was played"):
        play()
    assert files_in(log_lake.lake) == before


def test_a_night_closes_no_day_that_the_log_leaves_out(log_lake: Settings) -> None:
    workspace = prepared(log_lake, load(log_lake.shelf))
    assert close_day(workspace, MONDAY + dt.timedelta(days=1), seed=7) == 0
    assert origin_of(LocalStore(log_lake.lake)) == "retailer"


def test_no_log_is_read_into_the_twins_lake(twin_lake: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    before, shop = files_in(twin_lake.home), tmp_path_factory.mktemp("shop")
    with pytest.raises(Declined, match="found the twin's decisions; nothing was ingested: set SHELFPRICE_HOME"):
        read_log(twin_lake, shop)
    answer = Terminal(twin_lake.home)("ingest", str(shop / "log.csv"))
    assert (answer.returncode, answer.stderr.count("\n")) == (1, 1)
    assert {name: data for name, data in files_in(twin_lake.home).items() if "locks" not in name} == {
        name: data for name, data in before.items() if "locks" not in name
    }


@pytest.mark.parametrize("text", ["", "{", "[]", '{"holds": "both"}', "\x00\xff"])
def test_a_record_that_cannot_be_read_stops_all_decisions(text: str, twin_lake: Settings) -> None:
    (twin_lake.lake / RECORD).write_text(text, encoding="utf-8")
    with pytest.raises(LakeError, match=r"origin\.json: expected what the lake holds .*remove this file"):
        publish_empty(Lake(twin_lake), "twin")


@pytest.mark.parametrize("side", ["twin", "retailer"])
def test_no_flipped_bit_makes_the_record_say_something_else(tmp_path: Path, side: Side) -> None:
    claim(LocalStore(tmp_path), side)
    path = tmp_path / RECORD
    content = path.read_bytes()
    for place, bit in itertools.product(range(len(content)), range(8)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
        with pytest.raises(LakeError):
            origin_of(LocalStore(tmp_path))
