"""Fit the candidates of a training wherever there is room: each is a job.

What must hold: whoever fits reads the days from the lake, and fits only if they are those that were meant. A model
travels as data in skops format, as it is kept, and never as a pickle; its answers are the same to the last bit.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from catalog.arrays import Floats
from catalog.errors import Declined
from catalog.spread import HERE, Progress, Spread, silent
from features.stored_model import classifier_as_data, classifier_from_data
from training.fit.candidates import CANDIDATES, FittedModel, fit
from training.fit.dataset import Dataset, learning_days
from warehouse.workspace import Whereabouts, Workspace, whereabouts


@dataclass(frozen=True)
class FittingJob:
    """What a training learns from: its days, how they are read from the lake, and the seed."""

    dataset: Dataset
    through: dt.date
    since: dt.date | None
    seed: int


@dataclass(frozen=True)
class CandidateToFit:
    """A candidate, by its name, and the days that it is to be fitted on.

    Attributes
    ----------
    through, since
        As `learning_days` takes them.
    fingerprint
        Of the days that are meant.
    at_hand
        The days, for those who fit in this process; they do not travel.
    """

    where: Whereabouts
    candidate: str
    through: dt.date
    since: dt.date | None
    seed: int
    fingerprint: str
    at_hand: Dataset | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Name of the candidate, and the last of its days."""
        return f"{self.candidate} through {self.through}"

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "at_hand": None}


@dataclass(frozen=True)
class FittedCandidate:
    """A fitted candidate, and its chance of sale in each held-out and each training cell, shape (n_cells,).

    `scores` are its metrics on the held-out days, once it was judged.
    """

    fitted: FittedModel
    p_sale: Floats
    p_training: Floats
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the candidate."""
        return self.fitted.candidate.name

    def __getstate__(self) -> dict[str, Any]:
        own = vars(self.fitted)
        return {**vars(self), "fitted": {**own, "model": classifier_as_data(own["model"])}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        sent = state["fitted"]
        fitted = FittedModel(**{**sent, "model": classifier_from_data(sent["model"])})
        vars(self).update(state, fitted=fitted)


def fit_candidates(
    workspace: Workspace, lesson: FittingJob, spread: Spread = HERE, progress: Progress = silent
) -> list[FittedCandidate]:
    """Fit every candidate, on other machines or in this process alone: a forest uses several cores of one machine.

    Raises
    ------
    DataError
        When the days hold one outcome only.
    Declined
        When the days in the lake are others by now.
    """
    spread = spread if spread.is_elsewhere else HERE
    where, dataset = whereabouts(workspace, spread), lesson.dataset
    jobs = [
        CandidateToFit(
            where, candidate.name, lesson.through, lesson.since, lesson.seed, dataset.fingerprint, at_hand=dataset
        )
        for candidate in CANDIDATES
    ]
    return spread(fit_one, jobs, partial(progress, "training candidates"))


def fit_one(job: CandidateToFit) -> FittedCandidate:
    """Fit one candidate.

    Raises
    ------
    Declined
        When the days in the lake are not those that were meant.
    """
    dataset = job.at_hand or learning_days(job.where.opened(), job.through, job.since)
    if dataset.fingerprint != job.fingerprint:
        raise Declined(
            f"{job.name}: the days to learn from changed while candidates were sent out; nothing was trained: run the "
            "same command again"
        )
    candidate = next(own for own in CANDIDATES if own.name == job.candidate)
    fitted = fit(candidate, dataset, job.seed)
    return FittedCandidate(fitted, fitted.p_sale(dataset.holdout), fitted.p_sale(dataset.training))
