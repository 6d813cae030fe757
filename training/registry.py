"""Where models are logged, registered and made champion, as training asks for it.

MLflow is the registry of every store (`training.mlflow.registry`). Evaluation plays whole learners in many worlds and
keeps their models in memory, behind the same protocol: so what it measures is the product.
"""

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from catalog.currency import Currency
from catalog.metrics import heard_in_words
from serving.champion import Champion
from training.fit.candidates import FittedCandidate, FittedModel
from training.fit.dataset import Dataset
from training.judge.believed_gain import BelievedGain
from training.judge.conditions import Condition
from training.judge.gate import Verdict

Scores = Mapping[str, Mapping[str, float]]
"""Metrics of every candidate by name, as `training.judge.scores.judge` gives them."""


@dataclass(frozen=True)
class LoggedModel:
    """Where the best candidate was logged: its run, the training's, and the model's id and the place of its files.

    `sha256` is the fingerprint of these files; None where there are none.
    """

    run_id: str
    training_run_id: str
    model_id: str
    location: str
    sha256: str | None = None


@dataclass(frozen=True)
class RegistryState:
    """Who is champion in the registry, and the number of the newest recorded change that it has followed, or 0."""

    champion: str | None
    change: int


@dataclass(frozen=True)
class JudgedVersion:
    """A judged version, as its row of `model_versions` has it.

    `money` holds the believed gain as `believed`, and the figures of plugins by their names; `said` is what came of the
    training, in a sentence. `trained_before` says that an equal training was asked for and nothing was trained anew.
    """

    version: str
    candidate: str
    training_run_id: str
    trained_since: dt.date | None
    trained_through: dt.date
    judged_through: dt.date
    said: str | None
    verdict: Verdict
    scores: Scores
    money: dict[str, Any]
    trained_before: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "JudgedVersion":
        """Read a row."""
        kept = "version candidate training_run_id trained_since trained_through judged_through said"
        reasons = json.loads(row["reasons"])
        return cls(
            **{name: row[name] for name in kept.split()},
            verdict=Verdict(tuple(Condition(asks["condition"], asks["met"], asks["found"]) for asks in reasons)),
            scores=json.loads(row["candidates"]),
            money=json.loads(row["money"] or "{}"),
        )

    @property
    def gain(self) -> BelievedGain | None:
        """The expected gain of its prices; None where they could not be made."""
        return BelievedGain(**self.money["believed"]) if self.money else None

    @property
    def opinions(self) -> list[str]:
        """What plugins say of its prices, a sentence each."""
        return [figures["note"] for name, figures in self.money.items() if name != "believed"]

    @property
    def note(self) -> str:
        """What it is, what it learned from, and the gate's verdict with every condition, as Markdown."""
        since = f"from {self.trained_since} " if self.trained_since else ""
        first = (
            f"{self.candidate}, fitted on days {since}through {self.trained_through}, judged on those through "
            f"{self.judged_through}, {'promoted' if self.verdict.promoted else 'not promoted'}."
        )
        conditions = (f"- {'met' if c.met else '**not met**'}: {c.name} ({c.found})" for c in self.verdict.conditions)
        heard = heard_in_words(self.scores.get(self.candidate, {}))
        said = [*(f"{opinion}." for opinion in self.opinions), *([heard] if heard else [])]
        return "\n\n".join([first, *said, "\n".join(conditions)])


class TrainingLog(Protocol):
    """The log of one training."""

    @property
    def run_id(self) -> str:
        """Identifier of the training's run."""
        ...

    def log(
        self, fitted: Sequence[FittedCandidate], best: FittedCandidate, scores: Scores, money: Currency
    ) -> LoggedModel:
        """Log what each candidate was and how it scored, and of the best one its model and figures."""
        ...

    def check_load(self, logged: LoggedModel, best: FittedCandidate) -> Condition:
        """Load a logged model as serving will, and compare its answers on the held-out cells."""
        ...


class ModelRegistry(Protocol):
    """The models of a store. Whatever cannot be reached raises ModelError."""

    def load(self, version: str | None = None) -> Champion | None:
        """Return the champion, or the version asked for; None when there is none."""
        ...

    def state(self) -> RegistryState:
        """Return who is champion, and which change was followed."""
        ...

    def knows(self, version: str) -> bool:
        """Return whether a version is registered."""
        ...

    def follow(self, version: str, change: int, rolled_back: tuple[str, str] | None = None) -> None:
        """Make a version champion and, last, note which recorded change that follows.

        `rolled_back` is the version that was rolled back and why, which is noted on it.
        """
        ...

    def training(self, dataset: Dataset, seed: int) -> AbstractContextManager[TrainingLog]:
        """Open the log of one training."""
        ...

    def register(
        self,
        best: LoggedModel,
        fitted: FittedModel,
        scores: Mapping[str, float],
        inputs: str,
        judged_before: Collection[str],
    ) -> str:
        """Register a logged model as the newest version and return the version.

        A training that was interrupted leaves a version that is not among those `judged_before`, which the lake has
        rows of: one from the same `inputs` takes that version again.
        """
        ...

    def sha256_of(self, version: str) -> str | None:
        """Return the fingerprint of a version's files as they were logged; None where nobody noted it."""
        ...

    def conclude(self, logged: LoggedModel, judged: JudgedVersion, rival: str) -> None:
        """Write on a training and its version what came of it; `rival` is whose prices it was judged against."""
        ...
