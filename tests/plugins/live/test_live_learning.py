"""A live day that learns: the same bytes as a batch, interrupted or not, and a new book has learned the morning."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from price_shop import DATE, SEED, SHORT_DAY, Shop, open_in_the_morning

from catalog.decisions.pricing import LearnsWhileSelling, Shelf, Sold
from catalog.load import CLASSIC, Catalog, load
from etl.batches import Batch, batch_inputs
from etl.load import DayRows, load_store_day, rows_of
from etl.open_days import LiveDay, before, sold_in, taught
from etl.twin.store_day import Stretch, play
from etl.twin.visits import draw_visits
from plugins.desk.live_shelf import standing_after
from plugins.live.player import Player
from serving.store.in_force import pricing_on
from serving.store.storefront import LearningStorefront, storefront_before_champion

pytestmark = pytest.mark.play

DAY = LiveDay("S01", DATE)
TABLES = ("interactions", "repricings", "belief_updates")


def sell(shop: Shop, ticks: int = SHORT_DAY, player: Player | None = None) -> Player:
    player = shop.sell(ticks, player)
    if player.is_over:
        player.close()
    return player


def bytes_of(shop: Shop) -> dict[str, bytes]:
    return {name: shop.lake.path(DAY.part(name)).read_bytes() for name in TABLES}


@pytest.fixture
def shop(tmp_path: Path) -> Callable[[], Shop]:
    """Open a shop in which S01 sells from a book with a belief."""
    numbers = iter(range(100))

    def make() -> Shop:
        own = Shop(tmp_path / str(next(numbers)), changed=open_in_the_morning)
        own.publish(visits=1.0)
        return own

    return make


def test_a_day_sold_live_from_a_belief_ends_with_the_bytes_of_the_same_batch_interrupted_or_not(
    shop: Callable[[], Shop],
) -> None:
    live, stopped, at_once = shop(), shop(), shop()
    sell(live)
    for ticks in (3, 8):
        sell(stopped, ticks)
    sell(stopped)
    priced_by = pricing_on(at_once.lake, at_once.catalog, DATE)
    assert isinstance(priced_by.policy, LearnsWhileSelling)
    inputs = batch_inputs(at_once.catalog, Batch(DATE, "live-S01", ("S01",)), priced_by, SEED)
    day = play(at_once.catalog, priced_by.policy, ("S01",), DATE, SEED)
    load_store_day(at_once.lake, at_once.catalog, day, "live-S01", inputs=inputs, seed=SEED)
    assert len(day.lessons) > 3
    assert bytes_of(live) == bytes_of(at_once) == bytes_of(stopped)


def test_a_book_that_takes_over_in_the_middle_has_learned_the_morning(shop: Callable[[], Shop]) -> None:
    own, restarted = shop(), shop()
    for each in (own, restarted):
        player = sell(each, 4)
        each.publish(visits=3.0)
        sell(each, 6, player)
    sell(restarted, 7)  # from the lake alone
    policy = pricing_on(own.lake, own.catalog, DATE).policy
    morning, then = (before(own.rows(), tick) for tick in (4, 5))
    learned = taught(policy, morning, own.catalog, 4)
    standing = standing_after(morning, own.catalog, 4)
    dice = draw_visits(own.catalog, ("S01",), DATE, SEED).dice[4]
    shelf = Shelf(standing.stock, standing.shown, SHORT_DAY - 4, dice, standing.opened_at)
    shown = standing_after(then, own.catalog, 5).shown
    assert np.array_equal(learned.decide(shelf).prices, shown)
    assert not np.array_equal(policy.decide(shelf).prices, shown)
    sell(own)
    sell(restarted)
    assert bytes_of(own) == bytes_of(restarted)


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
    return {name: getattr(store, name) for name in ("policy", "curves", "exploration", "limits", "unit_costs")}


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
