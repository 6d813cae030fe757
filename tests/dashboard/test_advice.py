"""Every command that a page, a check or an error advises is one that the command line takes, and right for the lake."""

import datetime as dt
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from dash.development.base_component import Component
from once_a_run import PlayedLoop
from shell import Terminal

from catalog.errors import LakeError
from catalog.load import DEFAULT_DIR, load
from catalog.settings import Settings, read_settings
from dashboard.components import NEWEST, as_pasted, book_date, empty, shown_date
from dashboard.live_controls import live_bar
from dashboard.monitor import Monitor
from dashboard.pages import models, policies
from dashboard.pages.overview_cards import no_data, notices_of
from dashboard.pages.prices_cards import no_book, no_prices_yet
from dashboard.prefect.control import live_control
from etl.transform import transform
from flows.cli.main import app
from flows.workspace import prepared
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import ingest
from warehouse.lake import Lake, Partition
from warehouse.origin import RECORD

PLAYS = {"demo", "simulate", "pipeline", "backfill", "live"}
LOG = "time,sku,price,bought\n" + "".join(
    f"2026-01-0{day} 1{hour}:00,{sku},1.{hour},{hour % 2}\n" for day in (5, 6) for hour in range(6) for sku in "AB"
)
NOW = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
TODAY = dt.date(2026, 1, 6)


@dataclass(frozen=True)
class State:
    """How a home is made, and the first word of the command that is right for its prices; None for no command."""

    holds: str
    right: str | None
    model: bool = False
    champion: bool = False
    book: dt.date | None = None
    lost: str | None = None
    kill_switch: bool = False


STATES = {
    "empty home": State("nothing", "demo"),
    "views alone": State("views", "demo"),
    "twin sold without a model": State("twin", "nightly"),
    "twin without a champion": State("twin", "nightly", model=True),
    "twin without a book": State("twin", "price", model=True, champion=True),
    "twin with a stale book": State("twin", "price", model=True, champion=True, book=TODAY - dt.timedelta(days=1)),
    "twin, fresh": State("twin", None, model=True, champion=True, book=TODAY),
    "twin under the kill switch": State("twin", None, model=True, champion=True, kill_switch=True),
    "twin without views": State("twin", "nightly", lost="views"),
    "twin with damaged views": State("twin", "nightly", lost="damaged"),
    "ingested, every row rejected": State("log", "ingest", lost="decisions"),
    "ingested alone": State("log", "transform", lost="cells"),
    "ingested and grouped": State("log", None),
    "ingested without a champion": State("log", None, model=True),
    "ingested with a champion": State("log", None, model=True, champion=True),
    "ingested, priced": State("log", None, model=True, champion=True, book=TODAY + dt.timedelta(days=1)),
    "ingested without views": State("log", None, lost="views"),
    "ingested without its record": State("log", None, lost="record"),
}


@pytest.fixture(scope="module")
def log_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home, file = tmp_path_factory.mktemp("log home"), tmp_path_factory.mktemp("shop") / "log.csv"
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    file.write_text(LOG, encoding="utf-8")
    ingest(settings, file, Reading(), None, NOW)
    transform(prepared(settings, load(settings.shelf)))
    return home


@pytest.fixture
def in_state(
    settings: Settings,
    log_home: Path,
    sell_two_days: Callable[[Path], Settings],
    request: pytest.FixtureRequest,
) -> Callable[[State], Monitor]:
    """Make a home in a state and return the monitor that looks at it."""

    def make(state: State) -> Monitor:
        if state.holds == "twin":
            sell_two_days(settings.home)
            shutil.rmtree(settings.lake / "booked_prices")
            shutil.rmtree(settings.lake / "demand_curves")
        if state.holds == "log":
            shutil.copytree(log_home, settings.home, dirs_exist_ok=True)
        if state.holds != "nothing":
            request.getfixturevalue("lake")
        if state.model:
            request.getfixturevalue("add_version")(1, promoted=state.champion)
        if state.champion:
            request.getfixturevalue("add_change")(1, "1", "promoted_by_gate")
        if state.book:
            rows = Lake(settings).read(Partition("booked_prices", dt.date(1970, 1, 1), "contract"))
            Lake(settings).publish(Partition("booked_prices", state.book, "all"), rows, inputs="x")
        _lose(settings, state.lost)
        return Monitor(settings, live_control(settings), _off(settings.home.parent) if state.kill_switch else None)

    return make


def _off(folder: Path) -> Path:
    """Copy the catalog and pull its kill switch."""
    shelf = Path(shutil.copytree(DEFAULT_DIR, folder / "switched off"))
    store = (shelf / "store.yaml").read_text(encoding="utf-8")
    assert "kill_switch: false" in store
    (shelf / "store.yaml").write_text(store.replace("kill_switch: false", "kill_switch: true"), encoding="utf-8")
    return shelf


def _lose(settings: Settings, what: str | None) -> None:
    if what == "views":
        settings.warehouse_file.unlink()
    elif what == "damaged":
        settings.warehouse_file.write_bytes(b"not a database")
    elif what == "record":
        (settings.lake / RECORD).unlink()
    tables = {"cells": ["demand_cells"], "decisions": ["interactions", "demand_cells"]}.get(what or "", [])
    for part in [part for table in tables for part in Lake(settings).partitions(table)]:
        Lake(settings).remove(part)


PASTED = shlex.split(as_pasted("shelfprice demo"))[0]
"""The program in a command that a page copies."""


def said_by(part: Any) -> Iterator[str]:
    """Yield every command that a component shows as code, offers to copy or names between backticks."""
    if isinstance(part, str):
        yield from re.findall(r"`(shelfprice [^`]*)`", part)
    elif isinstance(part, list | tuple):
        for item in part:
            yield from said_by(item)
    elif isinstance(part, Component):
        kind = type(part).__name__
        if kind in {"Clipboard", "Code"}:
            yield str(part.content if kind == "Clipboard" else part.children)
        else:
            yield from said_by(getattr(part, "children", None))


def pages_of(monitor: Monitor) -> Iterator[tuple[str, Any]]:
    """Yield what the pages show, as their callbacks put it together."""
    date = shown_date(monitor, NEWEST)
    if date is None:
        yield "Store", no_data(monitor, "No store day yet", "Nothing was sold.")
        yield "Prices", no_prices_yet(monitor)
    elif monitor.settings.warehouse_file.exists():
        yield "Store", [notices_of(monitor, date), live_bar(), f"`{monitor.why_no_live_day()}`"]
        missing = no_book(monitor, date) if book_date(monitor, date) is None else None
        yield "Prices", [notices_of(monitor, date), missing]
    yield "Models", models.content(monitor, "light")
    yield "Policies", policies.content(monitor, "light")
    if not monitor.settings.warehouse_file.exists():
        yield "Pipeline", no_data(monitor, "No data yet", "The lake is empty.")


def parsed(command: str) -> str:
    """Return the name of a command, if the command line takes it as it stands."""
    program, name, *arguments = shlex.split(command)
    assert program in {"shelfprice", PASTED}, command
    commands: Any = typer.main.get_command(app)
    assert name in commands.commands, command
    commands.commands[name].make_context(name, arguments)  # raises on wrong usage
    return name


def refuse_wrong(commands: Iterable[str], state: State) -> None:
    """Fail on a command that the command line does not take, or that adds invented sales to a retailer's log."""
    for command in commands:
        assert state.holds != "log" or parsed(command) not in PLAYS, f"{command} is advised for a retailer's lake"


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_every_page_advises_commands_that_are_right_for_the_lake(
    state: State, in_state: Callable[[State], Monitor]
) -> None:
    monitor = in_state(state)
    now = monitor.situation()
    command = monitor.next_command()
    assert (command and parsed(command)) == state.right
    if state.holds == "log" and command:
        assert f"--catalog {shlex.quote(str(now.shelf))}" in command
    try:
        shown = dict(pages_of(monitor))
    except LakeError as error:
        assert state.lost in {"damaged", "views"}
        shown = {"trouble": str(error)}
    found = {page: list(said_by(part)) for page, part in shown.items()}
    refuse_wrong([command for commands in found.values() for command in commands], state)
    if state.lost == "views":
        assert {parsed(commands[0]) for commands in found.values()} == {"transform"}
    elif state.lost == "damaged":
        assert [parsed(command) for command in found["trouble"]] == ["transform", "health"]
    else:
        on_prices = [parsed(one) for page in ("Store", "Prices") for one in found[page]]
        assert state.right is None or state.right in on_prices


@pytest.mark.parametrize("state", ["empty home", "twin sold without a model", "ingested and grouped"])
def test_what_health_and_quote_advise_is_right_for_the_lake(state: str, in_state: Callable[[State], Monitor]) -> None:
    monitor = in_state(STATES[state])
    terminal = Terminal(monitor.settings.home)
    checks = json.loads(terminal("health", "--json").stdout)["checks"]
    remedies = [part for check in checks for part in re.split(", (?:or|then|and) ", check["remedy"])]
    sku = "A" if STATES[state].holds == "log" else "MILK"
    quoted = terminal("quote", "--sku", sku, "--stock", "9")
    assert (quoted.returncode, quoted.stderr.count("\n")) == (1, 1)
    assert "expected a price book, found none" in quoted.stderr
    advised = [one for one in remedies if one.startswith("shelfprice ")] + list(said_by(quoted.stderr))
    assert advised or STATES[state].right is None
    refuse_wrong(advised, STATES[state])


def test_a_command_that_wants_a_name_put_into_it_is_shown_and_not_copied() -> None:
    shown = list(said_by(empty("Nothing", "Nothing.", "shelfprice ingest FILE")))
    assert shown == ["shelfprice ingest FILE"]
    assert len(list(said_by(empty("Nothing", "Nothing.", "shelfprice demo")))) == 2


def test_health_of_an_empty_home_says_that_there_is_nothing_to_check_yet(terminal: Terminal) -> None:
    answer = terminal("health")
    assert answer.returncode == 1
    assert "nothing failed" not in answer.stderr
    assert "there is nothing to check yet" in answer.stderr
    assert list(said_by(answer.stderr)) == ["shelfprice demo", "shelfprice ingest FILE"]
    found = json.loads(terminal("health", "--json").stdout)
    assert found["healthy"] is False


def test_a_demo_that_has_just_ended_shows_no_notice(in_the_loop: PlayedLoop) -> None:
    monitor = Monitor(in_the_loop.settings, live_control(in_the_loop.settings))
    date = shown_date(monitor, NEWEST)
    assert date == in_the_loop.dates[-1]
    if monitor.situation().has_champion:
        assert notices_of(monitor, date) == []
