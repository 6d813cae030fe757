"""The unit sales of a date: what was sold, however and whenever it was told, and what did not sell."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selling_store import DATE, SellingStore, line, shuffled

from plugins.connect.intake.make_dates import make_dates
from plugins.connect.intake.take_sales import KnownLines
from plugins.operations.checks.proving import verify
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import ingest
from warehouse.lake import Partition

MILK = ("S01", "MILK", 1.29)
NEXT = DATE + dt.timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> SellingStore:
    return SellingStore(tmp_path)


def on(date: dt.date, **fields: Any) -> dict[str, Any]:
    return line(sold_at=f"{date}T10:00:00Z", **fields)


def test_a_date_is_made_when_every_store_has_closed_and_anew_when_a_line_comes_late(tmp_path: Path) -> None:
    store = SellingStore(tmp_path, more="sales: outside\ntimezones: {S03: America/New_York}\n")
    store.now = dt.datetime(2026, 1, 20, 0, 59, tzinfo=dt.UTC)  # a minute before New York closes
    store.take(line())
    assert store.make().made == ()
    store.now += dt.timedelta(minutes=1)
    assert store.make().made == (DATE,)
    assert store.units() == {MILK: 1}
    assert store.make().made == ()
    store.take(line(receipt="R2", units=2))
    assert store.make().made == (DATE,)
    assert store.units() == {MILK: 3}


def test_a_void_may_come_before_its_line_and_on_another_date(store: SellingStore) -> None:
    void = {"units": None, "price": None}
    store.take(
        on(NEXT, event_id="V1", voids="E1", **void), on(NEXT, event_id="V2", voids={"receipt": "R1", "line": 1}, **void)
    )
    store.take(line(units=2), line(event_id="E1", units=4), line(line=2, units=8))
    store.make()
    assert store.units() == {MILK: 8}


def test_a_void_means_the_receipt_of_its_own_date_where_numbers_begin_anew(store: SellingStore) -> None:
    void = on(NEXT, event_id="V1", voids={"receipt": "R1", "line": 1}, units=None, price=None)
    store.take(line(units=2), on(NEXT, units=3), on(NEXT, receipt="R2", units=4), void)
    store.make()
    assert (store.units(), store.units(NEXT)) == ({MILK: 2}, {MILK: 4})


def test_what_a_store_sells_at_other_times_has_a_row_without_a_unit(store: SellingStore) -> None:
    store.take(line(), line(line=2, sku="EGGS", price=2.49), on(NEXT, receipt="R2"), line(store_id="S02", receipt="R3"))
    store.make()
    assert store.units(NEXT) == {MILK: 1, ("S01", "EGGS", 2.49): 0}, "S02 was not open"


def test_a_line_that_comes_late_changes_the_dates_after_it(store: SellingStore) -> None:
    before = DATE - dt.timedelta(days=1)
    store.take(on(before), on(NEXT))
    assert store.make().made == (before, NEXT)
    store.take(on(before, receipt="R2", sku="EGGS", price=2.49))
    assert store.make().made == (before, NEXT)
    assert store.units(NEXT) == {MILK: 1, ("S01", "EGGS", 2.49): 0}


def test_stock_and_visitors_stand_beside_what_sold(store: SellingStore) -> None:
    hours = [{"store_id": "S01", "hour_at": f"{DATE}T{hour:02}:00:00Z", "visitors": 10} for hour in range(8, 20)]
    take = store.intake.take
    assert take(store.workspace, "traffic", hours[:-1], "x").taken == 11
    count = {"store_id": "S01", "sku": "MILK", "happened_at": f"{DATE}T06:00:00Z", "kind": "count", "units": 9}
    delivery = {**count, "happened_at": f"{DATE}T07:00:00Z", "kind": "delivery", "units": 20}
    assert take(store.workspace, "stock", [delivery, count, count], "x").known == 1
    store.take(line())
    store.make()
    (row,) = store.rows_of("unit_sales")
    assert (row["stock"], row["traffic"]) == (29, None), "an hour is missing"
    take(store.workspace, "traffic", [*hours[-1:], {**hours[0], "visitors": 15}], "x")
    store.make()
    assert store.rows_of("unit_sales")[0]["traffic"] == 125, "what was said last of an hour holds"


def test_many_small_parts_become_one_and_what_they_say_stays(store: SellingStore) -> None:
    for number in range(4):
        store.take(line(receipt=f"R{number}"))
    known = store.receipt_lines()
    assert store.make().folded == (DATE,)
    assert len(list(store.lake.partitions("receipt_lines"))) == 1
    assert sorted(store.receipt_lines(), key=repr) == sorted(known, key=repr)
    assert store.take(line(receipt="R2")).known == 1
    assert make_dates(store.workspace, store.now, KnownLines(store.lake)).made == ()
    assert not verify(store.lake).findings


def test_sales_that_a_file_brought_already_are_not_counted_again(store: SellingStore) -> None:
    store.take(line(), line(line=2, sku="EGGS", price=2.49))
    store.make()
    table = store.table("unit_sales")
    store.lake.publish(Partition("unit_sales", DATE, "export-0"), table.slice(0, 1), inputs="a file")
    assert store.make().made == (DATE,)
    assert len(store.units()) == 1


def test_sales_that_the_tills_told_already_are_not_counted_again_from_a_file(
    store: SellingStore, tmp_path: Path
) -> None:
    store.take(line(units=3), on(NEXT, receipt="R2"))
    store.make()
    file = tmp_path / "units.csv"
    rows = (f"{DATE},S01,MILK,1.29,8", f"{DATE},S02,MILK,1.29,4", f"{DATE - dt.timedelta(days=9)},S01,MILK,1.29,5")
    file.write_text("\n".join(["date,store,sku,price,qty", *rows, ""]), encoding="utf-8")
    done = ingest(store.settings, file, Reading(), store.folder, store.now)
    assert (done.row["valid"], done.row["rejected"]) == (2, 1), "of a store and day that the tills told"
    store.make()
    assert store.units() == {MILK: 3}


_STORY = [
    line(units=5),
    line(line=2, units=7),
    line(line=3, units=4, price=1.19),
    line(receipt="R2", sku="EGGS", price=2.49, units=2),
    line(receipt="R2", line=2, sku="EGGS", price=2.49, units=-1),
    on(NEXT, receipt="R1", units=6),
    on(NEXT, event_id="E1", units=3, sku="BREAD", price=1.99),
    line(event_id="V1", voids={"receipt": "R1", "line": 2}, units=None, price=None),
    line(event_id="C1", corrects={"receipt": "R1", "line": 3}, units=3, price=1.19),
    on(NEXT, event_id="C2", corrects="E1", units=2, sku="BREAD", price=1.99),
]


@given(seed=st.integers(0, 1_000))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_order_of_lines_and_how_often_they_come_changes_nothing(seed: int, tmp_path_factory: Any) -> None:
    store = SellingStore(tmp_path_factory.mktemp("store"))
    for number, request in enumerate(shuffled(_STORY, seed)):
        store.take(*request)
        if number % 2:
            store.make()
    store.make()
    assert store.units() == {MILK: 5, ("S01", "MILK", 1.19): 3, ("S01", "EGGS", 2.49): 1}
    assert store.units(NEXT) == {MILK: 6, ("S01", "BREAD", 1.99): 2, ("S01", "EGGS", 2.49): 0}
