"""Quotes over HTTP are the command's own bytes, and an answer at hand is known by its tag until prices are others."""

import datetime as dt
import json
import shutil

import pytest
from asgi_client import AsgiClient
from shell import Terminal

from catalog.load import CLASSIC, load
from catalog.settings import Settings
from plugins.connect.api.app import application
from tests.support.believing import price_alike
from warehouse.checks.whole import parts_of_book
from warehouse.lake import Lake

TUESDAY, WEDNESDAY = dt.date(2026, 1, 6), dt.date(2026, 1, 7)
ASKED = [
    {"sku": "MILK", "stock": 8},
    {"sku": "EGGS", "stock": 0, "ticks_left": 1},
    {"sku": "MEAT", "stock": 3, "ticks_left": 12, "shown": 4.5},
    {"sku": "MILK", "stock": 800_000, "shown": 1.35, "opening": 1.2},
    {"sku": "MILK", "stock": 8, "store": "S01"},
]


def typed(question: dict[str, object]) -> list[str]:
    return [word for name, value in question.items() for word in (f"--{name.replace('_', '-')}", str(value))]


@pytest.mark.parametrize("question", ASKED, ids=str)
def test_a_quote_is_the_same_bytes_as_the_command_prints(
    client: AsgiClient, terminal: Terminal, question: dict[str, object]
) -> None:
    answer = client.get("/v1/quotes", params=question)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == terminal("quote", *typed(question), "--json").stdout


def test_many_questions_are_answered_in_their_order_as_one_by_one(client: AsgiClient) -> None:
    answer = client.post("/v1/quotes", json=ASKED)
    assert answer.status_code == 200
    assert answer.json() == [client.get("/v1/quotes", params=one).json() for one in ASKED]


def test_an_answer_without_candidates_is_the_same_in_everything_else(client: AsgiClient) -> None:
    for question in ASKED:
        whole = client.get("/v1/quotes", params=question)
        brief = client.get("/v1/quotes", params={**question, "candidates": "false"})
        assert whole.content == client.get("/v1/quotes", params={**question, "candidates": "true"}).content
        said = whole.json()
        assert said.pop("candidates")
        assert brief.json() == said
        assert client.post("/v1/quotes", json=[{**question, "candidates": False}]).json() == [said]
    refused = client.get("/v1/quotes", params={**ASKED[0], "candidates": "2"})
    assert refused.status_code == 422
    assert "candidates: " in refused.json()["detail"]


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("br", False), ("identity", False)],
)
def test_a_long_answer_is_compressed_for_a_client_that_accepts_it_and_a_short_one_never(
    client: AsgiClient, accepted: str, is_compressed: bool
) -> None:
    headers = {"Accept-Encoding": accepted}
    plain = client.post("/v1/quotes", json=ASKED * 20, headers={"Accept-Encoding": "identity"})
    answer = client.post("/v1/quotes", json=ASKED * 20, headers=headers)
    assert (answer.headers.get("content-encoding") == "gzip") is is_compressed
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == plain.content
    assert (int(answer.headers["content-length"]) < len(plain.content) / 4) is is_compressed
    short = client.post("/v1/quotes", json=ASKED[:1], headers=headers)
    assert "content-encoding" not in short.headers


def test_a_question_that_cannot_be_answered_has_its_problem_in_its_place(client: AsgiClient) -> None:
    asked = [ASKED[0], {"sku": "WINE", "stock": 1}, {"sku": "MILK", "stock": -1}, 7, {"stock": 1}, ASKED[1]]
    asked += [{"sku": "MILK", "stock": 1, "ticks_left": 49}, {"sku": "MILK", "stock": 1, "store": "X9"}]
    answers = client.post("/v1/quotes", json=asked).json()
    assert [one.get("status") for one in answers] == [None, 404, 422, 422, 422, None, 422, 404]
    assert [answers[0]["sku"], answers[5]["sku"]] == ["MILK", "EGGS"]
    assert answers[1]["type"] == "/openapi.json#unknown-product"
    assert "found 'WINE'; nothing was quoted" in answers[1]["detail"]


def test_the_most_questions_are_answered_and_one_more_is_refused(client: AsgiClient) -> None:
    assert len(client.post("/v1/quotes", json=[ASKED[0]] * 10_000).json()) == 10_000
    over = client.post("/v1/quotes", json=[ASKED[0]] * 10_001)
    assert over.status_code == 422
    assert 'a list of at most 10,000 fields, such as [{"sku": "MILK"}], found 10001 items' in over.json()["detail"]


def test_an_answer_at_hand_is_known_by_its_tag(client: AsgiClient) -> None:
    first = client.get("/v1/quotes", params=ASKED[0])
    tag = first.headers["etag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get("/v1/quotes", params=ASKED[0], headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = client.get("/v1/quotes", params=ASKED[0], headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_another_book_in_force_gives_another_tag_and_its_prices(
    client: AsgiClient, terminal: Terminal, home: Settings
) -> None:
    before = client.get("/v1/quotes", params=ASKED[0])
    lake = Lake(home)
    price_alike(lake, load(CLASSIC), WEDNESDAY, TUESDAY)
    book, curves, _ = map(lake.path, parts_of_book(WEDNESDAY))
    after = client.get("/v1/quotes", params=ASKED[0], headers={"If-None-Match": before.headers["etag"]})
    assert client.get("/v1/health").json()["made_for"] == "2026-01-07"
    assert after.status_code == 200
    book.write_bytes(book.read_bytes()[:-1] + b"?")
    curves.rename(book.with_suffix(".gone"))
    told = client.get("/v1/quotes", params=ASKED[0])
    assert told.headers["etag"] != before.headers["etag"]
    assert told.json()["passed_over"] == ["2026-01-07"]
    assert told.text == terminal("quote", "--sku", "MILK", "--stock", "8", "--json").stdout
    assert "passed over" in client.get("/v1/health").json()["problem"]


def test_another_catalog_gives_another_tag_and_its_guardrails(
    home: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("catalog")
    for name in ("products.yaml", "store.yaml"):
        shutil.copy(CLASSIC / name, folder)
    with AsgiClient(application(home, folder, look_every=0)) as client:
        before = client.get("/v1/quotes?sku=MILK&stock=8")
        store = folder / "store.yaml"
        store.write_text(store.read_text(encoding="utf-8").replace("kill_switch: false", "kill_switch: true"))
        after = client.get("/v1/quotes?sku=MILK&stock=8", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.json()["price"] == load(CLASSIC).product("MILK").base_price
    assert after.json()["binding_rule"] == "kill_switch"


def test_without_a_book_it_says_so_with_what_to_do_and_goes_on_when_there_is_one(
    client: AsgiClient, home: Settings
) -> None:
    lake, stands = Lake(home), load(CLASSIC).product("MILK").base_price  # a new store opens at the owner's prices
    kept = lake.root / "booked_prices"
    kept.rename(lake.root.parent / "kept")
    missing = client.get("/v1/quotes?sku=MILK&stock=8")
    assert (missing.status_code, missing.headers["retry-after"]) == (503, "30")
    assert (
        f"expected a price book, found none; MILK stands at {stands:.2f} EUR in S01, it is the base price"
        in missing.json()["detail"]
    )
    assert client.get("/v1/quotes?sku=WINE&stock=8").status_code == 404
    assert [one["status"] for one in client.post("/v1/quotes", json=[ASKED[0]]).json()] == [503]
    assert client.get("/v1/health").json()["status"] == "no price book"
    (lake.root.parent / "kept").rename(kept)
    assert client.get("/v1/quotes?sku=MILK&stock=8").status_code == 200


def test_a_catalog_that_cannot_be_read_is_a_problem_and_not_the_end(
    home: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("empty")
    with AsgiClient(application(home, folder, look_every=0)) as client:
        answer = client.get("/v1/quotes?sku=MILK&stock=8")
        assert (answer.status_code, answer.json()["type"]) == (503, "/openapi.json#lake-unreadable")
        health = client.get("/v1/health")
        assert (health.status_code, health.json()["status"]) == (200, "lake unreadable")


def test_health_names_the_book_in_force(client: AsgiClient) -> None:
    told = client.get("/v1/health")
    assert told.headers["cache-control"] == "no-store"
    assert json.loads(told.text) == {
        "status": "ready",
        "made_for": "2026-01-06",
        "policy": "stock_aware",
        "model_version": "7",
        "catalog": load(CLASSIC).fingerprint,
        "problem": None,
    }
