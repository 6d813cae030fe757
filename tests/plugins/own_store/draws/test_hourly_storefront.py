"""The storefront of an outside store that is priced hourly: the belief's prices, around the owner's."""

from typing import Any

import numpy as np
import pytest
from free_prices import freely

from catalog.arrays import Floats
from catalog.decisions.pricing import Shelf, Sold
from catalog.load import CLASSIC, Catalog, load
from catalog.records.pricing import DrawnPriceRules
from plugins.own_store.draws.hourly_prices import HourlyStorefront, hourly_storefront
from serving.limits.orders import Orders, PriceOrder
from serving.optimise.policies import ShelfPrices

SHELF = freely(load(CLASSIC))
OWN = np.round(0.9 * SHELF.base_prices, 2)


def front_of(own: Floats = OWN, orders: Orders | None = None, costs: float = 0.0, **rules: Any) -> HourlyStorefront:
    drawn = DrawnPriceRules(**{"products": "all", "changes": "hourly", "band": 0.1, "step": 0.05} | rules)
    products = tuple(
        product.model_copy(update={"unit_cost": max(product.unit_cost, costs * price)})
        for product, price in zip(SHELF.products, np.nan_to_num(own, nan=1.0).tolist(), strict=True)
    )
    catalog = Catalog(products, SHELF.store.model_copy(update={"sales": "outside", "drawn_prices": drawn}))
    standing = ShelfPrices(("S01",), own[None])
    is_released = np.array([drawn.includes(sku) for sku in catalog.skus])
    return hourly_storefront(catalog, "S01", None, (standing, is_released), orders)


def prices_of(front: HourlyStorefront, shown: Floats | None = None, stock: int = 100) -> Floats:
    """Return the prices after eight quiet ticks: a store without any visit shows the owner's prices."""
    none = np.zeros((1, len(OWN)), dtype=np.int64)
    for tick in range(8):
        front = front.learned(Sold(tick, OWN[None], none, none, none, ("S01",)))
    before = np.full(len(OWN), np.nan) if shown is None else shown
    shelf = Shelf(np.full((1, len(OWN)), stock), before[None], 40, np.zeros((1, len(OWN))), before[None], ("S01",))
    return front.decide(shelf).prices[0]


@pytest.mark.parametrize("stock", [1, 5, 100])
def test_no_price_leaves_the_band_around_the_owners_price_or_the_step(stock: int) -> None:
    opening = prices_of(front_of(), stock=stock)
    assert ((opening >= 0.9 * OWN - 1e-9) & (opening <= 1.1 * OWN + 1e-9)).all()
    later = prices_of(front_of(), shown=OWN, stock=stock)
    assert (np.abs(later - OWN) <= 0.05 * OWN + 1e-9).all()
    assert (later != OWN).any()


def test_a_product_that_is_not_released_keeps_the_owners_price() -> None:
    prices = prices_of(front_of(products=("MILK",)), stock=1)
    assert prices[1:].tolist() == OWN[1:].tolist()
    assert prices[0] != OWN[0]


def test_a_product_whose_own_price_is_not_known_has_none() -> None:
    own = OWN.copy()
    own[1] = np.nan
    prices = prices_of(front_of(own))
    assert np.isnan(prices).tolist() == [False, True, False, False, False]


def test_no_price_is_below_cost_also_where_the_band_goes_there() -> None:
    front = front_of(costs=0.98)
    prices = prices_of(front, stock=10_000)
    assert (prices >= 0.98 * OWN - 1e-9).all()


def test_what_a_person_orders_is_not_bound_by_the_band() -> None:
    order = PriceOrder("MILK", "S01", 2.0, 2.0, "override", 0, 48)
    orders = Orders((order,), SHELF.skus, SHELF.store.opening.ticks)
    assert prices_of(front_of(orders=orders))[0] == 2.0
