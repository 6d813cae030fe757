"""The tables at the end of a run, read from the warehouse as any analyst would."""

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from catalog.settings import read_settings
from features.price_response import PriceResponse, Slope
from flows.cli.console import show_table
from serving.book_store import book_in_force
from serving.price_book.book import PriceBook
from training.off_policy import OffPolicyEstimate
from warehouse.connection import read_only
from warehouse.lake import Lake
from warehouse.sql_files import queries_beside

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
_query = queries_beside(__file__)


def show_candidates(title: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Print the candidates side by side, one row per metric."""
    rows = [[metric, *(own.get(metric) for own in scores.values())] for metric in _METRICS]
    show_table(title, ["metric", *scores], rows, "judged on the last days, which no candidate had seen")


def show_money(money: OffPolicyEstimate, incumbent: str) -> None:
    """Print what the challenger's prices would gain by each estimator, with the truth beside it where it is known."""
    rows = [[name, *(round(x, 2) if isfinite(x) else None for x in numbers)] for name, *numbers in money.rows]
    title = f"Gain over {incumbent}, estimated from the log, EUR per store day"
    show_table(title, ["estimator", "gain", "95 % from", "to"], rows, money.note)


def show_responses(responses: Sequence[PriceResponse]) -> None:
    """Print how purchases answer to prices that somebody else set, and what can be told from other causes."""

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
    columns = ["sku", "decisions", "purchases", "response", "95 % from", "to", "without effects", "store and week"]
    title = "Response to prices that somebody else set: log odds of a purchase per log price, within store and month"
    caption = "Only what is told moves its price; what is not keeps its base price until the store has tried others"
    show_table(title, [*columns, "verdict", "why"], rows, caption)


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


def loop_report() -> dict[str, Any]:
    """Collect revenue per day, the newest model with the other candidates' scores, and the prices in force."""
    settings = read_settings()
    with read_only(settings) as connection:
        days = connection.execute(_query("revenue_per_day")).fetchall()
        model = connection.execute(_query("newest_model")).fetchone()
    found = book_in_force(Lake(settings))
    before = [float(row[3]) for row in days if row[2] is None]
    after = [float(row[3]) for row in days if row[2] is not None]
    return {
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
        "revenue_per_day_before": sum(before) / len(before) if before else None,
        "revenue_per_day_after": sum(after) / len(after) if after else None,
        "model": None if model is None else {"version": model[0], "best": model[1], "promoted": model[2]},
        "candidates": {} if model is None else json.loads(model[3]),
        "prices": {}
        if found is None
        else {str(row[0]): dict(zip(price_columns()[1:], row[1:], strict=True)) for row in price_rows(found[0])},
    }


def show_report(report: dict[str, Any]) -> None:
    """Print the report as three tables."""
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
    before, after = report["revenue_per_day_before"], report["revenue_per_day_after"]
    caption = None
    if before and after:
        gain = f"{after / before - 1:+.1%}"
        caption = f"Mean per day: {before:,.2f} EUR while trying prices, {after:,.2f} EUR from the price book ({gain})"
    columns = ["day", "priced by", "revenue, EUR", "units", "visits to an empty shelf", "mean price, EUR"]
    show_table("Revenue per day, all stores", columns, rows, caption, money=("revenue, EUR", "mean price, EUR"))
    if report["candidates"]:
        model = report["model"]
        gate = "champion" if model["promoted"] else "the champion stays"
        title = f"Newest training: {model['best']} became version {model['version']}, {gate}"
        show_candidates(title, report["candidates"])
    if report["prices"]:
        rows = [[sku, *prices.values()] for sku, prices in report["prices"].items()]
        show_prices(rows)


def where_to_look_next() -> str:
    """Say what a person can do with what is there now."""
    settings = read_settings()
    return (
        "Next, with .venv/bin before each command:\n"
        "  shelfprice quote --sku MILK --stock 8\n"
        '  shelfprice sql "from daily_sales order by business_date, store_id, sku"\n'
        "  shelfprice up              # Prefect, MLflow and the monitor, where a store can be watched selling\n"
        "  shelfprice compare         # policies against what a clairvoyant would earn\n"
        f"Everything that was made is under {settings.home}"
    )
