"""What is generated belongs to one user: no other account reads or changes it."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Terminal

from catalog.settings import Settings
from warehouse.files import keep_private


def open_to_others(folder: Path) -> list[str]:
    every = (folder, *folder.rglob("*"))
    return [str(path) for path in every if not path.is_symlink() and stat.S_IMODE(path.lstat().st_mode) & 0o077]


def test_a_command_makes_its_data_folder_and_all_in_it_for_one_user_alone(
    terminal: Terminal, prefect_server: str
) -> None:
    assert terminal("simulate", "--days", "1", "--stores", "1").returncode == 0
    assert (terminal.home / "warehouse.duckdb").exists() or (terminal.home / "lake").exists()
    assert open_to_others(terminal.home) == []


@pytest.fixture
def loose(sell_two_days: Callable[[Path], Settings], tmp_path: Path) -> Path:
    """A data folder of before, which everybody can read."""
    home = tmp_path / "home"
    sell_two_days(home)
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return home


def test_a_data_folder_that_others_could_read_is_tightened(loose: Path) -> None:
    secret = loose.parent / "other.txt"
    secret.write_text("of another program", encoding="utf-8")
    secret.chmod(0o644)
    (loose / "lake" / "link").symlink_to(secret)
    keep_private(loose)
    assert open_to_others(loose) == []
    assert stat.S_IMODE((loose / "lake" / "link").stat().st_mode) == 0o644, "what a link names is not ours"
    assert stat.S_IMODE(loose.stat().st_mode) == 0o700


def test_a_folder_that_holds_other_things_or_is_shared_is_left_alone(tmp_path: Path) -> None:
    other, shared = tmp_path / "other", tmp_path / "shared"
    for folder, mode in ((other, 0o755), (shared, 0o1777)):
        folder.mkdir()
        (folder / "mine.txt").write_text("x", encoding="utf-8")
        folder.chmod(mode)
    (shared / "lake").mkdir()
    for folder in (other, shared):
        keep_private(folder)
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (other, shared)] == [0o755, 0o1777]


def test_a_folder_that_is_not_there_yet_is_made_for_one_user(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keep_private(tmp_path / "a" / "home")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a" / "home").stat().st_mode) == 0o700
