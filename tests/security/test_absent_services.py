"""A service that is closed, hangs, drips, lies or dies is told within seconds, and who needs none asks none."""

import json
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest
from shell import Terminal

from catalog.addresses import knock
from catalog.errors import ModelError, ServiceError
from catalog.settings import Settings, read_settings
from dashboard.app import create_app
from flows.environment import refuse_absent_services

WITHIN = 10.0  # seconds
PATIENT = 1.0  # seconds, so that the tests are quick
HEALTHY = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue"


class Server:
    """Something on a port of this machine that answers each connection with the same bytes, or as told."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.asked: list[bytes] = []
        self._answer = answer
        self._held: list[socket.socket] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self._held.append(connection)
            Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        self.asked.append(b"")
        number = len(self.asked) - 1
        try:
            self.asked[number] = connection.recv(65_536)
            self._answer(connection)
        except OSError:
            return

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self._held:
            connection.close()


def saying(answer: bytes) -> Callable[[socket.socket], None]:
    def say(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.close()

    return say


def hang(connection: socket.socket) -> None:
    """Accept, and never answer."""


def drip(connection: socket.socket) -> None:
    for byte in HEALTHY[:-10] * 100:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.addresses.PATIENCE", PATIENT)


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[Server]:
    server = Server(answer)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def hanging() -> Iterator[Server]:
    with serving(hang) as server:
        yield server


@pytest.fixture
def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("answer", [hang, drip])
def test_a_server_that_hangs_or_drips_is_away_when_the_patience_is_over(
    answer: Callable[[socket.socket], None],
) -> None:
    with serving(answer) as server:
        began = time.monotonic()
        found = knock(server.url, patience=PATIENT)
        assert time.monotonic() - began < PATIENT + 2
    assert not found.is_good
    assert "no answer within" in found.problem


@pytest.mark.parametrize(
    ("said", "is_good"),
    [
        (HEALTHY, True),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", True),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"SSH-2.0-OpenSSH_9.6\r\n", False),
        (b"", False),
    ],
)
def test_what_a_port_says_decides_whether_a_server_is_there(said: bytes, is_good: bool) -> None:
    with serving(saying(said)) as server:
        assert knock(server.url, patience=5).is_good is is_good


@pytest.mark.parametrize("url", ["garbage", "file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://[::1", ""])
def test_what_is_no_address_of_a_web_server_is_never_opened(url: str) -> None:
    found = knock(url, patience=5)
    assert not found.is_good
    assert found.problem in {"it is not an http or https URL", "invalid ipv6 url"}


def test_a_credential_is_not_sent_on_to_where_a_server_points() -> None:
    with serving(saying(HEALTHY)) as other:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {other.url}/\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(saying(moved)) as server:
            knock(server.url.replace("://", "://ana:secret@"), {"X-Key": "secret"}, patience=5)
            assert b"X-Key: secret" in server.asked[0] or b"X-key: secret" in server.asked[0]
            assert b"Authorization: Basic" in server.asked[0]
        assert other.asked == []


@pytest.mark.parametrize("command", ["train", "simulate", "pipeline", "nightly", "compare"])
@pytest.mark.parametrize("fault", ["closed", "hanging"])
def test_without_prefect_a_command_ends_in_seconds_with_one_line(
    tmp_path: Path,
    sell_two_days: Callable[[Path], Settings],
    hanging: Server,
    closed: str,
    command: str,
    fault: str,
) -> None:
    sell_two_days(tmp_path / "home")
    api = f"{hanging.url if fault == 'hanging' else closed}/api".replace("://", "://ana:secret@")
    began = time.monotonic()
    answer = Terminal(tmp_path / "home", {"PREFECT_API_URL": api})(command)
    assert time.monotonic() - began < WITHIN
    assert answer.returncode == 1
    line = answer.stderr.splitlines()[-1]
    for said in (api.replace("ana:secret@", ""), "old prices hold", "shelfprice up", "unset PREFECT_API_URL"):
        assert said in line
    assert "secret" not in answer.stderr


@pytest.mark.parametrize("command", ["price", "transform"])
def test_a_command_of_one_step_needs_no_prefect(
    tmp_path: Path, sell_two_days: Callable[[Path], Settings], closed: str, command: str
) -> None:
    sell_two_days(tmp_path / "home")
    answer = Terminal(tmp_path / "home", {"PREFECT_API_URL": f"{closed}/api"})(command)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("command", [("price",), ("train",), ("champions", "promote", "1")])
@pytest.mark.parametrize("fault", ["closed", "hanging"])
def test_without_the_registry_a_command_ends_in_seconds_with_one_line(
    tmp_path: Path,
    prefect_server: str,
    sell_two_days: Callable[[Path], Settings],
    hanging: Server,
    closed: str,
    command: tuple[str, ...],
    fault: str,
) -> None:
    sell_two_days(tmp_path / "home")
    uri = hanging.url if fault == "hanging" else closed
    began = time.monotonic()
    answer = Terminal(tmp_path / "home", {"MLFLOW_TRACKING_URI": uri})(*command)
    assert time.monotonic() - began < WITHIN
    assert answer.returncode == 1
    assert len(answer.stderr.splitlines()) == 1
    for said in (uri, "old prices hold", "shelfprice up", "MLFLOW_TRACKING_URI"):
        assert said in answer.stderr


def test_who_needs_neither_service_asks_neither(
    tmp_path: Path, sell_two_days: Callable[[Path], Settings], hanging: Server
) -> None:
    settings = sell_two_days(tmp_path / "home")
    away = {"PREFECT_API_URL": f"{hanging.url}/api", "MLFLOW_TRACKING_URI": hanging.url}
    terminal = Terminal(tmp_path / "home", away)
    quoted = terminal("quote", "--sku", "MILK", "--stock", "8", "--json")
    assert json.loads(quoted.stdout)["price"] > 0
    for command in (("sql", "select 1"), ("health", "--files"), ("champions",), ("champions", "--on", "2026-01-05")):
        assert terminal(*command).returncode == 0, command
    told = read_settings({"SHELFPRICE_HOME": str(settings.home), **away})
    assert create_app(told).server.test_client().get("/").status_code == 200
    assert hanging.asked == []


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", "set PREFECT_API_AUTH_STRING"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "something else answers there"),
        (b"HTTP/1.1 500 Internal Server Error\r\n\r\n", "it answers 500"),
    ],
)
def test_a_server_that_is_not_ours_or_is_broken_is_told_as_such(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, said: bytes, found: str
) -> None:
    with serving(saying(said)) as server:
        monkeypatch.setenv("PREFECT_API_URL", f"{server.url}/api")
        with pytest.raises(ServiceError, match=found):
            refuse_absent_services(settings, uses_registry=False)


def test_the_credential_in_the_settings_is_what_prefect_is_asked_with(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(saying(HEALTHY)) as server:
        monkeypatch.setenv("PREFECT_API_URL", f"{server.url}/api")
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", "ana:secret")
        refuse_absent_services(settings, uses_registry=False)
    assert b"Authorization: Basic YW5hOnNlY3JldA==" in server.asked[0]
    assert server.asked[0].startswith(b"GET /api/health ")


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL")


def test_a_damaged_database_is_refused_by_its_name_before_work(settings: Settings, no_server: None) -> None:
    file = settings.home / "mlflow" / "mlflow.db"
    file.parent.mkdir()
    file.write_bytes(b"no database at all, and long enough to be looked at " * 100)
    with pytest.raises(ServiceError, match=f"{file}: .*file is not a database"):
        refuse_absent_services(settings, uses_registry=True)


def test_a_database_that_another_process_keeps_is_refused_within_seconds(settings: Settings, no_server: None) -> None:
    file = settings.home / "mlflow" / "mlflow.db"
    file.parent.mkdir()
    with closing(sqlite3.connect(file, isolation_level=None)) as keeper:
        keeper.execute("begin exclusive")
        began = time.monotonic()
        with pytest.raises(ServiceError, match="database is locked"):
            refuse_absent_services(settings, uses_registry=True)
        assert time.monotonic() - began < WITHIN


def test_the_registry_that_a_password_is_in_is_named_without_it(closed: str) -> None:
    from serving.champion import load_champion

    settings = read_settings({"MLFLOW_TRACKING_URI": closed.replace("://", "://ana:secret@")})
    with pytest.raises(ModelError, match=closed) as told:
        load_champion(settings)
    assert "secret" not in str(told.value)
