"""A lake knows whose decisions it holds: the twin never sells in a retailer's lake, nor is a log read into its own."""

import datetime as dt
import itertools
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from shell import Terminal

from catalog.contracts import TABLES
from catalog.errors import Declined, LakeError
from catalog.load import load
from catalog.lock_place import LockPlace
from catalog.names import EXPORT_GROUP
from catalog.settings import Settings, read_settings
from etl.batches import Batch, play_batch
from etl.prepare import prepared
from flows.backfill import backfill
from flows.live import live
from flows.pipeline import pipeline
from flows.shocks import play_shocks
from flows.simulate import simulate
from own_data.exports.columns import Reading
from own_data.exports.ingest import ingest
from serving.close_day import close_day
from serving.in_force import pricing_on
from warehouse.lake import Lake, Partition
from warehouse.local.store import LocalStore
from warehouse.mixture import BEFORE, allow_mixture, before_mixture
from warehouse.origin import RECORD, Origin, Side, origin_of, publishing, record, recorded
from warehouse.receipts import unsealed
from warehouse.workspace import Workspace

MONDAY = dt.date(2026, 1, 5)
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
    workspace = prepared(settings, load())
    batch = Batch(MONDAY, "g000", ("S01",))
    play_batch(workspace, batch, pricing_on(workspace.lake, workspace.catalog, MONDAY), 7)
    return workspace


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
    assert recorded(LocalStore(log_lake.lake)) == Origin("retailer")
    assert recorded(LocalStore(twin_home / "lake")) == Origin("twin")


def test_a_lake_without_decisions_has_no_record(settings: Settings) -> None:
    prepared(settings, load())
    assert origin_of(LocalStore(settings.lake)) is None
    assert not (settings.lake / RECORD).exists()


@pytest.mark.parametrize("home", ["log_home", "twin_home"])
def test_a_lake_that_is_older_than_its_record_is_recognised_and_given_one(
    home: str, settings: Settings, request: pytest.FixtureRequest
) -> None:
    shutil.copytree(request.getfixturevalue(home), settings.home, dirs_exist_ok=True)
    before = recorded(LocalStore(settings.lake))
    (settings.lake / RECORD).unlink()
    assert origin_of(LocalStore(settings.lake)) == before
    prepared(settings, load())
    assert recorded(LocalStore(settings.lake)) == before


def begin(root: Path, side: Side, start: threading.Barrier, refused: list[Side]) -> None:
    start.wait()
    try:
        with publishing(LocalStore(root), LockPlace(root / "locks"), side):
            pass
    except Declined:
        refused.append(side)


def test_of_two_first_writers_one_is_refused(tmp_path: Path) -> None:
    for attempt in range(25):
        root, start, refused = tmp_path / str(attempt), threading.Barrier(2), list[Side]()

        def begin(
            side: Side, root: Path = root, start: threading.Barrier = start, refused: list[Side] = refused
        ) -> None:
            start.wait()
            try:
                with publishing(LocalStore(root), LockPlace(root / "locks"), side):
                    pass
            except Declined:
                refused.append(side)

        writers = [threading.Thread(target=begin, args=(side,)) for side in ("twin", "retailer")]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        (loser,) = refused
        won = recorded(LocalStore(root))
        assert won is not None
        assert won.holds != loser
        assert [path.name for path in root.glob("*.draft")] == []


@pytest.mark.parametrize(
    "command",
    [
        ("demo",),
        ("simulate",),
        ("pipeline", "--days", "2"),
        ("backfill", "--start", "2026-01-05", "--end", "2026-01-08"),
        ("live",),
        ("shocks",),
    ],
    ids=lambda command: command[0],
)
def test_no_command_of_the_twin_touches_a_retailers_lake(
    command: tuple[str, ...], log_lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started() -> None:
        raise AssertionError("Prefect was started")

    monkeypatch.setattr("flows.environment.temporary_server", started)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    before = files_in(log_lake.home)
    answer = Terminal(log_lake.home)(*command)
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        f"declined: expected a lake for the twin's decisions in {log_lake.lake}, found a retailer's decisions; nothing "
        "was played: set SHELFPRICE_HOME to another folder, or ask for a mixture by name with `shelfprice simulate "
        "--allow-mixture`"
    ]
    assert files_in(log_lake.home) == before


@pytest.mark.parametrize(
    "play",
    [
        lambda: simulate.fn(MONDAY),
        pipeline.fn,
        lambda: backfill.fn(MONDAY, MONDAY),
        lambda: live.fn("S01"),
        play_shocks.fn,
    ],
    ids=["simulate", "pipeline", "backfill", "live", "shocks"],
)
def test_no_deployment_plays_in_a_retailers_lake(
    play: Callable[[], object], log_lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFPRICE_HOME", str(log_lake.home))
    before = files_in(log_lake.lake)
    with pytest.raises(Declined, match="found a retailer's decisions; nothing was played"):
        play()
    assert files_in(log_lake.lake) == before


def test_a_day_that_is_played_all_the_same_is_not_published(log_lake: Settings) -> None:
    workspace = prepared(log_lake, load(log_lake.shelf))
    before = {name: data for name, data in files_in(log_lake.lake).items() if "catalogs" not in name}
    with pytest.raises(Declined, match="found a retailer's decisions"):
        play_batch(workspace, Batch(MONDAY, "g000", ("S01",)), pricing_on(workspace.lake, workspace.catalog, MONDAY), 7)
    assert {name: data for name, data in files_in(log_lake.lake).items() if "catalogs" not in name} == before


def test_a_night_closes_no_day_that_the_log_leaves_out(log_lake: Settings) -> None:
    workspace = prepared(log_lake, load(log_lake.shelf))
    assert close_day(workspace, MONDAY + dt.timedelta(days=1), seed=7) == 0
    assert origin_of(LocalStore(log_lake.lake)) == Origin("retailer")


def test_no_log_is_read_into_the_twins_lake(twin_lake: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    before, shop = files_in(twin_lake.home), tmp_path_factory.mktemp("shop")
    with pytest.raises(Declined, match="found the twin's decisions; nothing was ingested: set SHELFPRICE_HOME"):
        read_log(twin_lake, shop)
    answer = Terminal(twin_lake.home)("ingest", str(shop / "log.csv"))
    assert (answer.returncode, answer.stderr.count("\n")) == (1, 1)
    assert {name: data for name, data in files_in(twin_lake.home).items() if "locks" not in name} == {
        name: data for name, data in before.items() if "locks" not in name
    }


def test_what_an_earlier_version_mixed_in_is_seen_in_spite_of_the_record(twin_lake: Settings, log_home: Path) -> None:
    shutil.copytree(log_home / "lake" / "interactions", twin_lake.lake / "interactions", dirs_exist_ok=True)
    assert origin_of(LocalStore(twin_lake.lake)) == Origin("mixture")
    with pytest.raises(Declined, match="found the twin's mixed with a retailer's; nothing was played: take them apart"):
        simulate_in(twin_lake)


def simulate_in(settings: Settings) -> None:
    lake = Lake(settings)
    prepared(settings, load())
    rows = TABLES["interactions"].schema.empty_table()
    lake.publish(Partition("interactions", MONDAY, "g007"), rows, inputs="x", seed=7)


def test_a_mixture_that_was_asked_for_by_name_takes_both(twin_lake: Settings) -> None:
    lake = Lake(twin_lake)
    rows: pa.Table = TABLES["interactions"].schema.empty_table()
    export = Partition("interactions", MONDAY, f"{EXPORT_GROUP}1")
    with pytest.raises(Declined):
        lake.publish(export, rows, inputs="x")
    allow_mixture(lake.store, lake.locks, "retailer")
    assert recorded(lake.store) == Origin("mixture", is_allowed=True)
    lake.publish(export, rows, inputs="x")
    simulate_in(twin_lake)


def test_a_mixture_is_no_name_for_a_lake_of_one_side(twin_lake: Settings) -> None:
    allow_mixture(LocalStore(twin_lake.lake), twin_lake.locks, "twin")
    assert recorded(LocalStore(twin_lake.lake)) == Origin("twin")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"holds": "both"}', '{"holds": "twin", "removing": "x"}', "\x00\xff"])
def test_a_record_that_cannot_be_read_stops_all_decisions(text: str, twin_lake: Settings) -> None:
    (twin_lake.lake / RECORD).write_text(text, encoding="utf-8")
    with pytest.raises(LakeError, match=r"origin\.json: expected what the lake holds .*remove this file"):
        simulate_in(twin_lake)


def test_the_record_holds_no_more_than_what_the_lake_is(log_lake: Settings) -> None:
    said = unsealed((log_lake.lake / RECORD).read_text(encoding="utf-8"))
    assert said == {"holds": "retailer", "is_allowed": False, "removing": None}


@pytest.mark.parametrize(
    "now", [Origin("twin"), Origin("retailer"), Origin("mixture", is_allowed=True), Origin("mixture", removing="twin")]
)
def test_no_flipped_bit_makes_the_record_say_something_else(tmp_path: Path, now: Origin) -> None:
    record(LocalStore(tmp_path), now)
    path = tmp_path / RECORD
    content = path.read_bytes()
    for place, bit in itertools.product(range(len(content)), range(8)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
        with pytest.raises(LakeError):
            recorded(LocalStore(tmp_path))


def test_a_flipped_bit_in_what_stood_before_a_mixture_is_refused(tmp_path: Path) -> None:
    record(LocalStore(tmp_path), Origin("twin"))
    allow_mixture(LocalStore(tmp_path), LockPlace(tmp_path / "locks"), "retailer")
    path = tmp_path / BEFORE
    content = path.read_bytes()
    right = before_mixture(LocalStore(tmp_path))
    for place, bit in itertools.product(range(len(content)), range(8)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
        with pytest.raises(LakeError):
            before_mixture(LocalStore(tmp_path))
    path.write_bytes(content)
    assert before_mixture(LocalStore(tmp_path)) == right
