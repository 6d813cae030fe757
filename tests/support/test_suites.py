"""A test file that moves keeps its suite and its place in the order of a run."""

from pathlib import Path

import distribution
import suites

ROOT = Path(__file__).parents[2]


def test_every_file_and_folder_that_the_suites_and_their_order_name_is_there() -> None:
    begun_early = distribution._SLOW - set(distribution._ALONE.values())
    named = {*suites._PLACES, *begun_early, *distribution._ALONE, *distribution._FOLDERS, distribution._APART}
    assert {name for name in named if not (ROOT / name).exists()} == set()
