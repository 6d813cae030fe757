"""A price book's days beside base prices: both meet the same shoppers."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings, read_settings
from etl.ledger import LedgerRow, write_down
from etl.load import load_store_day
from etl.open_days import LiveDay
from etl.twin.store_day import play
from plugins.evaluation.same_shoppers import MeanDay, SameShoppers, mean_of, on_same_shoppers
from plugins.evaluation.takings import Takings
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront
from warehouse.lake import Lake, Partition
from warehouse.query.connection import read_only

FIRST, SECOND = dt.date(2026, 1, 5), dt.date(2026, 1, 6)
SEED = 7
SHELF = load(CLASSIC)
BASE = Storefront(StaticPolicy(SHELF.base_prices))


def by_book(catalog: Catalog = SHELF, *, made_for: dt.date | None = SECOND) -> LedgerRow:
    return LedgerRow(0, SHELF.store.stores, SEED, catalog.fingerprint, "stock_aware", "7", made_for, "a book")


@pytest.fixture
def lake(sell_two_days: Callable[[Path], Settings], tmp_path: Path) -> Lake:
    """Two days, of which the ledger says that a book priced the second."""
    lake = Lake(sell_two_days(tmp_path))
    write_down(lake, SHELF, FIRST, "all", by_book(made_for=None))
    write_down(lake, SHELF, SECOND, "all", by_book())
    return lake


def revenue_on(lake: Lake, date: dt.date) -> float:
    with read_only(read_settings({"SHELFPRICE_HOME": str(lake.root.parent)})) as warehouse:
        asked = "select sum(price_offered) from interactions where purchased and business_date = $date"
        return float(warehouse.execute(asked, {"date": date}).fetchall()[0][0])


def test_only_days_from_a_price_book_are_compared_and_earn_what_the_warehouse_says(lake: Lake) -> None:
    (found,) = on_same_shoppers(lake)
    assert (found.business_date, found.objective) == (SECOND, "revenue")
    assert found.book_eur == pytest.approx(revenue_on(lake, SECOND))
    at_base = play(SHELF, BASE, SHELF.store.stores, SECOND, SEED)
    assert found.base_eur == pytest.approx(at_base.price[at_base.outcome == 0].sum())
    assert found.book_eur > found.base_eur


def test_a_book_of_base_prices_earns_exactly_what_base_prices_do(lake: Lake) -> None:
    day = play(SHELF, BASE, SHELF.store.stores, SECOND, SEED)
    load_store_day(lake, SHELF, day, "all", inputs="at base prices", seed=SEED)
    (found,) = on_same_shoppers(lake)
    assert found.book_eur == pytest.approx(found.base_eur)


def test_where_margin_is_the_objective_costs_are_subtracted_from_both(lake: Lake) -> None:
    policies = SHELF.store.policies.model_copy(update={"objective": "margin"})
    catalog = Catalog(SHELF.products, SHELF.store.model_copy(update={"policies": policies}))
    (revenue,) = on_same_shoppers(lake)
    write_down(lake, catalog, SECOND, "all", by_book(catalog))
    (margin,) = on_same_shoppers(lake)
    assert margin.objective == "margin"
    assert 0 < margin.book_eur < revenue.book_eur
    day = play(SHELF, BASE, SHELF.store.stores, SECOND, SEED)
    costs = SHELF.unit_costs[day.product[day.outcome == 0]].sum()
    assert margin.base_eur == pytest.approx(revenue.base_eur - costs)


def test_a_date_that_was_partly_sold_live_is_left_out(lake: Lake) -> None:
    sold = lake.read(Partition("interactions", SECOND, "all"))
    lake.publish(LiveDay("S01", SECOND).part("interactions"), sold, inputs="live", seed=SEED)
    assert on_same_shoppers(lake) == []


def test_the_mean_day_counts_the_days_of_the_newest_objective() -> None:
    days = [
        SameShoppers("revenue", Takings(900.0, 1.0), Takings(100.0, 1.0), FIRST),
        SameShoppers("margin", Takings(130.0, 10.0), Takings(105.0, 5.0), SECOND),
        SameShoppers("margin", Takings(142.0, 10.0), Takings(115.0, 5.0), SECOND + dt.timedelta(days=1)),
    ]
    mean = mean_of(days)
    assert mean == MeanDay("margin", Takings(136.0, 10.0), Takings(110.0, 5.0), 2)
    assert mean.gain == pytest.approx(0.2)
    assert mean_of([]) is None
    assert MeanDay("revenue", Takings(5.0, 0.0), Takings(0.0, 0.0), 1).gain is None
