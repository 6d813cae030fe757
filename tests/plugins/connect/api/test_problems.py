"""Every refusal is a problem (RFC 9457) with one sentence that says what to do."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from asgi_client import AsgiClient
from fastapi import APIRouter, Body, Query

from catalog.errors import Declined, LakeError
from catalog.settings import Settings
from plugins.connect.api.app import application
from plugins.connect.api.problems import KINDS

JSON = {"Content-Type": "application/json"}


def is_problem(answer: Any, status: int, kind: str) -> str:
    """Check the form of a problem; return its detail."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail"}
    assert (told["type"], told["title"], told["status"]) == (f"/openapi.json#{kind}", KINDS[kind].title, status)
    assert "\n" not in told["detail"]
    return str(told["detail"])


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        (
            "sku=MILK&stock=many",
            422,
            "stock: expected a whole number from 0 to 2,147,483,647, such as 8, found 'many'; nothing",
        ),
        ("sku=MILK&stock=-1", 422, "stock: expected a whole number from 0 to 2,147,483,647, such as 8, found '-1'"),
        ("sku=MILK&stock=1.5", 422, "found '1.5'"),
        ("sku=MILK&stock=%D9%A3", 422, "found '٣'"),
        (
            "sku=MILK&stock=1&shown=nan",
            422,
            "shown: expected a number from 0.001 to 1,000,000 or null, such as 1.35, found 'nan'",
        ),
        ("sku=MILK&stock=1&shown=0", 422, "shown: expected a number from 0.001"),
        ("sku=MILK&stock=1&ticks_left=49", 422, "expected 1 to 48 ticks left"),
        ("sku=MILK", 422, "stock: expected a whole number from 0 to 2,147,483,647, such as 8, found none"),
        ("stock=8", 422, 'sku: expected text of 1 to 200 characters, such as "MILK", found none'),
        ("sku=&stock=8", 422, 'sku: expected text of 1 to 200 characters, such as "MILK", found'),
        (
            "sku=MILK&stock=8&stok=8",
            422,
            "stok: no field of the query, found '8'; nothing was done: give another. Did you mean stock?",
        ),
        ("sku=MILK&stock=8&stock=9", 422, "expected each parameter once, found 'stock' again"),
        ("sku=MILK&stock=1&shown=0.005", 422, "shown: expected a number from 0.01, found 0.005"),
        ("sku=%FF&stock=8", 404, "expected a product of the shelf"),
        (f"sku={'M' * 5_000}&stock=8", 422, "sku: expected text of 1 to 200 characters"),
        ("sku=WINE&stock=8", 404, "expected a product of the shelf, such as MILK, found 'WINE'"),
        ("sku=MILK&stock=8&store=X9", 404, "expected a store of this catalog"),
    ],
)
def test_a_question_that_cannot_be_asked_is_named(client: AsgiClient, query: str, status: int, said: str) -> None:
    kind = {422: "not-valid", 404: "unknown-store" if "X9" in query else "unknown-product"}[status]
    assert said in is_problem(client.get(f"/v1/quotes?{query}"), status, kind)


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind"),
    [
        (b"[", JSON, 400, "unreadable"),
        (b"", JSON, 400, "unreadable"),
        (b'["\xff"]', JSON, 400, "unreadable"),
        (b"[" * 100_000, JSON, 400, "unreadable"),
        (b"[" + b"9" * 5_000 + b"]", JSON, 400, "unreadable"),
        (b"{}", JSON, 422, "not-valid"),
        (b"[]", {"Content-Type": "text/plain"}, 415, "wrong-media-type"),
        (b"[]", {}, 415, "wrong-media-type"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    client: AsgiClient, body: bytes, headers: dict[str, str], status: int, kind: str
) -> None:
    is_problem(client.post("/v1/quotes", content=body, headers=headers), status, kind)


def test_paths_and_methods_that_are_not_there(client: AsgiClient) -> None:
    for path in ("/", "/v2", "/v1/quotes/", "/docs", "/redoc"):
        assert f"found {path!r}" in is_problem(client.get(path), 404, "no-such-page")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        answer = client.request(method, "/v1/quotes")
        assert f"found {method}" in is_problem(answer, 405, "wrong-method")
        assert answer.headers["allow"] == "GET, HEAD, POST"


def test_another_host_and_another_sites_page_are_refused(client: AsgiClient) -> None:
    for headers in ({"Host": "evil.example"}, {"Host": "127.0.0.1:1", "Origin": "http://evil.example"}):
        answer = client.get("/v1/quotes?sku=MILK&stock=8", headers=headers)
        is_problem(answer, 403, "foreign-site")
        assert not any(name.startswith("access-control") for name in answer.headers)
    assert client.get("/v1/health", headers={"Host": "localhost:8070"}).status_code == 200


def test_every_answer_keeps_the_browser_here(client: AsgiClient) -> None:
    for path in ("/v1/health", "/nowhere", "/v1/quotes?sku=WINE&stock=1"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"


def test_a_lake_that_the_disk_refuses_is_unavailable_and_not_a_failure(
    client: AsgiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise LakeError("price_book: cannot be read; run `shelfprice health --files`")

    monkeypatch.setattr("plugins.connect.api.kept_desk.QuoteDesk", refuse)
    answer = client.get("/v1/quotes?sku=MILK&stock=8")
    assert "cannot be read" in is_problem(answer, 503, "lake-unreadable")


@pytest.fixture
def with_routes(home: Settings) -> Iterator[AsgiClient]:
    """The API with routes of another part, which fail in their own ways."""
    router = APIRouter(prefix="/v1/others")

    @router.get("/declined")
    async def declined() -> None:
        raise Declined("somebody else is at work; nothing was changed")

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a secret that nobody needs to know")

    @router.post("/checked")
    async def checked(number: Annotated[int, Body(embed=True)], more: Annotated[int, Query(le=5)] = 1) -> int:
        return number + more

    app = application(home, look_every=0)
    app.include_router(router)
    with AsgiClient(app) as client:
        yield client


def test_errors_of_other_routes_are_problems_too(with_routes: AsgiClient) -> None:
    assert "somebody else" in is_problem(with_routes.get("/v1/others/declined"), 409, "conflict")
    failed = with_routes.get("/v1/others/broken")
    assert "secret" not in is_problem(failed, 500, "failed")
    assert failed.headers["connection"] == "close"  # the server closes it, so nobody may send the next request there
    wrong = with_routes.post("/v1/others/checked", json={"number": "x"})
    assert is_problem(wrong, 422, "not-valid").startswith("number: ")
    assert is_problem(with_routes.post("/v1/others/checked?more=9", json={"number": 1}), 422, "not-valid")
    unread = with_routes.post("/v1/others/checked", content=b"{", headers=JSON)
    is_problem(unread, 400, "unreadable")
    assert with_routes.post("/v1/others/checked", json={"number": 1}).json() == 2


def test_a_websocket_finds_no_door(home: Settings) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/v1/quotes", "headers": [(b"host", b"evil.example")], "query_string": b""}
    asyncio.run(application(home)(scope, receive, send))
    assert sent[0]["type"] == "websocket.close"
