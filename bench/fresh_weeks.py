"""Two weeks of three stores whose stock lives over days: what the SQL cookbook asks about waste, profit and expiry."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from catalog.load import CLASSIC, Catalog, load
from catalog.records.product import Product
from catalog.settings import Settings
from desk.price_changes.change import Event, Terms
from desk.price_changes.record import record
from etl.batches import DEFAULT_SEED
from etl.live.calendar import DEFAULT_START, dates_from
from etl.load import load_dimensions, load_store_day
from etl.stock import kept_before
from features.cells import ALL_VIEWS
from serving.in_force import pricing_on
from simulation.draws import shopper_names
from simulation.store_day import play
from warehouse.connection import build_file
from warehouse.lake import Lake

DAYS = 14
OVERRIDDEN = dt.date(2026, 1, 17)
"""From when on somebody sells the meat of one store cheaper."""
_STOCK: dict[str, dict[str, Any]] = {
    "MILK": {
        "par_stock": 150,
        "shelf_life_days": 4,
        "deliveries": {"weekdays": ["mon", "wed", "fri", "sun"]},
        "disposal_cost": 0.05,
    },
    "BREAD": {"par_stock": 60, "shelf_life_days": 1, "disposal_cost": 0.02},
    "CHEESE": {"deliveries": {"weekdays": ["tue", "thu", "sat"], "lead_time_days": 2}, "holding_cost": 0.01},
    "MEAT": {"shelf_life_days": 3, "deliveries": {"quantity": 40}, "disposal_cost": 0.1, "holding_cost": 0.02},
}
"""What the cookbook says of its shelf; eggs are simply there each morning."""


def fresh_catalog() -> Catalog:
    """Return the default catalog with stock that lives over days, but for the eggs."""
    catalog = load(CLASSIC)
    products = (Product(**product.model_dump() | _STOCK.get(product.sku, {})) for product in catalog.products)
    return replace(catalog, products=tuple(products))


def play_fresh_weeks(settings: Settings, days: int = DAYS) -> Lake:
    """Fill an empty lake with days that explore around base prices, and build its views."""
    lake, catalog = Lake(settings), fresh_catalog()
    lake.prepare()
    load_dimensions(lake, catalog, shopper_names(catalog.store.shopper_pool, DEFAULT_SEED))
    for date in dates_from(DEFAULT_START, days):
        if date == OVERRIDDEN:
            record(lake, catalog, 1, list(_override(catalog)))
        policy, stores = pricing_on(lake, catalog, date, "static").policy, catalog.store.stores
        sold = play(catalog, policy, stores, date, DEFAULT_SEED, kept_before(lake, catalog, stores, date))
        load_store_day(lake, catalog, sold, "g000", inputs="7", seed=DEFAULT_SEED)
    build_file(settings, ALL_VIEWS)
    return lake


def _override(catalog: Catalog) -> Iterator[Event]:
    """Yield what people ask for: meat at 6.90 in one store, and what a model would have predicted of it."""
    opening = catalog.store.clock_of("S02").opening_of(OVERRIDDEN)
    terms = Terms(
        kind="override",
        sku="MEAT",
        store="S02",
        old_price=7.5,
        new_price=6.9,
        valid_from=opening,
        valid_until=None,
        reason="too much of it spoils",
        expected_p_sale=0.68,
        expected_units=45.0,
        expected_revenue=310.5,
        expected_profit=85.5,
        expected_gain=4.0,
        otherwise_price=7.5,
        otherwise_p_sale=0.5,
    )
    yield Event(1, "h1", "proposed", opening, opening, "anna", terms)
    yield Event(1, "h1", "approved", opening, opening, "anna", terms)
