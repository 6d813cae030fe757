"""Tables that a person finds beside a run in the Prefect UI."""

from typing import Any

from prefect.artifacts import create_table_artifact

from flows.report import price_columns, price_rows
from serving.price_book import PriceBook
from training.gate import Verdict


def show_models(scores: dict[str, dict[str, float]], best: str, verdict: Verdict) -> None:
    """Keep the candidates' scores and the gate's verdict as a table."""
    gate = "promoted" if verdict.promoted else "; ".join(verdict.refusals)
    rows: list[dict[str, Any]] = [
        {
            "candidate": name,
            **{metric: round(value, 4) for metric, value in own.items()},
            "gate": gate if name == best else "",
        }
        for name, own in scores.items()
    ]
    create_table_artifact(key="models", table=rows, description="Candidates, judged on the held-out days")


def show_prices(book: PriceBook) -> None:
    """Keep the prices at three stock levels, with the whole day left, as a table."""
    rows = [dict(zip(price_columns(), row, strict=True)) for row in price_rows(book)]
    create_table_artifact(key="prices", table=rows, description=f"Prices for {book.published_at:%Y-%m-%d}, EUR")
