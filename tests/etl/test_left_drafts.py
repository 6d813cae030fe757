"""What a kill left half written is gone after the next run, and what somebody writes right now is not touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.load import CLASSIC, load
from catalog.settings import Settings
from flows.workspace import prepared
from warehouse.commits.locks import held
from warehouse.commits.record import CommitRecord, pending_names, write_pending
from warehouse.lake import Lake

LONG_AGO = 1_700_000_000  # seconds since 1970
NAME = "batch-2026-01-05-g000"


def drafts_in(home: Path) -> list[str]:
    return sorted(path.name for path in home.rglob("*") if path.name.endswith((".draft", ".new", ".new.wal")))


def killed_while_it_commits(lake: Lake) -> None:
    """Let a process of its own die when the draft of a pending record is whole and has no other name yet."""
    pid = os.fork()
    if pid == 0:
        os.link = lambda *_: os._exit(9)  # type: ignore[assignment]
        write_pending(lake.notes, CommitRecord(NAME, "inputs", ()))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


def gone_process() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return prepared(settings, load(CLASSIC)).lake


def test_the_next_run_removes_what_a_kill_left_of_a_commit_at_once(lake: Lake) -> None:
    killed_while_it_commits(lake)
    assert len(drafts_in(lake.root)) == 1
    prepared(lake.settings, load(CLASSIC))
    assert drafts_in(lake.root) == []
    assert pending_names(lake.notes) == []


def test_the_draft_of_a_commit_that_is_being_made_is_left_alone(lake: Lake) -> None:
    killed_while_it_commits(lake)
    with held(lake.locks, NAME):
        prepared(lake.settings, load(CLASSIC))
    assert len(drafts_in(lake.root)) == 1


def test_the_next_run_removes_views_that_were_not_built_to_their_end(lake: Lake) -> None:
    home = lake.settings.home
    left, built = (home / f"warehouse.{process}.new" for process in (gone_process(), os.getppid()))
    for path in (left, left.with_name(f"{left.name}.wal"), built):
        path.write_bytes(b"half")
    prepared(lake.settings, load(CLASSIC))
    assert drafts_in(home) == [built.name]


def test_the_next_run_removes_old_drafts_of_notes_and_no_new_one(lake: Lake) -> None:
    old, new = lake.root / "origin.json.draft", lake.root / "exports" / "01.json.draft"
    for path in (old, new):
        path.parent.mkdir(exist_ok=True)
        path.write_text("half", encoding="utf-8")
    os.utime(old, (LONG_AGO, LONG_AGO))
    prepared(lake.settings, load(CLASSIC))
    assert drafts_in(lake.root) == [new.name]
