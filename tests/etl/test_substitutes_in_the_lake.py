"""Units taken instead of another product, in the lake: nothing is lost, no visit is counted twice, and days go on."""

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from catalog.load import DEFAULT_DIR, Catalog, load
from catalog.records.product import Product
from catalog.settings import read_settings
from catalog.spread import HERE
from etl.open_days import LiveDay, sold_so_far
from etl.transform import transform
from flows.workspace import prepared
from plugins.desk.live_shelf import standing_of
from plugins.evaluation.same_shoppers import takings_in
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from plugins.operations.replay.day import replay
from serving.belief.table import belief_from_table
from serving.book.make import known_before
from serving.optimise.curves import LogitSwitching
from serving.store.play import batches_to_play, in_order, play_one, priced_batches
from warehouse.checks.assertions import broken_assertions
from warehouse.lake import Lake
from warehouse.query.connection import read_only
from warehouse.workspace import Workspace

pytestmark = pytest.mark.play

DATES = [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]
LIVE = LiveDay("S01", dt.date(2026, 1, 7))
SEED = 7


def living() -> Catalog:
    """Return the world of substitutes, of which the first keeps for three days and some take the freshest unit."""
    world = load(DEFAULT_DIR / "worlds" / "substitutes")
    milk = Product.model_validate(world.products[0].model_dump() | {"shelf_life_days": 3})
    return Catalog((milk, *world.products[1:]), world.store.model_copy(update={"freshest_share": 0.4}))


CATALOG = living()


class Shop:
    """A store with a lake of its own."""

    def __init__(self, home: Path) -> None:
        self.settings = read_settings({"SHELFPRICE_HOME": str(home)})
        self.lake = Lake(self.settings)

    def play(self) -> None:
        workspace = Workspace(self.settings, CATALOG, self.lake)
        jobs = batches_to_play(workspace, priced_batches(workspace, DATES, 1, "static"), "static", SEED, HERE)
        for together in in_order(CATALOG, jobs):
            for job in together:
                play_one(job)

    def player(self) -> Player:
        return Player(self.lake, LivePrices(self.lake, lambda: CATALOG, LIVE, SEED), LIVE, SEED)

    def ask(self, question: str) -> list[tuple[object, ...]]:
        with read_only(self.settings) as connection:
            return connection.execute(question).fetchall()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("played") / "home"
    prepared(read_settings({"SHELFPRICE_HOME": str(home)}), CATALOG)
    Shop(home).play()
    return home


@pytest.fixture
def shop(played: Path, tmp_path: Path) -> Shop:
    return Shop(shutil.copytree(played, tmp_path / "home"))


def test_units_are_those_that_left_the_shelf_and_visits_those_that_came(shop: Shop) -> None:
    own = shop
    transform(Workspace(own.settings, CATALOG, own.lake))
    assert broken_assertions(own.settings, DATES) == []
    ((visits, units, revenue, taken),) = own.ask("""
        select sum(count_visits), sum(count_units), sum(revenue_eur), (select count(*) from substitutions)
        from daily_sales
    """)
    assert isinstance(taken, int)
    assert taken > 50
    assert own.ask("select count(*) from interactions") == [(visits,)]
    assert own.ask("select count(*) + (select count(*) from substitutions) from interactions where purchased") == [
        (units,)
    ]
    assert own.ask("select sum(count_visits) from visit_counts") == [(visits,)]
    assert own.ask("select sum(n_offered) from demand_cells") == own.ask(
        "select count(*) from interactions where inventory_level > 0"
    )
    parts = [part for date in DATES for part in own.lake.partitions_on("interactions", date)]
    assert np.isclose(sum(takings_in(own.lake, part, CATALOG).revenue_eur for part in parts), float(str(revenue)))
    moved, sold = (
        own.ask("select sum(units_sold) from stock_movements"),
        own.ask("""
        select sum(count_units) from daily_sales where sku = 'MILK'
    """),
    )
    assert moved == sold


def test_a_substitute_that_nobody_came_for_breaks_an_assertion(shop: Shop) -> None:
    (part,) = shop.lake.partitions_on("substitutions", DATES[0])
    rows = shop.lake.read(part)
    other = pa.array(np.zeros(rows.num_rows, dtype=np.int32))
    shop.lake.publish(part, rows.set_column(3, rows.schema.field("shopper_id"), other), inputs="other", seed=SEED)
    broken = [str(own) for own in broken_assertions(shop.settings, DATES)]
    assert any("who took a substitute had not bought" in sentence for sentence in broken)


@pytest.mark.parametrize("stops", [[], [9, 30]], ids=str)
def test_a_live_day_goes_on_with_what_was_taken_and_is_replayed_to_the_same_bytes(shop: Shop, stops: list[int]) -> None:
    player = shop.player()
    while not player.is_over:
        if player.next_tick in stops:
            player = shop.player()
            sold = sold_so_far(shop.lake, LIVE)
            assert sold is not None
            standing, expected = standing_of(shop.lake, CATALOG, LIVE, sold, player.next_tick), player._stretch.standing
            np.testing.assert_array_equal(standing.stock, expected.stock)
            np.testing.assert_array_equal(standing.by_life, expected.by_life)
        tick = player.sell_tick()
    player.close()
    ((units, revenue),) = shop.ask("""
        select sum(count_units), sum(revenue_eur) from daily_sales where business_date = '2026-01-07'
    """)
    assert (tick.units, round(tick.revenue_eur, 2)) == (units, round(float(str(revenue)), 2))
    parts = {part.part: part for part in replay(shop.settings, LIVE.business_date)}
    assert parts["substitutes taken"].rebuilt == parts["substitutes taken"].recorded is not None
    assert parts["decisions"].rebuilt == parts["decisions"].recorded


def test_a_night_counts_each_choice_once_and_believes_what_shoppers_did(shop: Shop) -> None:
    workspace, tomorrow = Workspace(shop.settings, CATALOG, shop.lake), DATES[-1] + dt.timedelta(days=1)
    assert known_before(shop.lake, None, CATALOG, tomorrow).curves.switching is None
    transform(workspace)
    counted = "select sum(count_shoppers) filter (where taken is not null), sum(count_shoppers) from substitute_choices"
    ((taken, chose),) = shop.ask(counted)
    assert shop.ask("select count(*) from substitutions") == [(taken,)]
    assert 0.4 < float(str(taken)) / float(str(chose)) < 0.6
    before = [shop.lake.receipt(part) for part in shop.lake.partitions("substitute_choices")]
    transform(workspace)
    assert [shop.lake.receipt(part) for part in shop.lake.partitions("substitute_choices")] == before
    known = known_before(shop.lake, None, CATALOG, tomorrow)
    assert known.belief is not None
    belief = belief_from_table(known.belief, CATALOG)
    again, first = belief.switching, known.curves.switching
    assert isinstance(again, LogitSwitching)
    assert isinstance(first, LogitSwitching)
    assert (again.level, again.slope) == (first.level, first.slope)
    assert -1.5 < first.level < 0.5
    plain = CATALOG.products[-1].model_copy(update={"sku": "ROLL"})
    without = Catalog((CATALOG.products[-1], plain), CATALOG.store.model_copy(update={"popularity": {}}))
    assert known_before(shop.lake, None, without, tomorrow).curves.switching is None
