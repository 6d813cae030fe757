"""What a command says of itself: by record, at Ctrl-C, and when what it needs is away."""

import os
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from catalog.errors import ModelError
from flows.cli import program
from flows.cli.command import GROUPS, Command, command
from flows.cli.main import COMMANDS


def test_no_two_commands_have_one_name_and_each_group_is_known() -> None:
    assert len({one.name for one in COMMANDS}) == len(COMMANDS) <= 48
    assert {one.group for one in COMMANDS} == {None, *GROUPS}
    assert [one.name for one in COMMANDS if not one.when_stopped.startswith("stopped; ")] == []


def test_a_stop_is_told_in_the_words_of_the_command_once_it_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    running = SimpleNamespace(sentence=program.NOTHING_CHANGED)
    monkeypatch.setattr(program, "_RUNNING", [running])

    @command(when_stopped="stopped; half is sold")
    def sell(product: str) -> None:
        assert (product, running.sentence) == ("MILK", "stopped; half is sold")

    sell.callback(product="MILK")
    assert running.sentence == "stopped; half is sold"


@pytest.mark.parametrize(("name", "needs"), [("price", True), ("transform", False), ("ingest", False)])
def test_only_what_needs_the_registry_is_refused_without_it(tmp_path: Path, name: str, needs: bool) -> None:
    with patch.dict(os.environ, SHELFPRICE_HOME=str(tmp_path), MLFLOW_TRACKING_URI="http://127.0.0.1:9"):
        assert begins(next(one for one in COMMANDS if one.name == name)) is not needs


def begins(one: Command) -> bool:
    try:
        with one.working():
            return True
    except ModelError:
        return False
