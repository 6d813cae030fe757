"""Stores whose units keep for other times have other prices, and a quote tells what each shelf shows."""

import datetime as dt

import numpy as np
import pytest

from catalog.load import Catalog, load
from catalog.settings import read_settings
from etl.calendar import stores_now
from etl.stock import opens_with
from plugins.desk.standing import standings
from plugins.evaluation.living_store import LivingStore
from serving.quote import PriceQuestion, QuoteDesk

pytestmark = pytest.mark.play

FRESH = load()
FIRST = dt.date(2026, 1, 5)


def two_stores() -> Catalog:
    some = tuple(product for product in FRESH.products if product.sku in {"MILK", "MEAT"})
    short = tuple(product.model_copy(update={"shelf_life_days": 2, "par_stock": 60}) for product in some)
    update = {"stores": ("S01", "S02"), "popularity": {}, "visits_per_day": 120.0}
    return Catalog(short, FRESH.store.model_copy(update=update))


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> LivingStore:
    home = tmp_path_factory.mktemp("own-units")
    store = LivingStore(read_settings({"SHELFPRICE_HOME": str(home)}), two_stores(), 3)
    for day in range(3):
        store.sell(FIRST + dt.timedelta(days=day))
        store.night_without_training(FIRST + dt.timedelta(days=day))
    return store


def test_a_quote_at_opening_is_what_each_shelf_shows(sold: LivingStore) -> None:
    lake, catalog = sold.workspace.lake, sold.workspace.catalog
    date = FIRST + dt.timedelta(days=3)
    units = opens_with(lake, catalog, catalog.store.stores, date)
    assert not np.array_equal(units.opened_with[0], units.opened_with[1])
    desk = QuoteDesk(lake, catalog)
    for store, own in standings(lake, catalog, stores_now(lake, catalog, catalog.store.stores)).items():
        row = catalog.store.stores.index(store)
        for position, sku in enumerate(catalog.skus):
            answer = desk.answer(PriceQuestion(sku, int(units.stock[row, position])), store)
            assert answer.price == pytest.approx(own.of(sku).price), (store, sku)


def test_a_store_with_older_units_is_never_dearer_at_the_same_stock(sold: LivingStore) -> None:
    lake, catalog = sold.workspace.lake, sold.workspace.catalog
    desk = QuoteDesk(lake, catalog)
    units = opens_with(lake, catalog, catalog.store.stores, FIRST + dt.timedelta(days=3)).opened_with
    for position, sku in enumerate(catalog.skus):
        last_day = units[:, position, 0]
        older, newer = np.argmax(last_day), np.argmin(last_day)
        prices = [desk.answer(PriceQuestion(sku, 55), catalog.store.stores[store]).price for store in (older, newer)]
        assert prices[0] <= prices[1] + 1e-9
