"""The command that trains candidates and lets the gate decide."""

from collections.abc import Sequence
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

Again = Annotated[bool, typer.Option("--again", help="Train once more from days that were learned from before.")]


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
    prepare()
    with orchestrated(), progress_bars():
        from flows.train import train as flow
        from training.report.page import training_report
        from training.train_once import KnownVersion

        outcome = flow(date_of(through), seed, folder, again=again)
        if isinstance(outcome, KnownVersion):
            page = _kept_report(outcome.training_run_id) if report else ""
        else:
            page = training_report(outcome) if report else ""
    if report:
        report.write_text(page, encoding="utf-8")
    copied = f", and {report}" if report else ""
    if isinstance(outcome, KnownVersion):
        _tell_known(outcome, copied, as_json=as_json)
        _refuse_unpromoted(outcome.version, outcome.refusals, promoted=outcome.promoted)
    else:
        _tell(outcome, copied, as_json=as_json)
        _refuse_unpromoted(outcome.version, outcome.verdict.refusals, promoted=outcome.verdict.promoted)


def _refuse_unpromoted(version: str, refusals: Sequence[str], *, promoted: bool) -> None:
    if not promoted:
        raise Declined(f"version {version} was not promoted: {'; '.join(refusals)}; the old prices stay in force")


def _kept_report(run_id: str) -> str:
    from catalog.settings import read_settings
    from training.mlflow.runs import kept_report

    return kept_report(read_settings(), run_id)


def _tell_report(run_id: str, copied: str) -> None:
    remark(f"The training report: {TRAINING_REPORT}, an artifact of MLflow run {run_id}{copied}")


def _tell_known(known: Any, copied: str, *, as_json: bool) -> None:
    from flows.cli.training_tables import show_candidates

    _tell_report(known.training_run_id, copied)
    remark(
        f"Version {known.version} was trained from exactly these days before, so nothing was trained anew; --again "
        "trains once more"
    )
    if known.said:
        remark(known.said)
    if as_json:
        emit(_known_as_json(known))
    else:
        show_candidates(f"Candidates, judged through {known.judged_through}", known.scores)


def _tell(outcome: Any, copied: str, *, as_json: bool) -> None:
    _tell_report(outcome.run_id, copied)
    if as_json:
        emit(_as_json(outcome))
    else:
        _show(outcome)


def _known_as_json(known: Any) -> dict[str, Any]:
    return {
        "version": known.version,
        "run_id": known.training_run_id,
        "best": known.candidate,
        "promoted": known.promoted,
        "refusals": known.refusals,
        "scores": known.scores,
        "money": known.money,
        "price_response": known.price_response,
        "trained_before": True,
    }


def _as_json(outcome: Any) -> dict[str, Any]:
    return {
        "trained_before": False,
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
    from catalog.settings import read_settings
    from flows.cli.training_tables import show_candidates, show_gain, show_responses
    from warehouse.lake import Lake
    from warehouse.money import money_of

    days = f"trained through {outcome.dataset.trained_through}, judged through {outcome.dataset.judged_through}"
    show_candidates(f"Candidates, {days}", outcome.scores)
    remark(f"Predicting each product's own share of purchases has a log loss of {outcome.base_rate_log_loss:.5f} nats")
    conditions = [[one.name, one.met, one.found] for one in outcome.verdict.conditions]
    show_table(f"Gate for version {outcome.version}", ["condition", "met", "found"], conditions)
    if outcome.gain:
        show_gain(outcome.gain, outcome.rival, money_of(Lake(read_settings())))
    if outcome.responses:
        show_responses(outcome.responses)
