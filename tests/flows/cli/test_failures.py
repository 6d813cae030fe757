"""Whatever goes wrong, people get one line; what nobody foresaw leaves details in a file."""

import errno
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from shell import Terminal

from catalog.errors import DataError, Declined, ServiceError
from flows.cli.failures import failure_line

SPACE = "no space left on device"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHELFPRICE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def wrapped(cause: Exception, *, by_hand: bool) -> Exception:
    """Wrap an error as libraries do: with `from`, or while it is handled, and once more."""
    session, outer = RuntimeError("a session was rolled back"), ValueError("INTERNAL_ERROR: BAD_REQUEST\nand\nmore")
    if by_hand:
        session.__cause__ = cause
    else:
        session.__context__ = cause
    outer.__cause__ = session
    return outer


@pytest.mark.parametrize("by_hand", [True, False])
@pytest.mark.parametrize(
    "cause",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/lake/part.parquet"),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError("[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device"),
        sqlite3.OperationalError("database or disk is full"),
    ],
)
def test_a_full_disk_is_told_in_one_line_however_deep_it_is_wrapped(cause: Exception, by_hand: bool) -> None:
    line = failure_line(wrapped(cause, by_hand=by_hand))
    assert line.count("\n") == 0
    assert SPACE in line
    assert "what was published before stands" in line
    assert "free space there" in line
    assert (getattr(cause, "filename", None) or os.environ["SHELFPRICE_HOME"]) in line


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EROFS, "make it writable"),
        (errno.EACCES, "grant the right to it"),
        (errno.ENOTDIR, "set SHELFPRICE_HOME to a folder"),
        (errno.ENOENT, "see that it is there"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"),
    ],
)
def test_what_the_system_refuses_is_told_with_the_file_and_a_remedy(number: int, remedy: str) -> None:
    line = failure_line(OSError(number, os.strerror(number), "/some/file"))
    assert line.startswith("error: /some/file: ")
    assert remedy in line


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("file is not a database", "is damaged"),
        ("database disk image is malformed", "is damaged"),
        ("database is locked", "is locked by another process"),
        ("unable to open database file", "cannot be opened"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_as_such(said: str, found: str) -> None:
    assert f"{found} ({said})" in failure_line(wrapped(sqlite3.DatabaseError(said), by_hand=True))


def test_what_is_raised_on_purpose_stands_as_it_is_in_one_line() -> None:
    assert failure_line(DataError("expected a,\nfound b")) == "error: expected a, found b"
    assert failure_line(Declined("not now")) == "declined: not now"


def test_an_error_that_was_dealt_with_before_is_not_blamed() -> None:
    error = KeyError("milk")
    error.__context__ = PermissionError(errno.EACCES, "denied", "/elsewhere")
    error.__suppress_context__ = True
    assert "unexpected KeyError: 'milk'" in failure_line(error)


def test_what_nobody_foresaw_is_named_and_its_details_are_for_its_owner_alone(home: Path) -> None:
    line = failure_line(wrapped(ZeroDivisionError("division by zero"), by_hand=True))
    assert "unexpected ValueError: INTERNAL_ERROR: BAD_REQUEST; " in line
    (file,) = (home / "failures").iterdir()
    assert str(file) in line
    assert "ZeroDivisionError: division by zero" in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_credential_gets_into_the_line_or_the_details(home: Path) -> None:
    line = failure_line(RuntimeError("no answer from http://ana:secret@127.0.0.1:5000/api"))
    assert "http://127.0.0.1:5000/api" in line
    (file,) = (home / "failures").iterdir()
    assert "secret" not in line + file.read_text(encoding="utf-8")
    assert "secret" not in failure_line(ServiceError("postgresql://ana:secret@host/db is away"))


def test_details_of_the_last_twenty_failures_are_kept(home: Path) -> None:
    lines = [failure_line(RuntimeError(f"number {number}")) for number in range(25)]
    kept = list((home / "failures").iterdir())
    assert len(kept) == 20
    assert any(str(file) in lines[-1] for file in kept)


def test_where_nothing_can_be_written_the_line_is_told_nevertheless(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.mkstemp", full)
    line = failure_line(RuntimeError("odd"))
    assert line == "error: unexpected RuntimeError: odd; what was published before stands: run the same command again"


def test_a_settings_error_does_not_hide_the_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFPRICE_PREFECT_ADDRESS", "nowhere")
    assert "unexpected RuntimeError: odd" in failure_line(RuntimeError("odd"))


@pytest.mark.parametrize("error", [RuntimeError("odd"), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/x")])
def test_the_program_itself_ends_with_one_line_and_exit_code_one(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("warehouse.query.questions.champion_history", fail)
    answer = terminal("champions")
    assert answer.returncode == 1
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stdout == ""
