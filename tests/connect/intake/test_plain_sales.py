"""Lines that are taken whole columns at once are those that a look at each would take, with the same rows."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selling_store import NOW, SellingStore, line

from connect.intake import known_lines, make_dates
from connect.intake.plain_sales import columns_of, dates_of, plain_sales
from connect.intake.sale_lines import LineCheck
from connect.intake.sales_files import objects_of
from connect.intake.take_sales import _row_of

SENT = ("till", NOW)
VALUES: dict[str, list[Any]] = {
    "store_id": ["S01", "S02", "S09", "", None],
    "sku": ["MILK", "EGGS", "MLIK", None, "\x00"],
    "sold_at": [
        *("2026-01-19T10:00:00Z", "2026-01-19 23:59+01:00", "2026-01-19T10:00:00.123456-05:00", "2026-01-19T10:00"),
        *("2025-11-30T10:00:00Z", "2026-02-30T10:00:00Z", "2026-01-21T12:05:00Z", "2026-01-21T12:05:01Z", "19.01.2026"),
        *("2025-11-20T12:00:00Z", "2025-11-20T11:59:59Z", "2026-01-19T24:00:00Z", "2026-01-19T10:00:60Z", None),
    ],
    "units": ["1", "2.5", "-3", "0", "1000", "1000.5", "1e2", " 1", "nan", "1,5", None],
    "price": ["1.29", "1.28999996", "1.295", "0", "-1", "1000000", "1000000.01", "0.004", "1.2900001", None],
    "receipt": ["R1", "7", "R" * 64, "R" * 65, None],
    "line": ["1", "0", "-1", "1.5", "2147483648", "01", None],
    "event_id": ["E1", "Ä" * 64, "E\n", None],
    "currency": ["EUR", "USD", None],
    "offer": ["card", "", None],
    "voids": [None, None, None, "E9"],
    "amount": [None, None, None, "1"],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SellingStore:
    more = "sales: outside\ntimezone: America/New_York\ntimezones: {S02: Asia/Kolkata}\n"
    return SellingStore(tmp_path_factory.mktemp("store"), more=more)


def usual_or_any(name: str) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(VALUES[name][0]), st.sampled_from(VALUES[name]))


LINES = st.lists(st.fixed_dictionaries({name: usual_or_any(name) for name in VALUES}), min_size=1, max_size=30)


@given(lines=LINES, as_numbers=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_plain_line_is_one_that_a_second_look_takes_with_the_same_row(
    store: SellingStore, lines: list[dict[str, Any]], as_numbers: bool
) -> None:
    table = pa.table({name: pa.array([one[name] for one in lines], pa.string()) for name in VALUES})
    if as_numbers:  # as JSON has them
        lines = [{name: _number(name, value) for name, value in one.items() if value is not None} for one in lines]
        able, table = columns_of(lines)
        objects = [one for one, is_able in zip(lines, able, strict=True) if is_able]
    else:
        objects = list(objects_of(table))
    found = plain_sales(table, store.catalog, SENT) if objects and table.num_columns else None
    if found is None:
        return
    check, rows = LineCheck(store.catalog, NOW), iter(found.rows.to_pylist())
    for given_line, is_plain in zip(objects, found.plain.tolist(), strict=True):
        if is_plain:
            assert next(rows) == _row_of(check.sale(given_line), store.catalog, SENT)
    epoch = dt.date(1970, 1, 1)
    dates = [store.catalog.store.clock_of(row["store_id"]).date_of(row["sold_at"]) for row in found.rows.to_pylist()]
    assert [epoch + dt.timedelta(int(day)) for day in dates_of(found.rows, store.catalog.store)] == dates


def _number(name: str, value: str) -> Any:
    try:
        return float(value) if name in {"units", "price"} else int(value) if name == "line" else value
    except ValueError:
        return value


def test_most_lines_of_a_usual_file_are_plain(store: SellingStore) -> None:
    moment = "2026-01-19T10:00:00+01:00"
    lines = [line(receipt=f"R{number}", units=1 + number % 3, sold_at=moment) for number in range(9)]
    able, columns = columns_of([*lines, line(voids={"receipt": "R1", "line": 1}, receipt="V")])
    assert able.tolist() == [True] * 9 + [False]
    assert plain_sales(columns, store.catalog, SENT).plain.all()


def test_a_few_lines_cost_no_sort_of_the_many_that_their_date_has_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, sorted_at_once = SellingStore(tmp_path), list[int]()
    store.take(*(line(receipt=f"R{number}") for number in range(20_000)))
    store.take(line(receipt="S"))
    unique = np.unique

    def counting(values: Any, *more: Any, **options: Any) -> Any:
        sorted_at_once.append(len(values))
        return unique(values, *more, **options)

    monkeypatch.setattr(known_lines.np, "unique", counting)
    result = store.take(*(line(receipt=f"T{number}") for number in range(50)), line(receipt="R7"))
    assert (result.taken, result.known) == (50, 1)
    assert max(sorted_at_once) < 1_000


def test_lines_of_a_date_that_goes_on_are_folded_once_and_all_are_one_part_when_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_dates, "_MOST_SMALL", {False: 4, True: 16})
    store = SellingStore(tmp_path)
    store.now = NOW - dt.timedelta(days=2)
    groups: list[list[str]] = []
    for number in range(3):
        for request in range(4):
            store.take(line(receipt=f"R{number}-{request}"))
        store.make()
        groups.append([part.group for part in store.lake.partitions("receipt_lines")])
    assert [len(own) for own in groups] == [1, 2, 3]
    assert set(groups[0]) < set(groups[1]) < set(groups[2])
    store.now = NOW
    store.make()
    assert len(list(store.lake.partitions("receipt_lines"))) == 1
    assert len(store.receipt_lines()) == 12
    assert store.take(line(receipt="R0-3")).known == 1
