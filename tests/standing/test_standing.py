"""Whatever place is asked what a price is: each gives the answer of one small model that was written apart."""

import os

import pytest
from seeds import STANDING

from tests.standing.examine import examine

STATES_EACH, LANDS = 25, 3
"""25 states in `make test`, 75 in `make check`, 50 others in `make test-slow`; `python -m tests.standing` has more."""


@pytest.mark.parametrize(
    "part",
    [0, *(pytest.param(part, marks=pytest.mark.play if part < LANDS else pytest.mark.slow) for part in range(1, 5))],
)
def test_shelf_quote_export_desk_tags_history_and_alerts_give_the_answer_of_the_model(part: int) -> None:
    seed = int(os.environ[STANDING]) + part
    for number, differences, notes in examine(seed, STATES_EACH):
        assert not differences, f"seed {seed}, state {number}: {differences}; after {notes}"
