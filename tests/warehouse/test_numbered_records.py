"""Records of people keep their numbers, whatever happens to the other ones."""

import datetime as dt

import pytest

from plugins.own_store.draws.numbered_records import next_number, numbered_records, put_record
from warehouse.lake import Lake, Partition

TABLE = "design_approvals"


def record(lake: Lake, reason: str) -> int:
    number = next_number(lake, TABLE)
    decided = {
        "design": "{}",
        "is_approved": True,
        "by_whom": "anna",
        "decided_at": dt.datetime(2026, 1, 5, tzinfo=dt.UTC),
    }
    put_record(lake, TABLE, decided | {"number": number, "reason": reason})
    return number


@pytest.fixture
def prepared(lake: Lake) -> Lake:
    lake.prepare()
    return lake


def test_a_number_is_never_given_twice_not_even_after_an_earlier_record_is_gone(prepared: Lake) -> None:
    assert [record(prepared, "first"), record(prepared, "second")] == [1, 2]
    prepared.remove(Partition(TABLE, None, "d000001"))
    assert record(prepared, "third") == 3
    assert [(own["number"], own["reason"]) for own in numbered_records(prepared, TABLE)] == [
        (2, "second"),
        (3, "third"),
    ]


def test_a_record_that_is_put_again_takes_the_place_of_its_number(prepared: Lake) -> None:
    record(prepared, "first")
    put_record(prepared, TABLE, numbered_records(prepared, TABLE)[0] | {"reason": "another"})
    assert [own["reason"] for own in numbered_records(prepared, TABLE)] == ["another"]
