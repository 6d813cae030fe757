"""Shelves, stores, and counts of sales as shoppers with known demand would bring them."""

from collections.abc import Callable

import numpy as np
import pytest
from free_prices import freely

from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.product import Product
from catalog.records.store import Store
from plugins.evaluation.truth import chance_of_sale
from serving.belief.gaussian import Counts, Knots


@pytest.fixture(scope="session")
def shelf() -> Catalog:
    return freely(load(CLASSIC))


@pytest.fixture(scope="session")
def with_store(shelf: Catalog) -> Callable[..., Catalog]:
    """Return the default shelf with some fields of its store changed, checked as a file would be."""

    def make(**changes: object) -> Catalog:
        return Catalog(shelf.products, Store.model_validate(shelf.store.model_dump() | changes))

    return make


@pytest.fixture(scope="session")
def shelf_of(shelf: Catalog) -> Callable[..., Catalog]:
    """Return a shelf of products, each given by its fields beside name and category."""

    def make(*products: dict[str, object], **changes: object) -> Catalog:
        usual = {"category": "any", "unit_cost": 0.0, "base_price": 1.0}
        own = tuple(
            Product.model_validate({"sku": f"P{number}", "name": f"Product {number}"} | usual | fields)
            for number, fields in enumerate(products)
        )
        return Catalog(own, Store.model_validate(shelf.store.model_dump() | {"popularity": {}} | changes))

    return make


@pytest.fixture(scope="session")
def explored_sales() -> Callable[..., Counts]:
    """Return what some visits at ladder prices bring, each price as likely as any other, under the twin's demand."""

    def draw(catalog: Catalog, visits: int, seed: int = 1, budget_shift: float = 0.0) -> Counts:
        dice = np.random.default_rng(seed)
        ladder, knots = price_ladder(catalog), Knots.of(catalog)
        product = dice.integers(len(ladder), size=visits)
        price = ladder[product, dice.integers(ladder.shape[1], size=visits)]
        chance = chance_of_sale(catalog, price / catalog.base_prices[product], budget_shift, product)
        bought = (dice.random(visits) < chance).astype(float)
        return Counts(knots.counted(product, price, np.ones(visits)), knots.counted(product, price, bought))

    return draw
