"""Train once from the same inputs: a version that was learned from them stands, and nothing is trained anew."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from training.champion_change import catch_up
from training.dataset import Dataset
from training.fit_candidates import FittingJob
from training.learning_days import learning_days
from training.registry import ModelRegistry
from training.result import TrainingResult
from training.run_context import PLAINLY, RunContext
from training.session import LEARNING, inputs_of, train_on
from warehouse.locks import waited_for
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class KnownVersion:
    """A judged version, as its row of `model_versions` tells of it; JSON is read.

    Attributes
    ----------
    refusals
        Conditions of the gate that are not met, with what was found.
    said
        What came of its training, in a sentence; None where nobody wrote that down.
    """

    version: str
    candidate: str
    training_run_id: str
    judged_through: dt.date
    promoted: bool
    refusals: tuple[str, ...]
    scores: dict[str, Any]
    money: dict[str, Any] | None
    said: str | None


def train_once(
    workspace: Workspace,
    registry: ModelRegistry,
    through: dt.date,
    seed: int,
    since: dt.date | None = None,
    means: RunContext = PLAINLY,
    *,
    again: bool = False,
) -> TrainingResult | KnownVersion:
    """Train as `session.train` does, alone in its lake, unless the same days, catalog and seed were learned from.

    Then the version stands, and the registry follows if a kill kept it from that. `again` trains all the same.

    Raises
    ------
    DataError
        When the data cannot teach anything; no model is registered.
    Declined
        When the champion was changed meanwhile; the version is registered and not promoted.
    """
    with waited_for(workspace.settings.locks, LEARNING):
        lesson = FittingJob(learning_days(workspace, through, since), through, since, seed)
        known = None if again else trained_before(workspace, lesson.dataset, seed)
        if known is None:
            return train_on(workspace, registry, lesson, means.progress, means.spread)
        catch_up(workspace, registry, known.judged_through + dt.timedelta(days=1))
        return known


def trained_before(workspace: Workspace, dataset: Dataset, seed: int) -> KnownVersion | None:
    """Return the newest version that was trained from exactly these days, catalog and seed; None without one."""
    inputs, lake = inputs_of(workspace, dataset, seed), workspace.lake
    parts = [part for part in lake.partitions("model_versions") if lake.is_current(part, inputs)]
    if not parts:
        return None
    row = max((lake.read(part).to_pylist()[0] for part in parts), key=lambda row: int(row["version"]))
    unmet = [reason for reason in json.loads(row["reasons"]) if not reason["met"]]
    return KnownVersion(
        version=row["version"],
        candidate=row["candidate"],
        training_run_id=row["training_run_id"],
        judged_through=row["judged_through"],
        promoted=row["promoted"],
        refusals=tuple(f"{reason['condition']}: {reason['found']}" for reason in unmet),
        scores=json.loads(row["candidates"]),
        money=json.loads(row["money"]) if row["money"] else None,
        said=row["said"],
    )
