"""What is said of the models first, in sentences."""

from collections.abc import Callable
from typing import Any

from dashboard.monitor import Monitor
from dashboard.pages.models_cards import model_verdict

BELIEVED = {"believed": {"mean": 4.0, "spread": 1.0}}


def said_of(monitor: Monitor, words: Callable[[Any], str]) -> str:
    history = monitor.reader.ask("champion_history", ("champions", "interactions", "substitutions"))
    return words(model_verdict(monitor.versions(), history))


def test_the_champion_is_named_first_with_the_euros_that_the_gate_expected_of_it(
    add_version: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_version(1, money=BELIEVED)
    said = said_of(monitor, words)
    assert said.startswith("What prices now Version 1 sets prices, since ")
    assert "expected to earn €4.00 more a store day than the champion of that day" in said
    assert "between €2.04 more and €5.96 more" in said
    assert said.endswith("No version was refused.")


def test_it_says_how_much_holds_of_what_the_champion_says_before_a_sale(
    add_version: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_version(1, money=BELIEVED, shares={"product_share": 1.0, "day_share": 0.5})
    said = said_of(monitor, words)
    assert "Before a sale, 100% holds of what it says of products and 50% holds of what it says of days." in said
