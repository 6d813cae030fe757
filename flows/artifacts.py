"""Tables that a person finds beside a run in the Prefect UI."""

from typing import Any

from prefect.artifacts import create_table_artifact

from evaluation.results import Interval
from flows.checks import Check
from flows.cli.report import price_columns, price_rows
from serving.price_book.book import PriceBook
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


def show_shares(shares: dict[tuple[str, int, str], Interval]) -> None:
    """Keep each policy's share of the clairvoyant by scenario as a table."""
    rows: list[dict[str, Any]] = [
        {
            "policy": policy,
            "decisions": decisions,
            "scenario": scenario,
            "share of clairvoyant, %": round(100 * found.mean, 2),
        }
        for (policy, decisions, scenario), found in shares.items()
    ]
    create_table_artifact(key="shares", table=rows, description="Share of the clairvoyant, exact under true demand")


def show_prices(book: PriceBook) -> None:
    """Keep the prices at three stock levels, with the whole day left, as a table."""
    rows = [dict(zip(price_columns(), row, strict=True)) for row in price_rows(book)]
    create_table_artifact(key="prices", table=rows, description=f"Prices for {book.published_at:%Y-%m-%d}, EUR")


def show_checks(checks: list[Check]) -> None:
    """Keep what a check-up found as a table."""
    create_table_artifact(key="health", table=[vars(check) for check in checks], description="How the store is")
