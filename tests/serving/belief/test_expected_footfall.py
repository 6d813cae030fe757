"""Who is still to come: a usual day changes little, a crowd is followed at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Floats
from catalog.decisions.store_day import tick_profile
from catalog.load import CLASSIC, Catalog, load
from catalog.records.product import Product
from serving.belief.belief import believed_before_anybody_came
from serving.belief.today import Footfall

CATALOG = load(CLASSIC)
PROFILE = tick_profile(CATALOG.store)
DAILY = CATALOG.store.visits_per_day * CATALOG.popularity
KNOWN = Footfall(DAILY, PROFILE, store_days=60.0, day_spread=0.05)
NEW = believed_before_anybody_came(CATALOG).footfall


def poisson_day(seed: int, factor: float = 1.0, n_stores: int = 1) -> Floats:
    drawn = np.random.default_rng(seed).poisson(factor * n_stores * DAILY[:, None] * PROFILE)
    return drawn.astype(float)


@pytest.mark.parametrize("footfall", [KNOWN, NEW], ids=["known", "new"])
def test_before_the_first_tick_the_usual_visits_are_expected(footfall: Footfall) -> None:
    assert footfall.given(np.zeros((5, 0)), 3) == pytest.approx(footfall.by_tick)
    assert footfall.profile.sum() == pytest.approx(1)
    assert footfall.by_tick.sum(axis=1) == pytest.approx(footfall.daily)


def test_before_anybody_came_two_visits_are_expected_for_each_unit() -> None:
    assert NEW.daily.tolist() == [200.0] * 5
    assert NEW.store_days == 0
    assert NEW.profile == pytest.approx(np.full(48, 1 / 48))


ORDERS = {
    "a shelf that is full each morning": ({}, 100.0),
    "what keeps for a day": ({"shelf_life_days": 1}, 100.0),
    "an order that lasts for its day and one more": ({"shelf_life_days": 5}, 50.0),
    "an order of the day before yesterday": ({"shelf_life_days": 5, "deliveries": {"lead_time_days": 2}}, 100 / 3),
    "an order for a week": ({"deliveries": {"weekdays": ["tue"]}}, 100 / 8),
    "an order that keeps for less": ({"shelf_life_days": 5, "deliveries": {"weekdays": ["tue"]}}, 20.0),
    "a fixed quantity": ({"shelf_life_days": 5, "deliveries": {"weekdays": ["mon", "thu"], "quantity": 70}}, 20.0),
}


def shelf_with(orders: dict[str, object], **store: object) -> Catalog:
    first, *others = CATALOG.products
    product = Product.model_validate(first.model_dump() | {"par_stock": 100} | orders)
    return Catalog((product, *others), CATALOG.store.model_copy(update=store))


@pytest.mark.parametrize(("orders", "units"), ORDERS.values(), ids=ORDERS)
def test_before_anybody_came_what_the_owner_orders_is_expected_to_sell(orders: dict[str, object], units: float) -> None:
    daily = believed_before_anybody_came(shelf_with(orders)).footfall.daily
    assert daily[0] == pytest.approx(2 * units)
    assert daily[1:].tolist() == [200.0] * 4


def test_an_order_for_a_week_lasts_for_the_days_on_which_the_store_opens() -> None:
    shelf = shelf_with({"deliveries": {"weekdays": ["tue"]}}, closed_days=("sat", "sun"))
    assert believed_before_anybody_came(shelf).footfall.daily[0] == pytest.approx(2 * 100 / 6)


def test_the_visits_that_an_owner_states_are_expected_in_place_of_those_for_its_orders() -> None:
    first, second = CATALOG.skus[:2]
    settings = CATALOG.store.belief.model_copy(update={"visits_per_day": {second: 37.0}})
    shelf = shelf_with({}, belief=settings)
    assert shelf.skus[0] == first
    assert believed_before_anybody_came(shelf).footfall.daily.tolist() == [200.0, 37.0, 200.0, 200.0, 200.0]


@pytest.mark.parametrize("factor", [1 / 3, 1 / 8, 3.0])
def test_visits_to_a_single_product_that_were_expected_wrongly_are_followed_within_an_hour(factor: float) -> None:
    found = []
    for seed in range(40):
        usual = np.full((5, 4), 200 / 48)
        usual[0] *= factor
        seen = np.random.default_rng(seed).poisson(usual * 4).astype(float)  # of four stores
        found.append(NEW.given(seen, 4)[:, -1] * 48 / 200)
    wrong, others = np.median(found, axis=0)[0], np.median(found, axis=0)[1:]
    assert wrong == pytest.approx(factor, rel=0.25)
    assert others == pytest.approx(1, abs=0.15)


def expected_over_usual(seen: Floats, ticks: int) -> float:
    """Visits expected after some ticks until closing, over what is usual."""
    return float(KNOWN.given(seen[:, :ticks], 1)[:, ticks:].sum() / KNOWN.by_tick[:, ticks:].sum())


def test_the_luck_of_usual_days_hardly_ever_moves_what_is_expected_by_a_tenth() -> None:
    off = [abs(expected_over_usual(poisson_day(seed), ticks) - 1) for seed in range(40) for ticks in range(1, 45)]
    assert np.mean(np.array(off) > 0.1) < 0.01
    assert max(off) < 0.5


@pytest.mark.parametrize("begins", [8, 24, 40])
def test_a_crowd_three_times_as_large_is_followed_within_two_ticks(begins: int) -> None:
    found = []
    for seed in range(30):
        seen = np.concatenate([poisson_day(seed)[:, :begins], poisson_day(seed, 3.0)[:, begins:]], axis=1)
        found.append([expected_over_usual(seen, begins + ticks) for ticks in (2, 3)])
    two, three = np.array(found).T
    assert np.median(two) > 2.5
    assert np.mean(two > 1.6) >= 0.9
    assert (three > 1.9).all()


def test_a_store_that_hardly_anybody_visits_any_more_is_seen_within_an_hour() -> None:
    seen = np.concatenate([poisson_day(5)[:, :20], poisson_day(5, 0.2)[:, 20:]], axis=1)
    assert expected_over_usual(seen, 20) == pytest.approx(1, abs=0.1)
    assert expected_over_usual(seen, 24) < 0.6


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_a_new_store_learns_how_many_come(factor: float) -> None:
    daily = 200.0 * factor
    seen = np.random.default_rng(1).poisson(np.full((5, 12), daily / 48)).astype(float)
    assert NEW.given(seen, 1).sum() == pytest.approx(5 * daily, rel=0.1)


visits = st.lists(st.sampled_from([0, 1, 700, 4_301, 90_000, 10_000_000]), min_size=1, max_size=48)


@settings(deadline=None)
@given(seen=visits, product=st.integers(0, 4), n_stores=st.sampled_from([1, 3, 10_000]))
def test_whatever_comes_the_expectation_is_finite_and_never_negative(
    seen: list[int], product: int, n_stores: int
) -> None:
    found = np.zeros((5, len(seen)))
    found[product] = seen
    for footfall in (KNOWN, NEW, Footfall(np.zeros(5), PROFILE, 3.0, 0.0)):
        expected = footfall.given(found, n_stores)
        assert expected.shape == (5, 48)
        assert np.isfinite(expected).all()
        assert (expected >= 0).all()
