"""A live day, without any server: the same bytes as a batch, whatever happens in between."""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from price_shop import SHORT_DAY, open_in_the_morning

from catalog.errors import DataError, Declined
from catalog.load import CLASSIC, Catalog, WatchedCatalog, load
from catalog.settings import read_settings
from etl.batches import Batch, batch_inputs, batches_of, without_live_days
from etl.load import load_dimensions, load_store_day
from etl.open_days import LiveDay, days_sold_live, sold_so_far
from etl.twin.draws import shopper_names
from etl.twin.store_day import play
from features.cells import feature_workbench, groups_of, publish_groups, stale_cells
from plugins.desk.live_shelf import discard
from plugins.evaluation.truth import expected_visits_on, true_curves
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from plugins.operations.checks.proving import verify
from serving.book.make import publish_book
from serving.store.in_force import pricing_on
from tests.support.believing import first_belief
from warehouse.checks.assertions import broken_assertions
from warehouse.commits.record import CommittedPart
from warehouse.lake import Lake, Partition
from warehouse.query.connection import workbench
from warehouse.receipts import Receipt
from warehouse.stores import folder as local

pytestmark = pytest.mark.play

DATE = dt.date(2026, 1, 19)
DAY = LiveDay("S01", DATE)
SEED = 7
TABLES = ("interactions", "repricings")


class Shop:
    """A lake and a catalog folder of its own, in which S01 sells."""

    def __init__(self, home: Path) -> None:
        self.settings = read_settings({"SHELFPRICE_HOME": str(home / "home")})
        self.folder = home / "catalog"
        self.lake = Lake(self.settings)

    def furnish(self, *, with_book: bool) -> None:
        """Make everything that is there before the day."""
        self.folder.mkdir(parents=True)
        for name in ("products.yaml", "store.yaml"):
            shutil.copy(CLASSIC / name, self.folder / name)
        open_in_the_morning(self.folder)
        self.lake.prepare()
        load_dimensions(self.lake, self.catalog, shopper_names(20, 1))
        if with_book:
            curves = true_curves(self.catalog, DATE)
            publish_book(
                self.lake,
                self.catalog,
                curves,
                expected_visits_on(self.catalog, DATE),
                DATE,
                first_belief(self.catalog),
            )

    @property
    def catalog(self) -> Catalog:
        return load(self.folder)

    def change(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def player(self, seed: int = SEED) -> Player:
        return Player(self.lake, LivePrices(self.lake, WatchedCatalog(self.folder).current, DAY, seed), DAY, seed)

    def sell(self, ticks: int = SHORT_DAY) -> Player:
        player = self.player()
        while player.next_tick < ticks:
            player.sell_tick()
        if player.is_over:
            player.close()
        return player

    def bytes_of(self, prefix: str = "") -> dict[str, bytes]:
        return {name: self.lake.path(DAY.part(prefix + name)).read_bytes() for name in TABLES}

    def ask(self, question: str) -> list[tuple[object, ...]]:
        with workbench(self.settings) as connection:
            return connection.execute(question).fetchall()


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Return the folder of a shop before its day, without and with a price book; they are copied."""
    homes = {with_book: tmp_path_factory.mktemp("furnished") for with_book in (False, True)}
    for with_book, home in homes.items():
        Shop(home).furnish(with_book=with_book)
    return homes


@pytest.fixture
def shop(furnished: dict[bool, Path], tmp_path: Path) -> Callable[..., Shop]:
    numbers = iter(range(1_000))

    def opened(*, with_book: bool = True) -> Shop:
        return Shop(shutil.copytree(furnished[with_book], tmp_path / str(next(numbers))))

    return opened


@pytest.fixture(scope="module")
def calm(furnished: dict[bool, Path], tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return a shop in which nothing disturbed the day; it is only read."""
    own = Shop(shutil.copytree(furnished[True], tmp_path_factory.mktemp("calm") / "shop"))
    own.sell()
    return own


@pytest.mark.parametrize("with_book", [False, True], ids=["no champion", "from a price book"])
def test_a_live_day_ends_with_the_bytes_of_the_same_day_played_at_once(
    shop: Callable[..., Shop], with_book: bool
) -> None:
    live, at_once = shop(with_book=with_book), shop(with_book=with_book)
    live.sell()
    priced_by = pricing_on(at_once.lake, at_once.catalog, DATE, None)
    batch = Batch(DATE, "live-S01", ("S01",))
    inputs = batch_inputs(at_once.catalog, batch, priced_by, SEED)
    day = play(at_once.catalog, priced_by.policy, ("S01",), DATE, SEED)
    load_store_day(at_once.lake, at_once.catalog, day, "live-S01", inputs=inputs, seed=SEED)
    assert live.bytes_of() == at_once.bytes_of()
    for name in TABLES:
        assert live.lake.receipt(DAY.part(name)) == at_once.lake.receipt(DAY.part(name))


@bounded(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(1, SHORT_DAY), min_size=1, max_size=4).map(sorted))
def test_stopped_at_any_ticks_and_started_again_it_ends_with_the_same_bytes(
    shop: Callable[..., Shop], calm: Shop, stops: list[int]
) -> None:
    stopped = shop()
    for stop in stops:
        stopped.sell(stop)
    stopped.sell()
    assert stopped.bytes_of() == calm.bytes_of()


def test_killed_between_the_two_tables_of_a_tick_the_tick_counts_and_it_goes_on_from_the_next(
    shop: Callable[..., Shop], calm: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = shop()
    repriced = max(calm.lake.read(DAY.part("repricings"))["tick"].to_pylist())
    player = killed.sell(repriced)
    put_in_force = local.put_part_in_force

    def die_before_decisions(root: Path, part: CommittedPart) -> None:
        if part.partition.table == "live_interactions":
            raise KeyboardInterrupt
        put_in_force(root, part)

    with monkeypatch.context() as patched:
        patched.setattr(local, "put_part_in_force", die_before_decisions)
        with pytest.raises(KeyboardInterrupt):
            player.sell_tick()
    assert max(killed.lake.read(DAY.part("live_repricings"))["tick"].to_pylist()) == repriced
    assert max(killed.lake.read(DAY.part("live_interactions"))["tick"].to_pylist()) < repriced
    assert killed.lake.finish_interrupted() == [DAY.commit]
    found = sold_so_far(killed.lake, DAY)
    assert found is not None
    assert max(found.rows.repricings["tick"].to_pylist()) == repriced
    assert killed.player().next_tick == repriced + 1
    killed.sell()
    assert killed.bytes_of() == calm.bytes_of()


def test_a_kill_switch_counts_from_the_next_tick_on_and_changes_nothing_before(
    shop: Callable[..., Shop], calm: Shop
) -> None:
    switched = shop()
    player = switched.sell(5)
    before = switched.ask("select * from interactions order by seen_at")
    told_before = switched.ask("select * from repricings order by tick, sku")
    switched.change("store.yaml", "kill_switch: false", "kill_switch: true")
    while not player.is_over:
        player.sell_tick()
    player.close()
    assert switched.ask("select * from interactions where tick < 5 order by seen_at") == before
    assert calm.ask("select * from interactions where tick < 5 order by seen_at") == before
    for own in (switched, calm):
        assert own.ask("select * from repricings where tick < 5 order by tick, sku") == told_before
    after = switched.ask("select distinct sku, price_offered, policy from interactions where tick >= 5")
    base = {product.sku: product.base_price for product in switched.catalog.products}
    assert {(sku, price) for sku, price, _ in after} == set(base.items())
    assert {policy for _, _, policy in after} == {"static"}
    changed = switched.ask("select binding_rule, old_price from repricings where tick = 5")
    assert changed
    assert all(rule in {"kill_switch", "base_price"} and old is not None for rule, old in changed)


def test_few_changes_a_day_are_counted_through_restarts_and_from_before_the_limit_was_set(
    shop: Callable[..., Shop],
) -> None:
    shops = (shop(with_book=False), shop(with_book=False))
    for number, own in enumerate(shops):
        player = own.sell(2)
        own.change("store.yaml", "largest_step: null", "largest_step: null\n  changes_per_day: 3")
        while not player.is_over:
            player.sell_tick()
            if number == 1 and player.next_tick in {3, 5, 10}:
                player = own.player()
        player.close()
    assert shops[0].bytes_of() == shops[1].bytes_of()
    rows = shops[0].lake.read(DAY.part("repricings")).to_pylist()
    for sku in shops[0].catalog.skus:
        changed_at = [row["tick"] for row in rows if row["sku"] == sku and row["tick"] > 0]
        assert len(changed_at) == 3
        assert changed_at[0] < 2 <= changed_at[-1]


def test_a_live_day_does_not_begin_where_one_price_holds_in_several_stores_but_one_under_way_goes_on(
    shop: Callable[..., Shop],
) -> None:
    own, under_way = shop(), shop()
    player = under_way.sell(6)
    for changed in (own, under_way):
        changed.change("store.yaml", "largest_step: null", "largest_step: null\n  one_price: zone")
    with pytest.raises(DataError, match=r"guardrails.one_price: .*3 stores.*nothing was sold, leave one_price out"):
        own.player()
    player.sell_tick()
    assert under_way.player().next_tick == 7
    own.change("store.yaml", "stores: [S01, S02, S03]", "stores: [S01]")
    assert own.player().next_tick == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [("kill_switch: false", "kill_switch: 12,99"), ("visits_per_day: 500", "visits_per_day: 900")],
    ids=["not readable", "other shoppers"],
)
def test_a_catalog_that_cannot_be_used_during_the_day_changes_nothing(
    shop: Callable[..., Shop], calm: Shop, old: str, new: str
) -> None:
    changed = shop()
    player = changed.sell(5)
    changed.change("store.yaml", old, new)
    for _ in range(5):
        player.sell_tick()
    changed.change("store.yaml", new, old)
    while not player.is_over:
        player.sell_tick()
    player.close()
    assert changed.bytes_of() == calm.bytes_of()


def test_a_day_is_not_continued_with_other_shoppers(shop: Callable[..., Shop]) -> None:
    own = shop()
    own.sell(5)
    before = own.bytes_of("live_")
    with pytest.raises(DataError, match="--again"):
        own.player(seed=8)
    assert own.bytes_of("live_") == before


def test_no_decision_is_shown_twice_while_the_day_runs_when_it_closes_and_after(shop: Callable[..., Shop]) -> None:
    own = shop()
    player = own.player()
    counted = "select count(*), count(distinct (store_id, seen_at, shopper_id, sku)) from interactions"
    seen = []
    while not player.is_over:
        tick = player.sell_tick()
        seen.append(own.ask(counted)[0])
        assert seen[-1] == (tick.visits, tick.visits)
    assert own.ask("select count(*) from closed_interactions") == [(0,)]
    player.close()
    assert own.ask(counted)[0] == seen[-1]
    assert own.ask("select count(*) from live_interactions") == [(0,)]
    assert own.ask("select count(*) from repricings") == own.ask("select count(*) from closed_repricings")
    assert verify(own.lake).findings == ()


def test_demand_cells_are_made_of_closed_days_alone(shop: Callable[..., Shop]) -> None:
    own = shop()
    own.sell(5)
    assert list(stale_cells(own.lake, own.catalog)) == []
    own.sell()
    with feature_workbench(own.settings) as connection:
        for stale in list(stale_cells(own.lake, own.catalog)):
            publish_groups(own.lake, stale, groups_of(connection, own.lake, stale.decisions))
    assert broken_assertions(own.settings, [DATE]) == []


def test_a_closed_days_live_part_is_cleared_when_the_next_one_closes(shop: Callable[..., Shop]) -> None:
    own = shop()
    own.sell()
    tomorrow = LiveDay("S01", DATE + dt.timedelta(days=1))
    player = Player(own.lake, LivePrices(own.lake, WatchedCatalog(own.folder).current, tomorrow, SEED), tomorrow, SEED)
    assert own.lake.path(DAY.part("live_interactions")).exists()
    while not player.is_over:
        player.sell_tick()
    player.close()
    assert not own.lake.path(DAY.part("live_interactions")).exists()
    assert days_sold_live(own.lake) == [DAY, tomorrow]
    assert len(own.ask("select distinct business_date from interactions")) == 2
    assert verify(own.lake).findings == ()


def test_a_day_that_is_discarded_leaves_nothing_behind(shop: Callable[..., Shop]) -> None:
    own = shop()
    own.sell(5)
    discard(own.lake, DAY)
    assert own.ask("select count(*) from interactions") == [(0,)]
    assert own.player().next_tick == 0
    assert verify(own.lake).findings == ()


def test_a_simulation_leaves_out_the_stores_that_sold_the_date_live(shop: Callable[..., Shop]) -> None:
    own = shop()
    own.sell(5)
    batches = batches_of(own.catalog, [DATE, DATE + dt.timedelta(days=1)], None)
    left = without_live_days(own.lake, batches)
    assert [batch.stores for batch in left] == [("S02", "S03"), ("S01", "S02", "S03")]
    alone = batches_of(own.catalog, [DATE], 1)
    assert without_live_days(own.lake, alone) == []


def test_two_players_of_one_store_day_cannot_write_at_once(shop: Callable[..., Shop]) -> None:
    from warehouse.commits.locks import held

    own = shop()
    player = own.sell(3)
    with held(own.settings.locks, DAY.part("live_repricings").lock_name), pytest.raises(Declined):
        player.sell_tick()


def test_who_looks_while_the_first_tick_is_published_finds_no_fault(
    shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = shop()
    player, receipt = own.player(), Lake.receipt

    def published_just_after(lake: Lake, partition: Partition) -> Receipt | None:
        found = receipt(lake, partition)
        if lake is own.lake and partition.table == "live_interactions" and player.next_tick == 0:
            monkeypatch.setattr(Lake, "receipt", receipt)
            player.sell_tick()
        return found

    monkeypatch.setattr(Lake, "receipt", published_just_after)
    assert sold_so_far(own.lake, DAY) is None
    player.sell_tick()
    so_far = sold_so_far(own.lake, DAY)
    assert so_far is not None
    assert so_far.mark.tick == player.next_tick


def test_a_tick_tells_what_was_sold_so_far(shop: Callable[..., Shop]) -> None:
    own = shop()
    player = own.player()
    ticks = [player.sell_tick() for _ in range(SHORT_DAY)]
    revenue, units = own.ask(
        "select sum(price_offered) filter (where purchased), count(*) filter (where purchased) from interactions"
    )[0]
    assert ticks[-1].revenue_eur == pytest.approx(revenue)
    assert ticks[-1].units == units
    assert np.all(np.diff([tick.revenue_eur for tick in ticks]) >= 0)
    assert (ticks[0].opens_at, ticks[-1].opens_at) == (dt.time(8, 0), dt.time(10, 45))
    assert len(ticks[0].reasons) == 5
    assert all("Opened" in reason for reason in ticks[0].reasons)


def test_a_store_with_shoppers_who_wait_is_not_sold_live(shop: Callable[..., Shop]) -> None:
    store = shop(with_book=False)
    store.change("store.yaml", "visits_per_day: 500", "visits_per_day: 500\nwaiting_share: 0.1")
    with pytest.raises(
        DataError, match=r"expected a store without waiting_share.* nothing was sold, set waiting_share"
    ):
        store.player()
