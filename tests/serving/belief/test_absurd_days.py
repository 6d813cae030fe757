"""Days that no shop has: whatever comes, prices stay finite and within their limits, and the lessons say so."""

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.pricing import Shelf, Sold
from catalog.load import CLASSIC, Catalog, load
from etl.extract import belief_updates_of
from etl.twin.store_day import play
from serving.learning.updates import LearningPolicy
from serving.store.storefront import LearningStorefront, storefront_before_champion

CATALOG = load(CLASSIC)
DATE = dt.date(2026, 1, 19)
N_TICKS = CATALOG.store.opening.ticks
FLOORS = np.array([product.floor for product in CATALOG.products])
CEILINGS = np.array([product.ceiling for product in CATALOG.products])


def opening(catalog: Catalog = CATALOG) -> LearningStorefront:
    store = storefront_before_champion(catalog)
    assert isinstance(store, LearningStorefront)
    return store


def tick_of(tick: int, visits: Sequence[int], met: Sequence[int], bought: Sequence[int], prices: np.ndarray) -> Sold:
    counts = [np.array(own, dtype=np.int64)[None] for own in (visits, met, bought)]
    return Sold(tick, prices, *counts)


def assert_prices_hold(store: LearningStorefront, tick: int) -> None:
    """Ask for prices at each stock, with dice that explore and that do not."""
    dice = np.tile(np.linspace(0, 0.999, 7)[:, None], 5)
    for stock in (0, 1, 100):
        nothing = np.full(dice.shape, np.nan)
        answer = store.decide(Shelf(np.full(dice.shape, stock), nothing, N_TICKS - tick, dice))
        assert np.isfinite(answer.prices).all()
        assert (answer.prices >= FLOORS).all()
        assert (answer.prices <= CEILINGS).all()
        assert ((answer.propensity > 0) & (answer.propensity <= 1 + 1e-9)).all()
        assert ((answer.p_sale >= 0) & (answer.p_sale <= 1)).all()
    if store.lesson is not None:
        assert np.isfinite(store.lesson.p_base).all()
        assert np.isfinite(store.lesson.visits_left).all()
        assert (store.lesson.visits_left >= 0).all()
        assert 0 <= store.lesson.changed <= 1


DAYS: dict[str, Callable[[int], tuple[list[int], list[int], list[int]]]] = {
    "all bought": lambda _: ([10] * 5, [10] * 5, [10] * 5),
    "none bought": lambda _: ([10] * 5, [10] * 5, [0] * 5),
    "nobody came": lambda _: ([0] * 5, [0] * 5, [0] * 5),
    "one visit in the whole day": lambda tick: ([int(tick == 20), 0, 0, 0, 0],) * 3,
    "millions came": lambda _: ([3_000_000] * 5, [3_000_000] * 5, [1_000_000] * 5),
    "millions came and all bought": lambda _: ([3_000_000] * 5,) * 3,
    "millions in one tick": lambda tick: ([9_000_000 * (tick == 7)] * 5, [9_000_000 * (tick == 7)] * 5, [0] * 5),
    "no stock all day": lambda _: ([10] * 5, [0] * 5, [0] * 5),
    "all bought one product, none another": lambda _: ([50] * 5, [50] * 5, [50, 0, 50, 0, 25]),
    "every other tick a crowd": lambda tick: (
        [2_000 * (tick % 2)] * 5,
        [2_000 * (tick % 2)] * 5,
        [900 * (tick % 2)] * 5,
    ),
}


@pytest.mark.parametrize("day", DAYS)
def test_prices_hold_on_a_day_when(day: str) -> None:
    store = opening()
    for tick in range(N_TICKS - 1):
        ratio = 0.7 + 0.9 * (tick % 10) / 9
        prices = np.clip(np.round(CATALOG.base_prices * ratio, 2), FLOORS, CEILINGS)[None]
        store = store.learned(tick_of(tick, *DAYS[day](tick), prices))
        if tick % 8 == 3:
            assert_prices_hold(store, tick + 1)
    assert isinstance(store.policy, LearningPolicy)
    lesson = store.lesson
    assert lesson is not None
    met = np.sum([DAYS[day](tick)[1] for tick in range(lesson.ticks)], axis=0)
    bought = np.sum([DAYS[day](tick)[2] for tick in range(lesson.ticks)], axis=0)
    assert lesson.met.tolist() == met.tolist()
    assert lesson.bought.tolist() == bought.tolist()


def test_when_all_buy_prices_go_up_and_when_none_buys_they_go_down() -> None:
    means = {}
    for day in ("all bought", "none bought", "no stock all day"):
        store = opening()
        for tick in range(12):
            store = store.learned(tick_of(tick, *DAYS[day](tick), CATALOG.base_prices[None]))
        nothing = np.full((1, 5), np.nan)
        shelf = Shelf(np.full((1, 5), 100), nothing, N_TICKS - 12, nothing)
        means[day] = (store.policy.ask(shelf).prices / CATALOG.base_prices).mean()
        assert store.lesson is not None
    assert means["all bought"] > 1.4
    assert means["none bought"] < 1.0


def test_an_empty_shelf_teaches_who_comes_and_nothing_of_demand() -> None:
    store = first = opening()
    for tick in range(8):
        store = store.learned(tick_of(tick, [10] * 5, [0] * 5, [0] * 5, CATALOG.base_prices[None]))
    assert isinstance(store.policy, LearningPolicy)
    assert isinstance(first.policy, LearningPolicy)
    now, before = (own.outlook.understanding for own in (store.policy, first.policy))
    assert np.array_equal(now.chance, before.chance)
    assert store.lesson is not None
    assert store.lesson.visits_left.sum() > 1.5 * 1_000 * 40 / 48


def test_prices_that_nobody_saw_may_be_missing() -> None:
    one = other = opening()
    for tick in range(8):
        visits = [6, 0, 6, 0, 6] if tick % 2 else [0] * 5
        seen = np.where(np.array(visits) > 0, CATALOG.base_prices, np.nan)[None]
        bought = [own // 2 for own in visits]
        one = one.learned(tick_of(tick, visits, visits, bought, seen))
        other = other.learned(tick_of(tick, visits, visits, bought, CATALOG.base_prices[None]))
    assert_prices_hold(one, 8)
    assert one.curves is not None
    assert other.curves is not None
    assert np.array_equal(one.curves.p_sale, other.curves.p_sale)


ticks = st.lists(st.integers(0, N_TICKS - 1), min_size=1, max_size=14)


@settings(deadline=None, max_examples=12)
@given(heard=ticks, visits=st.sampled_from([0, 5, 5_000]))
def test_ticks_that_are_missing_twice_or_out_of_order_leave_prices_finite(heard: list[int], visits: int) -> None:
    store = opening()
    for tick in heard:
        store = store.learned(tick_of(tick, [visits] * 5, [visits] * 5, [visits // 2] * 5, CATALOG.base_prices[None]))
    if max(heard) + 1 < N_TICKS:
        assert_prices_hold(store, max(heard) + 1)


def everybody(mean: float, spread: float) -> list[dict[str, object]]:
    return [{"name": "everybody", "share": 1.0, "mean": mean, "standard_deviation": spread}]


def believing(chance: float, spread: float) -> dict[str, object]:
    """Return settings of the prior: a chance at the base price, and one number for slope and every doubt."""
    doubts = dict.fromkeys(("level_spread", "bend_spread"), min(spread, 10.0))
    return {"chance_at_base": chance, "slope": spread, "slope_spread": spread, **doubts}


WORLDS: dict[str, dict[str, object]] = {
    "hardly anybody": {"visits_per_day": 0.01},
    "crowds": {"visits_per_day": 300_000.0},
    "all buy": {"visits_per_day": 5_000.0, "personas": everybody(9.0, 0.1)},
    "none buys": {"personas": everybody(0.1, 0.01)},
    "a wild prior": {"belief": believing(0.999, 100.0)},
    "a narrow prior": {"belief": believing(0.001, 0.001)},
    "many expected": {"belief": {"visits_per_unit": 10_000.0, "update_ticks": 1}},
    "few expected": {"belief": {"visits_per_unit": 0.001, "update_ticks": 1}},
    "two prices": {"ladder_prices": 2},
}


@pytest.mark.parametrize("world", WORLDS)
def test_whole_days_of_absurd_worlds_are_sold_within_floor_and_ceiling(
    with_store: Callable[..., Catalog], world: str
) -> None:
    catalog = with_store(**WORLDS[world])
    day = play(catalog, opening(catalog), ("S01",), DATE, 7)
    assert (day.decisions.prices >= FLOORS).all()
    assert (day.decisions.prices <= CEILINGS).all()
    told = belief_updates_of(day, catalog)
    assert told.num_rows == 5 * len(day.lessons)
    for name in ("p_base", "p_base_low", "p_base_high", "visits_left", "p_changed"):
        assert np.isfinite(told[name].to_numpy()).all()
    assert told.num_rows > 0
