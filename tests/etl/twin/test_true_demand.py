import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.store_day import tick_profile
from catalog.load import Catalog
from catalog.records.shoppers import Opening, Shock
from catalog.records.store import Store
from etl.twin.stock import opening_stock
from etl.twin.store_day import play
from etl.twin.visits import Visits, budget_shifts_on, demand_factors_on, draw_visits
from plugins.evaluation.truth import chance_of_sale, expected_visits_on
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront


def test_true_demand_falls_with_price_and_everyone_takes_a_gift(shelf: Catalog) -> None:
    chances = chance_of_sale(shelf, np.linspace(0, 3, 200))
    assert (np.diff(chances) < 0).all()
    assert chances[0] == pytest.approx(1, abs=1e-4)
    assert chances[-1] == pytest.approx(0, abs=1e-9)
    assert chance_of_sale(shelf, np.array(1.0)) == pytest.approx(0.5)


@settings(deadline=None, max_examples=50)
@given(
    weights=st.lists(st.floats(0, 1_000).map(lambda weight: round(weight, 3)), min_size=1, max_size=60),
    ticks=st.integers(1, 96),
)
def test_the_profile_of_a_day_sums_to_one_over_its_ticks(shelf: Catalog, weights: list[float], ticks: int) -> None:
    weights = [*weights, 1.0]
    closes = 10 * ticks
    opening = Opening(opens="00:00", closes=f"{closes // 60:02d}:{closes % 60:02d}", tick_minutes=10)
    store = shelf.store.model_copy(update={"opening": opening, "hourly_profile": tuple(weights)})
    profile = tick_profile(store)
    assert profile.shape == (ticks,)
    assert (profile >= -1e-12).all()
    assert profile.sum() == pytest.approx(1)


def same_visits(first: Visits, second: Visits) -> bool:
    names = ("starts", "since_opening_us", "product", "multiplier", "shopper", "dice")
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in names)


def test_a_shock_leaves_every_other_date_as_it_was(
    shelf: Catalog, with_store: Callable[..., Catalog], day: dt.date
) -> None:
    shock = {"business_date": day, "sku": "MILK", "demand_factor": 3.0, "budget_shift": 0.5, "delivered_share": 0.5}
    shocked = with_store(shocks=(shock,))
    assert not same_visits(draw_visits(shelf, ["S01"], day, 7), draw_visits(shocked, ["S01"], day, 7))
    for other in (day - dt.timedelta(days=1), day + dt.timedelta(days=1), day.replace(year=2027)):
        assert same_visits(draw_visits(shelf, ["S01"], other, 7), draw_visits(shocked, ["S01"], other, 7))
        assert np.array_equal(opening_stock(shelf, other), opening_stock(shocked, other))


def test_a_shock_with_a_last_date_holds_through_it_and_no_longer(
    with_store: Callable[..., Catalog], day: dt.date
) -> None:
    last = day + dt.timedelta(days=2)
    shock = {"business_date": day, "through": last, "demand_factor": 2.0, "budget_shift": 0.5, "delivered_share": 0.5}
    catalog = with_store(shocks=(shock,))
    for date in (day, day + dt.timedelta(days=1), last):
        assert demand_factors_on(catalog, date)[0].tolist() == [2.0] * 5
        assert budget_shifts_on(catalog, date)[0].tolist() == [0.5] * 5
        assert opening_stock(catalog, date).tolist() == [50] * 5
    for date in (day - dt.timedelta(days=1), last + dt.timedelta(days=1)):
        assert demand_factors_on(catalog, date)[0].tolist() == [1.0] * 5
        assert budget_shifts_on(catalog, date)[0].tolist() == [0.0] * 5
        assert opening_stock(catalog, date).tolist() == [100] * 5


@pytest.mark.parametrize("factor", [0.0, 0.5, 3.0])
def test_a_shock_multiplies_the_demand_of_its_product_alone(
    with_store: Callable[..., Catalog], day: dt.date, factor: float
) -> None:
    shock = {"business_date": day, "sku": "MILK", "demand_factor": factor}
    catalog = with_store(visits_per_day=20_000.0, shocks=(shock,))
    counts = np.bincount(draw_visits(catalog, ["S01"], day, 7).product, minlength=5)
    expected = 20_000 * catalog.popularity * np.array([factor, 1, 1, 1, 1])
    assert (np.abs(counts - expected) <= 4 * np.sqrt(expected)).all()


def test_a_shock_without_a_product_hits_all_and_shocks_of_one_date_add_up(
    with_store: Callable[..., Catalog], day: dt.date
) -> None:
    everyone = {"business_date": day, "demand_factor": 2.0, "budget_shift": -0.25}
    milk = {"business_date": day, "sku": "MILK", "demand_factor": 0.5, "budget_shift": 0.5}
    catalog = with_store(shocks=(everyone, milk))
    factors, shifts = demand_factors_on(catalog, day)[0], budget_shifts_on(catalog, day)[0]
    assert factors.tolist() == [1.0, 2.0, 2.0, 2.0, 2.0]
    assert shifts.tolist() == [0.25, -0.25, -0.25, -0.25, -0.25]


def test_a_shift_of_the_budget_moves_the_multipliers_of_its_product_alone(
    shelf: Catalog, with_store: Callable[..., Catalog], day: dt.date
) -> None:
    shocked = with_store(shocks=({"business_date": day, "sku": "EGGS", "budget_shift": -0.25},))
    usual, moved = draw_visits(shelf, ["S01"], day, 7), draw_visits(shocked, ["S01"], day, 7)
    eggs = usual.product == 2
    assert np.array_equal(usual.product, moved.product)
    assert np.array_equal(usual.multiplier[~eggs], moved.multiplier[~eggs])
    assert moved.multiplier[eggs] - usual.multiplier[eggs] == pytest.approx(-0.25, abs=1e-6)


def test_half_a_delivery_halves_the_opening_stock_of_its_product(
    with_store: Callable[..., Catalog], day: dt.date
) -> None:
    catalog = with_store(shocks=({"business_date": day, "sku": "BREAD", "delivered_share": 0.5},))
    assert opening_stock(catalog, day).tolist() == [100, 50, 100, 100, 100]
    played = play(catalog, Storefront(StaticPolicy(catalog.base_prices)), ("S01", "S02"), day, 7)
    assert (played.stock[0] == [100, 50, 100, 100, 100]).all()


@settings(deadline=None, max_examples=40)
@given(share=st.integers(0, 100), par=st.integers(1, 30_000))
def test_a_partial_delivery_is_whole_units_and_never_more_than_its_share(
    shelf: Catalog, day: dt.date, share: int, par: int
) -> None:
    store = Store.model_validate(
        shelf.store.model_dump() | {"shocks": (Shock(business_date=day, delivered_share=share / 100),)}
    )
    products = tuple(item.model_copy(update={"par_stock": par}) for item in shelf.products)
    assert opening_stock(Catalog(products, store), day).tolist() == [par * share // 100] * 5


def test_a_shock_in_the_middle_of_the_day_changes_who_comes_from_then_on_and_nothing_before(
    with_store: Callable[..., Catalog], day: dt.date
) -> None:
    shock = {"business_date": day, "sku": "MILK", "starts": "14:00", "demand_factor": 4.0}
    usual, shocked = with_store(visits_per_day=40_000.0), with_store(visits_per_day=40_000.0, shocks=(shock,))
    before = expected_visits_on(usual, day)
    expected = expected_visits_on(shocked, day)
    assert np.array_equal(expected[:, :24], before[:, :24])
    assert np.allclose(expected[0, 24:], 4 * before[0, 24:])
    assert np.array_equal(expected[1:], before[1:])
    visits = draw_visits(shocked, ["S01"], day, 7)
    tick = np.repeat(np.arange(48), np.diff(visits.starts[0]))
    counted = np.zeros(expected.shape)
    np.add.at(counted, (visits.product, tick), 1)
    assert np.allclose(counted.reshape(5, 2, 24).sum(axis=2), expected.reshape(5, 2, 24).sum(axis=2), rtol=0.06)
