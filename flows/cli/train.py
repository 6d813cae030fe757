"""The command that trains candidates and lets the gate decide."""

from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.errors import Declined
from catalog.names import TRAINING_REPORT
from flows.cli.console import emit, progress_bars, remark, show_table
from flows.cli.options import Catalog, Json, Seed, Through, date_of, refuse_unwritable, text_of
from flows.cli.refusals import refuse_without_cells
from flows.environment import orchestrated, prepare

ReportFile = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Also write the training report, an HTML page, to this file."),
]


def train(
    through: Through = None,
    seed: Seed = 7,
    catalog: Catalog = None,
    report: ReportFile = None,
    as_json: Json = False,
) -> None:
    """Train every candidate, judge them on later days, and let the gate decide about the best.

    For example:
      shelfprice train --report report.html
    """
    if report:
        refuse_unwritable(report)
    folder = text_of(catalog)
    refuse_without_cells()
    prepare()
    with orchestrated(), progress_bars():
        from flows.train import train as flow
        from training.report.page import training_report

        outcome = flow(date_of(through), seed, folder)
    verdict = outcome.verdict
    if report:
        report.write_text(training_report(outcome), encoding="utf-8")
    copied = f", and {report}" if report else ""
    remark(f"The training report: {TRAINING_REPORT}, an artifact of MLflow run {outcome.run_id}{copied}")
    if as_json:
        emit(_as_json(outcome))
    else:
        _show(outcome)
    if not verdict.promoted:
        raise Declined(
            f"version {outcome.version} was not promoted: {'; '.join(verdict.refusals)}; the old prices stay in force"
        )


def _as_json(outcome: Any) -> dict[str, Any]:
    return {
        "version": outcome.version,
        "run_id": outcome.run_id,
        "best": outcome.best,
        "promoted": outcome.verdict.promoted,
        "refusals": outcome.verdict.refusals,
        "scores": outcome.scores,
        "base_rate_log_loss": outcome.base_rate_log_loss,
        "money": outcome.gain and outcome.gain.as_record(),
        "price_response": [response.as_record() for response in outcome.responses],
    }


def _show(outcome: Any) -> None:
    from flows.cli.training_tables import show_candidates, show_gain, show_responses

    days = f"trained through {outcome.dataset.trained_through}, judged through {outcome.dataset.judged_through}"
    show_candidates(f"Candidates, {days}", outcome.scores)
    remark(f"Predicting each product's own share of purchases has a log loss of {outcome.base_rate_log_loss:.5f} nats")
    conditions = [[one.name, one.met, one.found] for one in outcome.verdict.conditions]
    show_table(f"Gate for version {outcome.version}", ["condition", "met", "found"], conditions)
    if outcome.gain:
        show_gain(outcome.gain, outcome.rival)
    if outcome.responses:
        show_responses(outcome.responses)
