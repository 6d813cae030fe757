"""The report of a loop, read from the warehouse as any analyst would: its days, its newest model, its prices."""

import json
from typing import Any

from catalog.currency import EUR, Currency, currency_of
from catalog.settings import Settings, read_settings
from flows.cli.console import say, show_table
from flows.cli.price_table import price_columns, price_rows, show_prices
from flows.cli.training_tables import show_candidates
from serving.book_store import book_in_force
from serving.same_shoppers import MeanDay, mean_of, on_same_shoppers
from warehouse.connection import read_only
from warehouse.lake import Lake
from warehouse.money import money_of
from warehouse.sql_files import queries_beside

_query = queries_beside(__file__)


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
            {
                "business_date": row[0],
                "policy": row[1],
                "model_version": row[2],
                "revenue_eur": float(row[3]),
                "units": row[4],
                "sold_out_visits": row[5],
                "mean_price_eur": float(row[6]),
            }
            for row in days
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
            day["revenue_eur"],
            day["units"],
            day["sold_out_visits"],
            day["mean_price_eur"],
        ]
        for day in report["days"]
    ]
    money = currency_of(report["currency"])
    amounts = [money.named(column) for column in ("revenue, EUR", "mean price, EUR")]
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
        say(report["same_shoppers"]["sentence"])


def sentence_of(mean: MeanDay, money: Currency = EUR) -> str:
    """Say what the price book earned, beside base prices on the same shoppers."""
    of_margin = " of margin" if mean.objective == "margin" else ""
    gain = "" if mean.gain is None else f" ({mean.gain:+.1%})"
    days = "1 day" if mean.count_days == 1 else f"{mean.count_days} days"
    return (
        f"On the same shoppers, the price book earned {money.summed(mean.book_eur)}{of_margin} a day and base prices "
        f"{money.summed(mean.base_eur)}{gain}, over {days}"
    )


def _same_shoppers(settings: Settings) -> dict[str, Any] | None:
    lake = Lake(settings)
    days = on_same_shoppers(lake)
    mean = mean_of(days)
    if mean is None:
        return None
    return {
        **vars(mean),
        "gain": mean.gain,
        "sentence": sentence_of(mean, money_of(lake)),
        "days": [vars(day) for day in days],
    }


def _prices(settings: Settings) -> dict[str, dict[str, float]]:
    found = book_in_force(Lake(settings))
    if found is None:
        return {}
    return {str(sku): dict(zip(price_columns()[1:], prices, strict=True)) for sku, *prices in price_rows(found[0])}
