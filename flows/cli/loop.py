"""Commands that run flows: simulate, transform, train, price, pipeline and demo."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from catalog.errors import Declined
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import FIRST_DAY, Catalog, Days, Json, Seed, Start, Stores, text_of, writable
from flows.environment import orchestrated, prepare

Through = Annotated[
    dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last business date to use; by default the newest.")
]
ForDate = Annotated[
    dt.datetime | None,
    typer.Option("--for", formats=["%Y-%m-%d"], help="Business date to price; by default the day after the newest."),
]
Policy = Annotated[
    Literal["static", "rule", "greedy"] | None,
    typer.Option(help="Policy to sell by; by default the price book in force, or the catalog's without one."),
]
ReportFile = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Write the training report, an HTML page, here as well.")
]
ExploreDays = Annotated[int, typer.Option(min=1, help="Days at prices that teach, before the first model.")]


def simulate(
    start: Start = FIRST_DAY,
    days: Days = 1,
    stores: Stores = None,
    seed: Seed = 7,
    policy: Policy = None,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Play store days on the digital twin and publish their decisions.

    Running it again changes nothing: a day that is there already, from the same inputs, is not played again.
    """
    prepare()
    with orchestrated("flows.simulate"), progress_bars():
        from flows.simulate import simulate as flow

        results = flow(start.date(), days, stores, seed, policy, text_of(catalog))
    summary: dict[str, Any] = {
        action: sum(result.action == action for result in results) for action in ("played", "replaced", "unchanged")
    }
    summary["decisions"] = sum(result.rows for result in results)
    if as_json:
        emit(summary)
        return
    show_table("Simulated batches", list(summary), [list(summary.values())])


def transform(catalog: Catalog = None, as_json: Json = False) -> None:
    """Group new or changed decisions into demand cells, and run the SQL assertions on them."""
    prepare()
    with orchestrated("flows.transform"), progress_bars():
        from flows.transform import transform as flow

        done = flow(text_of(catalog))
    if as_json:
        emit({"partitions": done.partitions, "decisions": done.decisions})
        return
    show_table("Transformed", ["partitions", "decisions"], [[done.partitions, done.decisions]])


def train(
    through: Through = None,
    seed: Seed = 7,
    catalog: Catalog = None,
    report: ReportFile = None,
    as_json: Json = False,
) -> None:
    """Train every candidate, judge them on later days, and let the gate decide about the best."""
    if report:
        writable(report)
    prepare()
    with orchestrated(), progress_bars():
        from flows.cli.report import show_candidates, show_money, show_responses
        from flows.train import train as flow
        from training.mlflow.runs import REPORT
        from training.report.page import training_report

        outcome = flow(through.date() if through else None, seed, text_of(catalog))
    verdict = outcome.verdict
    if report:
        report.write_text(training_report(outcome), encoding="utf-8")
    copied = f", and {report}" if report else ""
    remark(f"The training report: {REPORT}, an artifact of MLflow run {outcome.run_id}{copied}")
    if as_json:
        emit(
            {
                "version": outcome.version,
                "run_id": outcome.run_id,
                "best": outcome.best,
                "promoted": verdict.promoted,
                "refusals": verdict.refusals,
                "scores": outcome.scores,
                "base_rate_log_loss": outcome.base_rate_log_loss,
                "money": outcome.gain and outcome.gain.as_record(),
                "price_response": [response.as_record() for response in outcome.responses],
            }
        )
    else:
        days = f"trained through {outcome.dataset.trained_through}, judged through {outcome.dataset.judged_through}"
        show_candidates(f"Candidates, {days}", outcome.scores)
        remark(f"Each product's own share of purchases has a log loss of {outcome.base_rate_log_loss:.5f} nats")
        conditions = [[c.name, c.met, c.found] for c in verdict.conditions]
        show_table(f"Gate for version {outcome.version}", ["condition", "met", "found"], conditions)
        if outcome.gain:
            show_money(outcome.gain, f"champion {outcome.champion.version}" if outcome.champion else "the base prices")
        if outcome.responses:
            show_responses(outcome.responses)
    if not verdict.promoted:
        raise Declined(f"version {outcome.version} was not promoted: {'; '.join(verdict.refusals)}; old prices hold")


def price(for_date: ForDate = None, catalog: Catalog = None, as_json: Json = False) -> None:
    """Turn the champion into the price book of a business date."""
    prepare()
    with orchestrated(), progress_bars():
        from flows.cli.report import price_rows, show_prices
        from flows.price import price as flow

        priced = flow(for_date.date() if for_date else None, text_of(catalog))
    book = priced.book
    if as_json:
        emit(
            {
                "made_for": f"{book.published_at:%Y-%m-%d}",
                "policy": book.policy,
                "model_version": book.model_version,
                "old_prices_hold": priced.old_prices_hold,
            }
        )
    else:
        title = f"Prices for {book.published_at:%Y-%m-%d}, {book.policy}, model version {book.model_version}, EUR"
        show_prices(price_rows(book), title)
    if priced.old_prices_hold:
        raise Declined(f"the book of {book.published_at:%Y-%m-%d} stands: {priced.old_prices_hold}")


def pipeline(
    start: Start = FIRST_DAY,
    days: Days = 14,
    explore_days: ExploreDays = 7,
    stores: Stores = None,
    seed: Seed = 7,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Run the whole loop: explore, then learn, price and sell night after night."""
    _run_loop(start.date(), days, explore_days, stores, seed, catalog)
    _report(as_json=as_json)


def demo(
    start: Start = FIRST_DAY,
    days: Days = 14,
    stores: Stores = None,
    seed: Seed = 7,
    catalog: Catalog = None,
    as_json: Json = False,
) -> None:
    """Play three stores for two weeks, learn from the first and sell the second from the price book."""
    _run_loop(start.date(), days, max(1, days // 2), stores, seed, catalog)
    _report(as_json=as_json)
    if not as_json:
        from flows.cli.report import where_to_look_next

        remark(where_to_look_next())


def _run_loop(start: dt.date, days: int, explore_days: int, stores: int | None, seed: int, catalog: Catalog) -> None:
    prepare()
    remark("Starting Prefect and MLflow ...")
    with orchestrated(), progress_bars():
        from flows.pipeline import pipeline as flow

        loop = flow(start, days, explore_days, stores, seed, text_of(catalog))
    for night in loop.remarks:
        remark(night)


def _report(*, as_json: bool) -> None:
    from flows.cli.report import loop_report, show_report

    report = loop_report()
    if as_json:
        emit(report)
    else:
        show_report(report)
