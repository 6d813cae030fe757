"""The servers that the tests of this folder share: each does what is relied on, and leaves nothing."""

import os
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest
from run_servers import postgres, running

from catalog.errors import ServiceError
from plugins.operations.deploy.servers.postgres_process import forget_the_dead


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
