"""A store says over HTTP what it sold, with a token that opens nothing else."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from asgi_client import AsgiClient
from selling_store import SellingStore, line

from plugins.connect.api.api_tokens import SCOPES, Scope, add_token
from plugins.connect.api.app import application

NOW = dt.datetime.now(dt.UTC)
TODAY = {"sold_at": (NOW - dt.timedelta(hours=1)).isoformat()}


@pytest.fixture
def store(tmp_path: Path) -> SellingStore:
    return SellingStore(tmp_path)


@pytest.fixture
def client(store: SellingStore) -> Iterator[AsgiClient]:
    with AsgiClient(application(store.settings, store.folder)) as client:
        yield client


def bearing(store: SellingStore, *scopes: Scope) -> dict[str, str]:
    return {"Authorization": f"Bearer {add_token(store.settings, 'till-1', scopes, NOW)}"}


def test_what_can_be_used_is_in_the_lake_when_the_answer_comes_and_the_rest_has_its_reason(
    store: SellingStore, client: AsgiClient
) -> None:
    till = bearing(store, "sell")
    lines = [line(**TODAY), line(**TODAY, sku="MLIK", receipt="R2")]
    answer = client.post("/v1/sales", json=lines, headers=till)
    assert answer.status_code == 200
    expected = "sku: a product of products.yaml, such as MILK"
    refused = [{"index": 1, "reason": "unknown_product", "expected": expected, "found": "MLIK"}]
    assert answer.json() == {"taken": 1, "known": 0, "refused": refused}
    assert [row["taken_from"] for row in store.receipt_lines()] == ["till-1"]
    assert client.post("/v1/sales", json=lines[:1], headers=till).json() == {"taken": 0, "known": 1, "refused": []}
    event = {"store_id": "S01", "sku": "MILK", "happened_at": TODAY["sold_at"], "kind": "spoiled", "units": 2}
    assert client.post("/v1/stock", json=[event], headers=till).json()["taken"] == 1
    hour = {"store_id": "S01", "hour_at": (NOW - dt.timedelta(hours=2)).strftime("%Y-%m-%dT%H:00:00Z"), "visitors": 3}
    assert client.post("/v1/traffic", json=[hour], headers=till).json()["taken"] == 1


def test_a_token_of_one_store_speaks_for_no_other_and_the_lines_of_its_own_count(
    store: SellingStore, client: AsgiClient
) -> None:
    token = add_token(store.settings, "till-1", ["sell"], NOW, ["S01"])
    till = {"Authorization": f"Bearer {token}"}
    lines = [line(**TODAY, store_id="S02"), line(**TODAY), "a text", line(**TODAY, store_id=["S01"], receipt="R2")]
    answer = client.post("/v1/sales", json=lines, headers=till).json()
    assert answer["taken"] == 1
    assert [(one["index"], one["reason"]) for one in answer["refused"]] == [
        (0, "other_store"),
        (2, "not_valid"),
        (3, "other_store"),
    ]
    assert answer["refused"][0]["expected"] == "store_id: one of the token's stores, S01"
    assert [row["store_id"] for row in store.receipt_lines()] == ["S01"]
    event = {"sku": "MILK", "happened_at": TODAY["sold_at"], "kind": "count", "units": 2}
    hour = {"hour_at": (NOW - dt.timedelta(hours=2)).strftime("%Y-%m-%dT%H:00:00Z"), "visitors": 3}
    for path, one in (("/v1/stock", event), ("/v1/traffic", hour)):
        both = client.post(path, json=[{**one, "store_id": own} for own in ("S02", "S01")], headers=till).json()
        assert (both["taken"], [(own["index"], own["reason"]) for own in both["refused"]]) == (1, [(0, "other_store")])
    price = {"rival": "Corner", "sku": "MILK", "price": 1.19, "seen_at": TODAY["sold_at"]}
    assert client.post("/v1/competitor-prices", json=[price], headers=till).status_code == 403


@pytest.mark.parametrize("path", ["/v1/sales", "/v1/stock", "/v1/traffic"])
def test_it_needs_the_scope_sell(store: SellingStore, client: AsgiClient, path: str) -> None:
    others = bearing(store, *(scope for scope in SCOPES if scope != "sell"))
    refused = client.post(path, json=[], headers=others)
    assert refused.status_code == 403
    assert 'scope="sell"' in refused.headers["www-authenticate"]
    assert client.post(path, json=[]).status_code == 401


def test_as_many_lines_as_are_promised_fit_and_more_are_refused(store: SellingStore, client: AsgiClient) -> None:
    till = bearing(store, "sell")
    lines = [line(**TODAY, receipt=f"{number:064}", offer="x" * 64) for number in range(10_000)]
    assert client.post("/v1/sales", json=lines, headers=till).json()["taken"] == 10_000
    assert client.post("/v1/sales", json=[*lines, lines[0]], headers=till).status_code == 422


def test_a_catalog_whose_stores_the_twin_plays_takes_nothing(tmp_path: Path) -> None:
    store = SellingStore(tmp_path, more="")
    with AsgiClient(application(store.settings, store.folder)) as client:
        answer = client.post("/v1/sales", json=[line(**TODAY)], headers=bearing(store, "sell"))
    assert answer.status_code == 409
    assert "sales: outside" in answer.json()["detail"]
