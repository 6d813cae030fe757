"""Notes of a plain folder: written whole, created once, and never changed behind somebody's back."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from warehouse.commits.notes import FolderNotes


@pytest.fixture
def notes(tmp_path: Path) -> FolderNotes:
    """Return the notes of an empty folder."""
    return FolderNotes(tmp_path / "lake")


def test_a_note_is_read_as_it_was_written_and_there_is_none_before_and_after(notes: FolderNotes) -> None:
    assert notes.read("asked/nightly.json") is None
    assert notes.changed_at("asked/nightly.json") == 0
    notes.write("asked/nightly.json", "é\n")
    assert notes.read("asked/nightly.json") == "é\n"
    assert notes.changed_at("asked/nightly.json") > 0
    notes.remove("asked/nightly.json")
    notes.remove("asked/nightly.json")
    assert notes.read("asked/nightly.json") is None


def test_of_many_who_create_a_note_at_once_one_does(notes: FolderNotes) -> None:
    for attempt in range(20):
        name, start = f"commits/pending/{attempt}.json", threading.Barrier(8)

        def create(who: int, name: str = name, start: threading.Barrier = start) -> bool:
            start.wait()
            return notes.create(name, str(who))

        with ThreadPoolExecutor(8) as at_once:
            won = list(at_once.map(create, range(8)))
        assert won.count(True) == 1
        assert notes.read(name) == str(won.index(True))


def test_moving_a_note_puts_it_over_another_and_says_when_there_is_none(notes: FolderNotes) -> None:
    notes.write("a.json", "new")
    notes.write("commits/b.json", "old")
    assert notes.move("a.json", "commits/b.json")
    assert (notes.read("a.json"), notes.read("commits/b.json")) == (None, "new")
    assert not notes.move("a.json", "commits/b.json")


def test_a_folder_of_notes_lists_them_in_order_without_drafts_and_folders(notes: FolderNotes, tmp_path: Path) -> None:
    assert notes.names("commits") == []
    for name in ("commits/b.json", "commits/a.json", "commits/pending/c.json"):
        notes.write(name, "x")
    (tmp_path / "lake" / "commits" / "d.json.draft").write_text("half")
    assert notes.names("commits") == ["commits/a.json", "commits/b.json"]


def test_a_draft_that_a_kill_left_is_no_second_name_of_a_note(
    notes: FolderNotes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink, calls = Path.unlink, []

    def dying(path: Path, *, missing_ok: bool = False) -> None:
        calls.append(path)
        if len(calls) == 2:  # the draft of the first note, once it is linked
            raise KeyboardInterrupt
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", dying)
        with pytest.raises(KeyboardInterrupt):
            notes.create("commits/one.json", "first")
    assert notes.move("commits/one.json", "kept.json")
    assert notes.create("commits/one.json", "second")
    assert notes.read("kept.json") == "first"
    kept, made = (tmp_path / "lake" / name for name in ("kept.json", "commits/one.json"))
    assert kept.stat().st_ino != made.stat().st_ino
