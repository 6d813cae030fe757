"""A damaged price book is never passed over in silence: whoever shows prices says from which day they are."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Terminal

from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from flows.runs import registry_of
from flows.workspace import open_workspace
from plugins.operations.checks.check_up import check_up
from tests.support.believing import price_alike
from warehouse.checks.whole import PassedOver, books_passed_over, parts_of_book
from warehouse.commits.locks import held
from warehouse.lake import Lake

TUESDAY, WEDNESDAY = dt.date(2026, 1, 6), dt.date(2026, 1, 7)
SAID = (
    "the price book for 2026-01-07 is damaged and was passed over; prices are those of the book for 2026-01-06: run "
    "`shelfprice doctor --fix`, then `shelfprice price --for 2026-01-07`"
)


@pytest.fixture
def shop(sell_two_days: Callable[[Path], Settings], terminal: Terminal) -> Terminal:
    """A shop with books for two days, the newer of them damaged."""
    terminal.home.mkdir()
    lake = Lake(sell_two_days(terminal.home))
    price_alike(lake, load(CLASSIC), WEDNESDAY, TUESDAY)
    spoil(lake, WEDNESDAY)
    return terminal


def spoil(lake: Lake, date: dt.date) -> None:
    path = lake.path(parts_of_book(date)[0])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def lake_of(shop: Terminal) -> Lake:
    return Lake(read_settings(shop.environ))


def test_the_damaged_books_are_those_newer_than_the_one_in_force(shop: Terminal) -> None:
    lake = lake_of(shop)
    assert books_passed_over(lake) == PassedOver((WEDNESDAY,), TUESDAY)
    assert books_passed_over(lake, TUESDAY) is None
    with held(lake.locks, parts_of_book(WEDNESDAY)[0].lock_name):
        assert books_passed_over(lake) is None
    spoil(lake, TUESDAY)
    both = books_passed_over(lake)
    assert both == PassedOver((WEDNESDAY, TUESDAY), None)
    assert both is not None
    assert both.sentence == (
        "the price books for 2026-01-06, 2026-01-07 are damaged and were passed over; no other book is in force"
    )


def test_a_quote_says_from_which_day_its_price_is(shop: Terminal) -> None:
    answer = shop("quote", "--sku", "MILK", "--stock", "8", "--json")
    assert (answer.returncode, answer.stderr) == (0, f"{SAID}\n")
    told = json.loads(answer.stdout)
    assert (told["made_for"], told["passed_over"]) == ("2026-01-06", ["2026-01-07"])
    spoil(lake_of(shop), TUESDAY)
    stands = load(CLASSIC).product("MILK").base_price  # a new store opens at the owner's prices
    answer = shop("quote", "--sku", "MILK", "--stock", "8")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert (
        f"are damaged and were passed over; no other book is in force: MILK stands at {stands:.2f} EUR in S01"
        in answer.stderr
    )
    assert "found none" not in answer.stderr


def test_health_says_so_of_tomorrows_prices(shop: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFPRICE_HOME", str(shop.home))
    workspace = open_workspace(None)
    checks = {check.name: check for check in check_up(workspace, registry_of(workspace))}
    assert (checks["prices"].state, checks["prices"].found) == ("warning", SAID.partition(":")[0])
    assert checks["prices"].remedy == "shelfprice doctor --fix, then shelfprice price --for 2026-01-07"


def test_who_sells_from_older_prices_is_told_once(shop: Terminal, prefect_server: str) -> None:
    answer = shop("simulate", "--start", "2026-01-07", "--days", "2", "--stores", "1", "--json")
    assert (answer.returncode, answer.stderr.count(SAID)) == (0, 1)
    silent = shop("simulate", "--start", "2026-01-07", "--stores", "1", "--policy", "static")
    assert (silent.returncode, silent.stderr.count("damaged")) == (0, 0)
