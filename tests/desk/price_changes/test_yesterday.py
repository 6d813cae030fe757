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

from catalog.arrays import Floats
from catalog.load import CLASSIC, load
from catalog.settings import read_settings
from catalog.tables.decisions import REPRICINGS
from desk.price_changes.orders import orders_on
from desk.price_law.shown import day_prices_before, last_day_prices
from etl.load import load_store_day
from serving.policies import policy_without_model
from serving.storefront import Storefront
from simulation.store_day import play
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
    lowest, highest = passes.bounds
    assert (last * 0.9 - 0.01 <= lowest).all()
    assert (lowest <= highest).all()
    assert (highest <= last * 1.1 + 0.01).all()


SHELF = load(CLASSIC)
Shown = tuple[dt.date, str, str, int, float, bool]
"""Date, store, product and tick of a price, EUR, and whether it was tried, in the order in which they are read."""


def any_lake(folder: Path, seed: int) -> tuple[Lake, list[Shown]]:
    """Draw a lake in which partitions of three days show some prices of some stores, and return what they show."""
    draw, lake, every = np.random.default_rng(seed), Lake(read_settings({"SHELFPRICE_HOME": str(folder)})), []
    lake.prepare()
    for date in (FIRST, SECOND, THIRD):
        mixed = draw.permutation([*SHELF.store.stores, "GONE"]).tolist()  # a store is in one partition of a date
        for group, own in {"g000": mixed[:2], "g001": mixed[2:3], "live-S02": mixed[3:]}.items():
            names = sorted(own)
            skus = [sku for sku in (*SHELF.skus, "GONE") if draw.random() < 0.8]
            shown = [
                (date, store, sku, tick, float(draw.integers(100, 900)) / 100, bool(draw.random() < 0.3))
                for store in names
                for tick in (0, *sorted(draw.choice(range(1, 40), draw.integers(0, 3), replace=False).tolist()))
                for sku in skus
            ]
            if shown and draw.random() < 0.8:
                lake.publish(Partition("repricings", date, group), table_of(shown), inputs="test", seed=SEED)
                every += shown
    return lake, every


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
    return pa.Table.from_pylist(rows, schema=REPRICINGS.schema)


def opened_one_by_one(shown: Sequence[Shown], date: dt.date) -> dict[str, dict[str, float]]:
    """Return the middle price of each product of the shelf on a date, tick by tick, of those that were not tried."""
    found = dict[str, dict[str, float]]()
    for store in SHELF.store.stores:
        for sku in SHELF.skus:
            changes = {row[3]: row[4:] for row in shown if row[:3] == (date, store, sku)}
            stood, now = list[float](), None
            for tick in range(SHELF.store.opening.ticks):
                now = changes.get(tick, now)
                if now is not None and not now[1]:
                    stood.append(now[0])
            if stood:
                found.setdefault(store, {})[sku] = sorted(stood)[(len(stood) - 1) // 2]
    return found


def as_array(prices: dict[str, dict[str, float]], stores: Sequence[str]) -> Floats:
    return np.array([[prices.get(store, {}).get(sku, np.nan) for sku in SHELF.skus] for store in stores])


@pytest.mark.parametrize("seed", range(12))
def test_prices_of_any_lake_are_those_that_its_rows_say_one_by_one_of_all_stores_and_of_some(
    tmp_path: Path, seed: int
) -> None:
    lake, shown = any_lake(tmp_path, seed)
    stores, of_day = SHELF.store.stores, {date: opened_one_by_one(shown, date) for date in (FIRST, SECOND, THIRD)}
    last = dict[str, dict[str, float]]()
    for date, own in of_day.items():
        for store, prices in own.items():
            last[store] = last.get(store, {}) | prices
        after = date + dt.timedelta(days=1)
        np.testing.assert_array_equal(last_day_prices(lake, SHELF, FIRST, date), as_array(last, stores))
        np.testing.assert_array_equal(day_prices_before(lake, SHELF, after), as_array(last, stores))
        for some in (("S02",), ("S03", "S01"), ("S02",), stores):
            np.testing.assert_array_equal(day_prices_before(lake, SHELF, after, some), as_array(last, some))


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
    sold = {FIRST: table_of(first), SECOND: pa.Table.from_pylist(rows, schema=REPRICINGS.schema)}
    for date, table in sold.items():
        lake.publish(Partition("repricings", date, "S01"), table, inputs="test", seed=SEED)
    np.testing.assert_array_equal(day_prices_before(lake, SHELF, THIRD)[0, :4], [1.1, 1.0, 1.05, 1.1])
