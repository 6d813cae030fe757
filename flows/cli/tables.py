"""Tables of prices and of candidate models, which commands and Prefect's pages show, and the report of a loop.

The report is read from the warehouse as any analyst would: its days, its newest model, its prices.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.currency import EUR, Currency, currency_of
from catalog.hooks import REPORTS
from catalog.settings import Settings, read_settings
from flows.cli.console import say, show_table
from serving.book.book import PriceBook
from serving.book.store import book_in_force
from training.registry import JudgedVersion
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


def show_version(version: JudgedVersion) -> None:
    """Print a judged version: its candidates, the gate's conditions, and what its prices are expected to gain."""
    days = f"trained through {version.trained_through}, judged through {version.judged_through}"
    show_candidates(f"Candidates, {days}", version.scores)
    conditions = [[one.name, one.met, one.found] for one in version.verdict.conditions]
    show_table(f"Gate for version {version.version}", ["condition", "met", "found"], conditions)
    for opinion in version.opinions:
        say(opinion)


_query = queries_beside(__file__)
_OF_A_DAY = (
    *("business_date", "policy", "model_version"),
    *("revenue_eur", "units", "sold_out_visits", "mean_price_eur"),
)


def loop_report() -> dict[str, Any]:
    """Collect what each day earned, the newest model with the other candidates' scores, and the prices in force.

    Plugins add sections by their names.
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
        "model": None if model is None else {"version": model[0], "best": model[1], "promoted": model[2]},
        "candidates": {} if model is None else json.loads(model[3]),
        "prices": _prices(settings),
        **{report.section: report.collect(Lake(settings)) for report in REPORTS.all()},
    }


def show_report(report: dict[str, Any]) -> None:
    """Print the report as three tables, and the sections of plugins."""
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
    for section in REPORTS.all():
        if report[section.section]:
            section.show(report[section.section], money)


def _prices(settings: Settings) -> dict[str, dict[str, float]]:
    found = book_in_force(Lake(settings))
    if found is None:
        return {}
    return {str(sku): dict(zip(price_columns()[1:], prices, strict=True)) for sku, *prices in price_rows(found[0])}
