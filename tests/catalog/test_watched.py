import os
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.errors import CatalogError
from catalog.load import CLASSIC, WatchedCatalog, load

Write = Callable[[dict[str, tuple[str, str]]], Path]


@pytest.fixture
def save(write_catalog: Write) -> Callable[[str], Path]:
    """Save the store with another price ladder, at a later time than before however fast the clock."""
    saved = 0

    def save(ladder_prices: str) -> Path:
        nonlocal saved
        saved += 1
        folder = write_catalog({"store.yaml": ("ladder_prices: 20", f"ladder_prices: {ladder_prices}")})
        os.utime(folder / "store.yaml", ns=(saved, saved))
        return folder

    return save


def test_without_a_folder_the_shelf_that_ships_is_watched() -> None:
    assert WatchedCatalog().current() == load()
    assert WatchedCatalog(Path("classic")).current() == load(CLASSIC)


def test_unchanged_files_are_read_once(save: Callable[[str], Path]) -> None:
    watched = WatchedCatalog(save("21"))
    assert watched.current() is watched.current()


def test_a_change_counts_from_the_next_question_on(save: Callable[[str], Path]) -> None:
    watched = WatchedCatalog(save("21"))
    assert watched.current().store.ladder_prices == 21
    save("22")
    assert watched.current().store.ladder_prices == 22
    assert watched.problem is None


def test_files_that_break_change_nothing_until_they_are_mended(save: Callable[[str], Path]) -> None:
    watched = WatchedCatalog(save("21"))
    before = watched.current()
    save("one")
    assert watched.current() is before
    assert watched.problem is not None
    assert "ladder_prices" in watched.problem
    assert watched.current() is before
    assert watched.problem is not None
    save("23")
    assert watched.current().store.ladder_prices == 23
    assert watched.problem is None


@pytest.mark.parametrize("name", ["products.yaml", "store.yaml"])
def test_a_file_that_disappears_is_a_problem_and_its_return_ends_it(save: Callable[[str], Path], name: str) -> None:
    folder = save("21")
    watched = WatchedCatalog(folder)
    (folder / name).unlink()
    assert watched.current().store.ladder_prices == 21
    assert watched.problem is not None
    assert name in watched.problem
    save("22")
    assert watched.current().store.ladder_prices == 22
    assert watched.problem is None


def test_a_folder_that_cannot_be_used_at_first_is_refused(save: Callable[[str], Path]) -> None:
    folder = save("none")
    with pytest.raises(CatalogError, match="ladder_prices"):
        WatchedCatalog(folder)
