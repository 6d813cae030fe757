"""Prefect's first database takes many seconds to make: an installation makes it once, and each home gets a copy."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from plugins.operations.up import prefect_server
from plugins.operations.up.prefect_server import make_first_database


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Note each database that is made from the beginning, in an installation of the test's own."""
    drafts: list[Path] = []

    def make(draft: Path) -> None:
        drafts.append(draft)
        with closing(sqlite3.connect(draft)) as database, database:
            database.execute("create table flow_run (id text)")

    monkeypatch.setattr(sys, "prefix", str(tmp_path / "installation"))
    monkeypatch.setattr(prefect_server, "_make_database", make)
    return drafts


def first_database_of(home: Path) -> list[str]:
    make_first_database(f"sqlite+aiosqlite:///{home / 'prefect.db'}")
    with closing(sqlite3.connect(home / "prefect.db")) as database:
        return [name for (name,) in database.execute("select name from sqlite_master")]


def test_homes_of_one_installation_get_a_copy_of_what_was_made_once(tmp_path: Path, made: list[Path]) -> None:
    assert [first_database_of(tmp_path / home) for home in ("one", "other")] == [["flow_run"], ["flow_run"]]
    assert len(made) == 1


def test_where_the_installation_cannot_keep_it_each_home_makes_its_own(tmp_path: Path, made: list[Path]) -> None:
    (tmp_path / "installation").write_text("no folder, so nothing can be kept in it")
    assert first_database_of(tmp_path / "home") == ["flow_run"]
    assert [draft.parent for draft in made] == [tmp_path / "home"]
