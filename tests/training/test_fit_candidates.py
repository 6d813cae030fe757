"""Candidates that are fitted elsewhere: the same models to the last bit, which travel as data, or none at all."""

import pickletools
import shutil
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest
from elsewhere import Elsewhere
from homes import SOLD_ON
from sklearn.linear_model import LogisticRegression

from catalog.errors import Declined, ModelError
from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from catalog.spread import HERE
from features.stored_model import classifier_as_data, classifier_from_data
from plugins.evaluation.memory_registry import MemoryRegistry
from training.evening import Evening, RunContext
from training.fit.dataset import learning_days
from training.fit.fit_candidates import CandidateToFit, FittedCandidate, FittingJob, fit_candidates, fit_one
from training.fit.session import train
from warehouse.lake import Lake
from warehouse.workspace import Workspace, whereabouts

pytestmark = pytest.mark.usefixtures("few_trees")

THROUGH = SOLD_ON[1]
SEED = 7


@pytest.fixture
def workspace(sell_two_days: Callable[[Path], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Two days were sold."""
    settings = sell_two_days(tmp_path / "home")
    monkeypatch.setenv("SHELFPRICE_HOME", str(settings.home))
    return Workspace(settings, load(CLASSIC), Lake(settings))


@pytest.fixture
def lesson(workspace: Workspace) -> FittingJob:
    return FittingJob(learning_days(workspace, THROUGH, None), THROUGH, None, SEED)


@pytest.fixture
def sent(workspace: Workspace, lesson: FittingJob) -> FittedCandidate:
    """A fitted candidate."""
    meant = lesson.dataset.fingerprint
    return fit_one(CandidateToFit(whereabouts(workspace, HERE), "demand_forest", THROUGH, None, SEED, meant))


def trees_of(own: FittedCandidate) -> list[tuple[bytes, ...]]:
    trees = [tree.tree_ for tree in own.fitted.model.estimators_]  # type: ignore[attr-defined]
    return [(one.threshold.tobytes(), one.feature.tobytes(), one.value.tobytes()) for one in trees]


def test_candidates_are_the_same_to_the_last_bit_wherever_they_are_fitted(
    workspace: Workspace, lesson: FittingJob
) -> None:
    told = list[tuple[int, int]]()
    here = fit_candidates(workspace, lesson)
    away = fit_candidates(workspace, lesson, Elsewhere(), lambda _, done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    for ours, theirs in zip(here, away, strict=True):
        assert trees_of(ours) == trees_of(theirs)
        assert replace(ours.fitted, model=None) == replace(theirs.fitted, model=None)  # type: ignore[arg-type]
        assert np.array_equal(ours.p_sale, theirs.p_sale)
        assert np.array_equal(ours.p_training, theirs.p_training)
        assert np.array_equal(theirs.fitted.p_sale(lesson.dataset.holdout), ours.p_sale)


def test_a_training_finds_the_same_wherever_its_candidates_are_fitted(workspace: Workspace, tmp_path: Path) -> None:
    shutil.copytree(workspace.settings.home, tmp_path / "again")
    again = read_settings({"SHELFPRICE_HOME": str(tmp_path / "again")})
    found = [
        train(
            Evening(Workspace(own, load(CLASSIC), Lake(own)), MemoryRegistry(), THROUGH, SEED, RunContext(spread=how))
        )
        for own, how in ((again, HERE), (workspace.settings, Elsewhere()))
    ]
    assert found[0].scores == found[1].scores
    assert found[0].verdict == found[1].verdict


def test_a_model_travels_as_data_and_never_as_a_pickle(sent: FittedCandidate) -> None:
    named = [
        str(value) for _, value, _ in pickletools.genops(bytes(ForkingPickler.dumps(sent))) if isinstance(value, str)
    ]
    assert not [name for name in named if "sklearn" in name]
    again = ForkingPickler.loads(ForkingPickler.dumps(sent))
    assert trees_of(again) == trees_of(sent)


def test_a_model_that_holds_another_type_than_a_model_may_is_not_loaded() -> None:
    odd = LogisticRegression()
    odd.surprise = Path("x")
    with pytest.raises(ModelError, match=r"holds the untrusted type pathlib.*; it was not loaded"):
        classifier_from_data(classifier_as_data(odd))


def test_nothing_is_fitted_on_other_days_than_were_meant(workspace: Workspace, lesson: FittingJob) -> None:
    other = replace(lesson, dataset=replace(lesson.dataset, fingerprint="of days that were transformed anew"))
    with pytest.raises(Declined, match=rf"balanced_forest through {THROUGH}: the days to learn from changed"):
        fit_candidates(workspace, other, Elsewhere())


def test_neither_days_nor_settings_travel_to_other_machines(workspace: Workspace, lesson: FittingJob) -> None:
    where, meant = whereabouts(workspace, Elsewhere()), lesson.dataset.fingerprint
    job = CandidateToFit(where, "demand_forest", THROUGH, None, SEED, meant, at_hand=lesson.dataset)
    assert job.where.settings is None
    assert job.__getstate__()["at_hand"] is None
