"""A label server fetches what its labels have to show, what is new since it asked, and acknowledges it."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgi_client import AsgiClient
from price_shop import DATE, Shop

from catalog.errors import DataError
from plugins.connect.api.api_tokens import add_token
from plugins.connect.api.app import application
from plugins.connect.api.kept_desk import open_workspace
from plugins.connect.api.labels import BatchDocument, BatchPriceDocument
from plugins.connect.labels.batch import PriceBatch
from plugins.connect.labels.export import export
from plugins.connect.labels.status import status
from plugins.connect.labels.targets import PullTarget, json_of, target_of
from plugins.desk.price_changes.request import PriceRequest, ask

CHEAPER = PriceRequest("override", "a competitor is cheaper", sku="MILK", store="S01", price=1.29)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.publish(DATE)
    return shop


@pytest.fixture
def client(shop: Shop) -> Iterator[AsgiClient]:
    app = application(shop.settings)
    app.dependency_overrides[open_workspace] = lambda: shop.workspace
    with AsgiClient(app) as client:
        yield client


def test_before_the_first_batch_there_is_nothing_to_fetch(client: AsgiClient) -> None:
    answer = client.get("/v1/labels", params={"store": "S01"})
    assert answer.json() == {"store": "S01", "through": 0, "time_zone": None, "currency": None, "prices": []}
    unknown = client.get("/v1/labels", params={"store": "X9"})
    assert (unknown.status_code, unknown.json()["title"]) == (404, "The catalog has no such store")
    assert client.get("/v1/labels", params={"store": "S01", "since": -1}).status_code == 422


def test_a_server_fetches_everything_once_and_then_what_is_new_alone(shop: Shop, client: AsgiClient) -> None:
    (first,) = export(shop.workspace, PullTarget(), ["S01"]).made
    fetched = client.get("/v1/labels", params={"store": "S01"}).json()
    pushed = BatchDocument.model_validate_json(json_of(first)).prices
    assert [BatchPriceDocument.model_validate(_without_batch(price, first)) for price in fetched["prices"]] == pushed
    assert client.get("/v1/labels", params={"store": "S01", "since": fetched["through"]}).json()["prices"] == []
    ack = {"batch": first.id, "store": "S01", "at": "2026-01-19T07:00:00Z"}
    token = add_token(shop.settings, "labels", ["acknowledge"], dt.datetime.now(dt.UTC))
    acks = [{**ack, "device": device} for device in ("till", "label")]
    said = client.post("/v1/acknowledgements", json=acks, headers={"Authorization": f"Bearer {token}"})
    assert said.json()["recorded"] == 2 * len(first.prices)
    ask(shop.workspace, CHEAPER, "anna")
    (second,) = export(shop.workspace, PullTarget(), ["S01"]).made
    new = client.get("/v1/labels", params={"store": "S01", "since": fetched["through"]}).json()
    assert [(price["sku"], price["price"], price["batch"]) for price in new["prices"]] == [("MILK", 1.29, second.id)]
    assert new["through"] == second.number
    every = client.get("/v1/labels", params={"store": "S01"}).json()["prices"]
    assert {price["sku"]: price["number"] for price in every} == {
        sku: second.number if sku == "MILK" else first.number for sku in shop.catalog.skus
    }
    (stands,) = status(shop.workspace)
    assert (stands.sent, stands.acknowledged) == (len(every), len(every) - 1)


def test_the_target_pull_sends_nothing_in_a_format(shop: Shop) -> None:
    assert isinstance(target_of(shop.settings, "pull"), PullTarget)
    with pytest.raises(DataError, match="--format"):
        target_of(shop.settings, "pull", ["csv"])


def _without_batch(price: dict[str, Any], batch: PriceBatch) -> dict[str, Any]:
    assert (price.pop("batch"), price.pop("number")) == (batch.id, batch.number)
    return price
