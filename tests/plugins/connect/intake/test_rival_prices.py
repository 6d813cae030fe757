"""Prices of rivals: matched to the shelf, taken once, counted from the next opening on, and refused with a reason."""

import datetime as dt
import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from asgi_client import AsgiClient
from hypothesis import given, settings
from hypothesis import strategies as st
from price_shop import Shop
from selling_store import NOW, SellingStore

from catalog.records.product import Measure
from etl.calendar import DEFAULT_START
from plugins.connect.api.api_tokens import add_token
from plugins.connect.api.app import application
from plugins.connect.intake.inbox import take_file
from plugins.connect.intake.intake import Intake
from plugins.connect.intake.rival_prices import first_date_to_count, take_rivals
from plugins.connect.intake.sale_lines import IntakeResult
from warehouse.lake import Partition

EAN = "4006381333931"
TOMORROW = dt.date(2026, 1, 22)
"""The stores have opened on the day of `NOW`."""


def with_labels(folder: Path) -> None:
    """Let a litre of milk have a measure and an EAN."""
    file = folder / "products.yaml"
    text = file.read_text(encoding="utf-8").replace(
        "- sku: MILK\n", f'- sku: MILK\n    measure: {{amount: 0.5, unit: l}}\n    ean: "{EAN}"\n', 1
    )
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def store(tmp_path: Path) -> SellingStore:
    return SellingStore(tmp_path, changed=with_labels)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> SellingStore:
    """A store in which each example has rivals of its own."""
    return SellingStore(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory: pytest.TempPathFactory) -> SellingStore:
    """A store in which nothing is ever taken."""
    return SellingStore(tmp_path_factory.mktemp("store"), changed=with_labels)


def seen(**fields: Any) -> dict[str, Any]:
    own = {"rival": "Corner", "sku": "MILK", "price": 1.19, "seen_at": "2026-01-21T09:00:00+01:00"} | fields
    return {name: value for name, value in own.items() if value is not None}


def take(store: SellingStore, *prices: Any) -> IntakeResult:
    return store.intake.take(store.workspace, "rivals", prices, "scout")


def rows(store: SellingStore, date: dt.date = TOMORROW) -> list[dict[str, Any]]:
    return store.rows_of("competitor_prices", date)


def test_a_price_counts_from_the_next_opening_on_for_as_long_as_the_catalog_says(store: SellingStore) -> None:
    assert store.catalog.product("MILK").measure == Measure(amount=0.5, unit="l")
    assert take(store, seen(source="leaflet")) == IntakeResult(1, 0, ())
    assert rows(store) == [
        {
            "rival": "Corner",
            "sku": "MILK",
            "ean": None,
            "price_eur": 1.19,
            "unit": "pack",
            "comparable_price_eur": 1.19,
            "seen_at": dt.datetime(2026, 1, 21, 8, tzinfo=dt.UTC),
            "fresh_until": dt.date(2026, 1, 28),
            "source": "leaflet",
            "taken_at": NOW,
            "taken_from": "scout",
        }
    ]


def test_before_the_first_store_opens_a_price_counts_on_the_same_day(store: SellingStore) -> None:
    early = NOW.replace(hour=5)
    assert first_date_to_count(store.workspace, early) == NOW.date()
    assert first_date_to_count(store.workspace, NOW) == TOMORROW


@pytest.mark.parametrize("ean", [EAN, f"0{EAN}"])
def test_an_ean_finds_its_product_with_and_without_leading_zeros(store: SellingStore, ean: str) -> None:
    assert take(store, seen(sku=None, ean=ean)).taken == 1
    assert [(row["sku"], row["ean"]) for row in rows(store)] == [("MILK", ean)]


def test_a_price_for_a_litre_is_compared_by_what_a_pack_of_ours_holds(store: SellingStore) -> None:
    take(store, seen(price=2.5, unit="l"))
    assert [(row["price_eur"], row["unit"], row["comparable_price_eur"]) for row in rows(store)] == [(2.5, "l", 1.25)]


@pytest.mark.parametrize(
    ("price", "reason", "found"),
    [
        (seen(sku=None), "no_id", "neither"),
        (seen(sku="MLIK"), "unknown_product", "MLIK"),
        (seen(sku=None, ean="96385074"), "unknown_product", "96385074"),
        (seen(sku="BREAD", ean=EAN), "unknown_product", EAN),
        (seen(unit="kg"), "units", "kg"),
        (seen(sku="BREAD", unit="piece"), "units", "piece"),
        (seen(unit="litre"), "not_valid", "litre"),
        (seen(price=0), "not_valid", "0"),
        (seen(price=float("nan")), "not_valid", "nan"),
        (seen(currency="USD"), "price", "USD"),
        (seen(rival=None), "not_valid", "none"),
        (seen(seen_at="2026-01-21T09:00:00"), "not_valid", "2026-01-21T09:00:00"),
        (seen(seen_at="2026-01-21T12:06:00Z"), "in_the_future", "2026-01-21T12:06:00+00:00"),
        (seen(seen_at="2025-11-20T11:00:00Z"), "too_long_ago", "2025-11-20T11:00:00+00:00"),
        (seen(store_id="S01"), "not_valid", "S01"),
        ("a text", "not_valid", "a text"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_reason(
    one_for_all: SellingStore, price: Any, reason: str, found: str
) -> None:
    result = take(one_for_all, price)
    assert (result.taken, [(one.reason, one.found) for one in result.refused]) == (0, [(reason, found)])
    assert rows(one_for_all) == []


def test_a_price_said_otherwise_is_refused_also_on_a_later_day(store: SellingStore) -> None:
    take(store, seen())
    store.now += dt.timedelta(days=3)
    result = take(store, seen(), seen(price=1.09), seen(price=1.09, seen_at="2026-01-24T07:00:00Z"))
    assert (result.taken, result.known) == (1, 1)
    assert [(one.index, one.reason) for one in result.refused] == [(1, "says_otherwise")]
    assert [row["price_eur"] for date in (TOMORROW, dt.date(2026, 1, 25)) for row in rows(store, date)] == [1.19, 1.09]


EXAMPLES = count()
PRICES = st.builds(
    lambda rival, sku, hour: seen(rival=rival, sku=sku, seen_at=f"2026-01-20T{hour:02}:00:00Z", price=1 + hour / 100),
    st.sampled_from(["Corner", "Square"]),
    st.sampled_from(["MILK", "BREAD", "EGGS"]),
    st.integers(0, 23),
)


@settings(deadline=None, max_examples=25)
@given(st.lists(PRICES, min_size=1, max_size=12), st.integers(0, 12))
def test_however_prices_are_cut_and_repeated_each_stands_once(
    busy: SellingStore, prices: list[dict[str, Any]], cut: int
) -> None:
    stood, example = len(rows(busy)), next(EXAMPLES)
    prices = [own | {"rival": f"{own['rival']} {example}"} for own in prices]
    results = [take(busy, *part) for part in (prices[:cut], prices[cut:], prices)]
    keys = {(own["rival"], own["sku"], own["seen_at"]) for own in prices}
    assert sum(result.taken for result in results) == len(keys) == len(rows(busy)) - stood
    assert results[-1] == IntakeResult(0, len(prices), ())


def test_the_same_file_twice_changes_nothing_and_lines_are_numbered(store: SellingStore, tmp_path: Path) -> None:
    file = tmp_path / "leaflet.csv"
    file.write_text(
        f"rival,ean,sku,price,seen_at\nCorner,{EAN},,1.19,2026-01-21T08:00:00Z\n"
        "Corner,,MLIK,1.09,2026-01-21T08:00:00Z\nCorner,,BREAD,2.09,2026-01-21T08:00:00Z\n",
        encoding="utf-8",
    )
    first = take_file(store.workspace, Intake(store.lake, lambda _: NOW), file)
    assert (first.taken, [own[:2] for own in first.reasons]) == (2, [(2, "unknown_product")])
    part = Partition("competitor_prices", TOMORROW, "intake")
    digest = store.lake.sha256(part)
    again = take_file(store.workspace, Intake(store.lake, lambda _: NOW + dt.timedelta(hours=1)), file)
    assert (again.taken, again.known) == (0, 2)
    assert store.lake.sha256(part) == digest


def test_over_http_prices_need_a_token_that_sells(store: SellingStore) -> None:
    now = dt.datetime.now(dt.UTC)
    body, answers = json.dumps([seen(seen_at=now.isoformat())]), []
    tokens = {name: add_token(store.settings, name, (name,), now) for name in ("read", "sell")}
    with AsgiClient(application(store.settings, store.folder)) as client:
        for token in (None, tokens["read"], tokens["sell"], tokens["sell"]):
            headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
            answer = client.post("/v1/competitor-prices", content=body, headers=headers)
            answers.append((answer.status_code, answer.json().get("taken"), answer.json().get("known")))
    assert answers == [(401, None, None), (403, None, None), (200, 1, 0), (200, 0, 1)]


def test_in_the_twin_a_price_is_of_its_own_dates(tmp_path: Path) -> None:
    shop, now = Shop(tmp_path), dt.datetime(2026, 11, 30, 13, tzinfo=dt.UTC)
    shop.publish(DEFAULT_START)
    assert first_date_to_count(shop.workspace, now) == DEFAULT_START
    shop.sell(1, date=DEFAULT_START)
    prices = [seen(seen_at=f"{DEFAULT_START}T12:00:00Z"), seen(seen_at="2026-11-30T12:00:00Z")]
    result = take_rivals(shop.workspace, prices, "scout", now)
    assert (result.taken, [one.reason for one in result.refused]) == (1, ["in_the_future"])
    assert shop.lake.dates("competitor_prices") == [DEFAULT_START + dt.timedelta(days=1)]
