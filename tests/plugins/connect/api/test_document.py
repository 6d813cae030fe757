"""The OpenAPI document explains everything by example."""

import datetime as dt
import json
from typing import Any

import pytest
from asgi_client import AsgiClient
from hypothesis import given
from hypothesis import strategies as st

from plugins.connect.api.labels import BatchDocument
from plugins.connect.api.problems import KINDS
from plugins.connect.labels.batch import BatchPrice, PriceBatch, ShelfPrice, rows_of
from plugins.connect.labels.targets import json_of

PRICES = st.integers(1, 10_000).map(lambda cents: cents / 100)
MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31), timezones=st.just(dt.UTC))  # noqa: DTZ001


def every_path(document: dict[str, Any]) -> dict[str, Any]:
    """Return what is answered here, and what is sent to others."""
    return document["paths"] | document["webhooks"]


@pytest.fixture
def document(client: AsgiClient) -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    return json.loads(client.get("/openapi.json").content)  # type: ignore[no-any-return]


def test_every_operation_and_answer_has_words_and_every_parameter_and_body_an_example(document) -> None:  # type: ignore[no-untyped-def]
    operations = [one for methods in every_path(document).values() for one in methods.values()]
    assert {one["operationId"] for one in operations} == {
        "quote",
        "quotes",
        "health",
        "price_changes",
        "ask_for_price",
        "examine_price",
        "decide_on_price",
        "acknowledge",
        "sell",
        "stock",
        "traffic",
        "competitor_prices",
        "price_batch",
        "labels",
    }
    for one in operations:
        assert one["summary"]
        assert one["description"]
        for part in one.get("parameters", []):
            assert part["description"]
            assert "examples" in part["schema"]
        assert all(said["description"] for said in one["responses"].values())
        body = one.get("requestBody", {"content": {}})
        assert all(own.get("examples", own["schema"].get("examples")) for own in body["content"].values())


@given(
    st.builds(ShelfPrice, st.sampled_from(["MILK", "MEAT"]), PRICES, MOMENTS, st.none() | PRICES, st.none() | PRICES)
)
def test_a_batch_is_sent_as_the_webhook_of_the_document_says(wanted: ShelfPrice) -> None:
    price = BatchPrice(**vars(wanted), till_price=wanted.price)
    at, prices = wanted.valid_from, rows_of([price])
    batch = PriceBatch(1, "b", None, "S01", prices, at, at, "Europe/Berlin")
    sent = json.loads(json_of(batch))
    told = BatchDocument.model_validate_json(json.dumps(sent))
    assert told.model_fields_set == set(sent)
    assert told.prices[0].model_fields_set == set(sent["prices"][0])
    assert (told.prices[0].price, told.prices[0].valid_from) == (wanted.price, wanted.valid_from)


def test_every_kind_of_problem_is_in_the_document_with_its_status(document) -> None:  # type: ignore[no-untyped-def]
    told = {
        (name, int(status))
        for methods in document["paths"].values()
        for one in methods.values()
        for status, answer in one["responses"].items()
        for name in answer["description"].partition(": ")[2].split(", ")
        if "application/problem+json" in answer.get("content", {})
    }
    of_routes = {(name, kind.status) for name, kind in KINDS.items()}
    assert told == of_routes - {("no-such-page", 404), ("wrong-method", 405)}
