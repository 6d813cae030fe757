"""The sentence that opens the Policies page."""

from collections.abc import Callable
from typing import Any

from dash import html

from dashboard.cards.policy_earnings import earnings_card
from dashboard.monitor import Monitor


def said_of(monitor: Monitor, words: Callable[[Any], str]) -> str:
    return words(html.Div(earnings_card(monitor)))


def test_lived_days_say_what_was_earned_with_gate_and_nights_beside_both_ends(
    add_lives: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_lives({"as_shipped": [0.15, 0.05], "static": [0.2, 0.3]}, "classic")
    said = said_of(monitor, words)
    assert "earned 20.0 % (± 0.0) more than fixed prices, and 10.0 % (± 0.0) less than perfect knowledge" in said
    assert "the first 2 days in 1 world, with gate and nights" in said


def test_the_interval_is_students_over_seeds_and_one_seed_has_none(
    add_lives: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    assert earnings_card(monitor) == []
    add_lives({"as_shipped": [0.1, 0.05], "static": [0.5]}, "classic", seeds=(1,))
    assert "one seed, so there is no interval" in said_of(monitor, words)


def test_a_policy_that_earns_less_than_fixed_prices_is_said_to(
    add_lives: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_lives({"as_shipped": [0.5], "static": [0.0]}, "classic")
    assert "earned 50.0 % (± 0.0) less than fixed prices" in said_of(monitor, words)
