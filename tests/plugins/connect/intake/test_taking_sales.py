"""Lines of receipts: each that can be used counts once, and every other is told why not."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selling_store import DATE, NOW, SellingStore, line

from plugins.connect.intake import make_dates
from plugins.connect.intake.intake import Intake
from plugins.operations.checks.proving import verify


@pytest.fixture
def store(tmp_path: Path) -> SellingStore:
    return SellingStore(tmp_path)


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory: pytest.TempPathFactory) -> SellingStore:
    """A store that holds one line, and is sent nothing else that can be used."""
    store = SellingStore(tmp_path_factory.mktemp("store"))
    store.take(line(receipt="R0"))
    return store


@pytest.mark.parametrize(
    ("given_line", "reason", "found"),
    [
        (line(store_id="S09"), "unknown_store", "S09"),
        (line(sku="MLIK"), "unknown_product", "MLIK"),
        (line(price=0), "price", "0.0"),
        (line(price=-1.29), "price", "-1.29"),
        (line(price=1e300), "price", "1e+300"),
        (line(price=1.295), "price", "1.295"),
        (line(price=None), "price", "None"),
        (line(currency="USD"), "price", "USD"),
        (line(units=0), "units", "0.0"),
        (line(units=1e7), "units", "10000000.0"),
        (line(units=5_000), "units", "5000.0"),
        (line(units=-1_000.5), "units", "-1000.5"),
        (line(units=None), "units", "None"),
        (line(sold_at="2026-01-21T12:06:00Z"), "in_the_future", "2026-01-21T12:06:00+00:00"),
        (line(sold_at="2025-11-20T11:00:00Z"), "too_long_ago", "2025-11-20T11:00:00+00:00"),
        (line(sold_at="2026-01-19T10:00:00"), "not_valid", "2026-01-19T10:00:00"),
        (line(receipt=None), "no_id", "neither"),
        (line(line=-1), "not_valid", "-1"),
        (line(amount=1), "not_valid", "1"),
        (line(price=float("nan")), "not_valid", "nan"),
        (line(receipt="\ud800"), "not_valid", "?"),
        (line(voids={"receipt": "R1", "line": 1}), "reference", "the line itself"),
        (line(event_id="E1", corrects="E1"), "reference", "the line itself"),
        (line(voids="E1", corrects="E2"), "reference", "both"),
        ("a text", "not_valid", "a text"),
        (None, "not_valid", "None"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_with_what_was_expected_and_found(
    one_for_all: SellingStore, given_line: Any, reason: str, found: str
) -> None:
    result = one_for_all.take(line(receipt="R0"), given_line)
    assert (result.taken, result.known) == (0, 1)
    ((index, said, expected, seen),) = [(one.index, one.reason, one.expected, one.found) for one in result.refused]
    assert (index, said, seen) == (1, reason, found)
    assert expected
    assert len(one_for_all.receipt_lines()) == 1


def test_a_line_of_more_units_than_is_plausible_is_asked_back_and_taken_where_the_shelf_says_so(
    tmp_path: Path,
) -> None:
    store = SellingStore(tmp_path)
    (refused,) = store.take(line(units=5_000), line(receipt="R2", units=1_000)).refused
    assert refused.expected.startswith("units: at most 1,000 on a line; split a larger sale, or raise most_units_per")
    (tmp_path / "wholesale").mkdir()
    wholesale = SellingStore(tmp_path / "wholesale", more="sales: outside\nmost_units_per_line: 5000\n")
    assert wholesale.take(line(units=5_000)).taken == 1


def test_a_line_is_known_by_its_event_id_or_by_its_receipt_and_number(store: SellingStore) -> None:
    both = {**line(event_id="E1"), "receipt": "R1", "line": 1}
    assert store.take(both, both).taken == 1
    assert store.take(line()).known == 1
    assert store.take(line(event_id="E1")).known == 1
    assert store.take(line(event_id="E1", store_id="S02")).taken == 1, "an id is of one store"
    assert Intake(store.lake, lambda _: NOW).take(store.workspace, "sales", [both], "another").known == 1


def test_a_receipt_that_begins_anew_the_next_day_is_another_one_and_an_event_is_not(store: SellingStore) -> None:
    assert store.take(line(), line(event_id="E1")).taken == 2
    tomorrow = {"sold_at": "2026-01-20T10:00:00Z"}
    result = store.take(line(**tomorrow), line(event_id="E1", **tomorrow))
    assert result.taken == 1
    assert [one.reason for one in result.refused] == ["says_otherwise"]


def test_a_receipt_of_an_event_that_comes_again_on_another_date_is_none_of_that_date(store: SellingStore) -> None:
    both = line(event_id="E1")
    tomorrow = line(sold_at="2026-01-20T10:00:00Z", units=3)
    assert store.take({**both, "receipt": "R1", "line": 1}).taken == 1
    result = store.take(line(event_id="E1", receipt=None, line=None, sold_at="2026-01-20T10:00:00Z"), tomorrow)
    assert (result.taken, [one.index for one in result.refused]) == (1, [0])


def test_a_line_that_comes_again_and_says_otherwise_is_refused(store: SellingStore) -> None:
    store.take(line())
    (refused,) = store.take(line(price=1.19)).refused
    assert (refused.reason, refused.found) == ("says_otherwise", "1.19")
    assert "1.29" in refused.expected
    (within,) = store.take(line(receipt="R2"), line(receipt="R2", units=2)).refused
    assert within.index == 1


def test_a_line_is_kept_on_the_date_of_the_store_s_own_clock(tmp_path: Path) -> None:
    store = SellingStore(tmp_path, more="sales: outside\ntimezone: America/New_York\ntimezones: {S02: Asia/Tokyo}\n")
    late = "2026-01-20T02:30:00Z"  # the evening before in New York, the same morning in Tokyo
    store.take(line(sold_at=late), line(store_id="S02", sold_at="2026-01-20T11:30:00+09:00"))
    dates = {part.business_date for part in store.lake.partitions("receipt_lines")}
    assert dates == {dt.date(2026, 1, 19), dt.date(2026, 1, 20)}


def test_a_price_that_a_till_counts_in_32_bits_is_taken_for_what_it_means(store: SellingStore) -> None:
    assert store.take(line(price=1.28999996)).taken == 1
    assert store.receipt_lines()[0]["price"] == 1.29


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


_LINES = [line(receipt=f"R{number}", line=number % 3, units=1 + number % 4) for number in range(8)]
_SENT = st.lists(st.lists(st.sampled_from(_LINES), max_size=12), max_size=5)


@given(requests=_SENT)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_however_often_is_in_the_lake_once(requests: list[list[Any]], tmp_path_factory: Any) -> None:
    store = SellingStore(tmp_path_factory.mktemp("store"))
    taken = sum(store.take(*request).taken for request in requests)
    sent = {(one["receipt"], one["line"]) for request in requests for one in request}
    assert Counter((row["receipt"], row["line"]) for row in store.receipt_lines()) == Counter(sent)
    assert taken == len(sent)
    assert not verify(store.lake).findings
    assert all(part.business_date == DATE for part in store.lake.partitions("receipt_lines"))
