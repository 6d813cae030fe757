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
from desk.price_changes.shown import OpeningsBefore, last_opening_prices, opening_prices_before
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
    found = opening_prices_before(shop.lake, shop.catalog, THIRD)
    assert np.isfinite(found).all()
    assert (found[1:] == opening_prices_before(shop.lake, shop.catalog, SECOND)[1:]).all()


def test_no_store_opens_farther_from_its_last_price_than_passes_by_itself(shop: Shop) -> None:
    last = opening_prices_before(shop.lake, shop.catalog, THIRD)
    passes = orders_on(shop.lake, shop.catalog, THIRD).ranges
    assert passes is not None
    lowest, highest = passes.bounds
    assert (last * 0.9 - 0.01 <= lowest).all()
    assert (lowest <= highest).all()
    assert (highest <= last * 1.1 + 0.01).all()


def test_what_passes_in_some_stores_is_worked_out_of_these_alone_and_is_what_it_is_among_all(shop: Shop) -> None:
    passes = orders_on(shop.lake, shop.catalog, THIRD).ranges
    assert passes is not None
    some = passes.among({"S03", "S01"})
    assert some.stores == ("S01", "S03")
    np.testing.assert_array_equal(some.bounds, [own[[0, 2]] for own in passes.bounds])


def test_the_last_opening_prices_are_of_the_newest_of_some_dates_that_has_each(shop: Shop) -> None:
    newest, before = (
        opening_prices_before(shop.lake, shop.catalog, date + dt.timedelta(days=1)) for date in (SECOND, FIRST)
    )
    np.testing.assert_array_equal(last_opening_prices(shop.lake, shop.catalog, FIRST, SECOND), newest)
    np.testing.assert_array_equal(last_opening_prices(shop.lake, shop.catalog, FIRST, FIRST), before)
    (row,) = np.flatnonzero(np.isfinite(last_opening_prices(shop.lake, shop.catalog, SECOND, SECOND)).any(axis=1))
    assert shop.catalog.store.stores[row] == "S01"


SHELF = load(CLASSIC)
Shown = tuple[dt.date, str, str, int, float]
"""Date, store, product and tick of a price, EUR, in the order in which they are read."""


def any_lake(folder: Path, seed: int) -> tuple[Lake, list[Shown]]:
    """Draw a lake in which partitions of three days show some prices of some stores, and return what they show."""
    draw, lake, every = np.random.default_rng(seed), Lake(read_settings({"SHELFPRICE_HOME": str(folder)})), []
    lake.prepare()
    for date in (FIRST, SECOND, THIRD):
        for group in ("g000", "g001", "live-S02"):
            names = sorted(draw.choice([*SHELF.store.stores, "GONE"], draw.integers(1, 3), replace=False).tolist())
            skus = [sku for sku in (*SHELF.skus, "GONE") if draw.random() < 0.8]
            shown = [
                (date, store, sku, tick, float(draw.integers(100, 900)) / 100)
                for store in names
                for tick in range(draw.integers(1, 3))
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
            "explored": False,
            "policy": "stock_aware",
            "reason": "test",
        }
        for date, store, sku, tick, price in shown
    ]
    return pa.Table.from_pylist(rows, schema=REPRICINGS.schema)


def opened_one_by_one(shown: Sequence[Shown], date: dt.date) -> dict[str, dict[str, float]]:
    """Return what stores opened a date with, of the shelf."""
    found = dict[str, dict[str, float]]()
    for on, store, sku, tick, price in shown:
        if on == date and tick == 0 and sku in SHELF.skus:
            found.setdefault(store, {})[sku] = price
    return found


def as_array(prices: dict[str, dict[str, float]], stores: Sequence[str]) -> Floats:
    return np.array([[prices.get(store, {}).get(sku, np.nan) for sku in SHELF.skus] for store in stores])


@pytest.mark.parametrize("seed", range(12))
def test_prices_of_any_lake_are_those_that_its_rows_say_one_by_one_of_all_stores_and_of_some(
    tmp_path: Path, seed: int
) -> None:
    lake, shown = any_lake(tmp_path, seed)
    stores, of_day = SHELF.store.stores, {date: opened_one_by_one(shown, date) for date in (FIRST, SECOND, THIRD)}
    before, last = dict[str, dict[str, float]](), dict[str, dict[str, float]]()
    for date, own in of_day.items():
        before |= own
        for store, prices in own.items():
            last[store] = last.get(store, {}) | prices
        after = date + dt.timedelta(days=1)
        np.testing.assert_array_equal(last_opening_prices(lake, SHELF, FIRST, date), as_array(last, stores))
        np.testing.assert_array_equal(opening_prices_before(lake, SHELF, after), as_array(before, stores))
        asked = OpeningsBefore(lake, SHELF, after)
        for some in (("S02",), ("S03", "S01"), ("S02",), stores):
            np.testing.assert_array_equal(opening_prices_before(lake, SHELF, after, some), as_array(before, some))
            np.testing.assert_array_equal(asked.of(some), as_array(before, some))
        np.testing.assert_array_equal(asked.of_all, as_array(before, stores))


def test_what_other_stores_opened_with_is_not_read_until_somebody_asks_about_others_and_then_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, read, read_of = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)})), list[str](), Lake.read
    lake.prepare()
    for store in SHELF.store.stores:
        rows = table_of([(FIRST, store, sku, 0, 1.5) for sku in SHELF.skus])
        lake.publish(Partition("repricings", FIRST, store), rows, inputs="test", seed=SEED)

    def noted(own: Lake, part: Partition, columns: Sequence[str] | None = None, **how: Any) -> pa.Table:
        read.extend([part.group] if columns is None or "new_price" in columns else [])
        return read_of(own, part, columns, **how)

    monkeypatch.setattr(Lake, "read", noted)
    asked = OpeningsBefore(lake, SHELF, SECOND)
    assert asked.of(["S02"]).tolist() == [[1.5] * len(SHELF.skus)]
    assert read == ["S02"]
    read.clear()
    for _ in range(2):
        assert (asked.of(["S03", "S01"]) == 1.5).all()
        assert sorted(read) == sorted(SHELF.store.stores)
