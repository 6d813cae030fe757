"""The monitor answers what no page asks in one line: never with an error of its own, and its log stays quiet."""

import json
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.addresses import is_free
from catalog.settings import Settings, read_settings
from dashboard.app import create_app

pytestmark = pytest.mark.server

UPDATE = "/_dash-update-component"
_FILLED = (
    ("overview-notices", "children"),
    ("overview-empty", "children"),
    ("overview-full", "hidden"),
    ("overview-stats", "children"),
    ("overview-stores", "rowData"),
    ("overview-day", "data"),
    ("overview-seen", "data"),
)
ASKED: dict[str, Any] = {
    "output": f"..{'...'.join('.'.join(one) for one in _FILLED)}..",
    "outputs": [{"id": name, "property": part} for name, part in _FILLED],
    "inputs": [
        {"id": "overview-pulse", "property": "n_intervals", "value": 1},
        {"id": "overview-day", "property": "value", "value": "newest"},
    ],
    "changedPropIds": ["overview-pulse.n_intervals"],
    "state": [{"id": "overview-seen", "property": "data"}],
}


@pytest.fixture(scope="module")
def monitor(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """Return the monitor of a home with nothing in it: no request writes there."""
    return create_app(read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("home"))})).server


@pytest.fixture
def client(monitor: Flask) -> FlaskClient:
    client = monitor.test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"  # as browsers say it of a page of ours
    client.get("/")
    return client


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../etc/passwd",
        "/assets/..%2f..%2fapp.py",
        "/assets/icons/%2e%2e/%2e%2e/app.py",
        "/assets/%00",
        "/assets/style.css%00",
        f"/assets/{'a' * 300}",
        "/_dash-component-suites/x/y",
        "/_dash-component-suites/dash/x/y",
        "/_dash-component-suites/os/x.js",
        "/_dash-component-suites/dash/../x.js",
        "/_dash-component-suites/dash/%00.js",
        "/_dash-component-suites/dash/dcc/no_such.js",
        "/_dash-component-suites/dash/dash-renderer/build/%2e%2e/%2e%2e/dash.py",
        f"/_dash-component-suites/dash/{'a' * 300}.js",
    ],
)
def test_a_file_that_is_not_there_is_not_found(
    path: str, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get(path).status_code == 404
    assert caplog.records == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"output": "\xff"}', 400),
        (b"null", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b"{}", 400),
        (b'{"output": 5}', 400),
        (b'{"output": "x.y"}', 400),
        (b"[" * 100_000 + b"]" * 100_000, 400),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
        (b" " * 20_000_000 + b"{}", 413),
        *(
            (json.dumps(ASKED | change).encode(), 400)
            for change in (
                {"output": "overview-day.data"},
                {"output": None},
                {"outputs": []},
                {"outputs": 5},
                {"outputs": ASKED["outputs"][:2]},
                {"inputs": []},
                {"inputs": {}},
                {"inputs": [1, 2]},
                {"state": []},
                {"state": "x"},
                {"changedPropIds": None},
            )
        ),
    ],
    ids=range(23),
)
def test_a_body_that_no_page_sends_is_refused(
    body: bytes, status: int, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.post(UPDATE, data=body, content_type="application/json").status_code == status
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("change", "statuses"),
    [
        *(({"value": value}, {400}) for value in ("\ud800", {"\udfff": 1})),
        *(({"value": value}, {200, 204}) for value in (10**30, -(10**30), ["x", {"y": 10**30}])),
    ],
    ids=range(5),
)
def test_a_value_that_no_page_sends_fails_nothing(
    change: Any, statuses: set[int], client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    inputs = [ASKED["inputs"][0], ASKED["inputs"][1] | change]
    assert client.post(UPDATE, json=ASKED | {"inputs": inputs}).status_code in statuses
    assert caplog.records == []


@pytest.mark.parametrize("change", [{"inputs": ASKED["inputs"][::-1]}, {"changedPropIds": [1]}], ids=["order", "ids"])
def test_a_question_out_of_order_leaves_no_traceback(
    change: Any, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.post(UPDATE, json=ASKED | change).status_code in {200, 204, 400}
    assert caplog.records == []


def test_served_it_refuses_who_names_no_host_and_slow_senders_hold_up_nobody_else(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "dashboard", "--port", str(port)]
    with (
        subprocess.Popen(command, env={**os.environ, "SHELFPRICE_HOME": str(settings.home)}) as process,
        ExitStack() as stack,
    ):
        stack.callback(process.terminate)
        limit = time.monotonic() + 120
        while is_free("127.0.0.1", port):
            assert time.monotonic() < limit
            time.sleep(0.1)
        for begun in [
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
            b"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{",
        ] * 20:
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.sendall(begun)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_dash-layout", timeout=10) as answer:
            assert answer.status == 200
        nameless = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        nameless.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert nameless.recv(12).endswith(b"400")


def test_a_body_that_a_page_sends_is_answered(client: FlaskClient) -> None:
    assert client.post(UPDATE, json=ASKED).status_code in {200, 204}


def test_a_body_in_another_form_or_by_another_way_is_refused(client: FlaskClient) -> None:
    assert client.post(UPDATE, data=b"a=1").status_code == 415
    assert {client.open(UPDATE, method=method).status_code for method in ("PUT", "DELETE", "PATCH")} == {405}
