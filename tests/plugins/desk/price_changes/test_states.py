"""The state machine of price changes: whatever people do in whatever order, no price holds that nobody approved."""

import datetime as dt
import os
import random
from collections.abc import Sequence

import pytest

from catalog.errors import Declined
from plugins.desk.price_changes.change import (
    EVENTS,
    Event,
    EventName,
    Kind,
    PriceChange,
    Terms,
    folded,
    may_follow,
    refuse_unless_may_follow,
)

OPENING = dt.datetime(2026, 1, 19, 8, tzinfo=dt.UTC)
_KINDS: tuple[Kind, ...] = ("price", "override", "freeze", "kill_switch")


def moment(hour: int) -> dt.datetime:
    return OPENING + dt.timedelta(hours=hour)


def played(steps: Sequence[tuple[int, EventName, int, int, int]]) -> list[PriceChange]:
    """Take the steps that the machine allows; each names a change, an event, when it counts, and the change's span."""
    last: dict[int, EventName] = {}
    terms: dict[int, Terms] = {}
    events = []
    for number, (own, event, at, start, hours) in enumerate(steps, start=1):
        if not may_follow(last.get(own), event):
            continue
        new = Terms(_KINDS[own % 4], "MILK", "S01", 1.0, 1.2, moment(start), moment(start + hours), "because")
        terms.setdefault(own, new)
        last[own] = event
        events.append(Event(number, str(own), event, OPENING, moment(at), "somebody", terms[own]))
    return folded(events)


def test_in_ten_thousand_sequences_a_price_holds_only_when_it_was_approved_and_not_withdrawn_and_within_its_time() -> (
    None
):
    seed = os.urandom(8).hex()
    dice = random.Random(seed)
    for number in range(10_000):
        steps = [
            (dice.randrange(5), dice.choice(EVENTS), dice.randrange(13), dice.randrange(13), dice.randint(1, 6))
            for _ in range(dice.randint(0, 12))
        ]
        try:
            assert_holds_only_what_may(steps, dice.randrange(21))
        except AssertionError as error:
            raise AssertionError(f"sequence {number} of seed {seed}: {steps}") from error


def assert_holds_only_what_may(steps: Sequence[tuple[int, EventName, int, int, int]], hour: int) -> None:
    now, changes = moment(hour), played(steps)
    in_force = [change for change in changes if change.state(now, changes) == "in_force"]
    for change in in_force:
        names = [event.event for event in change.events]
        approved = max(place for place, name in enumerate(names) if name == "approved")
        assert names[-1] == "approved"
        assert change.events[approved].effective_at <= now
        assert change.terms.valid_from <= now
        assert change.terms.valid_until is None or now < change.terms.valid_until
    assert len(in_force) <= 1, "of two changes of one price, one holds"
    holding = [change for change in changes if change.is_in_force(now)]
    strongest = max(holding, key=lambda change: change.rank, default=None)
    is_kept = strongest is not None and strongest.last == "approved"  # a withdrawn one holds until that counts
    assert in_force == ([strongest] if is_kept else []), "where some change holds, the strongest one is in force"


def test_a_change_that_is_withdrawn_at_the_next_tick_covers_weaker_ones_until_then() -> None:
    steps: list[tuple[int, EventName, int, int, int]] = [
        *((3, "proposed", 3, 6, 6), (3, "approved", 7, 6, 6), (3, "withdrawn", 12, 6, 6)),
        *((2, "proposed", 2, 7, 6), (2, "approved", 8, 7, 6)),
    ]
    stronger, weaker = changes = played(steps)
    assert (stronger.is_in_force(moment(10)), weaker.state(moment(10), changes)) == (True, "superseded")
    assert_holds_only_what_may(steps, 10)


@pytest.mark.parametrize(
    ("last", "event", "remedy"),
    [
        ("withdrawn", "approved", "give a new one"),
        ("approved", "rejected", "it can only be withdrawn"),
        ("proposed", "proposed", "approved or rejected or withdrawn"),
        (None, "approved", "it can only be proposed"),
    ],
)
def test_what_may_not_follow_is_refused_with_what_may(last: EventName | None, event: EventName, remedy: str) -> None:
    with pytest.raises(Declined, match=remedy):
        refuse_unless_may_follow("h7", last, event)
