"""The servers that the tests of this folder share: each does what is relied on, and leaves nothing."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from botocore.exceptions import ClientError
from run_servers import postgres, running

from catalog.errors import ServiceError
from deploy.servers.postgres import Postgres
from deploy.servers.postgres_process import forget_the_dead
from deploy.servers.seaweed import BUCKET, Seaweed


def s3(store: Seaweed, secret: str | None = None) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=store.address.url,
        region_name=store.environment["AWS_REGION"],
        aws_access_key_id=store.key,
        aws_secret_access_key=secret or store.secret,
    )


def test_the_object_store_lets_nobody_in_without_the_secret(object_store: Seaweed) -> None:
    client = s3(object_store, "wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client.list_objects_v2(Bucket=BUCKET)
    client.close()


def test_the_database_lets_nobody_in_without_the_password(database: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.url.replace(database.password, "wrong"))


def test_a_server_that_cannot_start_says_why_within_its_last_lines(tmp_path: Path) -> None:
    with postgres(tmp_path / "files") as server:
        (tmp_path / "files" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(ServiceError, match="no_such_setting"), running(server.service()):
        pass


def test_killing_the_process_around_postgresql_ends_postgresql(tmp_path: Path) -> None:
    with postgres(tmp_path / "files") as server, psycopg.connect(server.url) as connection:
        found = connection.execute("select pg_backend_pid()").fetchone()
        assert found is not None
        postmaster = parent_of(found[0])
        os.kill(parent_of(postmaster), signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select pg_sleep(10)")
        assert not server.answers()


def test_the_lock_file_of_a_killed_server_goes_once_nothing_of_it_is_left(tmp_path: Path) -> None:
    """A killed process whose exit code nobody has asked for counts as running, for PostgreSQL too."""
    lock = tmp_path / "postmaster.pid"
    server, other = (subprocess.Popen(("sleep", "60"), cwd=folder) for folder in ("/", tmp_path))
    try:
        lock.write_text(f"{server.pid}\n{tmp_path}\n")
        forget_the_dead(tmp_path)
        assert lock.exists()
        server.kill()
        os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
        forget_the_dead(tmp_path)
        assert lock.exists()  # one of its processes works in the folder
        other.kill()
        other.wait()
        forget_the_dead(tmp_path)
        assert not lock.exists()
        forget_the_dead(tmp_path)
    finally:
        for process in (server, other):
            process.kill()
            process.wait()


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
