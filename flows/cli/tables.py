"""Tables of prices and of candidate models, which commands, the report of a loop and Prefect's pages show."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from catalog.currency import EUR, Currency
from features.response import PriceResponse, Slope
from flows.cli.console import show_table
from serving.price_book.book import PriceBook
from training.off_policy import OffPolicyEstimate

STOCK_LEVELS = (5, 20, 100)
_METRICS = (
    "accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "log_loss",
    "brier",
    "calibration_error",
    "excess_log_loss",
    "threshold",
    "recall_at_threshold",
    "accuracy_at_threshold",
    "truth_recall_at_threshold",
    "truth_accuracy_at_threshold",
)


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


def show_candidates(title: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Print the candidates side by side, one row per metric."""
    rows = [[metric, *(own.get(metric) for own in scores.values())] for metric in _METRICS]
    show_table(title, ["metric", *scores], rows, "judged on the last days, which no candidate had seen")


def show_gain(gain: OffPolicyEstimate, incumbent: str, money: Currency) -> None:
    """Print what the challenger's prices would gain by each estimator, with the truth beside it where it is known."""
    rows = [[name, *(round(x, money.digits) if isfinite(x) else None for x in numbers)] for name, *numbers in gain.rows]
    title = f"Gain over {incumbent}, estimated from the log, {money.code} per store day"
    show_table(title, ["estimator", "gain", "95 % from", "to"], rows, gain.note)


def show_responses(responses: Sequence[PriceResponse]) -> None:
    """Print how purchases respond to prices that somebody else set, and which responses can be identified."""

    def rounded(slope: Slope | None, *names: str) -> list[float | None]:
        return [round(getattr(slope, name), 2) if slope else None for name in names]

    rows = [
        [
            own.sku,
            own.decisions,
            own.purchases,
            *rounded(own.estimate, "estimate", "lower", "upper"),
            *rounded(own.naive, "estimate"),
            *rounded(own.strict, "estimate"),
            own.verdict,
            own.why,
        ]
        for own in responses
    ]
    columns = ["sku", "decisions", "purchases", "response", "95 % from", "to", "without effects", "strict"]
    title = "Response to prices that somebody else set: log odds of a purchase (or log of units sold) per log price"
    caption = "Only a told response moves a price, in small steps; other products keep the price of their shelf"
    show_table(title, [*columns, "verdict", "why"], rows, caption)
