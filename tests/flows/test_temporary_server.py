"""The server of one command: it answers when it is waited for, and ends with the command, however that ends."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

import flows.temporary_server
from catalog.child_process import ChildProcess
from catalog.errors import ServiceError
from flows.temporary_server import TemporaryServer, temporary_server

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]
COMMAND = """
import sys, time
from flows.temporary_server import temporary_server
with temporary_server('shelfprice:secret') as server:
    print(server.process.pid, flush=True)
    time.sleep(60)
"""


def wait_until(true: Callable[[], object]) -> None:
    limit = time.monotonic() + 120
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)


def is_running(pid: int | None) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_two_that_start_at_once_make_the_database_once_answer_when_they_are_ready_and_are_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    with temporary_server("shelfprice:secret") as one, temporary_server("shelfprice:secret") as other:
        for server in (one, other):
            server.wait_until_ready()
            with urllib.request.urlopen(f"{server.api}/health") as answer:  # noqa: S310 - the address is our own
                assert answer.status == 200
    for server in (one, other):
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


def test_one_that_is_given_up_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setattr(flows.temporary_server, "_START_TIMEOUT", 0.1)
    monkeypatch.setattr(flows.temporary_server, "_answers", lambda _: False)  # on a busy machine it may be up by then
    with pytest.raises(ServiceError, match="no answer within 0 s"), temporary_server("shelfprice:secret") as server:
        server.wait_until_ready()
    assert not is_running(server.process.pid)


@pytest.mark.parametrize(
    ("complaint", "told"),
    [
        ("a\nno room", "exited with code 3, it said 'no room'; nothing was run"),
        (
            "sqlite3.OperationalError: database or disk is full\nERROR: Application startup failed. Exiting.",
            "it said 'sqlite3.OperationalError: database or disk is full'",
        ),
    ],
)
def test_one_that_exits_is_reported_at_once_with_the_error_of_which_it_complained(complaint: str, told: str) -> None:
    exits = (sys.executable, "-c", f"import sys; sys.stderr.write({complaint!r}); sys.exit(3)")
    said = deque[str]()
    with ChildProcess(exits, on_line=said.append) as process, pytest.raises(ServiceError, match=told):
        TemporaryServer("http://127.0.0.1:9/api", process, said).wait_until_ready()


def test_a_slow_start_is_told_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows.temporary_server, "_SAY_EVERY", 0.05)
    said: list[str] = []
    answers = iter([False, False, False, False, True])
    monkeypatch.setattr(flows.temporary_server, "_answers", lambda _: next(answers))
    with ChildProcess((sys.executable, "-c", "import time; time.sleep(60)")) as process:
        TemporaryServer("http://127.0.0.1:9/api", process, deque()).wait_until_ready(said.append)
    assert said
    assert all("Prefect is still starting" in one for one in said)
