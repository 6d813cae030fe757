"""The table of prices at opening: each product at three stock levels."""

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.currency import EUR, Currency
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


def show_prices(
    rows: Sequence[Sequence[Any]], title: str = "Prices in force at opening, EUR, by units left", money: Currency = EUR
) -> None:
    """Print prices of each product at three stock levels."""
    show_table(money.format_title(title), price_columns(), rows, money=price_columns()[1:], digits=money.digits)


def show_store_prices(rows: Sequence[Sequence[Any]], title: str, money: Currency = EUR) -> None:
    """Print what a retailer's stores open with, each with a price of its own."""
    columns = ["sku", "lowest price", "highest price", "stores", "why"]
    show_table(title, columns, rows, money=columns[1:3], digits=money.digits)


def show_kept_prices(kept: Sequence[Mapping[str, Any]], money: Currency = EUR) -> None:
    """Print the products that move on exported sales alone, and which stores keep the old price."""
    rows = [[own["sku"], own["old_price"], own["price"], ", ".join(own["stores"]) or "none"] for own in kept]
    caption = (
        "Known from prices that somebody else set, so they move in small steps; stores tell what a step does. "
        "Prices are those of the store in the middle: each takes the step from its own"
    )
    columns = ["sku", "old price", "new price", "stores that keep the old price this week"]
    prices = ("old price", "new price")
    show_table(money.format_title("Small steps, EUR"), columns, rows, caption, money=prices, digits=money.digits)
