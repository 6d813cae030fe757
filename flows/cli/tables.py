"""Tables of prices and of candidate models, which commands and Prefect's pages show, and the report of a loop.

The report is read from the warehouse as any analyst would: its days, its newest model, its prices.
"""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from catalog.currency import EUR, Currency, currency_of
from catalog.decisions.takings import Takings
from catalog.settings import Settings, read_settings
from flows.cli.console import say, show_table
from serving.book.book import PriceBook
from serving.book.store import book_in_force
from training.judge.off_policy import OffPolicyEstimate
from training.judge.same_shoppers import MeanDay, mean_of, on_same_shoppers
from warehouse.lake import Lake
from warehouse.origin import money_of
from warehouse.query.connection import queries_beside, read_only

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
    return [
        [sku, *(float(book.at(own, stock, book.n_ticks).prices) for stock in STOCK_LEVELS)]
        for own, sku in enumerate(book.skus)
    ]


def show_prices(
    rows: Sequence[Sequence[Any]], title: str = "Prices in force at opening, EUR, by units left", money: Currency = EUR
) -> None:
    """Print prices of each product at three stock levels."""
    show_table(money.format_title(title), price_columns(), rows, money=price_columns()[1:], digits=money.digits)


def show_candidates(title: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Print the candidates side by side, one row per metric."""
    rows = [[metric, *(own.get(metric) for own in scores.values())] for metric in _METRICS]
    show_table(title, ["metric", *scores], rows, "judged on the last days, which no candidate had seen")


def show_gain(gain: OffPolicyEstimate, incumbent: str, money: Currency) -> None:
    """Print what the challenger's prices would gain by each estimator, with the truth beside it where it is known."""
    rows = [[name, *(round(x, money.digits) if isfinite(x) else None for x in numbers)] for name, *numbers in gain.rows]
    title = f"Gain over {incumbent}, estimated from the log, {money.code} per store day"
    show_table(title, ["estimator", "gain", "95 % from", "to"], rows, gain.note)


_query = queries_beside(__file__)
_OF_A_DAY = (
    *("business_date", "policy", "model_version"),
    *("revenue_eur", "units", "sold_out_visits", "mean_price_eur"),
)


def loop_report() -> dict[str, Any]:
    """Collect what each day earned, the newest model with the other candidates' scores, and the prices in force.

    `same_shoppers` compares the price book with base prices on the same shoppers, where the twin played the day.
    """
    settings = read_settings()
    with read_only(settings) as connection:
        days = connection.execute(_query("revenue_per_day")).fetchall()
        model = connection.execute(_query("newest_model")).fetchone()
    return {
        "currency": money_of(Lake(settings)).code,
        "days": [
            dict(zip(_OF_A_DAY, (*row[:3], float(row[3]), *row[4:6], float(row[6])), strict=True)) for row in days
        ],
        "same_shoppers": _same_shoppers(settings),
        "model": None if model is None else {"version": model[0], "best": model[1], "promoted": model[2]},
        "candidates": {} if model is None else json.loads(model[3]),
        "prices": _prices(settings),
    }


def show_report(report: dict[str, Any]) -> None:
    """Print the report as three tables, and what the price book earned on the same shoppers as base prices."""
    rows = [
        [
            str(day["business_date"]),
            day["policy"] if day["model_version"] is None else f"{day['policy']} v{day['model_version']}",
            *(day[name] for name in _OF_A_DAY[3:]),
        ]
        for day in report["days"]
    ]
    money = currency_of(report["currency"])
    amounts = [money.format_title(column) for column in ("revenue, EUR", "mean price, EUR")]
    columns = ["day", "priced by", amounts[0], "units", "visits to an empty shelf", amounts[1]]
    show_table("Revenue per day, all stores", columns, rows, money=amounts, digits=money.digits)
    if report["candidates"]:
        model = report["model"]
        gate = "champion" if model["promoted"] else "the champion stays"
        title = f"Newest training: {model['best']} became version {model['version']}, {gate}"
        show_candidates(title, report["candidates"])
    if report["prices"]:
        show_prices([[sku, *prices.values()] for sku, prices in report["prices"].items()], money=money)
    if report["same_shoppers"]:
        _show_same_shoppers(report["same_shoppers"], money)


def sentence_of(mean: MeanDay, money: Currency = EUR) -> str:
    """Say what the price book earned, beside base prices on the same shoppers."""
    counted = "" if mean.objective == "revenue" else f" of {mean.objective}"
    gain = "" if mean.gain is None else f" ({mean.gain:+.1%})"
    days = "1 day" if mean.count_days == 1 else f"{mean.count_days} days"
    return (
        f"On the same shoppers, the price book earned {money.format_sum(mean.book_eur)}{counted} a day and base "
        f"prices {money.format_sum(mean.base_eur)}{gain}, over {days}"
    )


def _same_shoppers(settings: Settings) -> dict[str, Any] | None:
    lake = Lake(settings)
    days = on_same_shoppers(lake)
    mean = mean_of(days)
    if mean is None:
        return None
    return {
        "count_days": mean.count_days,
        "objective": mean.objective,
        "book_eur": mean.book_eur,
        "base_eur": mean.base_eur,
        "gain": mean.gain,
        "book": _as_told(mean.book),
        "base": _as_told(mean.base),
        "sentence": sentence_of(mean, money_of(lake)),
        "days": [{**vars(day), "book": _as_told(day.book), "base": _as_told(day.base)} for day in days],
    }


def _as_told(takings: Takings) -> dict[str, float]:
    """Return what days brought by the names of the table, EUR, and units thrown away as a share."""
    names = ("profit_eur", "waste_eur", "margin_eur", "revenue_eur")
    return {**{name: getattr(takings, name) for name in names}, "wasted_share": takings.wasted_share}


def _show_same_shoppers(found: dict[str, Any], money: Currency) -> None:
    """Show what a day brought from the price book and at base prices, on the same shoppers."""
    titles = [money.format_title(title) for title in ("profit, EUR", "waste, EUR", "margin, EUR", "revenue, EUR")]
    rows = [
        [name, *list(own.values())[:-1], f"{own['wasted_share']:.1%}"]
        for name, own in (("price book", found["book"]), ("base prices", found["base"]))
    ]
    columns = ["a day of", *titles, "units thrown away"]
    days = "1 day" if found["count_days"] == 1 else f"{found['count_days']} days"
    show_table(f"{days} on the same shoppers", columns, rows, money=titles, digits=money.digits)
    say(found["sentence"])


def _prices(settings: Settings) -> dict[str, dict[str, float]]:
    found = book_in_force(Lake(settings))
    if found is None:
        return {}
    return {str(sku): dict(zip(price_columns()[1:], prices, strict=True)) for sku, *prices in price_rows(found[0])}
