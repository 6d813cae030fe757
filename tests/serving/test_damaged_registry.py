"""A damaged database of MLflow is named with its file and what to do, whichever bit was flipped."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from catalog.errors import ModelError
from catalog.load import CLASSIC, load
from catalog.settings import Settings
from flows.cli.failures import failure_line
from plugins.operations.checks.models import check_registry
from plugins.operations.mlflow_upkeep.interrupted import unended_runs
from serving.champion import load_champion
from training.mlflow.database import make_first
from training.mlflow.registry import MlflowRegistry
from warehouse.databases import damage_of, sqlite_file
from warehouse.lake import Lake
from warehouse.workspace import Workspace


@pytest.fixture
def database(settings: Settings) -> Path:
    make_first(settings.tracking_uri)
    file = sqlite_file(settings.tracking_uri)
    assert file is not None
    assert damage_of(file) is None
    return file


def in_the_head(file: Path) -> None:
    flip(file, 3)


def in_the_definition_of_a_table(file: Path) -> None:
    flip(file, file.read_bytes().index(b"CREATE TABLE "))


def in_a_text_that_is_no_longer_utf8(file: Path) -> None:
    with closing(sqlite3.connect(file)) as changed, changed:
        changed.execute("create table stray (a text)")
    flip(file, file.read_bytes().index(b"tablestraystray") + len("table") + 2, bit=7)


def in_a_page_that_nothing_reads(file: Path) -> None:
    content = bytearray(file.read_bytes())
    size = int.from_bytes(content[16:18], "big")
    content[-size] ^= 0x04
    file.write_bytes(content)


def flip(file: Path, at: int, bit: int = 0) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1 << bit
    file.write_bytes(content)


DAMAGES = [in_the_head, in_the_definition_of_a_table, in_a_text_that_is_no_longer_utf8]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_named_with_what_to_do_by_whatever_asks_it(
    settings: Settings, database: Path, damage: Callable[[Path], None]
) -> None:
    damage(database)
    registry = MlflowRegistry(settings)
    for ask in (lambda: load_champion(settings), registry.state, lambda: unended_runs(settings)):
        with pytest.raises(ModelError, match=r"mlflow\.db: expected MLflow's database, found a damaged one") as raised:
            ask()
        assert "put the file back from a backup" in failure_line(raised.value)


def test_health_names_a_database_that_is_damaged_where_no_question_looks(settings: Settings, database: Path) -> None:
    in_a_page_that_nothing_reads(database)
    check, champion = check_registry(Workspace(settings, load(CLASSIC), Lake(settings)), MlflowRegistry(settings))
    assert (check.state, champion) == ("failed", None)
    assert check.found.startswith(f"{database} is damaged")
    assert "backup" in check.remedy


def test_an_error_that_nobody_foresaw_names_the_damaged_database(
    settings: Settings, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELFPRICE_HOME", str(settings.home))
    in_the_head(database)
    assert failure_line(RuntimeError("what?")).startswith(
        f"error: {database}: expected a database, found a damaged one"
    )
