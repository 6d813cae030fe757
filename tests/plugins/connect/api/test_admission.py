"""Who may ask, how often and how much."""

from collections.abc import Iterator
from typing import Annotated

import pytest
from asgi_client import AsgiClient
from fastapi import APIRouter, Security
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.settings import Settings, read_settings
from plugins.connect.api.api_tokens import Scope, add_token, remove_token, tokens_file
from plugins.connect.api.app import application
from plugins.connect.api.clients import MOST_BYTES, Caller, RateLimit, authorised

QUOTE = "/v1/quotes?sku=MILK&stock=8"


def made(settings: Settings, *scopes: Scope, name: str = "till") -> str:
    import datetime as dt

    return add_token(settings, name, scopes, dt.datetime(2026, 1, 6, tzinfo=dt.UTC))


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def guarded(home: Settings) -> Iterator[AsgiClient]:
    """The API with a route that wants the scope propose, and one that wants to know who reads."""
    router = APIRouter()

    @router.post("/v1/proposals")
    async def propose(caller: Annotated[Caller, Security(authorised, scopes=["propose"])]) -> str | None:
        return caller.name

    @router.get("/v1/own")
    async def own(caller: Annotated[Caller, Security(authorised, scopes=["read"])]) -> str | None:
        return caller.name

    app = application(home, look_every=0)
    app.include_router(router)
    with AsgiClient(app) as client:
        yield client


def test_where_others_can_reach_it_reading_needs_a_token_too(home: Settings) -> None:
    reader = made(home, "read")
    with AsgiClient(application(home, look_every=0, anyone_reads=False)) as client:
        for path in (QUOTE, "/v1/price-changes", "/v1/health", "/openapi.json"):
            refused = client.get(path)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="Shelfprice"')
        assert client.get(QUOTE, headers=bearing(reader)).status_code == 200


def test_reading_needs_no_token_and_proposing_needs_its_scope(guarded: AsgiClient, home: Settings) -> None:
    assert guarded.get(QUOTE).status_code == 200
    nobody = guarded.post("/v1/proposals")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="Shelfprice"')
    assert "shelfprice token add NAME --scope propose" in nobody.json()["detail"]
    reader, proposer = made(home, "read"), made(home, "propose", "approve", name="boss")
    lacking = guarded.post("/v1/proposals", headers=bearing(reader))
    assert (lacking.status_code, lacking.json()["type"]) == (403, "/openapi.json#missing-scope")
    assert 'error="insufficient_scope"' in lacking.headers["www-authenticate"]
    assert guarded.post("/v1/proposals", headers=bearing(proposer)).json() == "boss"
    assert guarded.get("/v1/own", headers=bearing(proposer)).json() == "boss"
    assert guarded.get("/v1/own").status_code == 401


def test_a_token_that_is_not_known_opens_nothing_not_even_reading(guarded: AsgiClient, home: Settings) -> None:
    token = made(home, "propose")
    for header in (
        f"Bearer {token}x",
        f"Bearer {token[:-1]}",
        "Bearer",
        "Basic dXNlcjpwYXNz",
        f"Token {token}",
        "Bearer ÿ",
    ):
        answer = guarded.get(QUOTE, headers={"Authorization": header.encode("latin-1")})
        assert (answer.status_code, answer.json()["type"]) == (401, "/openapi.json#unknown-token"), header
    assert guarded.get(QUOTE, headers=bearing(token)).status_code == 200
    remove_token(home, "till")
    assert guarded.get(QUOTE, headers=bearing(token)).status_code == 401


def test_a_file_of_tokens_that_cannot_be_read_lets_nobody_in_by_one(guarded: AsgiClient, home: Settings) -> None:
    token = made(home, "propose")
    tokens_file(home).write_text("not JSON")
    assert guarded.get(QUOTE, headers=bearing(token)).status_code == 503
    assert guarded.get(QUOTE).status_code == 200


def test_a_body_over_the_limit_is_refused_with_and_without_its_length(client: AsgiClient) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b" " * 65_536] * (MOST_BYTES // 65_536 + 1)

    for content in (b" " * (MOST_BYTES + 1), pieces()):
        answer = client.post("/v1/quotes", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["type"]) == (413, "/openapi.json#too-large")


def test_a_body_of_just_the_limit_is_read_also_in_pieces(client: AsgiClient) -> None:
    filler = b" " * (MOST_BYTES - 2)
    for content in (b"[" + filler + b"]", iter([b"[", filler, b"]"])):
        answer = client.post("/v1/quotes", content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.text) == (200, "[]\n")


def test_a_body_that_does_not_come_in_time_is_refused(client: AsgiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.connect.api.clients._WHOLE_WITHIN", -1.0)
    answer = client.post("/v1/quotes", json=[])
    assert (answer.status_code, answer.headers["connection"]) == (400, "close")
    assert "expected the whole body within" in answer.json()["detail"]


def test_who_asks_too_often_waits_and_others_do_not(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.connect.api.app.RateLimit", lambda per_second: RateLimit(per_second, lambda: 0.0))
    slow = read_settings({"SHELFPRICE_HOME": str(home.home), "SHELFPRICE_API_RATE": "2"})
    token = made(home, "read")
    with AsgiClient(application(slow, look_every=0)) as client:
        answers = [client.get(QUOTE) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == "1"
        assert "expected at most 2 requests a second" in answers[2].json()["detail"]
        assert client.get(QUOTE, headers=bearing(token)).status_code == 200


@given(rate=st.integers(1, 50), pauses=st.lists(st.integers(0, 200), min_size=1, max_size=30))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
def test_no_client_ever_gets_more_than_its_rate_and_one_second_in_advance(rate: int, pauses: list[int]) -> None:
    now, admitted = 0.0, []
    rates = RateLimit(rate, lambda: now)
    for pause in pauses:
        now += pause / 100
        wait = rates.wait("client")
        assert wait >= 0
        if wait == 0:
            admitted.append(now)
    for number, begun in enumerate(admitted):
        for more, ended in enumerate(admitted[number:], start=1):
            assert more <= rate + rate * (ended - begun) + 1e-6


def test_clients_that_come_once_are_forgotten() -> None:
    now = 0.0
    rates = RateLimit(5, lambda: now)
    for number in range(25_000):
        now += 1e-4
        assert rates.wait(f"client {number}") == 0
    assert len(rates._full_at) <= 10_000
