"""Each state that is out of order is said, with what mends it; a healthy one is silent."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashboard.data.notices import notices
from dashboard.data.versions import Version
from warehouse.checks.whole import PassedOver
from warehouse.origin import Side
from warehouse.query.advice import Situation

TODAY = dt.date(2026, 1, 6)


def judged(*promoted: bool) -> tuple[Version, ...]:
    return tuple(version(str(number), promoted=was) for number, was in enumerate(promoted, start=1))


def version(number: str, *, promoted: bool) -> Version:
    return Version(
        number=number,
        candidate="demand_forest",
        run_id="run",
        training_run_id="training",
        trained_through=TODAY,
        judged_through=TODAY,
        metrics={},
        candidates={},
        promoted=promoted,
        is_champion=promoted,
        was_champion=promoted,
        conditions=(),
        money=None,
        decided_at=dt.datetime(2026, 1, 6, tzinfo=dt.UTC),
    )


def lake_of(origin: Side, **facts: Any) -> Situation:
    """A lake that lacks nothing but the facts."""
    whole = Situation(
        origin,
        shelf=None if origin == "twin" else Path("/shop/shelf"),
        is_grouped=True,
        has_champion=True,
        newest_sold=TODAY,
        newest_book=TODAY,
    )
    return replace(whole, **facts)


UNTRAINED = {"has_champion": False, "newest_book": None}
YESTERDAY = TODAY - dt.timedelta(days=1)
BEHIND = {"newest_book": YESTERDAY}


@pytest.mark.parametrize(
    ("facts", "lacks", "title", "command"),
    [
        ({"versions": ()}, UNTRAINED, "No model yet", "shelfprice nightly"),
        ({"versions": (False, False)}, UNTRAINED, "No champion yet", "shelfprice nightly"),
        ({"books": [YESTERDAY]}, BEHIND, "Prices are stale", "shelfprice price"),
        ({"books": []}, {"newest_book": None}, "No price book yet", "shelfprice price"),
    ],
    ids=["no model", "no champion", "stale", "no book"],
)
def test_a_state_out_of_order_is_said_with_what_mends_it(
    facts: dict[str, Any], lacks: dict[str, Any], title: str, command: str
) -> None:
    facts = {name: judged(*found) if name == "versions" else found for name, found in facts.items()}
    healthy: dict[str, Any] = {"versions": judged(True), "books": [TODAY], "shown": TODAY, "kill_switch": False}
    assert notices(**healthy, now=lake_of("twin")) == []
    (found,) = notices(**(healthy | facts), now=lake_of("twin", **lacks))
    assert (found.title, found.command) == (title, command)
    own_prices_stand = notices(**(healthy | facts), now=lake_of("retailer", **lacks))
    assert own_prices_stand == []


@pytest.mark.parametrize(("books", "made_by"), [([], "base prices"), ([TODAY], "What the stores have sold so far")])
def test_before_a_model_it_says_what_makes_the_prices(books: list[dt.date], made_by: str) -> None:
    (found,) = notices((), books, TODAY, now=lake_of("twin", **UNTRAINED), kill_switch=False)
    assert made_by in found.text


def test_under_the_kill_switch_nobody_is_told_to_price() -> None:
    (found,) = notices(judged(True), [], TODAY, now=lake_of("twin", newest_book=None), kill_switch=True)
    assert (found.title, found.mood, found.command) == ("The kill switch is on", "stopped", None)
    assert "kill_switch: false" in found.text


def test_a_catalog_that_cannot_be_used_is_said_in_its_own_words() -> None:
    now = lake_of("twin")
    (found,) = notices(judged(True), [TODAY], TODAY, now=now, kill_switch=False, catalog_problem="store.yaml: x is 3")
    assert found.text == "store.yaml: x is 3"


def test_a_damaged_price_book_is_said_with_the_day_whose_prices_stand() -> None:
    passed_over = PassedOver((TODAY,), YESTERDAY)
    (found,) = notices(
        judged(True), [YESTERDAY, TODAY], TODAY, now=lake_of("twin"), kill_switch=False, passed_over=passed_over
    )
    assert (found.title, found.mood) == ("A price book is damaged", "problem")
    assert found.text.startswith("The price book for 2026-01-06 is damaged and was passed over; prices are those of ")
    assert found.command == "shelfprice doctor --fix"
