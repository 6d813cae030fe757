"""What flows share: retries only where trying again can help, and one place for each home."""

from pathlib import Path

import pytest
from prefect import flow, task

from catalog.errors import ContractError, DamagedError, DataError, Declined, LakeError
from catalog.load import CLASSIC, DEFAULT_DIR
from flows.pipeline import reprice
from flows.progress import listening, tell
from flows.runs import TOUCHES_THE_DISK, as_task
from flows.workspace import open_workspace
from warehouse.query.connection import read_only


@pytest.mark.parametrize(
    ("error", "tries"), [(LakeError, 3), (DamagedError, 1), (OSError, 3), (ContractError, 1), (ValueError, 1)]
)
def test_only_what_may_be_better_next_time_is_tried_again(
    prefect_server: None, error: type[Exception], tries: int
) -> None:
    calls = []

    @task(**{**TOUCHES_THE_DISK, "retry_delay_seconds": 0})
    def fails() -> None:
        calls.append(1)
        raise error("no")

    @flow
    def tries_it() -> None:
        fails()

    with pytest.raises(error):
        tries_it()
    assert len(calls) == tries


def test_from_the_first_moment_on_anyone_may_read(empty_home: Path) -> None:
    workspace = open_workspace(None)
    with read_only(workspace.settings) as warehouse:
        assert warehouse.execute("select count(*) from interactions").fetchone() == (0,)
        assert warehouse.execute("select count(*) from products").fetchone() == (5,)


def test_who_listens_hears_how_far_it_is() -> None:
    heard = []
    with listening(lambda stage, done, total: heard.append((stage, done, total))):
        tell("counting", 1, 2)
    tell("counting", 2, 2)
    assert heard == [("counting", 1, 2)]


def test_a_run_that_names_no_catalog_takes_that_of_the_settings(
    empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name in ("products.yaml", "store.yaml"):
        text = (CLASSIC / name).read_text(encoding="utf-8")
        (shelf / name).write_text(text.replace("[S01, S02, S03]", "[K1]"), encoding="utf-8")
    monkeypatch.setenv("SHELFPRICE_CATALOG", str(shelf))
    assert open_workspace(None).catalog.store.stores == ("K1",)
    assert open_workspace(str(DEFAULT_DIR)).catalog.store.stores == ("S01", "S02", "S03")


def test_an_hour_in_which_no_store_sells_is_no_failure_but_a_store_that_was_asked_for_is_named(
    prefect_server: None, empty_home: Path
) -> None:
    assert reprice() == []
    with pytest.raises(Declined, match="the twin's stores change their prices by themselves"):
        reprice("S01")


def test_outside_of_a_run_a_step_is_tried_again_where_it_met_the_disk_and_nowhere_else() -> None:
    tried = list[int]()

    def hiccups(error: Exception) -> int:
        tried.append(1)
        if len(tried) == 1:
            raise error
        return 7

    assert as_task(hiccups, OSError("the disk hiccups")) == 7
    tried.clear()
    with pytest.raises(DataError):
        as_task(hiccups, DataError("wrong for good"))
    assert len(tried) == 1
