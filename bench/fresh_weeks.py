"""Two weeks of three stores whose stock lives over days: what the SQL cookbook asks about waste, profit and expiry."""

from dataclasses import replace
from typing import Any

from catalog.load import CLASSIC, Catalog, load
from catalog.records.product import Product
from catalog.settings import Settings
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
        policy, stores = pricing_on(lake, catalog, date, "static").policy, catalog.store.stores
        sold = play(catalog, policy, stores, date, DEFAULT_SEED, kept_before(lake, catalog, stores, date))
        load_store_day(lake, catalog, sold, "g000", inputs="7", seed=DEFAULT_SEED)
    build_file(settings, ALL_VIEWS)
    return lake
