"""Tables of prices and of candidate models, which commands and Prefect's pages show, and the report of a loop.

The report is read from the warehouse as any analyst would: its days, its newest model, its prices.
"""

import json
from collections.abc import Mapping
from typing import Any

from catalog.currency import EUR, Currency, currency_of
from catalog.hooks import REPORTS
from catalog.metrics import METRICS
from catalog.settings import read_settings
from flows.cli.console import say, show_table
from serving.book.book import PriceBook
from serving.book.store import book_in_force
from training.registry import JudgedVersion
from warehouse.lake import Lake
from warehouse.origin import money_of
from warehouse.query.connection import queries_beside, read_only

_STOCK_LEVELS = (5, 20, 100)


def opening_prices(book: PriceBook) -> dict[str, dict[str, float]]:
    """Return the prices of each product at opening, EUR, by the name of a column for each of three stock levels."""
    return {
        sku: {f"{stock} left": float(book.at(product, stock, book.n_ticks).prices) for stock in _STOCK_LEVELS}
        for product, sku in enumerate(book.skus)
    }


def show_prices(
    prices: Mapping[str, Mapping[str, float]],
    title: str = "Prices in force at opening, EUR, by units left",
    money: Currency = EUR,
) -> None:
    """Print prices of each product at three stock levels."""
    levels = [f"{stock} left" for stock in _STOCK_LEVELS]
    rows = [[sku, *at_stock.values()] for sku, at_stock in prices.items()]
    show_table(money.format_title(title), ["sku", *levels], rows, money=levels, digits=money.digits)


def show_candidates(title: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Print the candidates side by side, one row per metric."""
    rows = [[metric.name, *(of_one.get(metric.name) for of_one in scores.values())] for metric in METRICS]
    show_table(title, ["metric", *scores], rows, "judged on the last days, which no candidate had seen")


def show_version(version: JudgedVersion) -> None:
    """Print a judged version: its candidates, the gate's conditions, and what its prices are expected to gain."""
    days = f"trained through {version.trained_through}, judged through {version.judged_through}"
    show_candidates(f"Candidates, {days}", version.scores)
    conditions = [[condition.name, condition.met, condition.found] for condition in version.verdict.conditions]
    show_table(f"Gate for version {version.version}", ["condition", "met", "found"], conditions)
    for opinion in version.opinions:
        say(opinion)


_query = queries_beside(__file__)


def loop_report() -> dict[str, Any]:
    """Collect what each day earned, the newest model with the other candidates' scores, and the prices in force.

    Plugins add sections by their names.
    """
    settings = read_settings()
    lake = Lake(settings)
    with read_only(settings) as connection:
        days, models = (
            connection.sql(_query(name)).to_arrow_table().to_pylist() for name in ("revenue_per_day", "newest_model")
        )
    model = models[0] if models else None
    book = book_in_force(lake)
    return {
        "currency": money_of(lake).code,
        "days": days,
        "model": model and {name: model[name] for name in ("version", "best", "promoted")},
        "candidates": json.loads(model["candidates"]) if model else {},
        "prices": {} if book is None else opening_prices(book[0]),
        **{report.section: report.collect(lake) for report in REPORTS.all()},
    }


def show_report(report: dict[str, Any]) -> None:
    """Print the report as three tables, and the sections of plugins."""
    rows = []
    for date, policy, version, *amounts in (day.values() for day in report["days"]):
        rows.append([str(date), policy if version is None else f"{policy} v{version}", *amounts])
    money = currency_of(report["currency"])
    revenue, price = (money.format_title(column) for column in ("revenue, EUR", "mean price, EUR"))
    columns = ["day", "priced by", revenue, "units", "visits to an empty shelf", price]
    show_table("Revenue per day, all stores", columns, rows, money=[revenue, price], digits=money.digits)
    if report["candidates"]:
        model = report["model"]
        gate = "champion" if model["promoted"] else "the champion stays"
        title = f"Newest training: {model['best']} became version {model['version']}, {gate}"
        show_candidates(title, report["candidates"])
    if report["prices"]:
        show_prices(report["prices"], money=money)
    for section in REPORTS.all():
        if report[section.section]:
            section.show(report[section.section], money)
