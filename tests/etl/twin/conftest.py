"""Shelves, policies and days to play."""

import datetime as dt
from collections.abc import Callable

import pytest

from catalog.load import CLASSIC, Catalog, load
from catalog.records.product import Product
from catalog.records.store import Store


@pytest.fixture(scope="session")
def shelf() -> Catalog:
    return load(CLASSIC)


@pytest.fixture(scope="session")
def day() -> dt.date:
    return dt.date(2026, 1, 5)


@pytest.fixture(scope="session")
def with_store(shelf: Catalog) -> Callable[..., Catalog]:
    """Return the default shelf with some fields of its store changed, checked as a file would be."""

    def make(**changes: object) -> Catalog:
        fields = shelf.store.model_dump() | changes
        return Catalog(shelf.products, Store.model_validate(fields))

    return make


@pytest.fixture(scope="session")
def small_catalog(shelf: Catalog) -> Callable[..., Catalog]:
    """Return a catalog of products with given base prices (cents) and par stock."""

    def make(
        cents: list[int], par_stock: list[int], visits: float, personas: tuple[tuple[float, float], ...]
    ) -> Catalog:
        products = tuple(
            Product(
                sku=f"P{position}",
                name=f"Product {position}",
                category="any",
                base_price=price / 100,
                unit_cost=0.01,
                par_stock=stock,
            )
            for position, (price, stock) in enumerate(zip(cents, par_stock, strict=True))
        )
        people = tuple(
            {"name": f"n{position}", "share": 1 / len(personas), "mean": mean, "standard_deviation": deviation}
            for position, (mean, deviation) in enumerate(personas)
        )
        fields = shelf.store.model_dump() | {"popularity": {}, "visits_per_day": visits, "personas": people}
        return Catalog(products, Store.model_validate(fields))

    return make
