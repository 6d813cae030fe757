"""The server of one command: it answers when it is waited for, and ends with the command, however that ends."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.errors import ServiceError
from flows.temporary_server import TemporaryServer, temporary_server

ROOT = Path(__file__).parents[2]
COMMAND = """
import sys, time
from flows.temporary_server import temporary_server
with temporary_server() as server:
    print(server.process.pid, flush=True)
    time.sleep(60)
"""


def wait_until(true: Callable[[], object]) -> None:
    limit = time.monotonic() + 30
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_once_it_is_ready_and_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    with temporary_server() as server:
        server.wait_until_ready()
        with urllib.request.urlopen(f"{server.api}/health") as answer:  # noqa: S310 - the address is our own
            assert answer.status == 200
    assert server.process.poll() is not None
    assert not is_running(server.process.pid)


def test_it_ends_with_a_command_that_is_killed(tmp_path: Path) -> None:
    environment = {**os.environ, "PREFECT_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = subprocess.Popen([sys.executable, "-c", COMMAND], env=environment, stdout=subprocess.PIPE, text=True)
    assert command.stdout is not None
    server = int(command.stdout.readline())
    assert is_running(server)
    command.send_signal(signal.SIGKILL)
    command.wait(timeout=10)
    command.stdout.close()
    wait_until(lambda: not is_running(server))


def test_one_that_exits_is_reported_at_once() -> None:
    exits = [sys.executable, "-c", "raise SystemExit(3)"]
    with subprocess.Popen(exits) as process, pytest.raises(ServiceError, match="exited with code 3; nothing was run"):
        TemporaryServer("http://127.0.0.1:9/api", process).wait_until_ready()
