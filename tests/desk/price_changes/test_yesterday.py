"""The prices of the day before, which decide what passes without a person."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from price_shop import Shop

from desk.price_changes.orders import orders_on
from desk.price_changes.shown import last_opening_prices, opening_prices_before
from etl.load import load_store_day
from serving.policies import policy_without_model
from serving.storefront import Storefront
from simulation.store_day import play

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
