"""A past day played again, without any server: the same bytes whatever happened since, and what differs is named."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from price_shop import open_in_the_morning
from shell import Terminal

from catalog.arrays import Floats
from catalog.errors import DataError
from catalog.load import CLASSIC, Catalog, WatchedCatalog, load
from catalog.settings import read_settings
from etl.batches import Batch, play_batch
from etl.load import load_dimensions
from etl.open_days import LiveDay
from etl.transform import group_partitions
from etl.twin.draws import shopper_names
from features.cells import feature_workbench, stale_cells
from features.prior_forests import NO_PRIOR, PriorForests
from plugins.connect.intake.rival_prices import take_rivals
from plugins.evaluation.truth import chance_of_sale
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from plugins.operations.replay import day as replaying
from plugins.operations.replay.day import Part, replay
from serving.book.make import learned_for, publish_book
from serving.store.in_force import pricing_on
from serving.store.play import priced_batches
from warehouse.checks.proof import Unproven
from warehouse.lake import Lake, Partition
from warehouse.query.questions import past_day
from warehouse.receipts import final_path
from warehouse.workspace import Workspace

FIRST, SECOND, THIRD = (dt.date(2026, 1, day) for day in (19, 20, 21))
SEED = 7
EXPORT = Partition("interactions", FIRST, "export-1")


@dataclass(frozen=True)
class TrueDemand:
    """A double for what the registry would give: it knows the twin, or is wrong about it by a factor."""

    catalog: Catalog
    version: str
    factor: float = 1.0
    learned_from: dt.date | None = None
    trained_through: dt.date | None = None
    prior: PriorForests = NO_PRIOR

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        worse = 1.0 if self.version == "1" else 0.8
        return self.factor * worse * chance_of_sale(self.catalog, rows["price_ratio"].to_numpy())


class Chain:
    """Two stores with a lake and a catalog folder of their own; what a flow would do, it does without Prefect."""

    def __init__(self, home: Path, changed: Callable[[Path], None] = open_in_the_morning) -> None:
        """Move into a home that is there, or begin a new one."""
        self.settings = read_settings({"SHELFPRICE_HOME": str(home / "home")})
        self.folder = home / "catalog"
        self.lake = Lake(self.settings)
        if self.folder.exists():
            return
        self.folder.mkdir(parents=True)
        for name in ("products.yaml", "store.yaml"):
            shutil.copy(CLASSIC / name, self.folder / name)
        changed(self.folder)
        self.lake.prepare()
        self.load()

    @property
    def catalog(self) -> Catalog:
        return load(self.folder)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.settings, self.catalog, self.lake)

    def load(self) -> None:
        load_dimensions(self.lake, self.catalog, shopper_names(20, 1))

    def change(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def sell(self, date: dt.date, policy: str | None = None) -> None:
        self.load()
        for batch, priced_by in priced_batches(self.workspace, [date], 2, policy):
            play_batch(self.workspace, batch, priced_by, SEED)

    def transform(self) -> None:
        self.load()
        group_partitions(self.workspace, list(stale_cells(self.lake, self.catalog)), Unproven(self.lake))

    def price(self, date: dt.date, version: str = "1") -> None:
        with feature_workbench(self.settings) as connection:
            model = TrueDemand(self.catalog, version)
            known = learned_for(connection, model, self.catalog, date)
        publish_book(self.lake, self.catalog, known.curves, known.visits, date, known.belief)

    def player(self, date: dt.date) -> Player:
        day = LiveDay("S01", date)
        return Player(self.lake, LivePrices(self.lake, WatchedCatalog(self.folder).current, day, SEED), day, SEED)

    def replay(self, date: dt.date) -> dict[str, Part]:
        return {part.part: part for part in replay(self.settings, date)}


@pytest.fixture(scope="module")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one day was sold while exploring prices, and one from a book of version 1."""
    home = tmp_path_factory.mktemp("chain")
    own = Chain(home)
    own.sell(FIRST)
    own.transform()
    own.price(SECOND)
    own.sell(SECOND)
    own.transform()
    return home


@pytest.fixture
def chain(two_days: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chain:
    home = tmp_path / "chain"
    shutil.copytree(two_days, home)
    own = Chain(home)
    monkeypatch.setattr(replaying, "load_champion", lambda _settings, version: TrueDemand(own.catalog, version))
    return own


def same(parts: dict[str, Part]) -> list[str]:
    assert {name: part.remark for name, part in parts.items() if part.remark} == {}
    assert all(part.is_same and part.rebuilt for part in parts.values())
    return list(parts)


def test_a_day_that_learned_while_it_sold_is_played_again_to_the_same_bytes(chain: Chain) -> None:
    assert same(chain.replay(FIRST)) == ["price decisions", "belief", "decisions", "features"]


def test_a_day_sold_from_a_book_is_played_again_from_model_to_features(chain: Chain) -> None:
    found = same(chain.replay(SECOND))
    assert found == ["demand curves", "price book", "price decisions", "belief", "decisions", "features"]


def test_days_of_a_rich_and_a_poor_store_are_played_again_batch_by_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def part(folder: Path) -> None:
        """Let shoppers differ, and days be long enough to tell."""
        with (folder / "store.yaml").open("a", encoding="utf-8") as store:
            store.write(
                "demand_effects:\n  - {stores: [S01], budget_shift: 0.35}\n  - {stores: [S02], budget_shift: -0.35}\n"
            )

    own = Chain(tmp_path, part)
    monkeypatch.setattr(replaying, "load_champion", lambda _settings, version: TrueDemand(own.catalog, version))
    own.sell(FIRST)
    own.transform()
    own.price(SECOND)
    own.sell(SECOND)
    own.transform()
    belief = own.lake.read(Partition("beliefs", SECOND, "all")).to_pylist()[0]
    assert [kind["stores"] for kind in belief["kinds"]] == [["S02"], ["S01"]]
    assert [part.group for part in own.lake.partitions_on("interactions", SECOND)] == ["g000", "g001"]
    for date in (FIRST, SECOND):
        parts = replay(own.settings, date)
        assert [(part.remark, part.is_same) for part in parts] == [("", True)] * len(parts)


@pytest.mark.parametrize("policy", ["rule", "greedy"])
def test_a_day_sold_by_a_policy_that_was_asked_for_is_played_again_by_that_one(chain: Chain, policy: str) -> None:
    chain.sell(THIRD, policy)
    chain.transform()
    assert past_day(chain.settings, THIRD)[0]["policy"] == policy
    same(chain.replay(THIRD))


def test_a_replay_changes_nothing_in_the_lake(chain: Chain) -> None:
    def stamps() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in chain.settings.lake.rglob("*")}

    before = stamps()
    chain.replay(SECOND)
    assert stamps() == before


def test_after_the_catalog_changed_a_day_is_played_again_under_its_own(chain: Chain) -> None:
    own = chain.catalog.fingerprint
    for old, new in (("base_price: 1.50", "base_price: 1.60"), ("base_price: 6.50", "base_price: 6.20")):
        chain.change("products.yaml", old, new)
        chain.transform()  # the days are regrouped under other base prices
    chain.price(THIRD)
    chain.sell(THIRD)
    chain.transform()
    assert past_day(chain.settings, SECOND)[0]["catalog"] == own
    for date in (FIRST, SECOND, THIRD):
        same(chain.replay(date))


def test_a_day_is_played_again_by_what_was_known_of_rivals_when_it_opened(chain: Chain) -> None:
    chain.change("store.yaml", "currency: EUR", "currency: EUR\nrivals: {of: [Corner], held: [MILK]}")
    now, milk = dt.datetime(2026, 1, 21, tzinfo=dt.UTC), {"rival": "Corner", "sku": "MILK"}
    take_rivals(chain.workspace, [{**milk, "price": 1.29, "seen_at": f"{SECOND}T08:00:00Z"}], "scout", now)
    chain.sell(THIRD)
    chain.transform()
    take_rivals(chain.workspace, [{**milk, "price": 1.09, "seen_at": f"{THIRD}T08:00:00Z"}], "scout", now)
    rows = chain.lake.read(Partition("repricings", THIRD, "g000")).to_pylist()
    assert max(row["new_price"] for row in rows if row["sku"] == "MILK") == 1.29
    assert any(clamp["rule"] == "rivals" for row in rows for clamp in row["clamps"] or ())
    same(chain.replay(THIRD))


def test_after_its_book_was_replaced_a_day_is_played_again_from_the_one_it_was_sold_from(chain: Chain) -> None:
    chain.price(SECOND, "2")
    same(chain.replay(SECOND))


def test_a_live_day_is_played_again_in_its_stretches(chain: Chain) -> None:
    chain.price(THIRD)
    player = chain.player(THIRD)
    for _ in range(4):
        player.sell_tick()
    chain.price(THIRD, "2")
    for _ in range(3):
        player.sell_tick()
    player = chain.player(THIRD)  # as after a kill
    player.sell_tick()
    chain.change("store.yaml", "kill_switch: false", "kill_switch: true")
    while not player.is_over:
        player.sell_tick()
    player.close()
    chain.transform()
    rows = past_day(chain.settings, THIRD)
    assert [(row["since"], row["model_version"]) for row in rows] == [(0, "1"), (4, "2"), (8, None)]
    parts = replay(chain.settings, THIRD)
    assert [part.remark for part in parts] == [""] * len(parts)
    assert all(part.is_same for part in parts)
    assert len(parts) == 7  # two books, the curves of the one that is kept, and four parts of the batch


def test_a_day_that_was_begun_anew_is_on_record_with_its_last_stretches_alone(chain: Chain) -> None:
    chain.price(THIRD)
    player = chain.player(THIRD)
    player.sell_tick()
    chain.price(THIRD, "2")
    player.sell_tick()
    chain.lake.remove(LiveDay("S01", THIRD).part("live_interactions"))
    chain.player(THIRD)
    rows = past_day(chain.settings, THIRD)
    assert [(row["since"], row["model_version"], row["decisions_sha256"]) for row in rows] == [(0, "2", None)]


@pytest.mark.parametrize(
    ("table", "part"),
    [("interactions", "decisions"), ("demand_cells", "features"), ("booked_prices", "price book")],
)
def test_a_flipped_byte_is_found_and_named(chain: Chain, table: str, part: str) -> None:
    file = chain.lake.path(Partition(table, SECOND, "all" if table == "booked_prices" else "g000"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    parts = chain.replay(SECOND)
    assert [name for name, own in parts.items() if not own.is_same] == [part]
    assert "shelfprice health --files" in parts[part].remark


def test_a_mixed_day_is_said_to_be_mixed_and_no_library_is_blamed(chain: Chain) -> None:
    part = Partition("repricings", SECOND, "g000")
    chain.lake.publish(part, chain.lake.read(part).slice(1), inputs="another run", seed=8)
    parts = chain.replay(SECOND)
    assert [name for name, own in parts.items() if not own.is_same] == ["price decisions"]
    assert parts["price decisions"].remark == (
        "its tables are of different runs, so the day is mixed: run `shelfprice doctor --fix`"
    )


def test_a_late_batch_before_the_day_is_named_as_what_changed_its_prices(chain: Chain) -> None:
    late = Batch(FIRST, "late", ("S03",))
    play_batch(chain.workspace, late, pricing_on(chain.lake, chain.catalog, FIRST), SEED)
    chain.transform()
    parts = chain.replay(SECOND)
    assert parts["price book"].is_same is False
    assert "late batch" in parts["price book"].remark
    assert all(parts[name].is_same for name in ("price decisions", "decisions", "features"))


def test_a_model_that_gives_other_prices_is_found(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "load_champion", lambda _settings, _version: TrueDemand(chain.catalog, "1", 0.7))
    parts = chain.replay(SECOND)
    assert [name for name, own in parts.items() if not own.is_same] == ["demand curves", "price book"]
    assert "other libraries" in parts["price book"].remark


def test_a_model_that_is_gone_is_said_and_the_rest_is_played_from_the_stored_book(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "load_champion", lambda _settings, _version: None)
    parts = chain.replay(SECOND)
    assert parts["price book"].is_same is False
    assert "does not have version 1" in parts["price book"].remark
    assert all(parts[name].is_same for name in ("price decisions", "decisions", "features"))


def test_a_book_that_is_gone_is_worked_out_again_and_said(chain: Chain) -> None:
    file = chain.lake.path(Partition("booked_prices", SECOND, "all"))
    file.unlink()
    final_path(file).unlink()
    parts = chain.replay(SECOND)
    assert parts["price book"].is_same
    assert parts["decisions"].is_same


def test_what_real_shoppers_did_is_not_played_but_its_features_and_prices_are(chain: Chain, tmp_path: Path) -> None:
    shop = Chain(tmp_path / "shop")
    shop.lake.publish(EXPORT, chain.lake.read(Partition("interactions", FIRST, "g000")), inputs="export")
    shop.transform()
    shop.price(SECOND)
    theirs = chain.lake.read(Partition("interactions", SECOND, "g000"))
    shop.lake.publish(replace(EXPORT, business_date=SECOND), theirs, inputs="export")
    shop.transform()
    parts = shop.replay(SECOND)
    assert (parts["decisions"].is_same, parts["decisions"].rebuilt) == (None, None)
    assert "real shoppers" in parts["decisions"].remark
    assert all(parts[name].is_same for name in ("demand curves", "price book", "features"))
    assert past_day(shop.settings, SECOND)[0]["catalog"] is None


def test_a_catalog_that_was_altered_is_refused(chain: Chain) -> None:
    kept = Partition("catalogs", None, chain.catalog.fingerprint[:16])
    rows = chain.lake.read(kept)
    other = rows["store"].to_pylist()[0].replace('"kill_switch":false', '"kill_switch":true')
    assert other != rows["store"].to_pylist()[0]
    table = rows.set_column(2, rows.schema.field("store"), pa.array([other]))
    chain.lake.publish(kept, table, inputs=chain.catalog.fingerprint)
    parts = chain.replay(FIRST)
    assert parts["decisions"].is_same is False
    assert "is not what it was" in parts["decisions"].remark


def test_a_date_without_decisions_is_refused(chain: Chain) -> None:
    for look in (replay, past_day):
        with pytest.raises(DataError, match="expected decisions of 2026-02-01"):
            look(chain.settings, dt.date(2026, 2, 1))


def test_the_commands_report_json_and_fail_on_the_first_byte_that_differs(
    chain: Chain,
) -> None:
    terminal = Terminal(chain.settings.home)
    (row,) = json.loads(terminal("champions", "--on", str(SECOND), "--json").stdout)["in_force"]
    assert (row["book_made_for"], row["model_version"], row["seed"]) == (str(SECOND), "1", SEED)
    assert row["catalog"] == chain.catalog.fingerprint
    asked = ("replay", "--date", str(FIRST), "--days", "2", "--json")
    parts = json.loads(terminal(*asked).stdout)["parts"]
    assert [part["is_same"] for part in parts] == [True] * 10
    chain.lake.path(Partition("repricings", FIRST, "g000")).write_bytes(b"PAR1")
    damaged = terminal(*asked)
    assert damaged.returncode == 1
    assert "others in 1 of 10 parts, first in the price decisions of 2026-01-19, g000: " in damaged.stderr
