"""Whatever place is asked what a price is: each gives the answer of one small model that was written apart."""

import random

import pytest

from tests.standing.examine import examine

STATES_EACH = 60
"""Five of these are 300 states; `python -m tests.standing` looks at more."""


@pytest.mark.parametrize("part", range(5))
def test_shelf_quote_export_desk_tags_history_and_alerts_give_the_answer_of_the_model(part: int) -> None:
    seed = random.SystemRandom().randrange(10**6)
    for number, differences, notes in examine(seed, STATES_EACH):
        assert not differences, f"part {part}, seed {seed}, state {number}: {differences}; after {notes}"
