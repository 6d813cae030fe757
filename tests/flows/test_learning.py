"""A night's learning, with a real registry: interrupted before the gate, it goes on as if nothing had happened."""

import datetime as dt
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from catalog.settings import Settings
from flows import environment
from flows.environment import ready
from flows.nightly import learn
from flows.runs import registry_of
from flows.workspace import open_workspace
from training.evening import Evening
from training.schedule import Due, is_done, recorded, why_due

NEWEST = dt.date(2026, 1, 6)


def test_killed_before_the_gate_it_takes_its_version_again_and_then_nothing_is_due(
    empty_home: Path, sell_two_days: Callable[[Path], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    sell_two_days(empty_home)
    workspace = open_workspace(None)
    registry = registry_of(workspace)
    assert why_due(Evening(workspace, registry, NEWEST - dt.timedelta(days=1))) == Due(None)
    assert why_due(Evening(workspace, registry, NEWEST)) == Due("nothing was learned yet")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with ready():
        with monkeypatch.context() as patched:
            patched.setattr("training.fit.session.gate_input", die)
            with pytest.raises(KeyboardInterrupt):
                learn(NEWEST)
        assert not is_done(workspace.lake, NEWEST)
        night = learn(NEWEST)
        assert night.judged_version == "1"
        assert is_done(workspace.lake, NEWEST)
        assert why_due(Evening(workspace, registry, NEWEST)) == Due(None)
        book = workspace.lake.root / "booked_prices"
        before = {path: path.read_bytes() for path in book.rglob("*.parquet")}
        again = learn(NEWEST)
    assert again == recorded(workspace.lake, NEWEST)
    assert (again.outcome, again.promoted) == (night.outcome, night.promoted)
    assert night.promoted == (registry.state().champion == "1")
    assert {path: path.read_bytes() for path in book.rglob("*.parquet")} == before


def test_what_skops_looks_for_in_all_modules_is_imported_before_prefect(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported: list[str] = []
    monkeypatch.setattr(environment, "import_module", lambda name: (imported.append(name), import_module(name))[1])
    with ready("flows.nightly", uses_registry=False):
        assert imported[:2] == ["scipy.special", "flows.nightly"]
