"""`shelfprice serve` as a process: it answers on this machine alone, and ends when it is told to."""

import datetime as dt
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from asgi_client import AsgiClient
from shell import Terminal

from catalog.addresses import is_free
from catalog.settings import Settings, read_settings
from plugins.connect.api.api_tokens import add_token
from plugins.connect.quote_api import serve
from plugins.operations.up.services import services_of

pytestmark = pytest.mark.server

PATIENCE = 90.0  # seconds


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def port(sell_two_days: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server as `shelfprice up` starts it; it must end with code 0 within three seconds."""
    home, own = Path(tmp_path_factory.mktemp("home")), free_port()
    sell_two_days(home)
    settings = read_settings({"SHELFPRICE_HOME": str(home), "SHELFPRICE_API_ADDRESS": f"127.0.0.1:{own}"})
    service = next(one for one in services_of(settings, None) if one.name == "api")
    assert service.address == settings.quote_api
    assert not service.answers()
    with subprocess.Popen(service.command, env={**dict(service.environment)}) as process:
        limit = time.monotonic() + PATIENCE
        while not service.answers():
            assert time.monotonic() < limit
            assert process.poll() is None
            time.sleep(0.1)
        yield own
        process.terminate()
        assert process.wait(3) == 0


def asked(port: int, *request: object, **more: object) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(*request, **more)  # type: ignore[arg-type]
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def test_where_others_can_reach_it_nobody_reads_without_a_token(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Any] = []
    monkeypatch.setattr("uvicorn.run", lambda app, **_: served.append(app))
    monkeypatch.setattr("plugins.connect.quote_api._warm_up", lambda _: None)
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - nothing listens
        serve(settings, free_port(), host=host)
    refused = []
    for app in served:
        with AsgiClient(app) as client:
            refused.append(client.get("/v1/health").status_code == 401)
    assert refused == [False, True]


def test_it_answers_quotes_over_one_connection_after_another(port: int) -> None:
    status, headers, body = asked(port, "GET", "/v1/quotes?sku=MILK&stock=8")
    assert (status, json.loads(body)["sku"]) == (200, "MILK")
    assert "server" not in headers
    status, again, body = asked(port, "GET", "/v1/quotes?sku=MILK&stock=8", None, {"If-None-Match": headers["etag"]})
    assert (status, again["etag"], body) == (304, headers["etag"], b"")
    status, headers, body = asked(port, "HEAD", "/v1/quotes?sku=MILK&stock=8")
    assert (status, body) == (200, b"")


def test_a_body_that_never_ends_is_refused_and_its_sender_hears_why(port: int) -> None:
    pieces = (b" " * 65_536 for _ in range(256))
    status, headers, body = asked(
        port, "POST", "/v1/quotes", pieces, {"Content-Type": "application/json"}, encode_chunked=True
    )
    assert (status, headers["connection"]) == (413, "close")
    assert json.loads(body)["type"] == "/openapi.json#too-large"


def test_a_head_without_an_end_is_refused(port: int) -> None:
    for head in (b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ", b"GET /v1/quotes?sku="):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(head)
            with suppress(ConnectionError):  # refused while it is sent
                for _ in range(16):
                    connection.sendall(b"a" * 65_536)
            with suppress(ConnectionError):
                assert connection.recv(65_536).startswith(b"HTTP/1.1 400")
    assert asked(port, "GET", "/v1/health")[0] == 200


def test_a_body_longer_than_the_longest_head_is_taken(port: int) -> None:
    questions = json.dumps([{"sku": "MILK", "stock": 8}] * 5_000).encode()
    status, _, body = asked(port, "POST", "/v1/quotes", questions, {"Content-Type": "application/json"})
    assert (status, len(json.loads(body))) == (200, 5_000)


def test_a_port_in_use_and_an_open_address_are_refused_in_one_line(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        answer = terminal("serve", "--port", str(other.getsockname()[1]))
    assert answer.returncode == 1
    assert "is taken; nothing was started" in answer.stderr
    for command in ("serve", "up"):
        wide = Terminal(terminal.home, {"SHELFPRICE_API_ADDRESS": "0.0.0.0:8070"})(command)
        assert wide.returncode == 1
        assert "SHELFPRICE_API_ADDRESS: others can reach 0.0.0.0" in wide.stderr


def test_the_command_ends_at_ctrl_c(terminal: Terminal) -> None:
    own = free_port()
    with terminal.start("serve", "--port", str(own)) as process:
        limit = time.monotonic() + PATIENCE
        while not _listens(own):
            assert time.monotonic() < limit
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=10)[0]
    assert "the quote API can be started again at any time" in said
    assert "Traceback" not in said


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_what_was_asked_before_it_was_told_to_end_is_answered(
    sell_two_days: Callable[[Path], Settings], tmp_path: Path
) -> None:
    """A list is sent in two halves, with SIGTERM between them; who comes after that is refused."""
    sell_two_days(tmp_path)
    port, questions = free_port(), json.dumps([{"sku": "MILK", "stock": 8}] * 100).encode()
    command = (sys.executable, "-m", "plugins.connect.quote_api", "--host", "0.0.0.0", "--port", str(port))  # noqa: S104
    own = read_settings({"SHELFPRICE_HOME": str(tmp_path)})
    token = {"Authorization": f"Bearer {add_token(own, 'till', ['read'], dt.datetime.now(dt.UTC))}"}
    environment = {**os.environ, "SHELFPRICE_HOME": str(tmp_path), "SHELFPRICE_CATALOG": "classic"}
    with subprocess.Popen(command, env=environment) as process:
        limit = time.monotonic() + PATIENCE
        while is_free("127.0.0.1", port):
            assert time.monotonic() < limit
            time.sleep(0.1)
        assert asked(port, "GET", "/v1/health", None, token)[0] == 200
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.putrequest("POST", "/v1/quotes")
        connection.putheader("Authorization", token["Authorization"])
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(questions)))
        connection.endheaders(questions[:100])
        time.sleep(0.5)
        process.terminate()
        while not is_free("127.0.0.1", port):
            assert time.monotonic() < limit
            time.sleep(0.05)
        with pytest.raises(ConnectionRefusedError):
            asked(port, "GET", "/v1/health")
        connection.send(questions[100:])
        answer = connection.getresponse()
        assert (answer.status, len(json.loads(answer.read()))) == (200, 100)
        assert process.wait(PATIENCE) == 0
