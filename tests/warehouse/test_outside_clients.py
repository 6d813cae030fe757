"""Clients that know nothing of this project read the warehouse while flows write: DuckDB 2 in Python, and the CLI."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.settings import Settings
from features.cells import ALL_VIEWS
from warehouse.lake import Lake
from warehouse.query.connection import build_file

pytestmark = pytest.mark.server

CLI = Path(sys.executable).with_name("duckdb")
COUNT = "select count(*) from demand_cells"
Fill = Callable[[Settings], Lake]

WRITER = """
import datetime as dt, itertools, sys
from catalog.settings import read_settings
from warehouse.lake import Lake, Partition
lake = Lake(read_settings({"SHELFPRICE_HOME": sys.argv[1]}))
day = dt.date(2026, 1, 5)
rows = lake.read(Partition("demand_cells", day, "all")).slice(0, 50)
for number in itertools.count():
    lake.publish(Partition("demand_cells", day, f"new-{number}"), rows, inputs=str(number))
    if number == 0:
        print("writing", flush=True)
"""

READER = """
import sys, time
import duckdb
begun, seen = time.monotonic(), set()
while time.monotonic() < begun + 2 or (len(seen) < 3 and time.monotonic() < begun + 60):
    with duckdb.connect(sys.argv[1] + "/warehouse.duckdb", read_only=True) as warehouse:
        warehouse.execute("set file_search_path = '" + sys.argv[1] + "'")
        count = warehouse.execute("select count(*) from demand_cells").fetchone()[0]
        seen.add(count)
        print(count, flush=True)
"""


def ask_cli(folder: Path, query: str, home: Path | None = None) -> str:
    """Ask in a working directory, and return the answer with whatever was complained about."""
    file = "warehouse.duckdb" if home is None else str(home / "warehouse.duckdb")
    search = [] if home is None else ["-cmd", f"set file_search_path = '{home}'"]
    command = [CLI, "-readonly", "-noheader", "-list", *search, file, query]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return (ended.stdout + ended.stderr).strip()


@pytest.fixture
def filled(settings: Settings, fill_lake: Fill) -> Settings:
    fill_lake(settings)
    build_file(settings, ALL_VIEWS)
    return settings


def test_clients_in_processes_of_their_own_read_without_an_error_while_another_writes(filled: Settings) -> None:
    home = filled.home
    with subprocess.Popen([sys.executable, "-c", WRITER, home], stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "writing\n"
            with subprocess.Popen(
                [sys.executable, "-c", READER, home], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as python:
                answers = []
                limit = time.monotonic() + 120
                while time.monotonic() < limit and (python.poll() is None or len(set(answers)) < 3):
                    answers.append(ask_cli(home, COUNT))
                counts, complaint = python.communicate()
            still_writing = writer.poll() is None
        finally:
            writer.kill()
    assert still_writing
    assert (python.returncode, complaint) == (0, "")
    assert [answer for answer in answers if not answer.isdecimal()] == []
    for seen in ([int(line) for line in counts.split()], [int(answer) for answer in answers]):
        assert seen == sorted(seen)
        assert len(set(seen)) >= 3
        assert {(count - seen[0]) % 50 for count in seen} == {0}


def test_every_view_answers_in_the_command_line_client(filled: Settings) -> None:
    views = ask_cli(filled.home, "select view_name from duckdb_views() where not internal order by all").split()
    assert {"interactions", "daily_sales", "training_rows"} <= set(views)
    every = "; ".join(f"select '{view}' from (select count(*) from {view})" for view in views)  # noqa: S608 - ours
    assert ask_cli(filled.home, every).split() == views


def test_a_folder_that_was_moved_answers_as_before(filled: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = ask_cli(filled.home, COUNT)
    moved = tmp_path_factory.mktemp("elsewhere") / "data"
    shutil.move(filled.home, moved)
    assert int(before) > 100
    assert ask_cli(moved, COUNT) == before
    assert ask_cli(Path(os.sep), COUNT, moved) == before
