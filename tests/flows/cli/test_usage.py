"""How the command line is used: help that fits, guesses at what was meant, and one line for whatever is typed."""

import os
import re
import shlex
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from shell import Terminal
from typer.main import get_command
from typer.testing import CliRunner

from catalog.errors import ServiceError
from flows.cli.command import GROUPS
from flows.cli.main import COMMANDS as RECORDS
from flows.cli.main import app

ROOT: Any = get_command(app)
COMMANDS = tuple(one.name for one in RECORDS)
WIDTH = 80
EXTREMES = (
    *("0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31", "tomorrow", "-1", "2026-02-30"),
    *("0", "99999999999999999999999", "nan", "inf", "-inf", "1e400", "2147483648", "4294967296"),
    *("", " ", "x" * 10_000, "\x1b[2J", "'); drop table x; --", "../../x", "a\nb"),
    *("/nowhere", "/dev/null", "/proc"),
)
NEEDED = {
    "backfill": ("--start", "2026-01-05", "--end", "2026-01-06"),
    "replay": ("--date", "2026-01-05"),
    "quote": ("--sku", "MILK", "--stock", "8"),
    "ingest": ("/nowhere.csv",),
    "export": ("--store", "nowhere"),  # else any text is the folder that it exports to
}


def attempts() -> Iterator[tuple[str, ...]]:
    for name in COMMANDS:
        needed = NEEDED.get(name, ())
        for option in ROOT.commands[name].params:
            if option.opts[0].startswith("-") and not option.is_flag:
                yield from ((name, *needed, option.opts[0], value) for value in EXTREMES)


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every command that was not refused end where its services would be prepared."""

    def refuse(*_: Any, **__: Any) -> None:
        raise ServiceError("nothing starts in this test")

    monkeypatch.setattr("flows.environment.prepare", refuse)
    monkeypatch.setattr("dashboard.server.serve", refuse)


@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_is_typed_for_an_option_gets_one_line(terminal: Terminal, nothing_starts: None, command: str) -> None:
    for typed in (one for one in attempts() if one[0] == command and command != "reset"):
        answer = terminal(*typed)
        assert answer.returncode in {1, 2}, typed
        assert len(answer.stderr.splitlines()) == 1, (typed, answer.stderr)
        assert "unexpected" not in answer.stderr, (typed, answer.stderr)
        assert answer.stdout == "", typed


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("simlate",), "'simulate'"),
        (("simulate", "--storse", "3"), "--stores"),
        (("quote", "--sku", "mlk", "--stock", "3"), "MILK"),
        (("live", "--store", "S1"), "S01"),
    ],
)
def test_a_slip_of_the_finger_gets_a_guess_at_what_was_meant(
    terminal: Terminal, typed: tuple[str, ...], meant: str
) -> None:
    answer = terminal(*typed)
    assert f"Did you mean {meant}?" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "typed",
    [
        ("simulate", "--start", "2199-12-31", "--days", "2"),
        ("pipeline", "--start", "2199-01-01", "--days", "366"),
        ("live", "--date", "2199-12-31", "--days", "2"),
        ("replay", "--date", "2199-12-31", "--days", "36500"),
    ],
)
def test_days_that_reach_beyond_the_calendar_are_wrong_usage(
    terminal: Terminal, nothing_starts: None, typed: tuple[str, ...]
) -> None:
    answer = terminal(*typed)
    assert answer.returncode == 2
    assert "'--days': expected at most" in answer.stderr


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    "typed",
    [
        ("demo", "--start"),
        ("simulate", "--start"),
        ("pipeline", "--start"),
        ("train", "--through"),
        ("price", "--for"),
        ("nightly", "--date"),
        ("champions", "--on"),
        ("replay", "--date"),
        ("live", "--date"),
        ("backfill", "--end", "2026-01-05", "--start"),
        ("backfill", "--start", "2026-01-05", "--end"),
    ],
)
def test_a_date_that_no_store_can_sell_on_is_wrong_usage(
    terminal: Terminal, nothing_starts: None, typed: tuple[str, ...], date: str
) -> None:
    answer = terminal(*typed, date)
    assert answer.returncode == 2
    assert f"expected a date from 1900-01-01 to 2199-12-31, found {date}" in answer.stderr


@pytest.mark.parametrize(
    "typed",
    [
        ("quote", "--sku", "MILK", "--stock", "8", "--shown", "nan"),
        ("quote", "--sku", "MILK", "--stock", "8", "--opening", "inf"),
        ("live", "--speed", "nan"),
        ("champions", "rollback", "--reason", " "),
        ("champions", "rollback", "3"),
        ("champions", "promote"),
        ("champions", "--reason", "margins fell"),
        ("champions", "promote", "3", "--on", "2026-01-05"),
        ("monitor", "--host", ""),
        ("simulate", "--seed", "4294967296"),
        ("compare", "--stores", "0"),
        ("compare", "--days", "0"),
    ],
)
def test_what_is_no_number_or_no_text_is_wrong_usage(
    terminal: Terminal, nothing_starts: None, typed: tuple[str, ...]
) -> None:
    assert terminal(*typed).returncode == 2


def test_the_version_is_told(terminal: Terminal) -> None:
    assert re.fullmatch(r"shelfprice \d+\.\d+\.\d+\n", terminal("--version").stdout)


def shown_commands(*typed: str) -> list[str]:
    with patch.dict(os.environ, COLUMNS=str(WIDTH), TERM="dumb"):
        shown = CliRunner().invoke(app, [*typed, "--help"]).stdout
    return re.findall(r"^│ ([a-z][a-z-]*) ", shown, re.MULTILINE)


def test_a_newcomer_sees_at_most_sixteen_commands_and_groups_hold_all_others() -> None:
    first, grouped = shown_commands(), [name for group in GROUPS for name in shown_commands(group)]
    assert len(first) <= 16
    assert set(GROUPS) < set(first)
    assert sorted([*first, *grouped]) == sorted([*COMMANDS, *GROUPS])
    overview = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", overview)] == []


def test_a_command_of_a_group_is_the_same_by_its_name_alone(terminal: Terminal) -> None:
    by_group, alone = (terminal(*typed, "decide", "approve", "p1.S01.MILK") for typed in (("desk",), ()))
    assert by_group == alone
    assert "Did you mean 'decide'?" in terminal("desk", "decid").stderr


@pytest.mark.parametrize("command", ["", *COMMANDS, *GROUPS])
def test_help_fits_a_terminal_of_eighty_columns(command: str) -> None:
    with patch.dict(os.environ, COLUMNS=str(WIDTH), TERM="dumb"):
        shown = CliRunner().invoke(app, [*([command] if command else []), "--help"])
    assert shown.exit_code == 0
    for line in shown.stdout.splitlines():
        assert len(line) <= WIDTH, line
        if line[:1] in "╭│╰" and line:
            assert len(line) == WIDTH, line
            assert line[-1] in "╮│╯", line
        assert "…" not in line


def examples() -> list[str]:
    return [
        line.strip()
        for command in ROOT.commands.values()
        for line in command.help.splitlines()
        if line.startswith("  shelfprice ")
    ]


@pytest.mark.parametrize("example", examples())
def test_every_example_in_a_help_can_be_typed(example: str) -> None:
    _, name, *typed = shlex.split(example)
    with ROOT.commands[name].make_context(name, typed) as context:
        assert context.params


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("shelfprice quote --sku M", ["MILK", "MEAT"]),
        ("shelfprice live --store S0", ["S01", "S02", "S03"]),
        ("shelfprice quote --catalog /nowhere --sku M", [""]),
        ("shelfprice cham", ["champions"]),
    ],
)
def test_the_shell_completes_commands_products_and_stores(typed: str, offered: list[str]) -> None:
    words = {
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
        "_SHELFPRICE_COMPLETE": "complete_bash",
    }
    with patch.dict(os.environ, words):
        shown = CliRunner().invoke(app, [], prog_name="shelfprice")
    assert shown.stdout.rstrip("\n").split("\n") == offered


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "simulate --stores x",
            "--stores: expected a whole number from 1 to 100,000, such as 1, found 'x'; nothing was",
        ),
        (
            "simulate --stores 0",
            "--stores: expected a whole number from 1 to 100,000, such as 1, found '0'; nothing was",
        ),
        ("live --date 2026-13-01", "--date: expected a date, such as \"2026-12-24\", found '2026-13-01'; nothing was"),
        (
            "quote --sku MILK",
            "--stock: expected a whole number from 0 to 2,147,483,647, such as 1, found none; nothing was",
        ),
        ("live --speed fast", "--speed: expected a number from 0.2 to 10, such as 1, found 'fast'; nothing was"),
    ],
)
def test_a_value_of_an_option_is_refused_with_its_bounds_and_an_example(
    terminal: Terminal, typed: str, said: str
) -> None:
    answer = terminal(*typed.split())
    assert answer.returncode == 2
    assert f"wrong usage: {said}" in answer.stderr
