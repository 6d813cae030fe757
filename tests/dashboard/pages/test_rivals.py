"""Our prices beside rivals': one number on Overview with its trend, a card on Prices, and what they leave out."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from catalog.tables.contracts import TABLES
from dashboard.formats import UNKNOWN
from dashboard.monitor import Monitor
from dashboard.pages.prices_cards import price_level_stat, rivals_card
from warehouse.lake import Lake, Partition

DATE = dt.date(2026, 1, 12)
AT = dt.datetime(2026, 1, 12, 8, tzinfo=dt.UTC)
HOSTILE = "<script>alert(1)</script>"


def publish(lake: Lake, table: str, date: dt.date | None, rows: list[dict[str, Any]]) -> None:
    group = "all" if date is None else "intake"
    lake.publish(Partition(table, date, group), pa.Table.from_pylist(rows, TABLES[table].schema), inputs="x")


def expose(lake: Lake, date: dt.date, ours: dict[str, float]) -> None:
    span = {"store_id": "S01", "starts_at": AT, "ends_at": AT, "is_acknowledged": False, "units": 0.0}
    rows = [{**span, "sku": sku, "price": price, "charged_price": price} for sku, price in ours.items()]
    publish(lake, "exposures", date, rows)


def rivals_say(lake: Lake, date: dt.date, theirs: list[tuple[str, str, float, dt.date]]) -> None:
    told = {"unit": "pack", "seen_at": AT, "taken_at": AT, "taken_from": "scout"}
    prices = [
        {**told, "rival": rival, "sku": sku, "price_eur": eur, "comparable_price_eur": eur, "fresh_until": until}
        for rival, sku, eur, until in theirs
    ]
    publish(lake, "competitor_prices", date, prices)


def test_without_rivals_there_is_no_card(monitor: Monitor) -> None:
    assert rivals_card(monitor, DATE) == []
    assert rivals_card(monitor, None) == []
    assert price_level_stat(monitor, DATE) == []


def test_overview_tells_how_far_our_prices_are_from_rivals_of_how_many_products_and_where_they_go(
    monitor: Monitor, lake: Lake, words: Callable[[Any], str]
) -> None:
    week_before = DATE - dt.timedelta(days=7)
    for date, milk in ((week_before, 1.0), (DATE, 1.2), (DATE + dt.timedelta(days=1), 1.2)):
        expose(lake, date, {"MILK": milk, "BREAD": 2.0})
    told = [("Corner", "MILK", 1.25, DATE), ("Square", "MILK", 1.25, DATE), ("Corner", "BREAD", 2.0, DATE)]
    rivals_say(lake, week_before, told)
    [shown] = price_level_stat(monitor, DATE)
    assert "2.0 % below" in words(shown)  # the two rivals' milk is one product, at 4 % below; bread costs the same
    assert "▲ +9.5 %" in words(shown)
    assert "vs the mean of the 7 days before; 2 of 5 products compared" in words(shown)
    [line] = [part for part in shown._traverse() if getattr(part, "className", None) == "trend"]
    assert line.title == "price level on the last 2 dates, between 10.6 % below and 2.0 % below"
    [stale] = price_level_stat(monitor, DATE + dt.timedelta(days=1))
    assert f"{UNKNOWN} no fresh price of a rival for the 5 products" in words(stale)


def test_a_rival_is_told_as_a_whole_and_by_category_and_stale_prices_are_counted(monitor: Monitor, lake: Lake) -> None:
    ours = {"MILK": ("dairy", 1.5), "YOGHURT": ("dairy", 1.0), "BREAD": ("bakery", 2.0)}
    theirs = [("Corner", "MILK", 1.2, DATE), ("Corner", "YOGHURT", 1.25, DATE)]
    theirs.append(("Corner", "BREAD", 1.9, DATE - dt.timedelta(days=1)))
    product = {"product_name": "", "icon": "", "base_price": 1.0, "unit_cost": 0.5, "floor_price": 0.5}
    product |= {"ceiling_price": 9.0, "par_stock": 10, "currency": "EUR"}
    publish(lake, "products", None, [{**product, "sku": sku, "category": of} for sku, (of, _) in ours.items()])
    expose(lake, DATE, {sku: price for sku, (_, price) in ours.items()})
    rivals_say(lake, DATE, [*theirs, (HOSTILE, "MILK", 1.0, DATE)])
    [card] = rivals_card(monitor, DATE)
    cells = [[cell.children for cell in row.children] for row in _rows_of(card)]
    assert cells == [
        [HOSTILE, "all", "150.0", "1", "0"],
        [HOSTILE, "dairy", "150.0", "1", "0"],
        ["Corner", "all", "100.0", "2", "1"],
        ["Corner", "bakery", UNKNOWN, "0", "1"],
        ["Corner", "dairy", "100.0", "2", "0"],
    ]
    assert rivals_card(monitor, DATE + dt.timedelta(days=1)) == []


def _rows_of(card: Any) -> list[Any]:
    """Return the rows of the card's table."""
    [body] = [part for part in card._traverse() if type(part).__name__ == "TableTbody"]
    return list(body.children)
