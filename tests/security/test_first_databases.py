"""The first start of all: databases that a kill or a full disk cut short are made anew by the same command."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from quick_lakes import really_make

from catalog.settings import Settings
from serving.champion import load_champion
from tests.security.prefect_alone import answering
from training.mlflow import database
from training.mlflow.experiments import TRAININGS, client_of, experiment_id

pytestmark = [pytest.mark.server, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
WITHIN = 120.0  # seconds until a database has grown to where its maker is killed, on a busy machine
MAKES_MLFLOWS = """
from catalog.settings import read_settings
from training.mlflow.experiments import TRAININGS, client_of
client_of(read_settings()).get_experiment_by_name(TRAININGS)
"""
MAKES_PREFECTS = """
import socket, os
from plugins.operations.up.prefect_server import serve
with socket.create_server(('127.0.0.1', 0)) as listening:
    serve(listening, ['127.0.0.1'])
"""


def tables_in(home: Path) -> int:
    """Count the tables of all database files under a home, wherever they are being made."""
    found = 0
    for file in home.rglob("*"):
        try:
            if not file.is_file() or file.read_bytes()[:15] != b"SQLite format 3":
                continue
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=0.1)) as made:
                found += made.execute("select count(*) from sqlite_master where type = 'table'").fetchone()[0]
        except (OSError, sqlite3.Error):
            continue
    return found


def killed_when(program: str, home: Path, environment: dict[str, str], tables: int) -> None:
    """Run a program until there are so many tables, and kill it with all that it has started."""
    own = {**os.environ, "SHELFPRICE_HOME": str(home), "PYTHONPATH": str(ROOT), **environment}
    own.pop("PREFECT_API_URL", None)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env=own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    limit = time.monotonic() + WITHIN
    try:
        while tables_in(home) < tables:
            assert process.poll() is None, "it ended before it was killed"
            assert time.monotonic() < limit, f"it made {tables_in(home)} tables in {WITHIN:.0f} s"
            time.sleep(0.002)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("tables", [1, 16, 40])
def test_a_kill_while_the_registry_is_first_made_needs_no_person(settings: Settings, tables: int) -> None:
    killed_when(MAKES_MLFLOWS, settings.home, {}, tables)
    assert load_champion(settings) is None
    client = client_of(settings)
    assert experiment_id(client, settings, TRAININGS, "what it is about")
    assert [file.name for file in (settings.home / "mlflow").iterdir() if "draft" in file.name] == []


def test_a_kill_while_prefects_first_database_is_copied_needs_no_person(
    tmp_path: Path,
) -> None:
    login = {"PREFECT_SERVER_API_AUTH_STRING": "shelfprice:secret"}
    killed_when(MAKES_PREFECTS, tmp_path, {**login, "PREFECT_HOME": str(tmp_path)}, 1)
    with answering(tmp_path, "shelfprice:secret"):
        pass
    assert (tmp_path / "prefect.db").exists()
    assert [file.name for file in tmp_path.iterdir() if "draft" in file.name] == []


@pytest.mark.parametrize("pages", [20, 80])
def test_a_disk_that_is_full_while_the_registry_is_first_made_needs_space_alone(
    settings: Settings, pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def has_little_room(connection: Any, _record: Any) -> None:
        connection.execute(f"pragma max_page_count = {pages}")

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "connect", has_little_room)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(database, "_make", really_make)
            with pytest.raises(Exception, match="disk is full"):
                client_of(settings).get_experiment_by_name(TRAININGS)
    finally:
        sqlalchemy.event.remove(sqlalchemy.engine.Engine, "connect", has_little_room)
    assert load_champion(settings) is None
    SqlAlchemyStore._engine_map.clear()  # as in another process
    assert experiment_id(client_of(settings), settings, TRAININGS, "what it is about")
