"""Who may speak to Prefect: whoever holds the credential, from this machine's own pages and programs, and nobody else.

Prefect runs commands for whoever may create a deployment. The attack that is repeated here was seen to work on a server
as Prefect starts it: a page whose name was mapped to 127.0.0.1 got a CSRF token and had a command of its own run.
"""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import one_server
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from catalog.settings import read_settings
from tests.security.prefect_alone import answering, started
from warehouse.commits.locks import UP, held
from warehouse.files import login_file, login_of_running_server, prefect_login

pytestmark = pytest.mark.server

LOGIN = "shelfprice:s3cret"
FLOW = json.dumps({"name": "evil"}).encode()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, give_prefects_database: Callable[[Path], None]) -> Iterator[str]:
    home = tmp_path_factory.mktemp("prefect")
    give_prefects_database(home)
    with answering(home, LOGIN, PREFECT_SERVER_CSRF_PROTECTION_ENABLED="false") as address:  # even without it
        yield address


def ask(url: str, headers: dict[str, str], body: bytes | None = None) -> int:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def with_login(login: str = LOGIN) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def test_who_holds_the_credential_is_answered(api: str) -> None:
    assert ask(f"{api}/flows/", with_login(), FLOW) in {200, 201}


@pytest.mark.parametrize("headers", [{}, with_login("shelfprice:guessed"), {"Authorization": "Bearer s3cret"}])
@pytest.mark.parametrize(
    "path", ["/flows/", "/deployments/", "/work_pools/", "/admin/settings", "/csrf-token?client=x"]
)
def test_who_does_not_is_refused(api: str, headers: dict[str, str], path: str) -> None:
    body = None if path.startswith(("/admin", "/csrf")) else FLOW
    assert ask(f"{api}{path}", headers, body) == 401


@pytest.mark.parametrize(
    "foreign",
    [
        {"Host": "evil.example:4200"},
        {"Host": "localhost.evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/health", "/csrf-token?client=x", "/flows/filter", "/../docs"])
def test_a_page_of_another_site_is_refused_even_with_it(api: str, foreign: dict[str, str], path: str) -> None:
    assert ask(f"{api}{path}", with_login() | foreign, b"{}" if "filter" in path else None) == 403


def test_a_websocket_wants_the_credential_and_the_own_site(api: str) -> None:
    address = f"ws://{urlsplit(api).netloc}/api/events/in"
    with pytest.raises(InvalidStatus), connect(address, origin="http://evil.example"):  # type: ignore[arg-type]
        pass
    with connect(address, subprotocols=["prefect"]) as socket:  # type: ignore[list-item]
        socket.send(json.dumps({"type": "auth", "token": "guessed"}))
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=30)


def test_a_server_without_a_credential_does_not_start(tmp_path: Path) -> None:
    with started(tmp_path, "", one_server.free_port()) as server:
        assert server.wait(timeout=120) != 0
    assert "PREFECT_SERVER_API_AUTH_STRING" in (tmp_path / "said").read_text(encoding="utf-8")


def test_the_credential_is_made_once_and_its_owner_alone_can_read_it(tmp_path: Path) -> None:
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path / "home")})
    login = prefect_login(settings)
    assert login == prefect_login(settings)
    assert len(login) > 40
    assert login_file(settings).stat().st_mode & 0o777 == 0o600
    login_file(settings).chmod(0o644)  # copied by hand
    assert prefect_login(settings) == login
    assert login_file(settings).stat().st_mode & 0o777 == 0o600
    assert login != prefect_login(read_settings({"SHELFPRICE_HOME": str(tmp_path / "other")}))


def test_a_chosen_credential_counts_before_a_generated_one(tmp_path: Path) -> None:
    chosen = {"SHELFPRICE_HOME": str(tmp_path), "PREFECT_SERVER_API_AUTH_STRING": "ana:open-sesame"}
    assert prefect_login(read_settings(chosen)) == "ana:open-sesame"


def test_only_our_own_running_server_is_given_the_credential(tmp_path: Path) -> None:
    """Whoever listens at the address while nothing of ours runs would be handed it."""
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path)})
    assert login_of_running_server(settings) is None
    with held(settings.locks, UP):
        assert login_of_running_server(settings) == prefect_login(settings)
        elsewhere = {"SHELFPRICE_HOME": str(tmp_path), "PREFECT_API_URL": "http://prefect.example/api"}
        assert login_of_running_server(read_settings(elsewhere)) is None
