"""Who may open the monitor, and what it promises the browser."""

import hashlib
import re
import socket
from base64 import b64encode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.errors import DataError
from catalog.settings import Settings, read_settings
from dashboard.access import Access, access_to, guard
from dashboard.app import create_app
from dashboard.listening import PASSWORD, USER
from dashboard.server import serve

EVERYWHERE = "0.0.0.0"  # noqa: S104 - asked about, not bound to


def client_of(access: Access) -> FlaskClient:
    server = Flask("monitor")
    server.add_url_rule("/", view_func=lambda: "page", methods=["GET", "POST"])
    guard(server, access)
    return server.test_client()


def login(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_this_machine_alone_needs_no_credential(host: str) -> None:
    assert not access_to(host, read_settings({})).guarded


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.168.1.4", "shop.example"])
def test_an_address_that_others_reach_is_refused_without_a_credential(host: str) -> None:
    with pytest.raises(DataError, match=f"{USER} and {PASSWORD}"):
        access_to(host, read_settings({}))
    assert access_to(host, read_settings({USER: "ada", PASSWORD: "secret"})).guarded


@pytest.mark.parametrize("half", [{USER: "ada"}, {PASSWORD: "secret"}, {USER: "ada", PASSWORD: ""}])
def test_half_a_credential_is_refused_also_on_this_machine(half: dict[str, str]) -> None:
    with pytest.raises(DataError, match="set both or neither"):
        access_to("127.0.0.1", read_settings(half))


def test_a_foreign_host_and_a_foreign_origin_are_refused() -> None:
    client = client_of(access_to("127.0.0.1", read_settings({})))
    assert client.get("/", headers={"Host": "localhost:8050"}).status_code == 200
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.get("/", headers={"Host": "localhost:1", "Origin": "http://localhost:1"}).status_code == 200


OURS = {"Origin": "http://localhost"}
SITE, MODE = "Sec-Fetch-Site", "Sec-Fetch-Mode"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OURS, 200),
        (OURS | {SITE: "same-origin", MODE: "cors"}, 200),
        ({SITE: "same-origin"}, 200),
        ({}, 403),
        ({SITE: "none"}, 403),
        ({SITE: "cross-site", MODE: "no-cors"}, 403),
        ({SITE: "cross-site", MODE: "navigate"}, 403),
        ({SITE: "same-site"}, 403),
        (OURS | {SITE: "cross-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://evil.example", SITE: "same-origin"}, 403),
        ({"Content-Type": "application/json"}, 403),
    ],
)
def test_what_may_change_something_must_say_that_our_own_page_asks(headers: dict[str, str], status: int) -> None:
    client = client_of(access_to("127.0.0.1", read_settings({})))
    assert client.post("/", data=b"{}", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({SITE: "none", MODE: "navigate"}, 200),
        ({SITE: "same-origin", MODE: "cors"}, 200),
        ({SITE: "cross-site", MODE: "navigate"}, 200),
        ({SITE: "cross-site", MODE: "no-cors"}, 403),
        ({SITE: "same-site", MODE: "no-cors"}, 403),
        ({SITE: "cross-site"}, 403),
    ],
)
def test_a_link_from_another_site_opens_the_monitor_and_its_pages_embed_nothing_of_it(
    headers: dict[str, str], status: int
) -> None:
    assert client_of(access_to("127.0.0.1", read_settings({}))).get("/", headers=headers).status_code == status


def test_a_named_host_is_trusted() -> None:
    client = client_of(
        access_to(
            EVERYWHERE,
            read_settings({USER: "ada", PASSWORD: "secret", "SHELFPRICE_MONITOR_HOSTS": "shop.example, b.example"}),
        )
    )
    assert client.get("/", headers={"Host": "b.example"} | login("ada", "secret")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (login("ada", "secret"), 200),
        (login("ada", "Secret"), 401),
        (login("eve", "secret"), 401),
        (login("ada", ""), 401),
        ({"Authorization": "Basic nonsense"}, 401),
        ({"Authorization": "Bearer secret"}, 401),
    ],
)
def test_only_the_right_user_and_password_come_in(headers: dict[str, str], status: int) -> None:
    assert client_of(Access(("localhost",), "ada", "secret")).get("/", headers=headers).status_code == status


def test_the_browser_is_told_to_speak_to_no_other_host_and_to_run_our_files_alone() -> None:
    headers = client_of(access_to("127.0.0.1", read_settings({}))).get("/").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["script-src"] == "'self'"
    assert {policy[name] for name in ("object-src", "frame-ancestors", "base-uri")} == {"'none'"}
    assert "http" not in str(policy)
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("first", ["/", "/assets/style.css", "/_dash-layout"])
def test_every_script_of_the_page_is_a_file_of_ours_or_named_by_its_hash(settings: Settings, first: str) -> None:
    client = create_app(settings).server.test_client()
    client.get(first)
    answer = client.get("/models")
    policy = answer.headers["Content-Security-Policy"].partition("script-src")[2].partition(";")[0]
    assert "unsafe" not in policy
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", answer.text, re.DOTALL)
    inline = [text for given, text in scripts if "src=" not in given and "application/json" not in given]
    assert inline
    for text in inline:
        assert f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy


def test_the_page_names_no_other_host_and_is_not_in_debug_mode(settings: Settings) -> None:
    app = create_app(settings)
    page = app.server.test_client().get("/").text
    assert "//" not in page.replace("<!DOCTYPE html>", "").replace("http://www.w3.org", "")
    assert '"ui":false' in page
    assert app.server.debug is False


def test_a_port_in_use_is_one_clear_line(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DataError, match=f"port {port} of 127.0.0.1 is taken"):
            serve(settings, "127.0.0.1", port)
