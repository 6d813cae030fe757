"""Tills and labels acknowledge over HTTP with a token that opens nothing else."""

import datetime as dt
from pathlib import Path

import pytest
from asgi_client import AsgiClient
from price_shop import Shop

from catalog.settings import Settings
from plugins.connect.api.api_tokens import SCOPES, Scope, add_token
from plugins.connect.api.app import application
from plugins.connect.api.kept_desk import open_workspace
from plugins.connect.labels.export import export
from plugins.connect.labels.export_log import ExportLog
from plugins.connect.labels.targets import FolderTarget

ACK = {"batch": "5f0c8d1e", "store": "S01", "device": "label", "at": "2026-01-06T09:00:00Z"}
OVERRIDE = {"kind": "override", "sku": "MILK", "price": 1.29, "reason": "a competitor is cheaper"}


def bearing(home: Settings, *scopes: Scope) -> dict[str, str]:
    return {"Authorization": f"Bearer {add_token(home, 'till-1', scopes, dt.datetime.now(dt.UTC))}"}


def test_what_a_label_says_needs_the_scope_acknowledge_and_that_sets_no_price(
    home: Settings, client: AsgiClient
) -> None:
    label = bearing(home, "acknowledge")
    answer = client.post("/v1/acknowledgements", json=[ACK], headers=label)
    assert answer.status_code == 200
    assert [own["position"] for own in answer.json()["refused"]] == [0]  # no batch was sent
    for path, body in (("/v1/price-changes", OVERRIDE), ("/v1/price-changes/h1/events", {"event": "approved"})):
        assert client.post(path, json=body, headers=label).status_code == 403


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope != "acknowledge"])
def test_another_scope_does_not_speak_for_a_label(home: Settings, client: AsgiClient, scope: Scope) -> None:
    refused = client.post("/v1/acknowledgements", json=[ACK], headers=bearing(home, scope))
    assert refused.status_code == 403
    assert 'scope="acknowledge"' in refused.headers["www-authenticate"]
    assert client.post("/v1/acknowledgements", json=[ACK]).status_code == 401


def test_what_can_be_used_is_recorded_and_the_rest_is_refused_with_a_reason(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    (batch,) = export(shop.workspace, FolderTarget(tmp_path / "labels"), ["S01"]).made
    app, label = application(shop.settings), bearing(shop.settings, "acknowledge")
    app.dependency_overrides[open_workspace] = lambda: shop.workspace
    good = {"batch": batch.id, "store": "S01", "device": "label", "at": "2026-01-05T09:00:00+01:00"}
    with AsgiClient(app) as client:
        answer = client.post("/v1/acknowledgements", json=[good, {**good, "store": "S02"}], headers=label)
        again = client.post("/v1/acknowledgements", json=[good], headers=label)
        assert client.post("/v1/acknowledgements", json={"batch": "x"}, headers=label).status_code == 422
    assert answer.status_code == 200
    assert (answer.json()["recorded"], answer.json()["known"]) == (len(batch.prices), 0)
    assert [refused["position"] for refused in answer.json()["refused"]] == [1]
    assert again.json()["known"] == len(batch.prices)
    assert len(ExportLog(shop.lake).history().acknowledgements) == len(batch.prices)


def test_a_token_of_one_store_acknowledges_fetches_quotes_and_changes_nothing_of_another(
    home: Settings, client: AsgiClient
) -> None:
    token = add_token(home, "till-1", SCOPES, dt.datetime.now(dt.UTC), ["S01"])
    till = {"Authorization": f"Bearer {token}"}
    own, other = ({**ACK, "store": store} for store in ("S01", "S02"))
    refused = client.post("/v1/acknowledgements", json=[other, own], headers=till).json()["refused"]
    assert [one["position"] for one in refused] == [0, 1]
    assert ["found another" in one["reason"] for one in refused] == [True, False]
    question = {"sku": "MILK", "stock": 8}
    asked = [
        client.get(path, params=given | store, headers=till)
        for path, given in (("/v1/labels", {}), ("/v1/quotes", question), ("/v1/price-changes", {}))
        for store in ({"store": "S01"}, {"store": "S02"})
    ]
    assert [answer.status_code for answer in asked] == [200, 403] * 3
    assert asked[1].json()["type"] == "/openapi.json#other-store"
    assert "which opens S01, found 'S02'" in asked[1].json()["detail"]
    assert client.get("/v1/quotes", params=question, headers=till).status_code == 403
    assert client.get("/v1/quotes", params=question | {"store": "S02"}).status_code == 200
    several = client.post("/v1/quotes", json=[question | {"store": own} for own in ("S01", "S02")], headers=till).json()
    assert [one.get("type") for one in several] == [None, "/openapi.json#other-store"]
    for path in ("/v1/price-changes", "/v1/price-changes/examined"):
        for store in ({}, {"store": "S02"}):
            assert client.post(path, json=OVERRIDE | store, headers=till).status_code == 403
