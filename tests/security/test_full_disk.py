"""A disk that fills up while a command works: one line, and nothing half-published."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from shell import Terminal

from catalog.settings import Settings
from warehouse.lake import Lake


@contextmanager
def databases_without_room() -> Iterator[None]:
    """Let no database that SQLAlchemy opens grow: SQLite then says that the disk is full."""

    def no_room(connection: Any, _record: Any) -> None:
        connection.execute("pragma max_page_count = 1")

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "connect", no_room)
    try:
        yield
    finally:
        sqlalchemy.event.remove(sqlalchemy.engine.Engine, "connect", no_room)


def test_a_training_that_finds_the_disk_full_ends_in_one_line(copy_of_the_loop: Settings) -> None:
    with databases_without_room():
        answer = Terminal(copy_of_the_loop.home)("train")
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1] == (
        f"error: {copy_of_the_loop.home}: no space left on device; what was published before stands: free space there, "
        "and run the same command again"
    )
    assert len([line for line in answer.stderr.splitlines() if not line.startswith("training candidates")]) == 1


def test_a_simulation_that_finds_the_disk_full_ends_in_one_line_and_publishes_nothing(
    terminal: Terminal, prefect_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def full(descriptor: int) -> None:
        if "/interactions/" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr("os.fsync", full)
    answer = terminal("simulate")
    monkeypatch.undo()
    assert answer.returncode == 1
    assert len(answer.stderr.splitlines()) == 1
    assert "no space left on device" in answer.stderr.lower()
    assert list(Lake(Settings(SHELFPRICE_HOME=terminal.home)).partitions("interactions")) == []
