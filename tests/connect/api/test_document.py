"""The OpenAPI document explains everything by example, and its page needs no other host."""

import base64
import datetime as dt
import hashlib
import html
import json
import re
from typing import Any

import pytest
from asgi_client import AsgiClient
from hypothesis import given
from hypothesis import strategies as st

from connect.api.api_tokens import MAY
from connect.api.docs_page import page_of
from connect.api.problems import KINDS
from connect.api.pushed_batches import BatchDocument
from connect.export.batch import BatchPrice, BatchPrices, PriceBatch, ShelfPrice
from connect.export.targets import json_of

CHANGE = ("kind", "reason", "sku", "store", "price", "valid_from", "valid_until", "announced", "anyway")
FIELDS_OF_BODIES = {
    "quotes": ("sku", "stock", "ticks_left", "shown", "opening", "store", "candidates"),
    "ask_for_price": CHANGE,
    "examine_price": CHANGE,
    "decide_on_price": ("event", "reason"),
    "acknowledge": ("batch", "store", "sku", "device", "price", "at", "ok", "error"),
    "sell": (
        "store_id",
        "sku",
        "sold_at",
        "units",
        "price",
        "event_id",
        "receipt",
        "line",
        "currency",
        "offer",
        "voids",
        "corrects",
    ),
    "stock": ("store_id", "sku", "happened_at", "kind", "units", "event_id"),
    "traffic": ("store_id", "hour_at", "visitors", "sku", "visits"),
    "competitor_prices": ("rival", "sku", "ean", "price", "unit", "seen_at", "currency", "source"),
    "price_batch": (
        "batch",
        "after",
        "number",
        "store",
        "recorded_at",
        "time_zone",
        "currency",
        "prices",
        "prices[].sku",
        "prices[].prior_price",
    ),
}


PRICES = st.integers(1, 10_000).map(lambda cents: cents / 100)
MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31), timezones=st.just(dt.UTC))  # noqa: DTZ001


def every_path(document: dict[str, Any]) -> dict[str, Any]:
    """Return what is answered here, and what is sent to others."""
    return document["paths"] | document["webhooks"]


@pytest.fixture
def document(client: AsgiClient) -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    return json.loads(client.get("/openapi.json").content)  # type: ignore[no-any-return]


def test_every_operation_parameter_body_and_answer_has_words_and_an_example(document) -> None:  # type: ignore[no-untyped-def]
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
        bodies = [one["requestBody"]] if "requestBody" in one else []
        for said in [*bodies, *one["responses"].values()]:
            assert said["description"]
            for content in said.get("content", {}).values():
                assert "example" in content or content.get("examples", content["schema"].get("examples"))


def test_a_vendor_reads_how_to_get_a_token_and_what_each_scope_may(client: AsgiClient, document) -> None:  # type: ignore[no-untyped-def]
    page = client.get("/docs").text
    section = page.partition('<section id="authorisation">')[2].partition("</section>")[0]
    (scheme,) = document["components"]["securitySchemes"].values()
    for scope, what in MAY.items():
        assert f"<code>{scope}</code></td><td>{what}</td>" in section
        assert f"`{scope}` may {what}" in scheme["description"]
    assert "shelfprice token add" in section
    needed = {scope for one in document["paths"]["/v1/sales"].values() for scope in one["security"][0]["token"]}
    assert needed == {"sell"}
    assert "with the scope <code>sell</code>" in page.partition('<section id="sell">')[2].partition("</section>")[0]


@given(
    st.builds(ShelfPrice, st.sampled_from(["MILK", "MEAT"]), PRICES, MOMENTS, st.none() | PRICES, st.none() | PRICES)
)
def test_a_batch_is_sent_as_the_webhook_of_the_document_says(wanted: ShelfPrice) -> None:
    price = BatchPrice(**vars(wanted), till_price=wanted.price)
    at, prices = wanted.valid_from, BatchPrices.of([price])
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
        for name in answer.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }
    of_routes = {(kind.name, kind.status) for kind in KINDS.values()}
    assert told == of_routes - {("no-such-page", 404), ("wrong-method", 405)}


def test_the_page_loads_nothing_and_its_style_is_the_one_that_the_browser_is_told(client: AsgiClient) -> None:
    answer = client.get("/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page, policy = answer.text, answer.headers["content-security-policy"]
    assert re.findall(r"(?:src|href|action)\s*=\s*\"(?!#|/openapi\.json\")", page) == []
    assert "<script" not in page
    assert "url(" not in page
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    for name in KINDS:
        assert f'id="{name}"' in page


def test_the_page_names_each_field_of_a_body_and_shows_each_example(client: AsgiClient, document) -> None:  # type: ignore[no-untyped-def]
    page = client.get("/docs").text
    for path, methods in every_path(document).items():
        for one in methods.values():
            _, found, rest = page.partition(f'<section id="{one["operationId"]}">')
            section = html.unescape(rest.partition("</section>")[0])
            assert found, path
            for part in one.get("parameters", []):
                assert re.search(rf"<code>{part['name']}</code>.*<code>.+</code></td></tr>", section), (
                    path,
                    part["name"],
                )
            if "requestBody" in one:
                body = section.partition("<h3>Body</h3>")[2].partition("<h3>Answers</h3>")[0]
                assert re.search(r"<pre>[\[{].+</pre>", body, re.DOTALL), path
                for name in FIELDS_OF_BODIES[one["operationId"]]:
                    assert f"<tr><td><code>{name}</code></td>" in body, (path, name)


def test_markup_in_the_document_is_text_on_the_page(document) -> None:  # type: ignore[no-untyped-def]
    document["info"]["title"] = "<script>alert(1)</script>"
    document["paths"]["/v1/quotes"]["get"]["summary"] = '"><img src=x>'
    page = page_of(document)
    assert "<script" not in page
    assert "<img" not in page
