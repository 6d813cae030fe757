"""The command `trial` as a person uses it: the plan, the refusals, and one object of JSON."""

import json
from pathlib import Path

import pytest
from shell import Terminal

RULE = ("trial", "--a", "static", "--b", "rule")


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


def test_a_plan_sells_nothing_and_says_what_three_percent_would_take(terminal: Terminal) -> None:
    said = terminal(*RULE, "--plan", "--json", "--variation", "0.05")
    plan = json.loads(said.stdout)
    assert said.returncode == 0
    assert (plan["unit"], plan["pairs"], plan["variation_source"]) == ("day", 21, "stated")
    assert plan["detectable"] > 0.03
    assert plan["days_for_three_percent"] > 14
    assert str(plan["days_for_three_percent"]) in plan["warning"]
    assert not list((terminal.home / "lake" / "interactions").rglob("part-trial*"))


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--b", "static"), 1, "found static twice"),
        (("--b", "magic"), 1, "expected a policy out of static, rule, greedy, stock_aware"),
        (("--days", "1"), 2, "--days"),
        (("--days", "7"), 1, "even number of days"),
        (("--hours", "2"), 2, "--unit hours"),
        (("--unit", "hours", "--hours", "5"), 1, "blocks that fill a store day"),
        (("--unit", "hours"), 1, "nobody knows what a block leaves"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_one_line(
    terminal: Terminal, options: tuple[str, ...], code: int, said: str
) -> None:
    answer = terminal(*RULE, "--plan", *options)
    assert answer.returncode == code
    assert said in answer.stderr
    assert answer.stdout == ""


def test_a_trial_ends_with_an_interval_as_one_object_of_json(empty_home: Path) -> None:
    answer = Terminal(empty_home)(*RULE, "--days", "4", "--stores", "4", "--json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["low_eur"] < found["effect_eur"] < found["high_eur"]
    assert found["verdict"] == "undecided"
    assert "pairs of store days detect" in answer.stderr
    kept = Terminal(empty_home)("sql", "select trial, effect_eur from trials", "--json")
    assert json.loads(kept.stdout)
    assert found["trial"] in kept.stdout
    newest = """
        select (select max(business_date) from interactions) = (select max(business_date) from demand_cells),
               (select max(business_date) from interactions) + 1 = (select max(business_date) from price_book)
    """
    assert json.loads(Terminal(empty_home)("sql", newest, "--json").stdout)["rows"] == [[True, True]]
