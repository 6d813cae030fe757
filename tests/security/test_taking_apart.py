"""A mixture is taken apart: all of one side goes, the other stays byte for byte, and a kill in between does no harm."""

import datetime as dt
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from shell import Terminal

from catalog.contracts import TABLES
from catalog.errors import Declined, ModelError
from catalog.load import load
from catalog.settings import Settings, read_settings
from etl.batches import Batch, play_batch
from etl.live.calendar import day_to_sell
from etl.live.player import Player
from etl.prepare import prepared
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from features.grouped import RECORD as GROUPED
from own_data.exports.columns import Reading
from own_data.exports.ingest import ingest
from serving.in_force import pricing_on
from serving.live_prices import LivePrices
from training.registry import RegistryState
from training.take_apart import take_apart
from warehouse.lake import Lake, Partition
from warehouse.local.store import LocalStore
from warehouse.mixture import BEFORE, allow_mixture
from warehouse.origin import RECORD, Origin, Side, origin_of, recorded
from warehouse.verify import verify

MONDAY, TUESDAY, WEDNESDAY = (dt.date(2026, 1, day) for day in (5, 6, 7))
NOW = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
LOG = "time,sku,price,bought\n" + "".join(
    f"2026-01-0{day} 1{hour}:00,{sku},1.{hour},{hour % 2}\nnever,{sku},1,1\n"
    for day in (5, 6)
    for hour in range(6)
    for sku in ("MILK", "BREAD")
)


def put(lake: Lake, table: str, group: str, date: dt.date | None = None, inputs: str = "x") -> None:
    """Publish a partition of something that is made from decisions; an empty one is as good as any."""
    lake.publish(Partition(table, date, group), TABLES[table].schema.empty_table(), inputs=inputs)


def put_change(lake: Lake, number: int, version: str) -> None:
    row = {
        "change": number,
        "version": version,
        "previous": None,
        "action": "promoted_by_gate",
        "decided_by": "the gate",
        "decided_at": NOW,
        "reason": "because",
        "prices_from": MONDAY,
    }
    rows = pa.Table.from_pylist([row], schema=TABLES["champions"].schema)
    lake.publish(Partition("champions", None, f"{number:06d}"), rows, inputs=str(number))
    put(lake, "model_versions", f"v{version}", inputs=version)


def play(settings: Settings) -> None:
    """Let the twin sell one store's day at once, and another's tick by tick until noon."""
    workspace = prepared(settings, load())
    lake, catalog = workspace.lake, workspace.catalog
    play_batch(workspace, Batch(MONDAY, "g000", ("S01",)), pricing_on(lake, catalog, MONDAY), 7)
    day = day_to_sell(workspace, "S02", MONDAY)
    player = Player(lake, LivePrices(lake, lambda: catalog, day, 7), day, 7)
    player.sell_tick()
    transform(workspace)


def read_log(settings: Settings) -> None:
    file = settings.home.parent / f"{settings.home.name}.csv"
    file.write_text(LOG, encoding="utf-8")
    ingest(settings, file, Reading(), None if not settings.shelf.exists() else settings.shelf, NOW)
    transform(prepared(settings, load(settings.shelf)))


def read_log_on_the_twins_shelf(settings: Settings) -> None:
    from catalog.load import DEFAULT_DIR

    file = settings.home.parent / f"{settings.home.name}.csv"
    file.write_text(LOG.replace("2026-01-05", "2026-01-07"), encoding="utf-8")  # a date of which the twin knows nothing
    ingest(settings, file, Reading(), DEFAULT_DIR, NOW)
    transform(prepared(settings, load()))


def contents(settings: Settings) -> dict[str, bytes]:
    """Return every file of the lake, but for kept catalogs, empty tables, and the note of which dates are grouped."""
    files = (path for path in sorted(settings.lake.rglob("*")) if path.is_file() and path.name != GROUPED)
    return {
        str(path.relative_to(settings.lake)): path.read_bytes()
        for path in files
        if "catalogs" not in path.parts and not path.name.startswith("part-contract")
    }


def rows_in(settings: Settings) -> dict[str, bytes]:
    """Return every partition of the lake, without its receipt."""
    return {name: content for name, content in contents(settings).items() if name.endswith(".parquet")}


@pytest.fixture(scope="module")
def log_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A retailer's home with a model, a champion and a book."""
    home = tmp_path_factory.mktemp("log") / "home"
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    read_log(settings)
    lake = Lake(settings)
    put_change(lake, 1, "1")
    put(lake, "demand_curves", "all", TUESDAY)
    put(lake, "price_book", "all", TUESDAY)
    return home


@pytest.fixture(scope="module")
def twin_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twin's home with a day, a live day that is still open, a model, a champion and a book."""
    home = tmp_path_factory.mktemp("twin") / "home"
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    play(settings)
    lake = Lake(settings)
    put_change(lake, 1, "1")
    put(lake, "price_book", "all", TUESDAY)
    return home


@pytest.fixture(scope="module")
def twin_in_the_log(log_alone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The retailer's home into which the twin sold by name, with a version and a book that learned from both."""
    home = tmp_path_factory.mktemp("mixed") / "home"
    shutil.copytree(log_alone, home)
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    lake = Lake(settings)
    allow_mixture(lake.store, lake.locks, "twin")
    play(settings)
    put_change(lake, 2, "2")
    put(lake, "price_book", "all", WEDNESDAY)
    put(lake, "nights", "all", MONDAY)
    return home


@pytest.fixture
def mixed(twin_in_the_log: Path, tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    shutil.copytree(twin_in_the_log, home)
    return read_settings({"SHELFPRICE_HOME": str(home)})


def of_both() -> MemoryRegistry:
    registry = MemoryRegistry()
    registry.follow("2", 2)
    return registry


def test_without_the_twin_the_retailers_lake_is_as_it_was(mixed: Settings, log_alone: Path) -> None:
    registry = of_both()
    done = take_apart(mixed, registry, "twin")
    assert contents(mixed) == contents(read_settings({"SHELFPRICE_HOME": str(log_alone)}))
    assert recorded(LocalStore(mixed.lake)) == done.left == Origin("retailer")
    assert done.versions == ("2",)
    assert registry.state() == RegistryState("1", 1)
    assert {"interactions", "repricings", "days_in_force", "live_interactions", "demand_cells"} <= done.removed.keys()
    assert verify(Lake(mixed)).findings == ()


def test_without_the_retailer_nothing_that_learned_from_its_log_is_left(mixed: Settings) -> None:
    registry = of_both()
    done = take_apart(mixed, registry, "retailer")
    lake = Lake(mixed)
    assert recorded(LocalStore(mixed.lake)) == done.left == Origin("twin")
    assert done.versions == ("1", "2")
    assert registry.state().champion is None
    assert {part.group for part in lake.partitions("interactions")} == {"g000"}
    for table in ("ingested_files", "rejected", "price_book", "demand_curves", "champions", "model_versions", "nights"):
        assert list(lake.partitions(table)) == []
    assert not mixed.shelf.exists()
    assert verify(lake).findings == ()


def test_the_twins_lake_is_as_it_was_without_the_log_that_was_read_into_it(twin_alone: Path, tmp_path: Path) -> None:
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path / "home")})
    shutil.copytree(twin_alone, settings.home)
    before = contents(settings)
    allow_mixture(LocalStore(settings.lake), settings.locks, "retailer")
    read_log_on_the_twins_shelf(settings)
    put_change(Lake(settings), 2, "2")
    take_apart(settings, of_both(), "retailer")
    assert contents(settings) == before


def test_a_mixture_without_a_record_is_taken_apart_and_what_may_have_learned_from_both_is_removed(
    mixed: Settings, log_alone: Path
) -> None:
    (mixed.lake / RECORD).unlink()
    (mixed.lake / BEFORE).unlink()
    before = contents(read_settings({"SHELFPRICE_HOME": str(log_alone)}))
    made = ("champions", "model_versions", "price_book", "demand_curves")
    assert origin_of(LocalStore(mixed.lake)) == Origin("mixture")
    done = take_apart(mixed, of_both(), "twin")
    assert contents(mixed) == {name: data for name, data in before.items() if not name.startswith(made)}
    assert (done.versions, done.left) == (("1", "2"), Origin("retailer"))


def test_a_book_that_the_mixture_replaced_is_put_back(mixed: Settings, log_alone: Path) -> None:
    lake, first = Lake(mixed), Partition("demand_curves", TUESDAY, "all")
    curve = {"sku": "MILK", "candidate": 0, "price": 1.0, "p_sale": 0.5, "supported": True, "model_version": "2"}
    curve["expected_revenue"] = 0.5
    other = pa.Table.from_pylist([curve], schema=TABLES["demand_curves"].schema)
    lake.publish(Partition("replaced_demand_curves", TUESDAY, "0"), lake.read(first), inputs="x")
    lake.publish(first, other, inputs="other")
    take_apart(mixed, of_both(), "twin")
    assert rows_in(mixed) == rows_in(read_settings({"SHELFPRICE_HOME": str(log_alone)}))
    assert verify(lake).findings == ()


@pytest.mark.parametrize("side", ["twin", "retailer"])
@pytest.mark.parametrize("removals", [1, 6])
def test_a_reset_that_was_killed_goes_on_where_it_was(
    side: Side, removals: int, mixed: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = read_settings({"SHELFPRICE_HOME": str(tmp_path / "undisturbed")})
    shutil.copytree(mixed.home, undisturbed.home)
    take_apart(undisturbed, of_both(), side)
    registry, done = of_both(), list[Partition]()
    remove = Lake.remove

    def killed(lake: Lake, partition: Partition) -> None:
        if len(done) == removals:
            raise KeyboardInterrupt
        done.append(partition)
        remove(lake, partition)

    with monkeypatch.context() as patched:
        patched.setattr(Lake, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            take_apart(mixed, registry, side)
    with pytest.raises(Declined, match=f"finish that with `shelfprice reset --only {side}`"):
        play(mixed)
    take_apart(mixed, registry, side)
    assert contents(mixed) == contents(undisturbed)


def test_a_kill_at_the_very_end_forgets_nothing_of_what_stood_before(
    mixed: Settings, log_alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_root: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("training.take_apart.end_removal", killed)
        with pytest.raises(KeyboardInterrupt):
            take_apart(mixed, of_both(), "twin")
    take_apart(mixed, of_both(), "twin")
    assert contents(mixed) == contents(read_settings({"SHELFPRICE_HOME": str(log_alone)}))


def test_a_model_stays_while_the_registry_cannot_be_told(mixed: Settings) -> None:
    class Away(MemoryRegistry):
        def state(self) -> RegistryState:
            raise ModelError("the model registry does not answer")

    before = contents(mixed)
    with pytest.raises(ModelError):
        take_apart(mixed, Away(), "twin")
    assert contents(mixed) == before


def test_a_side_that_is_not_there_is_said(log_alone: Path) -> None:
    answer = Terminal(log_alone)("reset", "--only", "twin", "--yes")
    assert (answer.returncode, answer.stderr.count("\n")) == (1, 1)
    assert "expected decisions of the twin" in answer.stderr


def test_a_shelf_that_was_corrected_by_hand_stays(mixed: Settings) -> None:
    products = mixed.shelf / "products.yaml"
    products.write_text(products.read_text(encoding="utf-8").replace('"MILK"', '"Milk"'), encoding="utf-8")
    assert take_apart(mixed, of_both(), "retailer").kept_shelf == mixed.shelf


def test_the_command_takes_apart_what_the_command_line_mixed_by_name(
    prefect_server: str, log_alone: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(log_alone, home)
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    shutil.rmtree(settings.lake / "champions")  # no model: the registry of this home was never used
    shutil.rmtree(settings.lake / "model_versions")
    before = contents(settings)
    terminal = Terminal(home)
    played = terminal("simulate", "--allow-mixture")
    assert played.returncode == 0, played.stderr
    assert recorded(LocalStore(settings.lake)) == Origin("mixture", is_allowed=True)
    answer = terminal("reset", "--only", "twin", "--yes")
    assert answer.returncode == 0, answer.stderr
    assert "now holds a retailer's decisions alone" in answer.stderr
    assert contents(settings) == before
