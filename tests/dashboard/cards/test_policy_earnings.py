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


def test_a_comparison_has_its_interval_over_seeds_and_says_that_the_gate_is_left_out(
    add_comparison: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_comparison({"clairvoyant": [200.0, 200.0], "static": [100.0, 100.0], "stock_aware": [180.0, 190.0]})
    said = said_of(monitor, words)
    assert "earned 85.0 % (± 63.5) more than fixed prices" in said  # t of one degree of freedom times 5 points
    assert "without the gate" in said


def test_lived_days_come_before_a_comparison_and_without_either_nothing_is_said(
    add_lives: Callable[..., None], add_comparison: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    assert earnings_card(monitor) == []
    add_comparison({"clairvoyant": [200.0], "static": [100.0], "stock_aware": [180.0]})
    assert "one seed, so there is no interval" in said_of(monitor, words)
    add_lives({"as_shipped": [0.5], "static": [0.0]}, "classic")
    assert "earned 50.0 % (± 0.0) less than fixed prices" in said_of(monitor, words)
