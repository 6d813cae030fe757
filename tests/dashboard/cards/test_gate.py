from collections.abc import Callable
from typing import Any

from dashboard.cards import gate, model_versions
from dashboard.data.versions import Version
from dashboard.figures import models as figures
from dashboard.monitor import Monitor

MONEY = {
    "dr": {"estimate": 4.0, "lower": 1.0, "upper": 7.0},
    "snips": {"estimate": 3.0, "lower": -1.0, "upper": 7.0},
    "ips": {"estimate": 2.0, "lower": None, "upper": None},
    "truth": 3.5,
    "warning": "poor overlap with the log",
}


def test_the_gate_names_what_was_not_met_first_and_shows_what_was_found_literally(
    three: tuple[Version, ...], words: Callable[[Any], str]
) -> None:
    said = words(gate.verdict(three[0], "light"))
    assert said.index("not met:") < said.index("Every price varied")
    assert "<script>alert(1)</script>'); drop table x; --" in said


def test_an_estimate_of_money_is_drawn_with_its_truth_and_its_warning(
    add_version: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    figure = figures.money(MONEY, "light")
    assert {trace.y[0] for trace in figure.data} == {"doubly robust", "self-normalised", "inverse propensity"}
    assert figure.layout.annotations[0].text == "truth"
    add_version(1)
    version = monitor.versions()[0]
    told = gate.verdict(Version(**{**vars(version), "money": MONEY}), "dark")
    assert "Warning: poor overlap with the log." in words(told)
    beside = words(model_versions.side_by_side([Version(**{**vars(version), "money": MONEY})], None))
    assert "€4.00 €1.00 to €7.00" in beside
