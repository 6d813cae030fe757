"""Price changes over HTTP: what a token opens, what is recorded, and the quote that follows."""

import asyncio
import datetime as dt
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from asgi_client import AsgiClient

from catalog.settings import Settings
from plugins.connect.api.api_tokens import Scope, add_token
from plugins.connect.api.app import application

OVERRIDE = {"kind": "override", "sku": "MILK", "price": 1.29, "reason": "a competitor is cheaper"}


def token(home: Settings, name: str, *scopes: Scope) -> dict[str, str]:
    return {"Authorization": f"Bearer {add_token(home, name, scopes, dt.datetime.now(dt.UTC))}"}


def scope_of(path: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return what a server tells an application of a POST."""
    told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    of_it = {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": told, "root_path": ""}
    return {"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", **of_it}


async def handed_over(parts: Iterator[dict[str, object]]) -> dict[str, object]:
    return next(parts)


async def taken(sent: list[dict[str, Any]], message: dict[str, Any]) -> None:
    sent.append(message)


def test_an_override_asked_for_over_http_is_quoted_and_withdrawn_again(home: Settings, client: AsgiClient) -> None:
    both = token(home, "anna", "propose", "approve")
    before = client.get("/v1/quotes?sku=MILK&stock=50")
    answer = client.post("/v1/price-changes", json=OVERRIDE, headers=both)
    assert answer.status_code == 201
    change = answer.json()["changes"][0]
    assert (change["by"], change["state"]) == ("anna", "in_force")
    assert answer.json()["consequence"]["price"] == 1.29
    quoted = client.get("/v1/quotes?sku=MILK&stock=50")
    assert (quoted.json()["price"], quoted.json()["binding_rule"]) == (1.29, "override")
    assert quoted.headers["etag"] != before.headers["etag"]
    withdrawn = client.post(f"/v1/price-changes/{change['change']}/events", json={"event": "withdrawn"}, headers=both)
    assert withdrawn.json()["changes"][0]["state"] == "withdrawn"
    assert client.get("/v1/quotes?sku=MILK&stock=50").json() == before.json()
    listed = client.get("/v1/price-changes?state=withdrawn").json()
    assert [own["change"] for own in listed["changes"]] == [change["change"]]


def test_a_request_whose_sender_leaves_before_it_is_whole_records_nothing(home: Settings) -> None:
    app, sent = application(home, look_every=0), list[dict[str, Any]]()
    text = json.dumps(OVERRIDE).encode()
    head = token(home, "anna", "propose") | {"Content-Type": "application/json", "Host": "127.0.0.1"}
    for told in ({"Content-Length": str(len(text) + 1)}, {"Transfer-Encoding": "chunked"}):
        parts: Iterator[dict[str, object]] = iter(
            [{"type": "http.request", "body": text, "more_body": True}, {"type": "http.disconnect"}]
        )
        asyncio.run(app(scope_of("/v1/price-changes", head | told), partial(handed_over, parts), partial(taken, sent)))
    assert {message["status"] for message in sent if "status" in message} == {400}  # to nobody
    with AsgiClient(app) as client:
        assert client.get("/v1/price-changes").json()["count"] == 0


@pytest.mark.parametrize("sku", [None, "MILK"])
def test_the_kill_switch_of_every_store_is_turned_on_with_both_scopes_only(
    home: Settings, client: AsgiClient, sku: str | None
) -> None:
    wish = {"kind": "kill_switch", "sku": sku, "reason": "prices look wrong"}
    for scope in ("propose", "approve"):
        refused = client.post("/v1/price-changes", json=wish, headers=token(home, scope, scope))
        assert (refused.status_code, refused.json()["type"]) == (403, "/openapi.json#missing-scope")
        assert client.get("/v1/price-changes").json()["count"] == 0
    one_store = client.post("/v1/price-changes", json=wish | {"store": "S01"}, headers=token(home, "ben", "propose"))
    both = token(home, "anna", "propose", "approve")
    every_store = client.post("/v1/price-changes", json=wish | {"anyway": True}, headers=both)
    assert (one_store.status_code, every_store.status_code) == (201, 201)


def test_who_may_not_turn_the_kill_switch_on_for_every_store_does_not_turn_it_off(
    home: Settings, client: AsgiClient
) -> None:
    both, approver = token(home, "anna", "propose", "approve"), token(home, "ben", "approve")
    for store, status in ((None, 403), ("S01", 200)):
        wish = {"kind": "kill_switch", "store": store, "reason": "prices look wrong"}
        change = client.post("/v1/price-changes", json=wish, headers=both).json()["changes"][0]["change"]
        path, off = f"/v1/price-changes/{change}/events", {"event": "withdrawn"}
        assert client.post(path, json=off, headers=approver).status_code == status
        assert client.post(path, json=off, headers=both).status_code == (200 if store is None else 409)


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"price": 0.5}, 409, "below its cost"),
        ({"sku": "MLIK"}, 404, "expected a product"),
        ({"store": "S99"}, 404, "expected a store"),
        ({"reason": ""}, 422, "reason"),
        ({"price": None}, 422, "expected a price"),
        ({"kind": "kill_switch", "store": "S01", "sku": None, "price": 0.01}, 422, "of an override alone"),
        ({"kind": "freeze"}, 422, "of an override alone"),
        ({"valid_from": "0001-01-01T00:00:00+14:00"}, 422, "expected a time of the years 1970 to 2100"),
        ({"valid_until": "9999-12-31T23:59:59-12:00"}, 422, "leave the end out where there is none"),
    ],
)
def test_what_cannot_be_is_a_problem_and_records_nothing(
    home: Settings, client: AsgiClient, changed: dict[str, object], status: int, words: str
) -> None:
    answer = client.post("/v1/price-changes", json=OVERRIDE | changed, headers=token(home, "anna", "propose"))
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]
    assert answer.status_code == status
    assert client.get("/v1/price-changes").json()["count"] == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            "stat=proposed",
            "stat: no field of the query, found 'proposed'; nothing was done: give another. Did you mean state?",
        ),
        ("sku=MILK&sku=EGGS", "'sku' again"),
        ("limit=1&limit=2", "'limit' again"),
    ],
)
def test_a_selection_that_would_be_passed_over_is_refused(client: AsgiClient, query: str, words: str) -> None:
    answer = client.get(f"/v1/price-changes?{query}")
    assert (answer.status_code, answer.json()["type"]) == (422, "/openapi.json#not-valid")
    assert words in answer.json()["detail"]
    assert client.get("/v1/price-changes?state=proposed&state=in_force&store=S01").status_code == 200


def test_a_price_change_that_is_not_there_is_not_found(home: Settings, client: AsgiClient) -> None:
    path, off = "/v1/price-changes/h999/events", {"event": "withdrawn"}
    answer = client.post(path, json=off, headers=token(home, "anna", "approve"))
    assert (answer.status_code, answer.json()["type"]) == (404, "/openapi.json#unknown-change")


def test_what_would_become_of_it_is_told_without_recording_it(client: AsgiClient) -> None:
    answer = client.post("/v1/price-changes/examined", json=OVERRIDE | {"price": 0.5}).json()
    assert any("below its cost" in found for found in answer["conflicts"])
    assert client.get("/v1/price-changes").json()["count"] == 0
