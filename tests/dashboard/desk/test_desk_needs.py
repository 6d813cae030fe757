"""What needs a person comes first, and what does not change is folded; what is chosen is summed up."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from listed_rows import columns_of

from dashboard.data.desk.people import StandingOrder
from dashboard.data.desk.rows import Row
from dashboard.desk.needs import ON_DESK, first_needs, needs_card

DATE = dt.date(2026, 1, 19)
ROW = Row("S01", "MILK", "Milk", "dairy", DATE, False, 1.5, 1.6, 1.6, 0.4, "why", "", "passes", "passes", "", None)


def test_what_needs_somebody_is_shown_with_what_can_be_done(words: Callable[[Any], str]) -> None:
    waiting = columns_of([replace(ROW, store=f"S{n:02d}", decision="waits", gain=float(n)) for n in range(1, 7)], ROW)
    one = columns_of([ROW], ROW)
    told = words(needs_card(waiting, []))
    assert told.startswith(
        "Needs you (6) Milk MILK · S06 €1.50 →  €1.60  +6.7 % +€6.00 a day Why. Approve Reject… Edit…"
    )
    assert told.count("Edit…") == ON_DESK
    assert told.endswith("Show all 6 that wait")
    assert words(first_needs(waiting)).startswith("Needs you 6 prices wait: decide at the desk Milk")
    assert words(needs_card(one, [])) == "✓ Nothing needs you."
    assert first_needs(one) == []


@pytest.mark.parametrize(
    ("kind", "state", "is_told"),
    [("kill_switch", "in_force", True), ("override", "proposed", True), ("override", "in_force", False)],
)
def test_a_kill_switch_that_is_on_and_an_order_that_waits_need_somebody(
    kind: Any, state: Any, is_told: bool, words: Callable[[Any], str]
) -> None:
    order = StandingOrder("h7", kind, "Milk", None, 1.2, "from now on", "anna", "prices look wrong", None, False, state)
    assert ("anna: prices look wrong" in words(needs_card(columns_of([], ROW), [order]))) == is_told
