"""A container's health check tells a part that answers from one that does not."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from catalog.settings import read_settings
from plugins.operations.deploy.health import answers
from plugins.operations.deploy.servers.ports import free_port
from warehouse.commits.locks import WORKER, held


class Page(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Page) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "expected"), [(200, True), (401, True), (403, False), (500, False)])
def test_a_page_that_answers_or_asks_for_a_credential_is_well(server: str, status: int, *, expected: bool) -> None:
    assert answers(f"http://{server}/{status}") is expected


def test_a_port_is_well_when_somebody_listens(server: str) -> None:
    assert answers(f"tcp://{server}")
    nobody = free_port()
    assert not answers(f"tcp://127.0.0.1:{nobody}")
    assert not answers(f"http://127.0.0.1:{nobody}/200")


def test_a_server_that_takes_connections_and_says_nothing_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.operations.deploy.health._WITHIN", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert not answers(f"http://127.0.0.1:{mute.getsockname()[1]}/200")


def test_the_worker_is_well_while_it_holds_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFPRICE_HOME", str(tmp_path))
    locks = read_settings().locks
    assert not answers("worker")
    with held(locks, WORKER):
        assert answers("worker")
    assert not answers("worker")
