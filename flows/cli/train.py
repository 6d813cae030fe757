"""The command that trains candidates and lets the gate decide."""

from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.errors import Declined
from catalog.names import TRAINING_REPORT
from catalog.settings import read_settings
from flows.cli.command import command
from flows.cli.console import emit, remark, show_table
from flows.cli.failures import refuse_without_cells
from flows.cli.options import Catalog, Json, Seed, Through, date_of, refuse_unwritable, text_of

ReportFile = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Also write the training report, an HTML page, to this file."),
]

Again = Annotated[bool, typer.Option("--again", help="Train once more from days that were learned from before.")]


@command(
    when_stopped="stopped; prices stay as they are: run the same command again to train anew",
    flow="flows.train",
    uses_registry=True,
    is_spread=True,
)
def train(
    through: Through = None,
    seed: Seed = 7,
    catalog: Catalog = None,
    report: ReportFile = None,
    again: Again = False,
    as_json: Json = False,
) -> None:
    """Train every candidate, judge them on later days, and let the gate decide about the best.

    From the same days, catalog and seed comes the same model, so it is not trained twice: after a kill the same command
    goes on.

    For example:
      shelfprice train --report report.html
    """
    if report:
        refuse_unwritable(report)
    folder = text_of(catalog)
    refuse_without_cells()
    with train.working():
        from flows.train import train as flow
        from training.mlflow.runs import kept_report
        from training.report.page import training_report
        from training.train_once import KnownVersion
        from warehouse.services import trainings_page

        outcome: Any = flow(date_of(through), seed, folder, again=again)
        is_known = isinstance(outcome, KnownVersion)
        if report:
            page = kept_report(read_settings(), outcome.training_run_id) if is_known else training_report(outcome)
            report.write_text(page, encoding="utf-8")
    record = _record(outcome, is_known=is_known)
    copied = f", and {report}" if report else ""
    if trainings := trainings_page(read_settings()):
        remark(f"Every training: {trainings}")
    remark(f"The training report: {TRAINING_REPORT}, an artifact of MLflow run {record['run_id']}{copied}")
    if is_known:
        remark(
            f"Version {outcome.version} was trained from exactly these days before, so nothing was trained anew; "
            "--again trains once more"
        )
        if outcome.said:
            remark(outcome.said)
    if as_json:
        emit(record)
    elif is_known:
        from flows.cli.tables import show_candidates

        show_candidates(f"Candidates, judged through {outcome.judged_through}", outcome.scores)
    else:
        _show(outcome)
    if not record["promoted"]:
        refusals = "; ".join(record["refusals"])
        raise Declined(f"version {record['version']} was not promoted: {refusals}; the old prices stay in force")


def _record(outcome: Any, *, is_known: bool) -> dict[str, Any]:
    """Return what was found as JSON takes it, of a training or of a version that was trained before."""
    verdict = outcome if is_known else outcome.verdict
    record = {
        "trained_before": is_known,
        "version": outcome.version,
        "run_id": outcome.training_run_id if is_known else outcome.run_id,
        "best": outcome.candidate if is_known else outcome.best,
        "promoted": verdict.promoted,
        "refusals": verdict.refusals,
        "scores": outcome.scores,
    }
    if is_known:
        return record | {"money": outcome.money}
    return record | {
        "base_rate_log_loss": outcome.base_rate_log_loss,
        "money": outcome.gain and outcome.gain.as_record(),
    }


def _show(outcome: Any) -> None:
    from flows.cli.tables import show_candidates, show_gain
    from warehouse.lake import Lake
    from warehouse.sold import money_of

    days = f"trained through {outcome.dataset.trained_through}, judged through {outcome.dataset.judged_through}"
    show_candidates(f"Candidates, {days}", outcome.scores)
    remark(f"Predicting each product's own share of purchases has a log loss of {outcome.base_rate_log_loss:.5f} nats")
    conditions = [[one.name, one.met, one.found] for one in outcome.verdict.conditions]
    show_table(f"Gate for version {outcome.version}", ["condition", "met", "found"], conditions)
    if outcome.gain:
        show_gain(outcome.gain, outcome.rival, money_of(Lake(read_settings())))
