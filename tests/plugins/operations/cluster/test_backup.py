"""A backup that is taken while work goes on is of one moment, and the night after a restore is as without one."""

import datetime as dt
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import LiteralString, cast

import psycopg
import pytest
from run_servers import running

from catalog.errors import DataError
from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from etl.batches import batches_of, play_batch
from flows.workspace import prepared
from plugins.operations.checks.proving import verify
from plugins.operations.deploy import backup
from plugins.operations.deploy.health import answers
from plugins.operations.deploy.make_bucket import client_of, is_usable
from plugins.operations.deploy.servers.ports import free_address
from plugins.operations.deploy.servers.postgres import Postgres
from plugins.operations.deploy.servers.postgres_process import program
from plugins.operations.deploy.servers.seaweed import Seaweed
from plugins.operations.up.mlflow_server import LOGIN_VARIABLE, STORE_VARIABLE
from plugins.operations.up.services import Service
from serving.store.in_force import pricing_on
from training.evening import Evening
from training.mlflow.registry import MlflowRegistry
from training.night import decide
from warehouse.commits.locks import waited_for
from warehouse.lake import Lake, Partition

FIRST = dt.date(2026, 1, 5)
SEED = 7


@contextmanager
def place(name: str, objects: Seaweed, database: Postgres, folder: Path) -> Iterator[tuple[Settings, str]]:
    """Make a bucket and a database, run MLflow's server on them, and yield settings and the database's address."""
    address = free_address()
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(cast("LiteralString", f'create database "{name}"'))
    settings = settings_of(name, objects, folder, MLFLOW_TRACKING_URI=address.url)
    url = f"{database.url.rpartition('/')[0]}/{name}"
    command = (
        sys.executable,
        "-m",
        "plugins.operations.up.mlflow_server",
        "--host",
        address.host,
        "--port",
        str(address.port),
    )
    environment = {
        **objects.environment,
        LOGIN_VARIABLE: "us:er",
        STORE_VARIABLE: url.replace("postgresql:", "postgresql+psycopg:"),
        "MLFLOW_S3_ENDPOINT_URL": objects.address.url,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_SERVER_ALLOWED_HOSTS": "*",
    }
    server = Service(
        "mlflow",
        "models",
        (*command, "--names", address.host, "--artifacts", f"s3://{name}/mlflow"),
        environment,
        address,
        lambda: answers(f"tcp://{address.host}:{address.port}"),
    )
    with running(server):
        yield settings, url


def settings_of(bucket: str, objects: Seaweed, folder: Path, **more: str) -> Settings:
    """Return settings of a lake in a bucket of its own; the home has nothing in it."""
    environment = {**objects.environment, "SHELFPRICE_LAKE": f"s3://{bucket}/lake", **more}
    settings = read_settings({**environment, "SHELFPRICE_HOME": str(folder / bucket)})
    client = client_of(settings, 10)
    while not is_usable(client, bucket):
        time.sleep(0.2)
    return settings


def night(settings: Settings, date: dt.date) -> None:
    """Sell a date and decide in the night after it."""
    workspace = prepared(settings, load(CLASSIC))
    for batch in batches_of(workspace.catalog, [date], 1):
        play_batch(workspace, batch, pricing_on(workspace.lake, workspace.catalog, date), SEED)
    decide(Evening(workspace, MlflowRegistry(settings), date, SEED))


def receipts(settings: Settings) -> dict[str, str]:
    """Return the SHA-256 of everything that is in force."""
    lake = Lake(settings)
    found = [(part, lake.receipt(part)) for table in TABLES for part in lake.partitions(table)]
    return {str(part): receipt.sha256 if receipt else "" for part, receipt in found}


def step(settings: Settings, name: str, folder: Path) -> None:
    bucket = backup.bucket_of(settings)
    if name == "moment":
        backup.copy_moment(bucket, folder, settings.locks)
    elif name == "objects":
        backup.copy_objects(bucket, folder, keep=2)
    else:
        backup.restore(bucket, folder)


@pytest.mark.slow
def test_the_night_after_a_restore_is_to_the_byte_the_night_without_one(
    object_store: Seaweed, database: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "us")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "er")
    saved = tmp_path / "backups" / "2026-01-07"
    with place("backed-up", object_store, database, tmp_path) as (own, address):
        for day in range(2):
            night(own, FIRST + dt.timedelta(days=day))
        before = receipts(own)
        assert any("booked_prices" in part for part in before)
        step(own, "moment", saved)
        subprocess.run([program("pg_dump"), "-Fc", "-f", saved / "mlflow.dump", address], check=True)
        night(own, FIRST + dt.timedelta(days=2))  # work goes on
        step(own, "objects", saved)
        expected = receipts(own)
    with pytest.raises(DataError, match="expected an empty bucket"):
        step(own, "restore", saved)
    step(settings_of("restored", object_store, tmp_path), "restore", saved)
    with place("restored", object_store, database, tmp_path) as (other, address):
        options = ("--clean", "--if-exists", "--no-owner", "-d", address)
        subprocess.run([program("pg_restore"), *options, saved / "mlflow.dump"], check=True)
        assert receipts(other) == before
        assert verify(Lake(other)).findings == ()
        night(other, FIRST + dt.timedelta(days=2))
        assert receipts(other) == expected
        assert verify(Lake(other)).findings == ()


def test_a_backup_under_constant_writing_holds_each_commit_whole_or_not_at_all(
    object_store: Seaweed, tmp_path: Path
) -> None:
    own, other = (settings_of(bucket, object_store, tmp_path) for bucket in ("written", "copied"))
    lake, stop, tables = Lake(own), threading.Event(), ("demand_cells", "visit_counts", "store_visits")
    lake.prepare()

    def write() -> None:
        for number in count():
            if stop.wait(0.3):
                return
            with waited_for(own.locks, backup.INTAKE), lake.commit("written", inputs=str(number)) as commit:
                for table in tables:
                    commit.publish(Partition(table, FIRST, "all"), TABLES[table].schema.empty_table())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for name in ("1", "2", "3"):
            step(own, "moment", tmp_path / "backups" / name)
            step(own, "objects", tmp_path / "backups" / name)
    finally:
        stop.set()
        writer.join()
    assert sorted(file.name for file in (tmp_path / "backups").iterdir()) == ["2", "3"]
    step(other, "restore", tmp_path / "backups" / "3")
    assert verify(Lake(other)).findings == ()


def test_a_backup_that_did_not_end_or_lost_a_file_is_refused(object_store: Seaweed, tmp_path: Path) -> None:
    own, other = (settings_of(bucket, object_store, tmp_path) for bucket in ("small", "not-made"))
    Lake(own).prepare()
    saved = tmp_path / "backups" / "1"
    step(own, "moment", saved)
    with pytest.raises(DataError, match="expected a whole backup"):
        step(other, "restore", saved)
    step(own, "objects", saved)
    with pytest.raises(DataError, match="expected an empty folder"):
        step(own, "moment", saved)
    next((saved / "bucket").rglob("*.parquet")).unlink()
    with pytest.raises(DataError, match="expected a whole backup"):
        step(other, "restore", saved)
