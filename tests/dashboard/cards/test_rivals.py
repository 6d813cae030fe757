"""The card of rivals says how far our prices are from theirs, and what it leaves out."""

import datetime as dt
from typing import Any

import pyarrow as pa

from catalog.contracts import TABLES
from dashboard.cards.rivals import rivals_card
from dashboard.formats import UNKNOWN
from dashboard.monitor import Monitor
from warehouse.lake import Lake, Partition

DATE = dt.date(2026, 1, 12)
AT = dt.datetime(2026, 1, 12, 8, tzinfo=dt.UTC)
HOSTILE = "<script>alert(1)</script>"


def publish(lake: Lake, table: str, date: dt.date | None, rows: list[dict[str, Any]]) -> None:
    group = "all" if date is None else "intake"
    lake.publish(Partition(table, date, group), pa.Table.from_pylist(rows, TABLES[table].schema), inputs="x")


def test_without_rivals_there_is_no_card(monitor: Monitor) -> None:
    assert rivals_card(monitor, DATE) == []
    assert rivals_card(monitor, None) == []


def test_a_rival_is_told_as_a_whole_and_by_category_and_stale_prices_are_counted(monitor: Monitor, lake: Lake) -> None:
    ours = {"MILK": ("dairy", 1.5), "YOGHURT": ("dairy", 1.0), "BREAD": ("bakery", 2.0)}
    theirs = [("Corner", "MILK", 1.2, DATE), ("Corner", "YOGHURT", 1.25, DATE)]
    theirs.append(("Corner", "BREAD", 1.9, DATE - dt.timedelta(days=1)))
    product = {"product_name": "", "icon": "", "base_price": 1.0, "unit_cost": 0.5, "floor_price": 0.5}
    product |= {"ceiling_price": 9.0, "par_stock": 10}
    publish(lake, "products", None, [{**product, "sku": sku, "category": of} for sku, (of, _) in ours.items()])
    span = {"store_id": "S01", "starts_at": AT, "ends_at": AT, "is_acknowledged": False, "units": 0.0}
    exposed = [{**span, "sku": sku, "price": price, "charged_price": price} for sku, (_, price) in ours.items()]
    publish(lake, "exposures", DATE, exposed)
    told = {"unit": "pack", "seen_at": AT, "taken_at": AT, "taken_from": "scout"}
    prices = [
        {**told, "rival": rival, "sku": sku, "price_eur": eur, "comparable_price_eur": eur, "fresh_until": until}
        for rival, sku, eur, until in [*theirs, (HOSTILE, "MILK", 1.0, DATE)]
    ]
    publish(lake, "competitor_prices", DATE, prices)
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
