"""What a page of another site gets from the servers of `shelfprice up`, tried in a real browser: nothing.

Two pages try. One was loaded from the server's own port under a name that was mapped to 127.0.0.1, as in DNS rebinding;
the browser takes it for the server's own. The other stands on another port of this machine.
"""

import base64
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from catalog.settings import Settings, read_settings
from plugins.evaluation.bench.browser import FLAGS, require_browser
from plugins.operations.up.services import Service, services_of
from warehouse.files import prefect_login

pytestmark = pytest.mark.server

NAME = "evil.example"
PATIENCE = 120.0  # seconds
SERVERS = ("prefect", "mlflow", "monitor")
TRIES = {
    "prefect": [
        ("GET", "/api/health", None),
        ("GET", "/api/csrf-token?client=evil", None),
        ("POST", "/api/flows/", {"name": "evil"}),
        ("POST", "/api/deployments/filter", {}),
        ("GET", "/ui-settings", None),
    ],
    "mlflow": [
        ("GET", "/health", None),
        ("GET", "/version", None),
        ("POST", "/ajax-api/2.0/mlflow/experiments/create", {"name": "evil"}),
        ("POST", "/api/2.0/mlflow/experiments/search", {"max_results": 5}),
        ("POST", "/ajax-api/3.0/mlflow/assistant/message", {"message": "evil"}),
        ("GET", "/docs", None),
    ],
    "monitor": [
        ("GET", "/", None),
        ("GET", "/_dash-layout", None),
        ("POST", "/_dash-update-component", {"output": "live-state.children", "inputs": []}),
    ],
}
ASK = """
async ([method, url, body, mode]) => {
    const what = { method, mode, credentials: "include" };
    if (body !== null) {
        what.body = JSON.stringify(body);
        what.headers = mode === "no-cors" ? { "Content-Type": "text/plain" } : { "Content-Type": "application/json" };
    }
    try {
        const answer = await fetch(url, what);
        return [answer.type, answer.status, await answer.text()];
    } catch (error) {
        return ["refused", 0, ""];
    }
}
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    ports = {f"SHELFPRICE_{name.upper()}_ADDRESS": f"127.0.0.1:{_free_port()}" for name in SERVERS}
    return read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("home")), **ports})


@pytest.fixture(scope="module")
def servers(settings: Settings, give_prefects_database: Callable[[Path], None]) -> Iterator[dict[str, str]]:
    """Start the servers as `shelfprice up` does; return their addresses by name."""
    give_prefects_database(settings.prefect_home)
    with ExitStack() as stack:
        started = [one for one in services_of(settings, None) if one.name in SERVERS]
        for service in started:
            _start(stack, service, settings)
        limit = time.monotonic() + PATIENCE
        while not all(service.answers() for service in started):
            assert time.monotonic() < limit
            time.sleep(0.2)
        yield {one.name: one.address.url for one in started if one.address}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = [*FLAGS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=str(require_browser()), args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def other_site() -> Iterator[str]:
    """Serve an empty page on another port of this machine."""

    class Empty(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", SERVERS)
def test_a_page_under_a_mapped_name_reads_and_writes_nothing(
    name: str, servers: dict[str, str], browser: Browser, settings: Settings
) -> None:
    foreign = servers[name].replace("127.0.0.1", NAME)
    page = browser.new_page()
    shown = page.goto(foreign)
    assert shown is not None
    assert shown.status in {400, 403}
    for method, path, body in TRIES[name]:
        kind, status, text = page.evaluate(ASK, [method, f"{foreign}{path}", body, "cors"])
        assert (kind, status) == ("basic", 400 if name == "monitor" else 403), path
        assert len(text) < 300
        assert "token" not in text
    page.close()
    assert_nothing_was_written(servers, settings)


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_a_page_on_another_port_reads_and_writes_nothing(
    name: str, mode: str, servers: dict[str, str], other_site: str, browser: Browser, settings: Settings
) -> None:
    page = browser.new_page()
    page.goto(other_site)
    for method, path, body in TRIES[name]:
        kind, _, text = page.evaluate(ASK, [method, f"{servers[name]}{path}", body, mode])
        assert (kind, text) in {("refused", ""), ("opaque", "")}, path
    assert _loads_nothing_as_script(page, servers[name])
    page.close()
    assert_nothing_was_written(servers, settings)


def test_the_own_pages_work_and_prefect_and_mlflow_ask_for_the_credential(
    servers: dict[str, str], browser: Browser, settings: Settings
) -> None:
    with pytest.raises(HTTPError, match="401"):
        urlopen(f"{servers['mlflow']}/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=30)  # noqa: S310 - our own
    user, _, password = prefect_login(settings).partition(":")
    page = browser.new_context(http_credentials={"username": user, "password": password}).new_page()
    blocked: list[str] = []
    page.on("console", lambda said: blocked.append(said.text) if "Content Security" in said.text else None)
    page.goto(servers["mlflow"])
    page.get_by_text("Experiments").first.wait_for()
    assert blocked == []
    shown = page.goto(servers["monitor"])
    assert shown is not None
    assert shown.status == 200
    kind, status, _ = page.evaluate(ASK, ["GET", f"{servers['monitor']}/_dash-layout", None, "cors"])
    assert (kind, status) == ("basic", 200)
    page.goto(servers["prefect"])
    page.locator("input[type=password]").wait_for()
    page.close()


def assert_nothing_was_written(servers: dict[str, str], settings: Settings) -> None:
    login = {"Authorization": f"Basic {base64.b64encode(prefect_login(settings).encode()).decode()}"}
    for url in (
        f"{servers['mlflow']}/api/2.0/mlflow/experiments/get-by-name?experiment_name=evil",
        f"{servers['prefect']}/api/flows/name/evil",
    ):
        with pytest.raises(HTTPError, match="404"):
            urlopen(Request(url, headers=login), timeout=30)  # noqa: S310 - our own


def _loads_nothing_as_script(page: Page, address: str) -> bool:
    """Tell whether a script of the server is kept from another site's page."""
    load = """(url) => new Promise((done) => {
        const script = document.createElement("script");
        script.onload = () => done(false);
        script.onerror = () => done(true);
        script.src = url;
        document.head.append(script);
    })"""
    return bool(page.evaluate(load, f"{address}/"))


def _start(stack: ExitStack, service: Service, settings: Settings) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"},
        "SHELFPRICE_HOME": str(settings.home),
        "PREFECT_HOME": str(settings.prefect_home),
        **service.environment,
    }
    process = subprocess.Popen(service.command, env=environment, stdin=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
