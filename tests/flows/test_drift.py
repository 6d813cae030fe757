"""A loop that was played, demand that falls the day after it, and what watching and learning make of that."""

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from once_a_run import copy_home, living_in, without_heartbeats

from catalog.errors import DataError
from catalog.load import CLASSIC
from catalog.settings import Settings
from flows import nightly as drift
from flows.nightly import DRIFT_DETECTED, train
from flows.pipeline import simulate, transform
from flows.runs import registry_of
from flows.workspace import open_workspace
from plugins.operations.checks import drift as watch
from plugins.operations.checks.drift import Watched, check_champion, publish_checks
from serving.champion import load_champion
from training import night
from training.evening import Evening
from warehouse.lake import Lake
from warehouse.query.connection import read_only

Loop = Any  # the record of the fixture played_loop
SKUS = {"MILK", "BREAD", "EGGS", "CHEESE", "MEAT"}


@dataclass(frozen=True)
class Drifted:
    """A home of its own with the played loop and two days on which everyone has a third less."""

    settings: Settings
    quiet: tuple[dt.date, ...]
    shifted: tuple[dt.date, dt.date]


@pytest.fixture(scope="module")
def drifted_home(played_loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Drifted:
    home = tmp_path_factory.mktemp("drifted")
    settings = copy_home(played_loop.settings.home, home)
    first = played_loop.dates[-1] + dt.timedelta(days=1)
    last = first + dt.timedelta(days=1)
    shelf = tmp_path_factory.mktemp("shelf")
    shutil.copy(CLASSIC / "products.yaml", shelf)
    store = (CLASSIC / "store.yaml").read_text(encoding="utf-8")
    shock = f"shocks: [{{business_date: {first}, through: {last}, budget_shift: -0.3}}]"
    (shelf / "store.yaml").write_text(store.replace("shocks: []", shock), encoding="utf-8")
    with living_in(home), without_heartbeats():
        simulate(first, 2, 6, 7, None, str(shelf))
        transform(str(shelf))
    return Drifted(settings, played_loop.dates, (first, last))


@pytest.fixture
def drifted(drifted_home: Drifted, tmp_path: Path) -> Iterator[Drifted]:
    """Live in a copy, in which nobody has looked for drift yet."""
    settings = copy_home(drifted_home.settings.home, tmp_path / "drifted")
    with living_in(settings.home):
        yield replace(drifted_home, settings=settings)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    emitted: list[dict[str, Any]] = []
    monkeypatch.setattr(drift, "emit_event", lambda **event: emitted.append(event))
    return emitted


def watch_drift(through: dt.date) -> Watched:
    """Check the champion as a night does."""
    workspace = open_workspace(None)
    champion = registry_of(workspace).load()
    assert champion is not None
    watched = watch.watch_drift(workspace, champion, through, drift.announce)
    assert watched is not None
    return watched


def published(settings: Settings) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in settings.lake.glob("drift_checks/*/part-v*.parquet")}


def test_quiet_days_are_checked_and_nothing_is_announced(drifted: Drifted, events: list[dict[str, Any]]) -> None:
    watched = watch_drift(drifted.quiet[-1])
    assert (watched.new, watched.standing, watched.since) == ((), (), None)
    assert events == []
    with read_only(drifted.settings) as warehouse:
        checks = warehouse.execute(
            "select business_date, sku, decisions, detected, since, abs(mean_residual) from drift_checks"
        ).fetchall()
    champion = load_champion(drifted.settings)
    assert champion is not None
    days = [date for date in drifted.quiet if champion.trained_through is not None and date > champion.trained_through]
    assert {(date, sku) for date, sku, *_ in checks} == {(date, sku) for date in days for sku in SKUS}
    assert len(checks) == len(days) * len(SKUS)
    for _, sku, decisions, detected, since, residual in checks:
        assert decisions > 300, sku
        assert residual < 0.15, sku
        assert (detected, since) == (False, None)


def test_a_fall_in_budgets_is_announced_once_with_its_products_and_its_first_day(
    drifted: Drifted, events: list[dict[str, Any]]
) -> None:
    first = drifted.shifted[0]
    watched = watch_drift(first)
    assert {found.sku for found in watched.new} == SKUS
    assert {(found.business_date, found.since, found.direction) for found in watched.new} == {(first, first, "less")}
    assert all(found.before - found.after > 0.15 for found in watched.new)
    assert watched.standing == watched.new
    assert watched.since == first
    (event,) = events
    assert event["event"] == DRIFT_DETECTED
    assert event["resource"] == {"prefect.resource.id": "shelfprice.shelf"}
    assert event["payload"] == {"business_date": str(first), "skus": sorted(SKUS), "since": str(first)}

    before = published(drifted.settings)
    again = watch_drift(first)
    assert again.new == ()
    assert again.standing == watched.standing
    assert len(events) == 1
    assert published(drifted.settings) == before


def test_an_announcement_cut_off_before_its_day_was_published_is_repeated_under_the_same_name(
    drifted: Drifted, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = drifted.shifted[0]
    watch_drift(drifted.quiet[-1])
    champion = load_champion(drifted.settings)
    assert champion is not None
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "publish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            publish_checks(*arguments_of(drifted, champion, first))
    watch_drift(first)
    assert len(events) == 2
    assert events[0]["id"] == events[1]["id"]


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def arguments_of(drifted: Drifted, champion: Any, through: dt.date) -> tuple[Any, ...]:
    workspace = open_workspace(None)
    checks = check_champion(workspace, champion, champion.trained_through, through)
    return workspace.lake, champion.version, champion.trained_through, checks, drift.announce


def test_one_day_since_a_change_is_too_little_and_two_bring_a_champion_that_holds(
    drifted: Drifted, events: list[dict[str, Any]]
) -> None:
    first, second = drifted.shifted
    watch_drift(second)
    champion = load_champion(drifted.settings)
    assert champion is not None
    with pytest.raises(DataError, match=f"two days of decisions from {first} up to {first}, found 1"):
        train(first)

    healed = train(second)
    assert healed.verdict.promoted, healed.verdict.refusals
    days = healed
    assert (days.trained_since, days.trained_through, days.judged_through) == (first, first, second)
    assert any(f"otherwise than the champion says since {first}" in c.found for c in healed.verdict.conditions)
    with read_only(drifted.settings) as warehouse:
        row = warehouse.execute(
            "select trained_since, trained_through from model_versions where version = $1", [healed.version]
        ).fetchone()
    assert row == (first, first)

    assert watch_drift(second).standing == ()
    with read_only(drifted.settings) as warehouse:
        kept = warehouse.execute("select distinct model_version from drift_checks where detected order by 1").fetchall()
    assert kept == [(champion.version,)]


def test_a_store_without_a_champion_is_not_watched(
    in_the_loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'none.db'}")
    workspace = open_workspace(None)
    before = workspace.lake.dates("drift_checks")
    night.watch(Evening(workspace, registry_of(workspace), in_the_loop.dates[-1]))
    assert workspace.lake.dates("drift_checks") == before
