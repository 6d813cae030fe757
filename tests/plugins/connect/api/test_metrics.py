"""`/metrics`: what Prometheus reads of an API, of the lake behind it, and what the dashboard that ships asks of it."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from asgi_client import AsgiClient
from price_shop import DATE, Shop
from prometheus_client.parser import text_string_to_metric_families
from selling_store import SellingStore, line

from plugins.connect.api import metrics
from plugins.connect.api.api_tokens import add_token
from plugins.connect.api.app import application
from plugins.connect.api.kept_desk import KeptDesk
from plugins.connect.labels.export import export
from plugins.connect.labels.targets import PullTarget
from plugins.operations.deploy import make_secrets

GRAFANA = Path(make_secrets.__file__).parents[3] / "deploy" / "grafana" / "shelfprice.json"
QUOTE = "/v1/quotes?sku=MILK&stock=8&store=S01"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.publish(DATE)
    return shop


@pytest.fixture
def client(shop: Shop) -> Iterator[AsgiClient]:
    with AsgiClient(application(shop.settings, shop.folder)) as client:
        yield client


def numbers(client: AsgiClient) -> dict[str, float]:
    """Return the value of each series, by its name and labels."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation
        for sample in family.samples:
            found[" ".join((sample.name, *(value for _, value in sorted(sample.labels.items()))))] = sample.value
    return found


def test_requests_are_counted_by_route_and_answer_and_what_a_client_makes_up_is_no_series(client: AsgiClient) -> None:
    for path in (QUOTE, QUOTE, "/v1/quotes?sku=MLIK&stock=8", "/v1/health", "/made/up", "/made/2"):
        client.get(path)
    client.post("/v1/price-changes/h999/events", json={})
    client.post("/v1/quotes", json=[{"sku": "MILK", "stock": 8}] * 3)
    client.request("BREW", "/v1/labels")
    client.get("/v1/quotes", headers={"Authorization": "Bearer none"})
    found = numbers(client)
    counted = {name.removeprefix("shelfprice_api_request_seconds_count "): count for name, count in found.items()}
    assert counted.items() >= {
        ("GET /v1/quotes 503", 2),
        ("GET /v1/quotes 404", 1),
        ("GET other 401", 1),
        ("POST /v1/quotes 200", 1),
        ("GET /v1/health 200", 1),
        ("POST /v1/price-changes/{change}/events 401", 1),
        ("GET other 404", 2),
    }
    assert not {name for name in found if "made" in name or "BREW" in name}
    assert found["shelfprice_quotes_total"] == 2 + 1 + 3


def test_nights_export_and_late_labels_are_those_of_the_lake(
    shop: Shop, client: AsgiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = numbers(client)
    assert (
        before["shelfprice_priced_date_timestamp_seconds"] == dt.datetime.combine(DATE, dt.time(), dt.UTC).timestamp()
    )
    assert before["shelfprice_export_batches"] == 0
    (batch,) = export(shop.workspace, PullTarget(), ["S01"]).made
    assert numbers(client)["shelfprice_export_batches"] == 0  # it was looked up a moment ago
    monkeypatch.setattr(metrics, "_KEPT", 0.0)
    with AsgiClient(application(shop.settings, shop.folder)) as another:
        after = numbers(another)
    assert after["shelfprice_export_batches"] == 1
    assert after["shelfprice_export_timestamp_seconds"] == batch.recorded_at.timestamp()
    assert after["shelfprice_lake_is_readable"] == 1


def test_a_lake_that_cannot_be_read_leaves_its_numbers_out_and_says_so(
    client: AsgiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise OSError

    monkeypatch.setattr(KeptDesk, "catalog_in_force", broken)
    monkeypatch.setattr("plugins.connect.api.metrics.newest_closed", broken)
    found = numbers(client)
    assert found["shelfprice_lake_is_readable"] == 0
    assert "shelfprice_export_batches" not in found


def test_lines_of_stores_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    store = SellingStore(tmp_path)
    till = {"Authorization": f"Bearer {add_token(store.settings, 'till', ['sell'], dt.datetime.now(dt.UTC))}"}
    now = {"sold_at": (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).isoformat()}
    lines = [line(**now), line(**now), line(**now, sku="MLIK", receipt="R2")]
    with AsgiClient(application(store.settings, store.folder)) as client:
        assert client.post("/v1/sales", json=lines, headers=till).status_code == 200
        found = numbers(client)
    results = ("known", "refused", "taken")
    assert [found[f"shelfprice_intake_lines_total sales {result}"] for result in results] == [1, 1, 1]


def test_where_others_can_reach_the_api_its_numbers_want_a_token(shop: Shop) -> None:
    token = add_token(shop.settings, "prometheus", ["read"], dt.datetime.now(dt.UTC))
    with AsgiClient(application(shop.settings, shop.folder, anyone_reads=False)) as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_every_query_of_the_dashboard_names_a_number_that_is_there(shop: Shop, client: AsgiClient) -> None:
    export(shop.workspace, PullTarget(), ["S01"])
    client.get(QUOTE)
    with_labels = {family for family in client.get("/metrics").text.splitlines() if family.startswith("# TYPE")}
    types = {line.split()[2]: line.split()[3] for line in with_labels}
    known = {f"{name}_{part}" for name, kind in types.items() if kind == "histogram" for part in ("bucket", "count")}
    known |= {name for name, kind in types.items() if kind != "histogram"} | {
        "shelfprice_closed_date_timestamp_seconds",  # of a lake in which a night has closed a date
        "shelfprice_night_timestamp_seconds",
        "shelfprice_night_seconds",
    }
    queries = [target["expr"] for panel in json.loads(GRAFANA.read_text())["panels"] for target in panel["targets"]]
    asked = {name for query in queries for name in re.findall(r"shelfprice_\w+", query)}
    assert asked - known == set()
    assert {re.sub(r"_(bucket|count)$", "", name) for name in asked} >= types.keys() - {
        name for name in types if name.endswith("_created")
    }
