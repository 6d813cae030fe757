"""A first database is whole or not there, and one with anything in it is nobody's to throw away."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from warehouse.databases import make_whole


def with_a_row(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("pragma journal_mode = wal")
        database.execute("create table made (by text)")
        database.execute("insert into made values ('me')")


def half(file: Path) -> None:
    with_a_row(file)
    raise sqlite3.OperationalError("database or disk is full")


def rows_of(file: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(file)) as database:
        return database.execute("select by from made").fetchall()


def test_a_database_that_cannot_be_finished_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "made.db"
    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        make_whole(file, half)
    assert [path.name for path in tmp_path.iterdir()] == ["made.db.lock"]
    make_whole(file, with_a_row)
    assert rows_of(file) == [("me",)]


def test_what_a_kill_left_of_a_first_database_is_removed_by_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "made.db"
    for ending in ("", "-wal", "-shm", "-journal"):
        (tmp_path / f"made.db.0123.draft{ending}").write_bytes(b"half")
    other = tmp_path / "other.db.0123.draft"
    other.write_bytes(b"somebody else's")
    make_whole(file, with_a_row)
    assert {path.name for path in tmp_path.iterdir()} == {"made.db", "made.db.lock", other.name}


def test_what_a_kill_left_beside_a_database_that_was_finished_is_removed_too(tmp_path: Path) -> None:
    file = tmp_path / "made.db"
    make_whole(file, with_a_row)
    for ending in ("-wal", "-shm"):
        (tmp_path / f"made.db.0123.draft{ending}").write_bytes(b"left")
    make_whole(file, with_a_row)
    assert {path.name for path in tmp_path.iterdir()} == {"made.db", "made.db.lock"}


def test_a_database_with_anything_in_it_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "made.db"
    file.write_bytes(b"anything")
    make_whole(file, half)
    assert file.read_bytes() == b"anything"


def test_of_many_that_start_at_once_one_makes_the_database(tmp_path: Path) -> None:
    file = tmp_path / "there" / "made.db"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: make_whole(file, with_a_row), range(4)))
    assert rows_of(file) == [("me",)]
