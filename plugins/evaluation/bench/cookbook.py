"""The answers of the SQL cookbook, from the lakes that the page describes: `make cookbook`.

The page is its own source: every block of SQL is run and what stands below it as a table is replaced by the answer.
What it asks about stock is asked of two weeks of three stores that are played for it, whose stock lives over days.
"""

import datetime as dt
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from catalog.load import CLASSIC, Catalog, load
from catalog.records.product import Product
from catalog.settings import Settings, read_settings
from etl.batches import DEFAULT_SEED
from etl.calendar import DEFAULT_START, dates_from
from etl.load import load_dimensions, load_store_day
from etl.stock import kept_before
from etl.twin.draws import shopper_names
from etl.twin.store_day import play
from features.cells import ALL_VIEWS
from flows.cli.console import shown
from plugins.desk.price_changes.change import Event, Terms
from plugins.desk.price_changes.record import record
from serving.store.in_force import pricing_on
from warehouse.lake import Lake
from warehouse.query.connection import build_file, read_only

PAGE = Path(__file__).parents[3] / "docs" / "sql-cookbook.md"
DAYS = 14
OVERRIDDEN = dt.date(2026, 1, 17)
"""First date of an override that sells the meat of one store cheaper."""
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
_RECIPE = re.compile(
    r"### (?P<title>[^\n]+)\n\n```sql\n(?P<query>.*?)\n```\n\n(?P<answer>(?:\|[^\n]*\n)*)\n?", re.DOTALL
)
_EXACT = re.compile(r"\n## The first week.*?(?=\n## )", re.DOTALL)
_OF_STOCK = re.compile(r"\n## Two weeks of stock.*?(?=\n## |\Z)", re.DOTALL)

Answer = tuple[Sequence[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True)
class Recipe:
    """One question on the page.

    Attributes
    ----------
    title, query
        The question, and its SQL.
    answer
        The table below it as it stands on the page.
    exact
        Whether the answer is the same wherever the first week is played.
    of_stock
        Whether it is asked of the weeks whose stock lives over days; that answer is the same everywhere too.
    """

    title: str
    query: str
    answer: str
    exact: bool
    of_stock: bool


def recipes(page: str) -> Iterator[Recipe]:
    """Yield the recipes of a page, in order."""
    exact, of_stock = _EXACT.search(page), _OF_STOCK.search(page)
    for found in _RECIPE.finditer(page):
        yield Recipe(found["title"], found["query"], found["answer"], _is_in(found, exact), _is_in(found, of_stock))


def _is_in(found: re.Match[str], section: re.Match[str] | None) -> bool:
    return section is not None and section.start() < found.start() < section.end()


def written(answer: Answer) -> str:
    """Write an answer as a Markdown table; numbers stand to the right."""
    columns, rows = answer
    numeric = [all(isinstance(row[position], int | float | None) for row in rows) for position in range(len(columns))]
    lines = [
        list(columns),
        ["---:" if right else "---" for right in numeric],
        *([shown(value).replace("|", "\\|") for value in row] for row in rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def answered(page: str, ask: Callable[[Recipe], Answer]) -> str:
    """Return a page with the answer below every query as it is now."""
    asked = recipes(page)

    def with_answer(_found: re.Match[str]) -> str:
        recipe = next(asked)
        return f"### {recipe.title}\n\n```sql\n{recipe.query}\n```\n\n{written(ask(recipe))}\n"

    return _RECIPE.sub(with_answer, page)


def asking(connection: duckdb.DuckDBPyConnection) -> Callable[[str], Answer]:
    """Return what asks a connection."""

    def ask(query: str) -> Answer:
        result = connection.execute(query)
        return [column[0] for column in result.description or []], result.fetchall()

    return ask


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


def answer_page() -> int:
    """Write the answers of the page anew and return how many there are."""
    page = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as home, read_only(read_settings()) as warehouse:
        fresh = read_settings({"SHELFPRICE_HOME": home})
        play_fresh_weeks(fresh)
        with read_only(fresh) as fresh_warehouse:
            of_stock, of_weeks = asking(fresh_warehouse), asking(warehouse)
            page = answered(page, lambda recipe: (of_stock if recipe.of_stock else of_weeks)(recipe.query))
    PAGE.write_text(page, encoding="utf-8")
    return sum(1 for _ in recipes(page))


if __name__ == "__main__":
    sys.stdout.write(f"{PAGE}: {answer_page()} questions answered\n")
