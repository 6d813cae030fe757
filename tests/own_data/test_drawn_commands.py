"""The commands of drawn prices, over stores that sell by units: plan, read what a coin told, and what was earned."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from outside_grocer import DRAWN, SLOPE, Grocer
from shell import Terminal

from own_data.earned import record_earned
from warehouse.lake import Partition


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[str], tuple[Grocer, Terminal]]:
    def open_shop(more: str) -> tuple[Grocer, Terminal]:
        shop = Grocer(tmp_path, more=more, n_stores=8)
        return shop, Terminal(tmp_path / "home", {"SHELFPRICE_CATALOG": str(shop.folder)})

    return open_shop


def test_an_experiment_is_planned_with_its_power_and_told_by_its_coin(
    opened: Callable[[str], tuple[Grocer, Terminal]],
) -> None:
    shop, terminal = opened("sales: outside\n")
    nothing = terminal("experiment")
    assert (nothing.returncode, "No experiment was planned yet" in nothing.stderr) == (0, True)
    asked = ("experiment", "--step", "0.08", "--weeks", "5", "--products", "P001,P002", "--dry-run")
    assert "Nothing was planned" in terminal(*asked).stderr
    assert "No experiment was planned yet" in terminal("experiment").stderr
    planned = terminal("experiment", "--step", "0.08", "--weeks", "5", "--products", "P001,P002", "--json")
    assert planned.returncode == 0, planned.stderr
    found = json.loads(planned.stdout)
    assert found["experiment"]["products"] == ["P001", "P002"]
    chances = [own["chances"] for own in found["power"]]
    assert all(own["-1.0"] < own["-2.0"] < own["-3.0"] for own in chances)
    shop.weeks(5)
    told = json.loads(terminal("experiment", "--outcome", "1", "--json").stdout)["products"]
    assert [own["sku"] for own in told] == ["P001", "P002"]
    assert all(own["told"] and own["low"] < SLOPE < own["high"] for own in told)
    listed = terminal("experiment")
    assert "+-8.0%" in listed.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--step", "0.05", "--products", "NOPE"), "NOPE"),
        (("--outcome", "3"), "expected the number of an experiment, found 3; there are none"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_one_line(
    opened: Callable[[str], tuple[Grocer, Terminal]], arguments: tuple[str, ...], said: str
) -> None:
    _, terminal = opened("sales: outside\n")
    answer = terminal("experiment", *arguments)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_what_was_earned_is_told_for_the_chain_each_week_and_each_store(
    opened: Callable[[str], tuple[Grocer, Terminal]],
) -> None:
    shop, terminal = opened(DRAWN)
    early = terminal("earned")
    assert (early.returncode, "nothing was compared" in early.stderr) == (1, True)
    shop.weeks(4)
    answer = terminal("earned")
    assert answer.returncode == 0, answer.stderr
    assert "Profit against your own prices" in answer.stdout
    assert "S08" in answer.stdout
    found = json.loads(terminal("earned", "--json").stdout)
    assert found["n_held"] + found["n_treated"] == 4 * 8
    assert len(found["weeks"]) == 4


def test_the_twin_holds_no_experiment(tmp_path: Path) -> None:
    answer = Terminal(tmp_path / "home")("experiment", "--step", "0.05")
    assert answer.returncode == 1
    assert "expected stores that sell by themselves, found those of the twin" in answer.stderr


def test_after_each_night_the_lake_has_what_was_earned_and_a_sentence_says_it(
    opened: Callable[[str], tuple[Grocer, Terminal]],
) -> None:
    shop, _ = opened(DRAWN)
    assert record_earned(shop.workspace) == []
    shop.weeks(6)
    [sentence] = record_earned(shop.workspace)
    assert "more than your own" in sentence
    rows = shop.lake.read(Partition("earned", max(shop.lake.dates("exposures")), "all")).to_pylist()
    assert {row["scope"] for row in rows} == {"chain", "week", "store"}
    assert len(rows) == 1 + 6 + 8
    assert record_earned(shop.workspace) == [sentence]
