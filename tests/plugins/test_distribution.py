"""The order in which a run takes its files."""

from pathlib import Path

import pytest
from distribution import KNOWN_FILES, group_of, seconds_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("file", KNOWN_FILES)
def test_a_file_whose_seconds_are_known_is_there(file: str) -> None:
    assert (ROOT / file).is_file()


def test_a_quick_file_is_a_group_of_no_seconds_and_a_slow_one_of_its_own() -> None:
    assert seconds_of(group_of("tests/catalog/test_front_door.py::test_x")) == 0
    assert seconds_of(group_of("tests/e2e/test_up.py::test_x[1]")) >= 100
    assert group_of("tests/e2e/test_live.py::test_x") == group_of("tests/operate/up/test_zombie_runs.py::test_y")
