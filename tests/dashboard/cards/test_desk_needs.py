"""What needs a person comes first, and what does not change is folded; what is chosen is summed up."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from listed_rows import columns_of

from dashboard.cards.desk_needs import ON_DESK, first_needs, needs_card, totals_line
from dashboard.data.desk.people import StandingOrder
from dashboard.data.desk.rows import Row
from dashboard.data.desk.table import DeskQuestion, totals_of
from dashboard.desk_controls import meant
from desk.price_changes.planned_day import Proceeds

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


def test_totals_name_labels_euros_units_and_categories(words: Callable[[Any], str]) -> None:
    plan, kept = Proceeds(30, 40.0, 12.0, 12.0), Proceeds(40, 38.0, 10.0, 10.0)
    rows = [replace(ROW, plan=plan, kept=kept), replace(ROW, category="bakery", now=1.6, gain=None)]
    assert words(totals_line(totals_of(columns_of(rows, ROW)))) == (
        "+€2.00 a day 1 label changes revenue €40.00 (+€2.00) profit €12.00 (+€2.00) 30 units (−10) 1 not known "
        "bakery +€0.00 · dairy +€2.00"
    )


def test_a_button_of_one_price_means_that_price_whatever_is_found() -> None:
    asked: Any = DeskQuestion()
    desk: Any = None  # it is not asked for what else is found
    assert meant(desk, {"ids": ["S01|MILK"], "alone": True}, asked, every=True) == ["S01|MILK"]
