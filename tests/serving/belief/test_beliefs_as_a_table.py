"""A belief as rows and back: the same to the last bit on the same shelf, and nothing lost on another one."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from believing import believed_after

from catalog.load import Catalog
from catalog.records.product import Product
from serving.belief.belief import Belief, Shape, State, believed_before_anybody_came, opened
from serving.belief.gaussian import Counts, Knots
from serving.belief.table import belief_from_table, belief_to_table
from serving.belief.today import Footfall
from serving.learning.outlook import start_of_day


def belief_on(catalog: Catalog, seed: int = 3) -> Belief:
    """Return a belief with numbers that no rounding would keep: two demands, and hours that differ."""
    dice, shape = np.random.default_rng(seed), Knots.of(catalog).shape
    met = [np.ceil(dice.random(shape) * 90) for _ in range(2)]
    first, other = (believed_after(catalog, Counts(own, own / 3)) for own in met)
    states = (State(0.9, first.states[0].demand), State(0.1, other.states[0].demand))
    profile = dice.random(catalog.store.opening.ticks)
    footfall = Footfall(dice.random(shape[0]) * 300, profile / profile.sum(), 17.0, 0.1234567890123)
    return Belief(states, dice.normal(size=first.hours.shape), footfall, Shape(2.5, 0.2), first.sold, 0.3)


def assert_same(left: Belief, right: Belief) -> None:
    for own, other in zip(left.states, right.states, strict=True):
        assert own.weight == other.weight
        assert np.array_equal(own.demand.mean, other.demand.mean)
        assert np.array_equal(own.demand.shared, other.demand.shared)
        assert np.array_equal(np.tril(own.demand.own), np.tril(other.demand.own))
    assert np.array_equal(left.hours, right.hours)
    assert np.array_equal(left.sold.met, right.sold.met)
    assert np.array_equal(left.sold.bought, right.sold.bought)
    assert np.array_equal(left.footfall.daily, right.footfall.daily)
    assert np.array_equal(left.footfall.profile, right.footfall.profile)
    assert (left.footfall.store_days, left.footfall.day_spread) == (
        right.footfall.store_days,
        right.footfall.day_spread,
    )
    assert (left.shape, left.drift_spread) == (right.shape, right.drift_spread)


@pytest.mark.parametrize("version", ["7", None])
def test_on_the_same_shelf_a_belief_comes_back_to_the_last_bit_and_so_do_its_prices(
    shelf: Catalog, version: str | None
) -> None:
    belief = replace(belief_on(shelf), model_version=version)
    back = belief_from_table(belief_to_table(shelf, belief), shelf)
    assert back.model_version == version
    assert_same(belief, back)
    one, other = (start_of_day(shelf, each).outlook() for each in (belief, back))
    assert np.array_equal(one.curves.p_sale, other.curves.p_sale)
    assert np.array_equal(one.visits, other.visits)


@pytest.mark.parametrize("ladder_prices", [2, 1_000])
def test_short_and_long_ladders_come_back_to_the_last_bit(
    with_store: Callable[..., Catalog], ladder_prices: int
) -> None:
    catalog = with_store(ladder_prices=ladder_prices)
    belief = belief_on(catalog)
    assert_same(belief, belief_from_table(belief_to_table(catalog, belief), catalog))


def with_products(shelf: Catalog, *products: Product, **store: object) -> Catalog:
    return Catalog(products, shelf.store.model_copy(update={"popularity": {}, **store}))


@pytest.fixture
def beer() -> Product:
    return Product(sku="BEER", name="Beer", category="drinks", base_price=2.0, unit_cost=0.5, par_stock=30)


def test_a_new_product_is_believed_in_as_before_anybody_came_and_the_others_keep_what_they_know(
    shelf: Catalog, beer: Product
) -> None:
    belief = belief_on(shelf)
    larger = with_products(shelf, shelf.products[0], beer, *shelf.products[1:])
    back = belief_from_table(belief_to_table(shelf, belief), larger)
    old, nobody = [0, 2, 3, 4, 5], believed_before_anybody_came(larger).states[0].demand
    for own, other in zip(back.states, belief.states, strict=True):
        assert np.array_equal(own.demand.mean[old], other.demand.mean)
        assert np.array_equal(own.demand.mean[1], nobody.mean[1])
        assert own.demand.variance[1] == pytest.approx(nobody.variance[1])
    assert back.footfall.daily[1] == 60.0  # two for each unit
    assert back.footfall.daily[old].tolist() == belief.footfall.daily.tolist()
    outlook = start_of_day(larger, back).outlook()
    assert np.isfinite(outlook.curves.p_sale).all()


def test_a_product_that_left_takes_what_was_sold_of_it_along(shelf: Catalog) -> None:
    belief = belief_on(shelf)
    smaller = with_products(shelf, *shelf.products[2:], shelf.products[0])
    back = belief_from_table(belief_to_table(shelf, belief), smaller)
    for own, other in zip(back.states, belief.states, strict=True):
        assert np.array_equal(own.demand.mean, other.demand.mean[[2, 3, 4, 0]])
    assert np.array_equal(back.sold.met, belief.sold.met[[2, 3, 4, 0]])


def test_with_another_base_price_demand_is_what_it_was_at_each_price(shelf: Catalog) -> None:
    belief = belief_on(shelf)
    dearer = shelf.products[0].model_copy(update={"base_price": 1.8})  # floor and ceiling move along
    changed = Catalog((dearer, *shelf.products[1:]), shelf.store)
    back = belief_from_table(belief_to_table(shelf, belief), changed)
    before, now = Knots.of(shelf), Knots.of(changed)
    assert now.ratios[0, [0, -1]] * 1.8 == pytest.approx([1.26, 2.88])
    at = now.ratios * changed.base_prices[:, None]
    for own, other in zip(back.states, belief.states, strict=True):
        assert own.demand.mean[0] == pytest.approx(before.at(other.demand.mean, at)[0])
        assert np.array_equal(own.demand.mean[1:], other.demand.mean[1:])
    assert back.sold.met.sum(axis=1) == pytest.approx(belief.sold.met.sum(axis=1))
    assert np.array_equal(back.sold.met[1:], belief.sold.met[1:])


def test_with_another_ladder_demand_and_counts_stay(shelf: Catalog, with_store: Callable[..., Catalog]) -> None:
    belief, changed = belief_on(shelf), with_store(ladder_prices=9)
    back = belief_from_table(belief_to_table(shelf, belief), changed)
    before, now = Knots.of(shelf), Knots.of(changed)
    ends = changed.base_prices[:, None] * now.ratios[:, [0, -1]]
    for own, other in zip(back.states, belief.states, strict=True):
        assert own.demand.mean.shape == (5, 9)
        assert now.at(own.demand.mean, ends) == pytest.approx(before.at(other.demand.mean, ends))
    assert back.sold.met.sum(axis=1) == pytest.approx(belief.sold.met.sum(axis=1))
    assert (back.sold.met * now.ratios).sum() == pytest.approx((belief.sold.met * before.ratios).sum())
    assert np.isfinite(opened(changed, back).at_opening.chance).all()


def test_with_other_opening_hours_the_profile_keeps_its_shape_and_its_sum(shelf: Catalog) -> None:
    belief = belief_on(shelf)
    opening = shelf.store.opening.model_copy(update={"tick_minutes": 30})
    changed = with_products(shelf, *shelf.products, opening=opening)
    assert changed.store.opening.ticks == 24
    back = belief_from_table(belief_to_table(shelf, belief), changed)
    pairs = belief.footfall.profile.reshape(24, 2).sum(axis=1)
    assert back.footfall.profile == pytest.approx(pairs)
    assert back.footfall.profile.sum() == pytest.approx(1)
