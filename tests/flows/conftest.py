"""Homes for tests of flows: an empty one, one in which the loop was played, and a copy of that one's lake."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from once_a_run import PlayedLoop, living_in, without_heartbeats

from catalog.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def _no_heartbeats() -> Iterator[None]:
    if "prefect" not in sys.modules:
        yield
        return
    with without_heartbeats():
        yield


@pytest.fixture
def in_the_loop(played_loop: PlayedLoop) -> Iterator[PlayedLoop]:
    """Live in the home where the loop was played; only read it."""
    with living_in(played_loop.settings.home):
        yield played_loop


@pytest.fixture
def empty_home(prefect_server: str, tmp_path: Path) -> Iterator[Path]:
    """Live in a home with nothing in it."""
    with living_in(tmp_path):
        yield tmp_path


@pytest.fixture
def copy_of_the_loop(played_loop: PlayedLoop, tmp_path: Path) -> Iterator[Settings]:
    """Live in a copy of the lake alone: the registry is not there."""
    shutil.copytree(played_loop.settings.lake, tmp_path / "lake")
    with living_in(tmp_path):
        yield read_settings({"SHELFPRICE_HOME": str(tmp_path)})
