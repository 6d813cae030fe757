"""One harness for every experiment: a world, the sellers in it, and a score for each.

An experiment is cut into *parts*, one world and seed each. A part carries all that it needs and knows of no other, so
parts are played anywhere and in any order. What they found is kept in one way: rows in the lake, a study in MLflow.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pyarrow as pa

from catalog.spread import HERE, Job, Progress, Spread, silent
from catalog.table import Table
from warehouse.lake import Partition
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    from training.mlflow.experiments import Study

_R = TypeVar("_R")
_R_co = TypeVar("_R_co", covariant=True)


class ExperimentPart(Job, Protocol[_R_co]):
    """One world and seed of an experiment."""

    def play(self) -> _R_co:
        """Let every seller meet the world, and return their scores."""
        ...


def play_part(part: ExperimentPart[_R]) -> _R:
    """Play one part, wherever there is room for it."""
    return part.play()


def play_parts(
    parts: Sequence[ExperimentPart[_R]], stage: str, spread: Spread = HERE, progress: Progress = silent
) -> list[_R]:
    """Play all parts of a stage, and return what each found, in their order."""
    return spread(play_part, parts, partial(progress, stage))


def keep(
    workspace: Workspace, question: object, tables: Sequence[tuple[Table, Sequence[Mapping[str, Any]]]], study: "Study"
) -> str:
    """Keep what was found in the lake and in MLflow, and return the MLflow run.

    Parameters
    ----------
    question
        Plain values that decide what is found. The same question asked again replaces its answer.
    tables
        Tables and their rows; the column that says when the experiment was made is filled in.
    """
    inputs, now = hashlib.sha256(repr(question).encode()).hexdigest(), dt.datetime.now(dt.UTC)
    for table, rows in tables:
        (made_at,) = (field.name for field in table.schema if pa.types.is_timestamp(field.type))
        filled = pa.Table.from_pylist([{**row, made_at: now} for row in rows], schema=table.schema)
        workspace.lake.publish(Partition(table.name, None, inputs[:16]), filled, inputs=inputs)
    from training.mlflow.experiments import log_study

    return log_study(workspace.settings, study)
