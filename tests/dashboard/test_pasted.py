"""What a copy button copies works where it is pasted."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from catalog.settings import read_settings
from dashboard.app import create_app
from dashboard.components import HOME, as_pasted, notice

PROGRAM = Path(sys.executable).parent / "shelfprice"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(read_settings({"SHELFPRICE_HOME": str(tmp_path / "my 'home'")})).server


def copied(component: Any) -> list[str]:
    return [one.content for one in component._traverse() if type(one).__name__ == "Clipboard"]


def test_it_runs_from_any_folder_and_in_a_shell_without_our_environment(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        command = as_pasted("shelfprice reset --yes && shelfprice reset --yes")
    (tmp_path / "elsewhere").mkdir()
    shell = ["/bin/sh", "-c", command]
    bare = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        shell, env=bare, cwd=tmp_path / "elsewhere", capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"{app.config[HOME]}: nothing to remove") == 2
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_button_copies_the_whole_command_while_the_short_one_is_shown(app: Flask) -> None:
    with app.app_context():
        shown = notice("No model yet", "Train one.", command="shelfprice train")
    (content,) = copied(shown)
    setting, program, *rest = shlex.split(content)
    assert setting == f"SHELFPRICE_HOME={app.config[HOME]}"
    assert (program, rest) == (str(PROGRAM), ["train"])
    assert "shelfprice train" in str(shown)


def test_without_the_program_beside_it_the_interpreter_runs_our_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/some where/python")
    assert as_pasted("shelfprice train") == "'/some where/python' -m flows train"


@pytest.mark.parametrize("other", ["make demo", "cat shelfprice train", "shelfprices train"])
def test_what_is_not_ours_is_copied_as_it_is(other: str) -> None:
    assert as_pasted(other) == other
