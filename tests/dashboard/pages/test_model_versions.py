import dataclasses
from collections.abc import Callable
from typing import Any

from dashboard.data.versions import Version
from dashboard.pages.models_cards import side_by_side, verdict


def test_the_best_of_a_row_is_marked_by_the_metrics_direction_and_a_tie_or_an_unknown_direction_by_nothing(
    three: tuple[Version, ...], words: Callable[[Any], str]
) -> None:
    said = words(side_by_side(three, None))
    assert "0.5000  ★" in said
    assert said.count("★") == 1


def test_the_gate_names_what_was_not_met_first_and_shows_what_was_found_literally(
    three: tuple[Version, ...], words: Callable[[Any], str]
) -> None:
    said = words(verdict(dataclasses.replace(three[0], money={"off_policy": {"warning": "poor overlap with the log"}})))
    assert said.index("not met:") < said.index("Every price varied")
    assert "<script>alert(1)</script>'); drop table x; --" in said
    assert "Warning: poor overlap with the log." in said
