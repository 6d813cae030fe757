"""What is said of the models first, in sentences."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from dashboard.cards.models import model_verdict
from dashboard.monitor import Monitor

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


def test_a_refusal_names_the_condition_and_a_version_that_waits_its_euros(
    add_version: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_version(1)
    add_version(2, promoted=False, unmet="is calibrated")
    add_version(
        3, promoted=False, unmet="earns more than the base prices", money={"believed": {"mean": -1.0, "spread": 0.5}}
    )
    said = said_of(monitor, words)
    assert "Version 3 is sound and waits: it was expected to earn €1.00 less a store day than base prices" in said
    assert "The last one refused: Version 2 was refused on" in said
    assert "is calibrated (<script>" in said


@pytest.mark.parametrize("count", [0, 4])
def test_what_the_champion_sold_is_told_once_it_has_sold(
    add_version: Callable[..., None], monitor: Monitor, words: Callable[[Any], str], count: int
) -> None:
    add_version(2)
    rows = [{"change": 2, "version": "2", "count_store_days": count, "revenue_eur": 400.0}]
    rows += [{"change": 1, "version": "1", "count_store_days": 2, "revenue_eur": 180.0}]
    said = words(model_verdict(monitor.versions(), pd.DataFrame(rows)))
    assert ("sold for €100.00 a store day, on other days version 1 sold for €90.00" in said) is bool(count)


def test_without_a_champion_no_model_is_said_to_set_prices(
    add_version: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_version(1, promoted=False)
    assert said_of(monitor, words).startswith("What prices now No model sets prices")
