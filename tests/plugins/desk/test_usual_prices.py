"""What stands where nothing is tried is what a storefront decides, and without orders what it decides without them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.pricing import Shelf
from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from plugins.desk.standing import limits_by_product, usual_prices, without_orders
from serving.limits.limits import limits_of
from serving.limits.orders import Kind, Orders, PriceOrder, PriceRanges
from serving.optimise.policies import policy_without_model
from serving.store.storefront import Storefront

SHELF = load(CLASSIC)
SHAPE = (3, len(SHELF.skus))
STORES = tuple(f"S{number}" for number in range(SHAPE[0]))
BRANDS = [{"sku": "MILK", "brand": "BREAD", "below": 0.1}]
RAILS = [{}, {"price_ending": 9}, {"one_price": "zone"}, {"moving_share": 0.5}, {"own_brands": BRANDS}]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(["price", "override", "freeze", "kill_switch"]),
    has_ranges=st.booleans(),
    rails=st.sampled_from(RAILS),
)
def test_what_stands_is_what_the_storefront_decides_with_and_without_orders(
    seed: int, kind: Kind, has_ranges: bool, rails: dict[str, object]
) -> None:
    dice = np.random.default_rng(seed)
    front = storefront(orders_by_chance(dice, kind, has_ranges=has_ranges), rails)
    shown = np.round(SHELF.base_prices * dice.uniform(0.7, 1.3, SHAPE), 2)
    shelf = Shelf(dice.integers(0, 9, SHAPE), shown, 20, np.zeros(SHAPE), shown, STORES)
    decided, alone = front.decide(shelf), without_orders(front).decide(shelf)
    usual = usual_prices(front, shelf)
    for name in ("prices", "rule"):
        assert np.array_equal(getattr(usual, name), getattr(decided, name))
    assert np.array_equal(usual.without, alone.prices)
    limits = limits_by_product(usual.clamps, front.rules, SHAPE)
    assert list(map(list, limits)) == list(map(list, limits_by_product(decided.clamps, front.rules, SHAPE)))


def orders_by_chance(dice: np.random.Generator, kind: Kind, *, has_ranges: bool) -> Orders:
    """Return orders of some products of some stores, and what passes by rule around the base price."""
    orders = [
        PriceOrder(sku, store, price := round(float(base * dice.uniform(0.6, 1.4)), 2), price, kind, 0, 48)
        for sku, base in zip(SHELF.skus, SHELF.base_prices, strict=True)
        for store in STORES
        if dice.random() < 0.3
    ]
    lowest, highest = (np.round(np.tile(SHELF.base_prices * share, (SHAPE[0], 1)), 2) for share in (0.9, 1.1))
    return Orders(tuple(orders), SHELF.skus, 48, ranges=PriceRanges(STORES, lowest, highest) if has_ranges else None)


def storefront(orders: Orders, rails: dict[str, object]) -> Storefront:
    store = SHELF.store.model_copy(update={"guardrails": Guardrails.model_validate(rails)})
    catalog = Catalog(SHELF.products, store)
    return Storefront(policy_without_model(catalog, "rule"), limits=limits_of(catalog, orders))
