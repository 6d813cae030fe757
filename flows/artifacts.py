"""Tables that a person finds beside a run in the Prefect UI."""

from collections.abc import Callable
from functools import singledispatch
from typing import Any, ParamSpec, TypeVar

from prefect.artifacts import create_table_artifact

from catalog.errors import Check
from flows.cli.tables import price_columns, price_rows
from flows.runs import as_task, is_in_a_run
from training.night import Priced
from training.result import TrainingResult

_P = ParamSpec("_P")
_R = TypeVar("_R")


def as_shown_task(step: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Run a step as `as_task` does, and show what it found beside the run."""
    result = as_task(step, *args, **kwargs)
    if is_in_a_run():
        show(result)
    return result


@singledispatch
def show(result: object) -> None:
    """Keep what a step found as a table beside its run; most results need none."""


@show.register
def _(result: TrainingResult) -> None:
    """Keep the candidates' scores and the gate's verdict."""
    verdict = result.verdict
    gate = "promoted" if verdict.promoted else "; ".join(verdict.refusals)
    rows: list[dict[str, Any]] = [
        {
            "candidate": name,
            **{metric: round(value, 4) for metric, value in own.items()},
            "gate": gate if name == result.best else "",
        }
        for name, own in result.scores.items()
    ]
    create_table_artifact(key="models", table=rows, description="Candidates, judged on the held-out days")


@show.register
def _(result: Priced) -> None:
    """Keep the prices at three stock levels, with the whole day left."""
    if result.old_prices_hold is None:
        rows = [dict(zip(price_columns(), row, strict=True)) for row in price_rows(result.book)]
        description = f"Prices for {result.book.published_at:%Y-%m-%d}"
        create_table_artifact(key="prices", table=rows, description=description)


def show_checks(checks: list[Check]) -> None:
    """Keep what a check-up found as a table."""
    create_table_artifact(key="health", table=[vars(check) for check in checks], description="How the store is")
