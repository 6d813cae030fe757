"""Visits that a store says: where they are known, what it sold becomes decisions of the same kind as the twin's."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from selling_store import DATE, SellingStore, line

from catalog.names import OWNER
from catalog.tables.contracts import TABLES
from etl.transform import transform
from features.cells import feature_workbench
from serving.belief.log import read_log_evidence
from warehouse.lake import Partition

OPENS, HOURS = 8, 12
OPENING = dt.datetime.combine(DATE, dt.time(OPENS), dt.UTC)


def at(time: str) -> str:
    return f"{DATE}T{time}:00Z"


def visits(counts: Sequence[float], sku: str = "MILK", store: str = "S01") -> list[dict[str, Any]]:
    return [
        {"store_id": store, "sku": sku, "hour_at": at(f"{OPENS + number:02}:00"), "visits": count}
        for number, count in enumerate(counts)
    ]


@pytest.fixture
def store(tmp_path: Path) -> SellingStore:
    return SellingStore(tmp_path)


def say(store: SellingStore, *lists: Sequence[Any], kind: Any = "traffic") -> None:
    for lines in lists:
        assert store.intake.take(store.workspace, kind, lines, "till").refused == ()


def decisions(store: SellingStore, sku: str = "MILK") -> list[dict[str, Any]]:
    part = Partition("interactions", DATE, "live-S01")
    rows = store.lake.read(part).to_pylist() if store.lake.holds(part) else []
    return [row for row in rows if row["sku"] == sku]


def draw(store: SellingStore, price: float, sku: str = "MILK") -> None:
    """Put a drawn price in force, and send it to the till."""
    row = {
        "store_id": "S01", "sku": sku, "through": DATE, "price": price, "shelf_price": 1.5, "step_from": 1.5,
        "propensity": 0.25, "low_price": None, "high_price": None, "is_held": False, "design": "slopes",
        "block": "S01/x", "seed": 1,
    }  # fmt: skip
    store.lake.publish(
        Partition("price_draws", DATE, "all"), pa.Table.from_pylist([row], TABLES["price_draws"].schema), inputs="x"
    )
    sent = {
        "number": 1, "batch": "b1", "after": None, "store_id": "S01",
        "recorded_at": OPENING - dt.timedelta(hours=2), "effective_at": OPENING,
        "time_zone": "UTC", "currency": "EUR", "sku": sku, "price": price, "till_price": price,
        "valid_from": OPENING, "prior_price": None, "unit_price": None, "unit": None,
    }  # fmt: skip
    schema = TABLES["export_batches"].schema
    store.lake.publish(
        Partition("export_batches", DATE, "batch-00000001"), pa.Table.from_pylist([sent], schema), inputs="x"
    )


def test_who_bought_and_who_did_not_are_decisions_where_every_hour_is_said(store: SellingStore) -> None:
    say(store, visits([3, *[0] * 10, 2]))
    store.take(line(sold_at=at("08:20"), units=2, price=1.29))
    store.make()
    rows = decisions(store)
    assert [(f"{row['seen_at']:%H:%M}", row["purchased"], row["price_offered"]) for row in rows] == [
        ("08:15", False, 1.29),
        ("08:20", True, 1.29),
        ("08:20", True, 1.29),
        ("08:45", False, 1.29),
        ("19:15", False, 1.29),
        ("19:45", False, 1.29),
    ]
    assert store.units() == {}, "what was decided is not counted again"
    assert {row["policy"] for row in rows} == {OWNER}


def test_a_product_with_an_hour_that_nobody_counted_stays_in_unit_sales(store: SellingStore) -> None:
    say(store, visits([3] * (HOURS - 1)))
    store.take(line(sold_at=at("08:20"), units=2, price=1.29))
    store.make()
    assert (decisions(store), store.units()) == ([], {("S01", "MILK", 1.29): 2})


def test_only_what_was_seen_at_a_drawn_price_teaches(store: SellingStore) -> None:
    draw(store, 1.65)
    say(store, visits([2] * HOURS))
    store.take(
        line(sold_at=at("08:20"), price=1.65),
        line(line=2, sold_at=at("09:20"), price=1.29),
        line(line=3, sold_at=at("10:20"), price=1.65, offer="loyalty card"),
    )
    store.make()
    found = [(row["policy"], row["propensity"], row["price_offered"], row["purchased"]) for row in decisions(store)]
    assert found.count(("drawn_prices", 0.25, 1.65, True)) == 1
    assert found.count(("drawn_prices", 0.25, 1.65, False)) == 21
    assert [own for own in found if own[0] == OWNER] == [(OWNER, 1, 1.29, True), (OWNER, 1, 1.65, True)]
    transform(store.workspace)
    with feature_workbench(store.settings) as connection:
        sales = read_log_evidence(connection, store.catalog, DATE).sales
        cells = connection.execute("select sum(n_offered), sum(n_purchased) from demand_cells").fetchone()
    assert (sales.met.sum().round(6), sales.bought.sum().round(6)) == (22, 1)
    assert cells == (22, 1), "no model learns from the others"
    assert sum(row["purchased"] for row in decisions(store)) == 3, "all of it is revenue"


def test_the_shelf_is_as_full_as_counts_and_sales_tell(store: SellingStore) -> None:
    count = {"store_id": "S01", "sku": "MILK", "happened_at": at("07:00"), "kind": "count", "units": 2}
    say(store, [count], kind="stock")
    say(store, visits([2, 2, *[0] * 10]))
    store.take(line(sold_at=at("08:20"), price=1.29, units=2))
    store.make()
    assert [(row["inventory_level"], row["outcome"]) for row in decisions(store)] == [
        (2, "bought"),
        (1, "bought"),
        (0, "out_of_stock"),
        (0, "out_of_stock"),
        (0, "out_of_stock"),
    ]


def test_a_line_that_comes_late_makes_the_decisions_anew(store: SellingStore) -> None:
    say(store, visits([3] * HOURS))
    store.take(line(sold_at=at("08:20"), price=1.29))
    store.make()
    assert sum(row["purchased"] for row in decisions(store)) == 1
    store.take(line(line=2, sold_at=at("08:40"), price=1.29))
    assert store.make().made == (DATE,)
    assert (sum(row["purchased"] for row in decisions(store)), len(decisions(store))) == (2, 3 * HOURS)
