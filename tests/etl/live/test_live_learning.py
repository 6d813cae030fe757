"""A live day that learns: the same bytes as a batch, interrupted or not, and a new book has learned the morning."""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from believing import believed_after
from price_shop import SHORT_DAY, open_in_the_morning

from catalog.load import CLASSIC, Catalog, WatchedCatalog, load
from catalog.pricing import LearnsWhileSelling, Shelf, Sold
from catalog.settings import read_settings
from etl.batches import Batch, batch_inputs
from etl.live.day import LiveDay, before, sold_in, sold_so_far, taught
from etl.live.player import Player
from etl.live.shelf_state import standing_after
from etl.load import DayRows, load_dimensions, load_store_day, rows_of
from serving.belief.gaussian import Counts, Knots
from serving.belief.policy import morning_of
from serving.belief.table import belief_to_table
from serving.in_force import pricing_on
from serving.make_book import publish_book
from serving.playing import LivePrices
from serving.storefront import LearningStorefront, storefront_before_champion
from simulation.draws import shopper_names
from simulation.store_day import Stretch, play
from simulation.truth import chance_of_sale
from simulation.visits import draw_visits
from warehouse.lake import Lake

pytestmark = pytest.mark.play

DATE = dt.date(2026, 1, 19)
DAY = LiveDay("S01", DATE)
SEED = 7
TABLES = ("interactions", "repricings", "belief_updates")


class Shop:
    """A lake and a catalog folder of its own, in which S01 sells from a book with a belief."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "catalog"
        self.folder.mkdir(parents=True)
        for name in ("products.yaml", "store.yaml"):
            shutil.copy(CLASSIC / name, self.folder / name)
        open_in_the_morning(self.folder)
        self.catalog: Catalog = load(self.folder)
        self.lake = Lake(read_settings({"SHELFPRICE_HOME": str(home / "home")}))
        self.lake.prepare()
        load_dimensions(self.lake, self.catalog, shopper_names(20, 1))

    def publish(self, visits: float) -> None:
        """Publish a book on a belief that took in so many visits at each knot."""
        knots = Knots.of(self.catalog)
        met = np.full(knots.shape, visits)
        belief = believed_after(self.catalog, Counts(met, met * chance_of_sale(self.catalog, knots.ratios)))
        curves = morning_of(self.catalog, belief, None).outlook().curves
        table = belief_to_table(self.catalog, belief, None)
        publish_book(self.lake, self.catalog, curves, belief.footfall.by_tick, DATE, table)

    def player(self) -> Player:
        return Player(self.lake, LivePrices(self.lake, WatchedCatalog(self.folder).current, DAY, SEED), DAY, SEED)

    def sell(self, ticks: int = SHORT_DAY, player: Player | None = None) -> Player:
        player = player or self.player()
        while player.next_tick < ticks:
            player.sell_tick()
        if player.is_over:
            player.close()
        return player

    def bytes_of(self) -> dict[str, bytes]:
        return {name: self.lake.path(DAY.part(name)).read_bytes() for name in TABLES}

    def rows(self) -> DayRows:
        found = sold_so_far(self.lake, DAY)
        assert found is not None
        return found.rows


@pytest.fixture
def shop(tmp_path: Path) -> Callable[[], Shop]:
    numbers = iter(range(100))

    def make() -> Shop:
        own = Shop(tmp_path / str(next(numbers)))
        own.publish(1.0)
        return own

    return make


def test_a_day_sold_live_from_a_belief_ends_with_the_bytes_of_the_same_batch_interrupted_or_not(
    shop: Callable[[], Shop],
) -> None:
    live, stopped, at_once = shop(), shop(), shop()
    live.sell()
    for ticks in (3, 8):
        stopped.sell(ticks)
    stopped.sell()
    priced_by = pricing_on(at_once.lake, at_once.catalog, DATE)
    assert isinstance(priced_by.policy, LearnsWhileSelling)
    inputs = batch_inputs(at_once.catalog, Batch(DATE, "live-S01", ("S01",)), priced_by, SEED)
    day = play(at_once.catalog, priced_by.policy, ("S01",), DATE, SEED)
    load_store_day(at_once.lake, at_once.catalog, day, "live-S01", inputs=inputs, seed=SEED)
    assert len(day.lessons) > 3
    assert live.bytes_of() == at_once.bytes_of() == stopped.bytes_of()


def test_a_book_that_takes_over_in_the_middle_has_learned_the_morning(shop: Callable[[], Shop]) -> None:
    own, restarted = shop(), shop()
    for each in (own, restarted):
        player = each.sell(4)
        each.publish(3.0)
        each.sell(6, player)
    restarted.sell(7)  # from the lake alone
    policy = pricing_on(own.lake, own.catalog, DATE).policy
    morning, then = (before(own.rows(), tick) for tick in (4, 5))
    learned = taught(policy, morning, own.catalog, 4)
    standing = standing_after(morning, own.catalog, 4)
    dice = draw_visits(own.catalog, ("S01",), DATE, SEED).dice[4]
    shelf = Shelf(standing.stock, standing.shown, SHORT_DAY - 4, dice, standing.opened_at)
    shown = standing_after(then, own.catalog, 5).shown
    assert np.array_equal(learned.decide(shelf).prices, shown)
    assert not np.array_equal(policy.decide(shelf).prices, shown)
    own.sell()
    restarted.sell()
    assert own.bytes_of() == restarted.bytes_of()


@pytest.fixture(scope="module")
def sold() -> tuple[Catalog, DayRows, list[Sold]]:
    """A day played under a learning store, its rows, and what the store heard of it."""
    heard: list[Sold] = []
    catalog = load(CLASSIC)

    class Listening(LearningStorefront):
        def learned(self, sold: Sold) -> "LearningStorefront":
            heard.append(sold)
            return Listening(**_fields(super().learned(sold)))

    store = Listening(**_fields(storefront_before_champion(catalog)))
    stretch = Stretch(catalog, store, ("S01",), DATE, draw_visits(catalog, ("S01",), DATE, SEED))
    for _ in range(48):
        stretch.sell_tick()
    return catalog, rows_of(stretch.played(), catalog), heard


def _fields(store: object) -> dict[str, object]:
    return {
        name: getattr(store, name) for name in ("policy", "curves", "support", "exploration", "limits", "unit_costs")
    }


def test_the_rows_of_a_day_tell_a_new_policy_what_the_store_heard_while_it_sold(
    sold: tuple[Catalog, DayRows, list[Sold]],
) -> None:
    catalog, rows, heard = sold
    told = list(sold_in(rows, catalog, 48))
    assert [tick.tick for tick in told] == list(range(48))
    for one, other in zip(told, heard, strict=True):
        for name in ("visits", "met", "bought"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
        came = other.visits > 0
        assert np.array_equal(one.prices[came], other.prices[came])
        assert (one.prices[~came] == np.broadcast_to(catalog.base_prices, came.shape)[~came]).all()
    assert sum(int(tick.visits.sum()) for tick in told) == rows.interactions.num_rows


def test_a_policy_taught_from_the_rows_prices_as_the_one_that_sold(
    sold: tuple[Catalog, DayRows, list[Sold]],
) -> None:
    catalog, rows, heard = sold
    ticks = 21
    from_rows = taught(storefront_before_champion(catalog), before(rows, ticks), catalog, ticks)
    at_work: LearningStorefront = storefront_before_champion(catalog)  # type: ignore[assignment]
    for tick in heard[:ticks]:
        at_work = at_work.learned(tick)
    assert isinstance(from_rows, LearningStorefront)
    assert from_rows.curves is not None
    assert at_work.curves is not None
    assert np.array_equal(from_rows.curves.p_sale, at_work.curves.p_sale)
    assert from_rows.lesson is not None
    assert at_work.lesson is not None
    assert from_rows.lesson.ticks == at_work.lesson.ticks >= 20


def test_a_policy_that_does_not_learn_or_has_nothing_to_learn_from_takes_over_as_it_is(
    sold: tuple[Catalog, DayRows, list[Sold]],
) -> None:
    catalog, rows, _ = sold
    static = storefront_before_champion(catalog, "static")
    assert taught(static, rows, catalog, 48) is static
    learning = storefront_before_champion(catalog)
    assert taught(learning, None, catalog, 0) is learning
