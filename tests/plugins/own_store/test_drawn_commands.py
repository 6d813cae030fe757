"""The commands of drawn prices, over stores that sell by units: plan, read what a coin told, and what was earned."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from outside_grocer import BEFORE, DRAWN, MONDAY, SLOPE, Grocer
from shell import Terminal

from plugins.own_store import earned
from plugins.own_store.draws.drawn_sales import read_drawn_sales
from plugins.own_store.earned import earned_by_draws, record_earned
from warehouse.lake import Lake, Partition


def beside(shop: Grocer) -> Terminal:
    return Terminal(shop.settings.home, {"SHELFPRICE_CATALOG": str(shop.folder), "SHELFPRICE_NOW": BEFORE})


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[str], tuple[Grocer, Terminal]]:
    def open_shop(more: str) -> tuple[Grocer, Terminal]:
        shop = Grocer(tmp_path, more=more, n_stores=8)
        return shop, beside(shop)

    return open_shop


@pytest.fixture
def later(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Grocer:
    return Grocer.after_six_weeks(tmp_path_factory, tmp_path / "later")


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


def test_an_experiment_is_withdrawn_with_a_reason_and_stays_on_record(
    opened: Callable[[str], tuple[Grocer, Terminal]],
) -> None:
    shop, terminal = opened("sales: outside\n")
    terminal("experiment", "--step", "0.05", "--weeks", "5", "--products", "P001")
    assert terminal("experiment", "--withdraw", "1").returncode == 2
    shop.weeks(1)
    ended = terminal("experiment", "--withdraw", "1", "--reason", "the sale begins")
    assert (ended.returncode, "draws no price from 2026-01-26 on" in ended.stderr) == (0, True)
    [own] = json.loads(terminal("experiment", "--json").stdout)["experiments"]
    assert (own["withdrawn_reason"], own["through"]) == ("the sale begins", "2026-02-22")
    again = terminal("experiment", "--withdraw", "1", "--reason", "again")
    assert (again.returncode, "withdrew it from 2026-01-26 on" in again.stderr) == (1, True)
    planned = json.loads(terminal("experiment", "--step", "0.05", "--weeks", "2", "--json").stdout)["experiment"]
    assert planned["starts"] == "2026-01-26"
    assert "will not begin" in terminal("experiment", "--withdraw", "2", "--reason", "not now").stderr
    assert shop.night(MONDAY + dt.timedelta(days=6)).said is not None
    assert not shop.draw(MONDAY + dt.timedelta(days=7)).is_elsewhere.any()


def test_where_people_stock_up_an_experiment_says_that_the_price_before_matters(
    opened: Callable[[str], tuple[Grocer, Terminal]],
) -> None:
    shop, terminal = opened("sales: outside\n")
    terminal("experiment", "--step", "0.08", "--weeks", "8", "--products", "P000")
    shop.carry = 1.5
    shop.weeks(8)
    told = terminal("experiment", "--outcome", "1")
    assert "Sales of P000 answer to the price of the week before as well" in told.stderr
    [own] = json.loads(terminal("experiment", "--outcome", "1", "--json").stdout)["products"]
    assert own["carry"]["low"] < shop.carry < own["carry"]["high"]
    assert own["carry"]["adjusted"] <= 0.01
    assert own["low"] < SLOPE < own["high"]


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
    opened: Callable[[str], tuple[Grocer, Terminal]], later: Grocer
) -> None:
    _, early = opened(DRAWN)
    answer = early("earned")
    assert (answer.returncode, "nothing was compared" in answer.stderr) == (1, True)
    terminal = beside(later)
    answer = terminal("earned")
    assert answer.returncode == 0, answer.stderr
    assert "Profit against your own prices" in answer.stdout
    assert "S08" in answer.stdout
    found = json.loads(terminal("earned", "--json").stdout)
    assert 0 < found["n_held"] < found["n_held"] + found["n_treated"] <= 6 * 8 * 3
    assert len(found["categories"]) > 0
    assert len(found["weeks"]) == 6
    assert found["lately"]["share_high"] - found["lately"]["share_low"] <= 0.4


def test_a_person_approves_the_design_by_a_command_and_takes_it_back(
    opened: Callable[[str], tuple[Grocer, Terminal]],
) -> None:
    _, terminal = opened(f"{DRAWN}approval: {{within_of_base: 0.0}}\n")
    approved = terminal("decide", "approve", "drawn_prices", "--reason", "fine", "--json")
    assert (approved.returncode, json.loads(approved.stdout)["approved"]) == (0, True)
    assert "No further price is drawn" in terminal("decide", "withdraw", "drawn_prices", "--reason", "no").stdout
    assert terminal("decide", "withdraw", "drawn_prices").returncode == 1


@pytest.mark.parametrize(
    "command",
    [
        ("experiment", "--step", "0.05"),
        ("decide", "approve", "drawn_prices"),
        ("override", "MILK", "1.59", "--shelf-price", "--reason", "the dairy raised its price"),
    ],
)
def test_the_twin_holds_no_experiment_and_draws_no_price(tmp_path: Path, command: tuple[str, ...]) -> None:
    answer = Terminal(tmp_path / "home")(*command)
    assert answer.returncode == 1
    assert "expected stores that sell by themselves, found those of the twin" in answer.stderr


def test_after_each_night_the_lake_has_what_was_earned_and_a_sentence_says_it(
    opened: Callable[[str], tuple[Grocer, Terminal]], later: Grocer
) -> None:
    assert record_earned(opened(DRAWN)[0].workspace) == []
    shop = later
    said = record_earned(shop.workspace)
    assert "more than your own" in said[0]
    rows = shop.lake.read(Partition("earned", max(shop.lake.dates("exposures")), "all")).to_pylist()
    assert {row["scope"] for row in rows} == {"chain", "lately", "week", "category", "store"}
    assert len(rows) == 2 + 6 + len({product.category for product in shop.catalog.products}) + 8
    assert record_earned(shop.workspace) == said


def test_a_night_reads_only_the_slots_that_something_came_for_and_gives_what_reading_all_gives(
    opened: Callable[[str], tuple[Grocer, Terminal]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, _ = opened(DRAWN)
    after = shop.weeks(3)
    whole = earned_by_draws(shop.workspace)
    record_earned(shop.workspace)
    read: list[dt.date] = []

    def counted(lake: Lake, first: dt.date, through: dt.date) -> pd.DataFrame:
        read.append(first)
        return read_drawn_sales(lake, first, through)

    monkeypatch.setattr(earned, "read_drawn_sales", counted)
    assert earned_by_draws(shop.workspace) == whole
    assert read == []
    shop.week(MONDAY + dt.timedelta(days=7), n_days=1)  # its sales of that date came again, and are others
    shop.night(after - dt.timedelta(days=1))
    shop.week(after)
    record_earned(shop.workspace)
    assert read == [MONDAY + dt.timedelta(days=7), after]
    kept = earned_by_draws(shop.workspace)
    for first in [MONDAY + dt.timedelta(days=7 * week) for week in range(4)]:
        shop.lake.remove(Partition("earned_slots", first, "all"))
    assert earned_by_draws(shop.workspace) == kept
