"""The route for acknowledgements, taken in by an application."""

from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from price_shop import Shop

from connect.export.export import export
from connect.export.record import Recorded
from connect.export.router import acknowledgements_router
from connect.export.targets import FolderTarget


@dataclass(frozen=True)
class Caller:
    name: str


def ask(shop: Shop, body: object) -> httpx.Response:
    import asyncio

    application = FastAPI()
    application.include_router(acknowledgements_router(lambda: shop.workspace, lambda: Caller("labels of S01")))

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post("/v1/acknowledgements", json=body)

    return asyncio.run(post())


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_what_can_be_used_is_recorded_and_the_rest_is_told_with_a_reason(shop: Shop, tmp_path: Path) -> None:
    (batch,) = export(shop.workspace, FolderTarget(tmp_path / "labels"), ["S01"]).made
    good = {"batch": batch.id, "store": "S01", "device": "label", "at": "2026-01-05T09:00:00+01:00"}
    answer = ask(shop, [good, {**good, "store": "S02"}])
    assert answer.status_code == 200
    told = answer.json()
    assert (told["recorded"], told["known"]) == (len(batch.prices), 0)
    assert [own["position"] for own in told["refused"]] == [1]
    assert ask(shop, [good]).json()["known"] == len(batch.prices)
    assert len(Recorded(shop.lake).history().said) == len(batch.prices)


def test_what_is_no_list_is_refused(shop: Shop) -> None:
    assert ask(shop, {"batch": "x"}).status_code == 422
