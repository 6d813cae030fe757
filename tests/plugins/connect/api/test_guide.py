"""The guide for till vendors: its commands and its client, run in their order, do what it says."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_app import serving
from shell import Terminal

from catalog.load import CLASSIC
from catalog.settings import Settings
from plugins.connect.api.app import application
from plugins.connect.api.problems import KINDS

pytestmark = pytest.mark.server

PAGE = (Path(__file__).parents[4] / "docs" / "quote-api.md").read_text(encoding="utf-8")
ADDRESS, TILL = "http://127.0.0.1:8070", 9000
TOKENS = re.compile(r"^ {4}(?:export )?(?P<name>[A-Z]+)=\$\(shelfprice (?P<command>[^)]*)\)$", re.MULTILINE)
CURL = re.compile(r"^ {4}(?P<command>curl (?:[^\n]*\\\n)*[^\n]*)$", re.MULTILINE)
EXPORT = re.compile(r"^ {4}shelfprice (?P<command>export [^\n]*)$", re.MULTILINE)
(CLIENT,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
WITH_A_PROBLEM = "WINE"  # the question of the page that has no answer


@pytest.fixture
def address(home: Settings) -> Iterator[str]:
    """A server over the home on a free port, which looks at the lake at every request."""
    with serving(application(home, CLASSIC, look_every=0)) as own:
        yield own


@pytest.fixture
def environ(terminal: Terminal, home: Settings) -> dict[str, str]:
    """The environment after the commands of the page that make tokens."""
    assert home.home == terminal.home
    made = {found["name"]: terminal(*found["command"].split()).stdout.strip() for found in TOKENS.finditer(PAGE)}
    assert set(made) == {"TOKEN", "BOSS"}
    return {**os.environ, "NO_PROXY": "127.0.0.1", **made}


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's commands are for curl, which is not here")
def test_the_requests_of_the_guide_are_answered_in_their_order(
    address: str, environ: dict[str, str], tmp_path: Path
) -> None:
    commands = [found["command"].replace(ADDRESS, address) for found in CURL.finditer(PAGE)]
    assert len(commands) >= 10
    answers = [
        subprocess.run(
            ["/bin/bash", "-c", command],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for command in commands
    ]
    (numbers,) = (answer for answer in answers if answer.startswith("# HELP"))
    assert "shelfprice_lake_is_readable 1.0" in numbers
    said = [json.loads(answer) for answer in answers if answer and answer != numbers]
    assert said.pop(2) == 304  # what the page says that the second question with a tag prints
    refused = [one for answer in said for one in (answer if isinstance(answer, list) else [answer]) if "status" in one]
    assert [WITH_A_PROBLEM in problem["detail"] for problem in refused] == [True]
    assert json.loads((tmp_path / "milk.json").read_text(encoding="utf-8")) == said[0]
    assert [answer["changes"][0]["state"] for answer in said if isinstance(answer, dict) and answer.get("changes")] == [
        "in_force",
        "in_force",
        "withdrawn",
    ]


def test_the_client_of_the_guide_takes_batches_and_acknowledges_them(
    address: str, environ: dict[str, str], terminal: Terminal, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    text = CLIENT.replace(ADDRESS, address).replace(f"{TILL}", f"{port}")
    (tmp_path / "till.py").write_text(text, encoding="utf-8")
    quoted = json.loads(terminal("quote", "--sku", "MILK", "--stock", "8", "--store", "S01", "--json").stdout)["price"]
    till = subprocess.Popen(
        [sys.executable, "till.py"],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with till:
        try:
            assert till.stdout is not None
            assert [till.stdout.readline() for _ in range(2)] == [f"MILK costs {quoted}\n"] * 2
            send, status = [
                found["command"].replace(f":{TILL}/", f":{port}/").split() for found in EXPORT.finditer(PAGE)
            ]
            sent = terminal(*send)
            assert sent.returncode == 0, sent.stderr
            (own,) = json.loads(terminal(*status, "--json").stdout)["stores"]
        finally:
            till.terminate()
    assert own["sent"] == own["acknowledged"] > 0
    assert (own["late"], own["different"]) == (0, 0)


def test_the_guide_names_the_status_of_every_kind_of_problem() -> None:
    rows = {int(status) for status in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)}
    assert rows == {kind.status for kind in KINDS.values()}
