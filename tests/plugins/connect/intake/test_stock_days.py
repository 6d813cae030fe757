"""The stock movements of outside stores, from what they tell and what they sell."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from selling_store import DATE, OUTSIDE, SellingStore, line, shuffled, where_stock_lives

from etl.stock import kept_before, opens_with
from plugins.connect.intake.intake import Intake
from warehouse.checks.assertions import broken_assertions
from warehouse.query.connection import workbench_with_marts

ONE_DAY = dt.timedelta(days=1)
NEXT = DATE + ONE_DAY


@pytest.fixture
def store(tmp_path: Path) -> SellingStore:
    return fresh(tmp_path)


def fresh(folder: Path, more: str = OUTSIDE) -> SellingStore:
    return SellingStore(folder, more=more, changed=where_stock_lives)


def told(kind: str, units: float, at: str = f"{DATE}T06:00:00Z", **fields: Any) -> dict[str, Any]:
    own = {"store_id": "S01", "sku": "MEAT", "happened_at": at, "kind": kind, "units": units}
    return {name: str(value) if isinstance(value, dt.date) else value for name, value in (own | fields).items()}


def meat(units: float, at: str = f"{DATE}T10:00:00Z", **fields: Any) -> dict[str, Any]:
    return line(sku="MEAT", units=units, price=7.67, sold_at=at, **fields)


def tell(store: SellingStore, *events: dict[str, Any]) -> None:
    result = store.intake.take(store.workspace, "stock", events, "till")
    assert result.refused == ()


def moved(store: SellingStore, date: dt.date = DATE) -> dict[str, tuple[int, ...]]:
    """Return carried, delivered, sold, spoiled, adjusted and kept by days that are left."""
    names = ("carried", "delivered", "sold", "spoiled", "adjusted", "kept")
    return {
        f"{row['sku']} {(row['expires_on'] - date).days}": tuple(row[f"units_{name}"] for name in names)
        for row in store.rows_of("stock_movements", date)
    }


def broken(store: SellingStore) -> list[str]:
    """Return what does not hold of the stock in the lake; nobody has grouped its sales yet."""
    found = broken_assertions(store.settings, store.lake.dates("stock_movements"))
    return [str(own) for own in found if own.assertion != "cells_hold_every_decision_with_stock"]


def test_what_was_told_and_sold_is_followed_to_the_unit_over_two_days(store: SellingStore) -> None:
    tell(store, told("delivery", 20, expires_on=DATE), told("delivery", 30), told("spoiled", 2, f"{DATE}T12:00:00Z"))
    store.take(meat(15), meat(4, f"{NEXT}T10:00:00Z", receipt="R2"))
    tell(store, told("count", 24, f"{NEXT}T11:00:00Z"))
    store.make()
    assert moved(store) == {"MEAT 0": (0, 20, 15, 5, 0, 0), "MEAT 2": (0, 30, 0, 0, 0, 30)}
    assert moved(store, NEXT) == {"MEAT 1": (30, 0, 4, 0, -2, 24), "MEAT 2": (0, 0, 0, 0, 0, 0)}
    assert broken(store) == []
    [row] = [row for row in store.rows_of("stock_movements") if row["units_spoiled"]]
    assert row["waste_eur"] == pytest.approx(5 * (4.90 + 0.06))
    assert row["is_estimated"]


def test_a_product_of_which_nobody_told_anything_has_no_movements_and_opens_full(store: SellingStore) -> None:
    store.take(meat(15), line(sku="MILK", price=1.5, receipt="R2"))
    store.make()
    assert list(store.lake.partitions("stock_movements")) == []
    tell(store, told("count", 7))
    store.make()
    assert set(moved(store)) == {"MEAT 2"}
    opened = opens_with(store.lake, store.catalog, ("S01", "S02"), NEXT)
    stock = dict(zip(store.catalog.skus, opened.stock[0].tolist(), strict=True))
    assert stock["MILK"] == 180
    assert (opened.stock[1] == store.catalog.par_stock).all()


def test_the_next_morning_opens_with_what_was_kept_and_what_the_catalog_orders(store: SellingStore) -> None:
    tell(store, told("count", 40, f"{DATE}T06:00:00Z", expires_on=NEXT))
    store.take(meat(10))
    store.make()
    opened = opens_with(store.lake, store.catalog, ("S01",), NEXT).opened_with
    assert opened is not None
    place = store.catalog.skus.index("MEAT")
    assert opened[0, place].tolist()[:3] == [30, 0, 60], "30 for one day more, and a delivery up to 90"


def test_what_is_thrown_away_before_opening_is_of_the_evening_before_and_counts_once(store: SellingStore) -> None:
    tell(store, told("delivery", 9, expires_on=DATE), told("delivery", 9))
    store.take(meat(4))
    store.make()
    assert moved(store)["MEAT 0"] == (0, 9, 4, 5, 0, 0)
    tell(store, told("spoiled", 6, f"{NEXT}T06:30:00Z"))
    store.take(meat(1, f"{NEXT}T10:00:00Z", receipt="R2"))
    store.make()
    assert moved(store) == {"MEAT 0": (0, 9, 4, 5, 0, 0), "MEAT 2": (0, 9, 0, 1, 0, 8)}
    assert moved(store, NEXT)["MEAT 1"] == (8, 0, 1, 0, 0, 7)


def test_a_line_that_comes_late_changes_the_date_and_those_after_it(store: SellingStore) -> None:
    tell(store, told("delivery", 20))
    store.take(meat(5), meat(3, f"{NEXT}T10:00:00Z", receipt="R2"))
    store.make()
    assert moved(store, NEXT)["MEAT 1"] == (15, 0, 3, 0, 0, 12)
    store.take(meat(4, receipt="R3"))
    store.make()
    assert moved(store, NEXT)["MEAT 1"] == (11, 0, 3, 0, 0, 8)
    assert broken(store) == []
    parts = {part: store.lake.receipt(part) for part in store.lake.partitions("stock_movements")}
    Intake(store.lake, lambda _: store.now).make_dates(store.workspace)
    assert {part: store.lake.receipt(part) for part in parts} == parts, "what is current is not made again"


def test_books_end_with_the_newest_date_a_store_told_of_and_go_on_over_closed_days(tmp_path: Path) -> None:
    store = fresh(tmp_path, f"{OUTSIDE}closed_days: [wed]\n")
    store.now = dt.datetime(2026, 1, 25, 12, tzinfo=dt.UTC)
    wednesday = NEXT + ONE_DAY
    tell(store, told("delivery", 20, f"{NEXT}T06:00:00Z"))
    store.take(meat(5, f"{NEXT}T10:00:00Z"), meat(1, f"{wednesday + ONE_DAY}T10:00:00Z", store_id="S02", receipt="R9"))
    store.make()
    assert store.lake.dates("stock_movements") == [NEXT, wednesday, wednesday + ONE_DAY]
    assert store.rows_of("stock_movements", wednesday + ONE_DAY) == [], "of S02, which has no books"
    for date, is_known in ((wednesday, True), (wednesday + ONE_DAY, True), (wednesday + 2 * ONE_DAY, False)):
        kept = kept_before(store.lake, store.catalog, ("S01",), date)
        assert kept is not None
        assert kept.known.any() == is_known, "nobody knows what is on the shelf since"


def test_what_is_brought_back_and_what_is_voided_moves_no_unit(store: SellingStore) -> None:
    tell(store, told("delivery", 20))
    void = {"units": None, "price": None, "sku": "MEAT", "event_id": "V1", "voids": {"receipt": "R1", "line": 1}}
    store.take(meat(5), meat(6, line=2), meat(-2, line=3), meat(3, f"{DATE}T12:00:00Z", line=4), line(**void))
    store.make()
    assert moved(store)["MEAT 2"] == (0, 20, 9, 0, 0, 11)


def test_the_marts_tell_what_an_outside_store_threw_away_and_earned(store: SellingStore) -> None:
    tell(store, told("delivery", 20, expires_on=DATE))
    store.take(meat(15))
    store.make()
    with workbench_with_marts(store.settings) as warehouse:
        waste = warehouse.execute("select units_sold, units_spoiled, units_adjusted from daily_waste").fetchall()
        profit = warehouse.execute("select count_units, revenue_eur, waste_eur, profit_eur from daily_profit")
        assert waste == [(15, 5, 0)]
        [(units, revenue, thrown, left)] = profit.fetchall()
    assert (units, revenue) == (15, pytest.approx(15 * 7.67))
    assert thrown == pytest.approx(5 * 4.96)
    assert left == pytest.approx(15 * (7.67 - 4.90) - 5 * 4.96)


_HOURS = st.integers(1, 47).map(lambda hour: f"{DATE + hour // 24 * ONE_DAY}T{hour % 24:02}:00:00Z")
_EVENTS = st.builds(
    lambda kind, units, at, days, number: told(
        kind,
        units,
        at,
        event_id=f"E{number}",
        **({} if days is None or kind == "spoiled" else {"expires_on": NEXT + days * ONE_DAY}),
    ),
    st.sampled_from(["delivery", "count", "spoiled"]),
    st.integers(0, 40),
    _HOURS,
    st.none() | st.integers(0, 4),
    st.integers(0, 10**9),
)
_LINES = st.builds(
    lambda units, at, number: meat(units, at, receipt=f"R{number}"),
    st.integers(-4, 30).filter(bool),
    _HOURS,
    st.integers(0, 10**9),
)


@given(
    events=st.lists(_EVENTS, min_size=1, max_size=6, unique_by=lambda own: own["event_id"]),
    lines=st.lists(_LINES, max_size=6, unique_by=lambda own: own["receipt"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
def test_any_events_and_sales_close_the_balance_of_each_day_to_the_unit_in_any_order_of_coming(
    events: list[dict[str, Any]], lines: list[dict[str, Any]], seed: int, tmp_path_factory: Any
) -> None:
    one, other = fresh(tmp_path_factory.mktemp("one")), fresh(tmp_path_factory.mktemp("other"))
    tell(one, *events)
    if lines:
        one.take(*lines)
    one.make()
    for request in shuffled([*events, *lines], seed):
        tell(other, *[own for own in request if "kind" in own])
        if sold := [own for own in request if "kind" not in own]:
            other.take(*sold)
        other.make()
    assert broken(one) == []
    twice = {(own["happened_at"], own.get("expires_on")) for own in events if own["kind"] == "count"}
    if len(twice) == sum(own["kind"] == "count" for own in events):
        dates = one.lake.dates("stock_movements")
        assert dates == other.lake.dates("stock_movements")
        assert [moved(one, date) for date in dates] == [moved(other, date) for date in dates]


@pytest.mark.parametrize(
    ("event", "reason", "expected", "found"),
    [
        (told("delivery", -1), "not_valid", "units: a number from 0 and below 1,000,000, such as 1", "-1"),
        (told("delivery", 2.5), "units", "units: a whole number, for each unit of MEAT is followed", "2.5"),
        (told("stolen", 2), "not_valid", "kind: `count` or `delivery` or `spoiled`", "stolen"),
        (told("count", 2, sku="NOPE"), "unknown_product", "sku: a product of products.yaml, such as MILK", "NOPE"),
        (told("count", 2, store_id="S9"), "unknown_store", "store_id: a store of store.yaml, such as S01", "S9"),
        (
            told("delivery", 2, expires_on=DATE - ONE_DAY),
            "not_valid",
            "expires_on: 2026-01-19, the date of the event, or later",
            "2026-01-18",
        ),
        (
            told("spoiled", 2, expires_on=DATE),
            "not_valid",
            "expires_on: none with spoiled; the oldest units are thrown away first",
            "2026-01-19",
        ),
        (told("count", 2, expires_on="soon"), "not_valid", "expires_on: a date or null, such as", "soon"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field_and_value(
    store: SellingStore, event: dict[str, Any], reason: str, expected: str, found: str
) -> None:
    [refused] = store.intake.take(store.workspace, "stock", [event], "till").refused
    assert (refused.reason, refused.found) == (reason, found)
    assert refused.expected.startswith(expected)


def test_a_product_whose_shelf_is_simply_full_has_no_last_date_of_sale_and_is_counted_as_before(tmp_path: Path) -> None:
    store = SellingStore(tmp_path)
    events = [told("count", 2.5), told("delivery", 3, expires_on=DATE)]
    result = store.intake.take(store.workspace, "stock", events, "till")
    assert result.taken == 1
    [refused] = result.refused
    assert refused.expected == "expires_on: none, for the shelf of MEAT is simply full at each opening"
    store.take(meat(15))
    store.make()
    assert list(store.lake.partitions("stock_movements")) == []
