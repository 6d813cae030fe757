"""The prices of the day before, which decide what passes without a person."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from price_shop import Shop

from catalog.load import CLASSIC, load
from catalog.settings import read_settings
from catalog.tables.contracts import TABLES
from etl.load import load_store_day
from etl.twin.store_day import play
from plugins.desk.law.shown import day_prices_before
from plugins.desk.price_changes.orders import orders_on
from serving.optimise.policies import policy_without_model
from serving.store.storefront import Storefront
from warehouse.lake import Lake, Partition

FIRST, SECOND, THIRD = (dt.date(2026, 1, 5) + dt.timedelta(days=day) for day in range(3))
SEED = 7


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop whose stores sold a day, of which S01 alone sold the next one, a little dearer."""
    shop = Shop(tmp_path, "{within_of_yesterday: 0.1}")
    products = [own.model_copy(update={"base_price": own.base_price + 0.02}) for own in shop.catalog.products]
    dearer = replace(shop.catalog, products=tuple(products))
    for date, stores, catalog in ((FIRST, shop.catalog.store.stores, shop.catalog), (SECOND, ("S01",), dearer)):
        sold = play(shop.catalog, Storefront(policy_without_model(catalog, "static")), tuple(stores), date, SEED)
        load_store_day(shop.lake, shop.catalog, sold, "all", inputs=str(SEED), seed=SEED)
    return shop


def test_a_store_that_did_not_sell_on_the_newest_day_is_compared_with_its_own_newest_one(shop: Shop) -> None:
    found = day_prices_before(shop.lake, shop.catalog, THIRD)
    assert np.isfinite(found).all()
    assert (found[1:] == day_prices_before(shop.lake, shop.catalog, SECOND)[1:]).all()


def test_no_store_opens_farther_from_its_last_price_than_passes_by_itself(shop: Shop) -> None:
    last = day_prices_before(shop.lake, shop.catalog, THIRD)
    passes = orders_on(shop.lake, shop.catalog, THIRD).ranges
    assert passes is not None
    lowest, highest = passes.lowest, passes.highest
    assert (last * 0.9 - 0.01 <= lowest).all()
    assert (lowest <= highest).all()
    assert (highest <= last * 1.1 + 0.01).all()


SHELF = load(CLASSIC)
Shown = tuple[dt.date, str, str, int, float, bool]
"""Date, store, product and tick of a price, EUR, and whether it was tried, in the order in which they are read."""


def table_of(shown: Sequence[Shown]) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "store_id": store,
            "tick": tick,
            "decided_at": dt.datetime.combine(date, dt.time(8), dt.UTC),
            "sku": sku,
            "new_price": price,
            "inventory_level": 8,
            "clamps": [],
            "binding_rule": "stock_value",
            "explored": is_tried,
            "policy": "stock_aware",
            "reason": "test",
        }
        for date, store, sku, tick, price, is_tried in shown
    ]
    return pa.Table.from_pylist(rows, schema=TABLES["repricings"].schema)


def test_no_price_that_was_tried_or_stood_for_a_moment_or_beside_an_empty_shelf_is_what_a_product_falls_back_on(
    tmp_path: Path,
) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    lake.prepare()
    milk, bread, eggs, cheese, _ = SHELF.skus
    first = [(FIRST, "S01", sku, 0, 1.0, False) for sku in SHELF.skus]
    second = [(SECOND, "S01", milk, 0, 1.3, True), (SECOND, "S01", milk, 4, 1.1, False)]
    second += [(SECOND, "S01", bread, 0, 1.3, True)]  # tried all day
    second += [(SECOND, "S01", eggs, 0, 1.6, False), (SECOND, "S01", eggs, 1, 1.05, False)]  # until somebody came
    second += [(SECOND, "S01", cheese, 0, 1.1, False), (SECOND, "S01", cheese, 20, 1.6, False)]  # sold out
    rows = table_of(second).to_pylist()
    rows[-1]["inventory_level"] = 0
    sold = {FIRST: table_of(first), SECOND: pa.Table.from_pylist(rows, schema=TABLES["repricings"].schema)}
    for date, table in sold.items():
        lake.publish(Partition("repricings", date, "S01"), table, inputs="test", seed=SEED)
    np.testing.assert_array_equal(day_prices_before(lake, SHELF, THIRD)[0, :4], [1.1, 1.0, 1.05, 1.1])
