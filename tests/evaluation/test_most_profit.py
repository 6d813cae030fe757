"""The most that anybody could earn where stock lives: a bound that no seller passes, and that is near."""

import datetime as dt

import numpy as np
import pytest

from catalog.load import CLASSIC, Catalog, load
from catalog.records.deliveries import Deliveries
from catalog.takings import takings_of
from evaluation.as_shipped.most_profit import most_profit
from evaluation.clairvoyant import Clairvoyants
from evaluation.scores import day_gain
from evaluation.worlds import ONE_STORE, changed
from serving.storefront import Storefront, storefront_at_base_prices
from simulation.over_days import OverDays
from simulation.visits import draw_visits

FRESH = load()
DATES = [dt.date(2026, 1, 5) + dt.timedelta(days=day) for day in range(10)]


def without_stickers(catalog: Catalog) -> Catalog:
    return changed(catalog, policies=catalog.store.policies.model_copy(update={"stickers": False}))


def shop(sku: str, visits: float, **product: object) -> Catalog:
    (own,) = (one for one in FRESH.products if one.sku == sku)
    alone = Catalog((own.model_copy(update=product),), FRESH.store)
    return changed(alone, stores=ONE_STORE, popularity={}, visits_per_day=visits)


def test_with_far_more_shoppers_than_units_all_are_sold_at_the_ceiling() -> None:
    bread = shop("BREAD", visits=1e6).products[0]
    found = most_profit(shop("BREAD", visits=1e6), DATES)
    assert found == pytest.approx(len(DATES) * bread.par_stock * (bread.ceiling - bread.unit_cost))


def test_where_nobody_comes_all_is_thrown_away() -> None:
    bread = shop("BREAD", visits=0.0).products[0]
    lost = len(DATES) * bread.par_stock * (bread.unit_cost + bread.disposal_cost)
    assert most_profit(shop("BREAD", visits=0.0), DATES) == pytest.approx(-lost)


def test_what_nobody_buys_is_thrown_away_on_its_last_day_and_costs_its_nights_until_then() -> None:
    fixed = Deliveries(quantity=7)
    catalog = shop("MEAT", 0.0, shelf_life_days=3, par_stock=20, deliveries=fixed, disposal_cost=1.0, holding_cost=0.25)
    spoiled, nights = 20 + 7 * 7, 20 * 2 + 7 * (2 * 7 + 2 + 1)  # what came on the last two days still keeps
    cost = catalog.products[0].unit_cost
    assert most_profit(catalog, DATES) == pytest.approx(-spoiled * (cost + 1.0) - 0.25 * nights)


@pytest.mark.parametrize(("sku", "visits"), [("BREAD", 120.0), ("MEAT", 70.0)])
def test_a_clairvoyant_comes_near_it_and_passes_it_no_more_than_by_luck(sku: str, visits: float) -> None:
    catalog = without_stickers(shop(sku, visits))
    clairvoyants, bound = Clairvoyants(catalog), most_profit(catalog, DATES)
    owners, earned, at_base = storefront_at_base_prices(catalog), list[float](), list[float]()
    for seed in range(3):
        over_days, owners_days, own, base = OverDays(), OverDays(), 0.0, 0.0
        for date in DATES:
            visited = draw_visits(catalog, ONE_STORE, date, seed)
            own += day_gain(catalog, Storefront(clairvoyants.on(date)), date, visited, over_days)
            base += takings_of(owners_days.meet(catalog, owners, ONE_STORE, date, visited), catalog).profit_eur
        earned.append(own)
        at_base.append(base)
    luck = np.std(earned, ddof=1) / np.sqrt(len(earned))
    assert 0.9 * bound < np.mean(earned) < bound + 3 * luck
    assert np.mean(at_base) < bound


def test_with_stickers_it_is_higher_the_more_shoppers_take_the_freshest_unit() -> None:
    shares = [changed(shop("MEAT", 70.0), freshest_share=share) for share in (0.0, 0.3, 0.9)]
    none, some, most = (most_profit(catalog, DATES) for catalog in shares)
    assert none == most_profit(without_stickers(shares[2]), DATES)
    assert none < some < most


def test_without_younger_units_a_sticker_adds_nothing_to_it() -> None:
    bread = shop("BREAD", 120.0)
    assert most_profit(bread, DATES) == most_profit(without_stickers(bread), DATES)


def test_a_shelf_that_is_full_each_morning_has_no_such_bound() -> None:
    with pytest.raises(ValueError, match="full each morning"):
        most_profit(load(CLASSIC), DATES)
