"""Forests of few trees, for tests that ask where and when models are trained, and not how well they predict."""

from dataclasses import replace

import pytest


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let candidates that are trained in this process have a tenth of their trees."""
    from training.fit import candidates

    smaller = tuple(replace(own, parameters=own.parameters | {"n_estimators": 10}) for own in candidates.CANDIDATES)
    monkeypatch.setattr(candidates, "CANDIDATES", smaller)
    monkeypatch.setattr(candidates, "_FOLD_TREES", 5)
