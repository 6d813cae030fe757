"""A command that chose its own date and was killed goes on with that date, for some hours."""

import datetime as dt
from pathlib import Path

import pytest

from warehouse.commits.notes import FolderNotes, left_unended, strike_out, write_down, write_sealed

DATE = dt.date(2026, 1, 7)


def test_what_was_asked_for_is_left_until_it_has_ended(tmp_path: Path) -> None:
    assert left_unended(FolderNotes(tmp_path), "nightly") is None
    write_down(FolderNotes(tmp_path), "nightly", DATE)
    assert left_unended(FolderNotes(tmp_path), "nightly") == DATE
    assert left_unended(FolderNotes(tmp_path), "live-S01") is None
    strike_out(FolderNotes(tmp_path), "nightly")
    strike_out(FolderNotes(tmp_path), "nightly")
    assert left_unended(FolderNotes(tmp_path), "nightly") is None


@pytest.mark.parametrize(
    ("ago", "is_left"), [(dt.timedelta(hours=5), True), (dt.timedelta(hours=-1), True), (dt.timedelta(hours=7), False)]
)
def test_what_was_asked_for_long_ago_is_the_last_turn_of_a_schedule_and_a_clock_set_back_matters_not(
    tmp_path: Path, ago: dt.timedelta, is_left: bool
) -> None:
    write_down(FolderNotes(tmp_path), "nightly", DATE)
    at = dt.datetime.now(dt.UTC) - ago
    write_sealed(FolderNotes(tmp_path), "asked/nightly.json", {"last": DATE.isoformat(), "at": at.isoformat()})
    assert (left_unended(FolderNotes(tmp_path), "nightly") == DATE) is is_left


@pytest.mark.parametrize("text", ["", "{", "[]", '{"last": "2026-01-07"}', '{"last": "no", "at": "2026-01-07"}'])
def test_what_cannot_be_read_was_not_asked_for(tmp_path: Path, text: str) -> None:
    write_down(FolderNotes(tmp_path), "nightly", DATE)
    next(tmp_path.rglob("nightly*")).write_text(text)
    assert left_unended(FolderNotes(tmp_path), "nightly") is None
