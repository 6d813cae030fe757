"""How a store is: each fault is found, named with what to do, and nothing else is held against the store."""

import datetime as dt
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from once_a_run import living_in

from catalog.errors import Check, DataError
from catalog.load import CLASSIC
from catalog.settings import Settings
from flows.runs import registry_of
from flows.workspace import open_workspace
from plugins.operations.checks.check_up import check_up
from plugins.operations.checks.flow import health
from training.schedule import Night, record
from warehouse.lake import Partition
from warehouse.workspace import Workspace

NEWEST = dt.date(2026, 1, 6)


@pytest.fixture(scope="module")
def two_days(sell_two_days: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return sell_two_days(tmp_path_factory.mktemp("two-days"))


@pytest.fixture
def empty_home(tmp_path: Path) -> Iterator[Path]:
    """Live in a home with nothing in it."""
    with living_in(tmp_path):
        yield tmp_path


@pytest.fixture
def workspace(two_days: Settings, empty_home: Path) -> Workspace:
    shutil.copytree(two_days.lake, empty_home / "lake")
    return open_workspace(None)


def found(workspace: Workspace) -> dict[str, Check]:
    return {check.name: check for check in check_up(workspace, registry_of(workspace))}


def test_an_empty_store_is_told_how_to_begin_and_is_not_ill(empty_home: Path) -> None:
    checks = found(open_workspace(None))
    assert {check.state for check in checks.values()} == {"ok", "warning"}
    assert checks["decisions"].remedy.startswith("shelfprice demo")


def test_a_store_without_a_champion_is_warned_of_it_and_of_missing_prices_alone(workspace: Workspace) -> None:
    checks = found(workspace)
    assert {name for name, check in checks.items() if check.state != "ok"} == {"registry", "prices"}
    assert checks["prices"].found == "no book for 2026-01-07 yet, the newest is for 2026-01-06"
    assert checks["prices"].remedy == "shelfprice nightly"
    record(workspace.lake, Night(NEWEST, "base prices stay"), "inputs")
    assert found(workspace)["prices"].found == "base prices on 2026-01-07, for no model was promoted yet"


def test_cells_that_are_behind_a_damaged_file_and_a_missing_day_are_each_found(workspace: Workspace) -> None:
    lake = workspace.lake
    first = Partition("interactions", dt.date(2026, 1, 5), "all")
    lake.publish(
        Partition("interactions", dt.date(2026, 1, 9), "g000"), lake.read(first).slice(0, 5), inputs="x", seed=7
    )
    path = lake.path(first)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    checks = found(workspace)
    assert checks["demand cells"].state == "failed"
    assert checks["demand cells"].remedy == "shelfprice transform"
    assert checks["files"].state == "failed"
    assert "part-all.parquet: damaged" in checks["files"].found
    assert checks["decisions"].found == "through 2026-01-09, 2 days missing, such as 2026-01-07"
    assert checks["decisions"].remedy == "shelfprice backfill --start 2026-01-07 --end 2026-01-08"


def test_a_claim_that_does_not_hold_is_told_in_its_own_words(workspace: Workspace) -> None:
    part = Partition("interactions", NEWEST, "all")
    rows = workspace.lake.read(part)
    workspace.lake.publish(Partition("interactions", NEWEST, "again"), rows, inputs="x", seed=7)
    broken = found(workspace)["assertions"]
    assert broken.state == "failed"
    assert "the key of interactions is unique" in broken.found


def test_a_registry_that_is_away_is_told_within_five_seconds(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    begun = time.monotonic()
    registry = found(open_workspace(None))["registry"]
    assert time.monotonic() - begun < 5
    assert registry.state == "failed"
    assert "MLFLOW_TRACKING_URI" in registry.remedy


def test_under_the_kill_switch_base_prices_are_a_warning(workspace: Workspace, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name in ("products.yaml", "store.yaml"):
        text = (CLASSIC / name).read_text(encoding="utf-8")
        (shelf / name).write_text(text.replace("kill_switch: false", "kill_switch: true"), encoding="utf-8")
    assert "kill switch is on" in found(open_workspace(str(shelf)))["prices"].found


def test_the_scheduled_check_up_fails_when_a_check_does_and_says_what_to_do(
    workspace: Workspace, prefect_server: str
) -> None:
    assert {check.name for check in health()} == set(found(workspace))
    workspace.lake.remove(Partition("demand_cells", NEWEST, "all"))
    with pytest.raises(DataError, match="demand cells: 1 partitions are not in them: shelfprice transform"):
        health()
