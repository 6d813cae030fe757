"""The names of the gate's verdicts.

`promoted`: every condition is met. `waits`: the model is sound, and only not yet shown to be the better choice.
`refused`: something is wrong with it.
"""

from collections.abc import Iterable
from typing import Literal

Outcome = Literal["promoted", "waits", "refused"]

EARNS_MORE_THAN_BASE = "earns more than the base prices"
AS_GOOD_AS_BELIEF = "earns as much as the belief that prices without a champion"
EARNS_MORE = "earns more, or is not worse than the champion and that one is stale or no longer holds"
SAW_THE_ROLLBACK = "judged on what was sold since the rollback"
PRICE_RESPONSE_IS_TOLD = "the response to prices is told from other causes"

MAY_WAIT = frozenset({EARNS_MORE, EARNS_MORE_THAN_BASE, AS_GOOD_AS_BELIEF, SAW_THE_ROLLBACK, PRICE_RESPONSE_IS_TOLD})
"""Conditions that a sound model may fail: more decisions can change the answer."""


def outcome_of(unmet: Iterable[str]) -> Outcome:
    """Return the verdict about a model from the names of the conditions that it does not meet."""
    names = set(unmet)
    if not names:
        return "promoted"
    return "waits" if names <= MAY_WAIT else "refused"
