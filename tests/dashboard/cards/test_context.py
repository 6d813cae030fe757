"""The card of the Models page that says whether the context matters, and shows which part of it and how."""

from dataclasses import replace
from typing import Any

import pytest

from dashboard.cards.context import context_fold
from dashboard.data.versions import Version
from dashboard.figures import models as figures

FOUND: dict[str, Any] = {
    "matters": True,
    "said": "the context tells more than prices",
    "importance": [
        {"part": "price ratio", "nats": 0.08},
        {"part": "weekday", "nats": 0.02},
        {"part": "hour", "nats": -0.1},
    ],
    "dependence": [
        {"feature": "weekday", "value": 1.0, "p_sale": 0.5},
        {"feature": "weekday", "value": 7.0, "p_sale": 0.8},
        {"feature": "hour", "value": 8.0, "p_sale": 0.6},
    ],
}


@pytest.fixture
def version(three: tuple[Version, ...]) -> Version:
    return replace(three[0], context=FOUND)


def test_a_version_whose_training_looked_at_no_context_has_no_card(three: tuple[Version, ...]) -> None:
    assert three[0].context is None
    assert context_fold(three[0], "light") == []


def test_what_was_found_is_said_and_drawn(version: Version) -> None:
    [card] = context_fold(version, "dark")
    assert "Version" in str(card)
    assert FOUND["said"] in str(card)
    assert "models-importance" in str(card)
    assert "models-dependence" in str(card)


def test_where_the_context_tells_nothing_the_sentence_stands_alone(version: Version) -> None:
    quiet = replace(version, context={**FOUND, "said": "by no more than luck", "importance": [], "dependence": []})
    [card] = context_fold(quiet, "light")
    assert "by no more than luck" in str(card)
    assert "models-importance" not in str(card)


def test_bars_of_what_helps_stand_with_the_most_important_on_top() -> None:
    [bars] = figures.importance(FOUND["importance"], "light").data
    assert list(bars.y) == ["weekday", "price ratio"]
    assert list(bars.x) == [0.02, 0.08]


def test_weekdays_are_named_and_hours_are_numbers() -> None:
    weekday, hour = figures.dependence(FOUND["dependence"], "light").data
    assert (list(weekday.x), list(weekday.y)) == (["Mon", "Sun"], [0.5, 0.8])
    assert (list(hour.x), list(hour.y)) == ([8.0], [0.6])
