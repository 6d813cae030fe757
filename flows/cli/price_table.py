"""The table of prices at opening: each product at three stock levels."""

from collections.abc import Sequence
from typing import Any

from flows.cli.console import show_table
from serving.price_book.book import PriceBook

STOCK_LEVELS = (5, 20, 100)


def price_columns() -> list[str]:
    """Columns of the table of prices."""
    return ["sku", *(f"{stock} left" for stock in STOCK_LEVELS)]


def price_rows(book: PriceBook) -> list[list[Any]]:
    """One row per product: its prices at three stock levels at opening, EUR."""
    n_ticks = book.prices.shape[2]
    return [[sku, *(book.quote(sku, stock, n_ticks).price for stock in STOCK_LEVELS)] for sku in book.skus]


def show_prices(rows: Sequence[Sequence[Any]], title: str = "Prices in force at opening, EUR, by units left") -> None:
    """Print prices of each product at three stock levels."""
    show_table(title, price_columns(), rows, money=price_columns()[1:])
