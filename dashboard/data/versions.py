"""Judged model versions as the pages show them, and what the gate said of each, in words."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from catalog.metrics import METRICS, Metric
from catalog.names import Outcome, outcome_of

Status = Literal["champion", "was champion", "waits", "refused"]

_BY_NAME = {metric.name: metric for metric in METRICS}


@dataclass(frozen=True)
class AskedByGate:
    """One condition of the gate, whether it was met, and what was found."""

    name: str
    met: bool
    found: str


@dataclass(frozen=True)
class Version:
    """One judged version.

    Attributes
    ----------
    number, candidate
        Version in the registry, and the model family it belongs to.
    run_id, training_run_id
        MLflow runs of the model and of the training it won; the training's run holds the report.
    metrics, candidates
        Judged metrics, and those of every candidate of its training, by name.
    promoted, was_champion
        Whether the gate made it champion, and whether it ever was, by the gate or by a person.
    conditions
        What the gate asked.
    money
        Estimated gain of its prices, as the gate saw it; None without an estimate.
    context
        What its training found about the context, as `model_versions` keeps it; None where nobody looked at it.
    """

    number: str
    candidate: str
    run_id: str
    training_run_id: str
    trained_through: dt.date
    judged_through: dt.date
    metrics: dict[str, float]
    candidates: dict[str, dict[str, float]]
    promoted: bool
    is_champion: bool
    was_champion: bool
    conditions: tuple[AskedByGate, ...]
    money: dict[str, Any] | None
    decided_at: dt.datetime
    context: dict[str, Any] | None = None

    @property
    def outcome(self) -> Outcome:
        """What the gate said: `promoted`, `waits` or `refused`."""
        if self.promoted:
            return "promoted"
        unmet = [condition.name for condition in self.conditions if not condition.met]
        return "waits" if outcome_of(unmet) == "waits" else "refused"

    @property
    def sentence(self) -> str:
        """What the gate said and what followed, as a sentence without its full stop."""
        if self.outcome == "promoted":
            return f"all {len(self.conditions)} conditions are met; version {self.number} became champion"
        unmet = sum(not condition.met for condition in self.conditions)
        few = "one condition is not met" if unmet == 1 else f"{unmet} conditions are not met"
        if self.outcome == "waits":
            return f"{few}: version {self.number} is sound but not shown to be better, so it waits"
        return f"{few}, so version {self.number} was refused"

    @property
    def status(self) -> Status:
        """Where the version stands: champion now, champion once, or why it never was."""
        if self.is_champion:
            return "champion"
        if self.was_champion or self.outcome == "promoted":
            return "was champion"
        return self.outcome


def versions_of(rows: pd.DataFrame) -> tuple[Version, ...]:
    """Return the versions, the newest first, from rows of the query `judged_versions`."""
    return tuple(_version(row) for row in rows.to_dict(orient="records"))


def champion_of(versions: Sequence[Version]) -> Version | None:
    """Return the champion, or None when no version was promoted."""
    return next((version for version in versions if version.is_champion), None)


def metrics_of(versions: Sequence[Version]) -> tuple[Metric, ...]:
    """Return every metric that a version was judged by: the known ones in their order, then the others."""
    named = dict.fromkeys(name for version in versions for name in version.metrics)
    known = tuple(metric for metric in METRICS if metric.name in named)
    others = (Metric(name, name.replace("_", " ").capitalize(), None, "") for name in named if name not in _BY_NAME)
    return (*known, *others)


def _version(row: dict[Any, Any]) -> Version:
    money, context = row.get("money"), row.get("context")
    return Version(
        number=str(row["version"]),
        candidate=str(row["candidate"]),
        run_id=str(row["run_id"]),
        training_run_id=str(row["training_run_id"]),
        trained_through=pd.Timestamp(row["trained_through"]).date(),
        judged_through=pd.Timestamp(row["judged_through"]).date(),
        metrics=json.loads(row["metrics"]),
        candidates=json.loads(row["candidates"]),
        promoted=bool(row["promoted"]),
        is_champion=bool(row["is_champion"]),
        was_champion=bool(row["is_or_was_champion"]),
        conditions=tuple(
            AskedByGate(str(reason["condition"]), bool(reason["met"]), str(reason["found"]))
            for reason in json.loads(row["reasons"])
        ),
        money=json.loads(money) if isinstance(money, str) else None,
        decided_at=pd.Timestamp(row["decided_at"]).to_pydatetime(),
        context=json.loads(context) if isinstance(context, str) else None,
    )
