"""The price desk from the command line: what a manager types, and what it says."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Terminal

from catalog.settings import Settings

REASON = ("--reason", "a competitor is cheaper")


@pytest.fixture
def desk(sell_two_days: Callable[[Path], Settings], terminal: Terminal) -> Terminal:
    """A home whose stores open next on 2026-01-07, from a price book."""
    terminal.home.mkdir()
    sell_two_days(terminal.home)
    return terminal


def test_an_override_says_what_it_costs_and_how_to_undo_it_and_is_in_the_audit(desk: Terminal) -> None:
    said = desk("override", "MILK", "1.29", "--store", "S01", "--until", "18:00", *REASON)
    assert said.returncode == 0, said.stderr
    assert "h1: override of MILK, S01, from 2026-01-07 08:00 to 18:00: in force" in said.stdout
    assert "`shelfprice withdraw h1`" in said.stdout
    changes = json.loads(desk("changes", "--json").stdout)["changes"]
    assert [(one["change"], one["state"], one["new_price"]) for one in changes] == [("h1", "in_force", 1.29)]
    refused = desk("override", "MILK", "0.5", *REASON)
    assert refused.returncode == 1
    assert "0.50 EUR is below its cost, 0.90 EUR" in refused.stderr
    assert desk("withdraw", "h1").returncode == 0
    assert json.loads(desk("changes", "--json").stdout)["changes"] == []
    audit = desk("sql", "select did, subject, reason from audit order by did", "--csv").stdout.splitlines()[1:]
    assert audit == [f"{did},h1,a competitor is cheaper" for did in ("approved", "proposed", "withdrawn")]


def test_the_kill_switch_is_put_on_and_off_and_a_quote_follows(desk: Terminal) -> None:
    ask = ("quote", "--sku", "MILK", "--stock", "50", "--json")
    before = json.loads(desk(*ask).stdout)
    assert desk("kill-switch", "on", "--reason", "prices look wrong").returncode == 0
    base = json.loads(desk(*ask).stdout)
    assert (base["price"], base["binding_rule"]) == (1.5, "kill_switch")
    assert desk("kill-switch", "off", "--reason", "they were right").returncode == 0
    assert json.loads(desk(*ask).stdout) == before
    again = desk("kill-switch", "off", "--reason", "to be sure")
    assert again.returncode == 1
    assert "expected a kill switch that is on for every store, found none" in again.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("override", "MLIK", "1.29", *REASON), 1, "Did you mean MILK?"),
        (("override", "MILK", "1.29", "--store", "S9", *REASON), 1, "expected a store of the catalog"),
        (("override", "MILK", "1.29"), 2, "--reason"),
        (("override", "MILK", "1.29", "--until", "noon", *REASON), 2, "noon"),
        (("approve", "h7"), 1, "expected the id of a price change, found 'h7'"),
        (("freeze", "MILK", "--store", "S01", "--until", "07:00", *REASON), 1, "expected an end after"),
        (("freeze", "MILK", "--until", "9999-12-31 23:59", *REASON), 1, "expected a time of the years 1970 to 2199"),
    ],
)
def test_a_mistake_is_one_line_and_records_nothing(
    desk: Terminal, words: tuple[str, ...], code: int, said: str
) -> None:
    answer = desk(*words)
    assert answer.returncode == code
    assert said in answer.stderr
    assert json.loads(desk("changes", "--all", "--json").stdout)["changes"] == []


def test_alerts_say_what_needs_a_person(desk: Terminal) -> None:
    assert "Nothing needs a person." in desk("alerts").stdout
    assert json.loads(desk("alerts", "--json").stdout) == {"alerts": []}
