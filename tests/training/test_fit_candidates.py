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
from features.stored_model import model_as_data, model_from_data
from plugins.evaluation.memory_registry import MemoryRegistry
from training.evening import PLAINLY, Evening, RunContext
from training.fit.candidates import FittedCandidate
from training.fit.dataset import Dataset, learning_days
from training.fit.session import CandidateToFit, fit_candidates, fit_one, train
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
def days(workspace: Workspace) -> Dataset:
    return learning_days(workspace, THROUGH, None)


def evening_of(workspace: Workspace, means: RunContext = PLAINLY) -> Evening:
    return Evening(workspace, MemoryRegistry(), THROUGH, SEED, means)


@pytest.fixture
def sent(workspace: Workspace, days: Dataset) -> FittedCandidate:
    """A fitted candidate."""
    where = whereabouts(workspace, HERE)
    return fit_one(CandidateToFit(where, "demand_forest", THROUGH, None, SEED, days.fingerprint))


def trees_of(own: FittedCandidate) -> list[tuple[bytes, ...]]:
    trees = [tree.tree_ for tree in own.fitted.model.estimators_]  # type: ignore[attr-defined]
    return [(one.threshold.tobytes(), one.feature.tobytes(), one.value.tobytes()) for one in trees]


def test_candidates_are_the_same_to_the_last_bit_wherever_they_are_fitted(workspace: Workspace, days: Dataset) -> None:
    told = list[tuple[int, int]]()
    here = fit_candidates(evening_of(workspace), days)
    means = RunContext(spread=Elsewhere(), progress=lambda _, done, total: told.append((done, total)))
    away = fit_candidates(evening_of(workspace, means), days)
    assert told == [(1, 3), (2, 3), (3, 3)]
    for ours, theirs in zip(here, away, strict=True):
        assert trees_of(ours) == trees_of(theirs)
        assert replace(ours.fitted, model=None) == replace(theirs.fitted, model=None)  # type: ignore[arg-type]
        assert np.array_equal(ours.p_sale, theirs.p_sale)
        assert ours.threshold == theirs.threshold
        assert np.array_equal(theirs.fitted.p_sale(days.holdout), ours.p_sale)


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
        model_from_data(model_as_data(odd))


def test_nothing_is_fitted_on_other_days_than_were_meant(workspace: Workspace, days: Dataset) -> None:
    other = replace(days, fingerprint="of days that were transformed anew")
    with pytest.raises(Declined, match=rf"balanced_forest through {THROUGH}: the days to learn from changed"):
        fit_candidates(evening_of(workspace, RunContext(spread=Elsewhere())), other)


def test_neither_days_nor_settings_travel_to_other_machines(workspace: Workspace, days: Dataset) -> None:
    where = whereabouts(workspace, Elsewhere())
    job = CandidateToFit(where, "demand_forest", THROUGH, None, SEED, days.fingerprint, at_hand=days)
    assert job.where.settings is None
    assert job.__getstate__()["at_hand"] is None
