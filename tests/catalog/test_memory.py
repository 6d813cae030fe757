"""What was freed is given back to the system."""

from pathlib import Path

import numpy as np

from catalog.memory import give_back

_PAGE = 4_096


def resident() -> int:
    """Bytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def test_many_small_arrays_are_given_back_though_one_that_was_made_last_is_kept() -> None:
    arrays = [np.ones(10_000) for _ in range(1_000)]
    before, kept = resident(), arrays[-1]
    del arrays
    give_back()
    assert resident() < before - 70_000_000
    assert kept.sum() == 10_000
