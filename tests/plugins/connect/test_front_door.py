"""The door lets this machine's own names and pages in, and nobody else."""

import asyncio
import base64
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.connect.api.front_door import LOOPBACK_NAMES, FrontDoor

OWN = {"host": "127.0.0.1:4200"}


def answer(
    headers: dict[str, str] | list[tuple[str, str]],
    path: str = "/",
    kind: str = "http",
    method: str = "GET",
    login: str | None = None,
) -> int:
    """Return the status that a request gets, 200 when it was let in."""
    return int(first_message(headers, path, kind, method, login).get("status", 403))


def first_message(
    headers: dict[str, str] | list[tuple[str, str]], path: str, kind: str, method: str, login: str | None
) -> dict[str, Any]:
    sent: list[Any] = []

    async def inside(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        raise AssertionError("a refused request is not read")

    async def send(message: Any) -> None:
        sent.append(message)

    listed = list(headers.items()) if isinstance(headers, dict) else headers
    raw = [(name.encode(), value.encode("latin-1")) for name, value in listed]
    scope = {"type": kind, "path": path, "method": method, "headers": raw}
    door = FrontDoor(inside, LOOPBACK_NAMES, ["/closed"], login=login, open_to_all=["/health"])
    asyncio.run(door(scope, receive, send))
    return dict(sent[0])


@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        {"host": "localhost:4200"},
        {"host": "[::1]:4200"},
        {"host": "LOCALHOST:4200"},
        {"host": "127.0.0.1"},
        OWN | {"origin": "http://127.0.0.1:4200"},
        OWN | {"origin": "http://localhost:4200"},
        OWN | {"origin": "http://127.0.0.1:4200", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
        OWN | {"sec-fetch-site": "none", "sec-fetch-mode": "navigate"},
        OWN | {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"},  # a link of the monitor
    ],
)
def test_own_pages_and_programs_are_let_in(headers: dict[str, str]) -> None:
    assert answer(headers) == 200
    assert answer(headers, kind="websocket") == (403 if "same-site" in headers.values() else 200)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": ""},
        {"host": "evil.example:4200"},
        {"host": "127.0.0.1.evil.example:4200"},
        {"host": "localhost.:4200"},
        {"host": "evil.example@127.0.0.1:4200"},
        {"host": "127.0.0.1:4200@evil.example"},
        {"host": "0.0.0.0:4200"},
        {"host": "2130706433:4200"},
        {"host": "[::1"},
        {"host": "[::1].evil.example:4200"},
        {"host": "127.0.0.1:4200, evil.example"},
        OWN | {"origin": "null"},
        OWN | {"origin": ""},
        OWN | {"origin": "http://127.0.0.1:5000"},
        OWN | {"origin": "http://localhost:3000"},
        OWN | {"origin": "http://127.0.0.1"},
        OWN | {"origin": "http://evil.example:4200"},
        OWN | {"origin": "http://127.0.0.1:4200.evil.example"},
        OWN | {"origin": "file://"},
        OWN | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        OWN | {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_other_sites_are_refused(headers: dict[str, str], kind: str) -> None:
    assert answer(headers, kind=kind) == 403


def test_two_hosts_or_a_second_foreign_origin_are_refused() -> None:
    assert answer([("host", "127.0.0.1:4200"), ("host", "evil.example")]) == 403
    own = [("host", "127.0.0.1:4200"), ("origin", "http://127.0.0.1:4200")]
    assert answer([*own, ("origin", "http://evil.example")]) == 403


def test_a_form_of_another_site_is_refused_though_it_navigates() -> None:
    headers = OWN | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert answer(headers, method="POST") == 403


def test_a_closed_part_is_closed_to_everybody() -> None:
    assert answer(OWN, "/closed/door") == 403
    assert answer(OWN, "/open") == 200


def with_login(given: bytes) -> dict[str, str]:
    return OWN | {"authorization": f"Basic {base64.b64encode(given).decode()}"}


def test_a_credential_is_asked_for_and_compared_whole() -> None:
    assert answer(with_login(b"ana:open-sesame"), login="ana:open-sesame") == 200
    for wrong in (b"ana:open", b"ana:open-sesame ", b"", b":", "ana:öpen-sesame".encode(), b"\xff"):
        assert answer(with_login(wrong), login="ana:open-sesame") == 401, wrong
    for wrong in ("Bearer ana:open-sesame", "Basic", "Basic ***", "ana:open-sesame", ""):
        assert answer(OWN | {"authorization": wrong}, login="ana:open-sesame") == 401, wrong
    assert answer(OWN, login="ana:open-sesame") == 401
    assert answer(OWN, "/health", login="ana:open-sesame") == 200
    assert answer(OWN, "/health/more", login="ana:open-sesame") == 401
    twice = [*with_login(b"ana:open-sesame").items(), ("authorization", "Basic guessed")]
    assert answer(twice, login="ana:open-sesame") == 401


def test_a_credential_that_is_no_text_reaches_no_server_that_asks_itself() -> None:
    assert answer(with_login("é:ü".encode())) == 401
    assert answer(with_login(b"ana:open-sesame")) == 200


def test_pages_behind_the_door_load_nothing_from_elsewhere() -> None:
    headers = dict(first_message(OWN, "/", "http", "GET", None)["headers"])
    policy = headers[b"content-security-policy"].decode()
    assert "default-src 'self'" in policy
    assert "http" not in policy


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40))
def test_no_host_but_the_own_names_gets_in(host: str) -> None:
    assert answer({"host": f"x{host}"}) == 403
    assert answer({"host": f"localhost{host}"}) == (200 if re.fullmatch("(:[0-9]{1,5})?", host.strip()) else 403)
