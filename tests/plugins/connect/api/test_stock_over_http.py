"""A store tells its stock to a running server, and its movements stand in the lake soon after."""

import datetime as dt
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selling_store import SellingStore, line, where_stock_lives
from served_app import serving

from plugins.connect.api.api_tokens import add_token
from plugins.connect.api.app import application
from plugins.connect.intake import intake

pytestmark = pytest.mark.server
NOW = dt.datetime.now(dt.UTC)
YESTERDAY = NOW.date() - dt.timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> SellingStore:
    return SellingStore(tmp_path, changed=where_stock_lives)


@pytest.fixture
def address(store: SellingStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(intake, "_SETTLES", 0.02)
    with serving(application(store.settings, store.folder)) as own:
        yield own


def post(address: str, token: str, body: list[dict[str, Any]]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    return found


def test_a_delivery_and_a_count_become_movements_and_the_same_request_again_changes_nothing(
    store: SellingStore, address: str
) -> None:
    token = add_token(store.settings, "till-1", ("sell",), NOW)
    event = {"store_id": "S01", "sku": "MEAT", "happened_at": f"{YESTERDAY}T06:00:00Z", "kind": "delivery", "units": 20}
    events = [{**event, "expires_on": str(NOW.date())}, {**event, "units": 5}, {**event, "sku": "MAET"}]
    answer = post(f"{address}/v1/stock", token, events)
    assert (answer["taken"], [own["found"] for own in answer["refused"]]) == (2, ["MAET"])
    assert post(f"{address}/v1/stock", token, events)["known"] == 2
    sold = [line(sku="MEAT", price=7.67, units=8, sold_at=f"{YESTERDAY}T10:00:00Z")]
    assert post(f"{address}/v1/sales", token, sold)["taken"] == 1
    deadline = time.monotonic() + 30
    while not (rows := [row for row in store.rows_of("stock_movements", YESTERDAY) if row["units_sold"]]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert [(row["expires_on"], row["units_delivered"], row["units_kept"]) for row in rows] == [(NOW.date(), 20, 12)]
