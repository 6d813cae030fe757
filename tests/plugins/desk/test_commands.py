"""The price desk from the command line: what a manager types, and what it says."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Terminal

from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from plugins.desk.price_changes.change import Event, Terms
from plugins.desk.price_changes.record import record
from warehouse.lake import Lake

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
    assert "`shelfprice decide withdraw h1`" in said.stdout
    changes = json.loads(desk("changes", "--json").stdout)["changes"]
    assert [(one["change"], one["state"], one["new_price"]) for one in changes] == [("h1", "in_force", 1.29)]
    refused = desk("override", "MILK", "0.5", *REASON)
    assert refused.returncode == 1
    assert "0.50 EUR is below its cost, 0.90 EUR" in refused.stderr
    assert desk("decide", "withdraw", "h1").returncode == 0
    assert json.loads(desk("changes", "--json").stdout)["changes"] == []
    audit = desk("sql", "select did, subject, reason from audit order by did", "--csv").stdout.splitlines()[1:]
    assert audit == [f"{did},h1,a competitor is cheaper" for did in ("approved", "proposed", "withdrawn")]


def test_a_reduction_is_announced_with_its_percentage_and_what_is_none_has_no_percentage(desk: Terminal) -> None:
    said = desk("override", "MILK", "1.10", "--store", "S01", "--announce", *REASON)
    assert said.returncode == 0, said.stderr
    assert "the price that the law asks for: " in said.stdout
    assert "% less." in said.stdout
    none = desk("override", "MILK", "2.40", "--store", "S02", "--announce", *REASON)
    assert "2.40 EUR is no reduction" in none.stderr
    insisted = desk("override", "MILK", "2.40", "--store", "S02", "--announce", "--anyway", *REASON)
    assert insisted.returncode == 0, insisted.stderr
    assert "less." not in insisted.stdout


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


def test_a_switch_that_ended_by_itself_does_not_keep_the_next_one_on(desk: Terminal) -> None:
    settings = read_settings(desk.environ)
    catalog, ended = load(CLASSIC), dt.datetime(2026, 1, 6, 12, tzinfo=dt.UTC)
    begun = ended - dt.timedelta(hours=2)
    terms = Terms("kill_switch", None, None, None, None, begun, ended, "prices looked wrong")
    happened = [Event(1, "h1", event, begun, begun, "ben", terms) for event in ("proposed", "approved")]
    record(Lake(settings), catalog, 1, happened)
    assert desk("kill-switch", "on", "--reason", "again").returncode == 0
    off = desk("kill-switch", "off", "--reason", "they were right")
    assert off.returncode == 0, off.stderr
    states = {one["change"]: one["state"] for one in json.loads(desk("changes", "--all", "--json").stdout)["changes"]}
    assert states == {"h1": "expired", "h2": "withdrawn"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("override", "MLIK", "1.29", *REASON), 1, "Did you mean MILK?"),
        (("override", "MILK", "1.29", "--store", "S9", *REASON), 1, "expected a store of the catalog"),
        (("override", "MILK", "1.29"), 2, "--reason"),
        (("override", "MILK", "1.29", "--until", "noon", *REASON), 2, "noon"),
        (("decide", "approve", "h7"), 1, "expected the id of a price change, found 'h7'"),
        (("freeze", "MILK", "--store", "S01", "--until", "07:00", *REASON), 1, "expected an end after"),
        (("freeze", "MILK", "--until", "9999-12-31 23:59", *REASON), 1, "expected a time of the years 1970 to 2100"),
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
    assert json.loads(desk("alerts", "--json").stdout) == {"alerts": [], "unsent": 0}
