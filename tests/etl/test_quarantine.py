import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.store_day import StoreDay
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from etl.extract import interactions_of
from etl.load import conform
from etl.validate import CONTRADICTS, REPEATS, validate

PRICE = "the price is not a positive finite number"
STOCK = "the stock is negative or not a whole number"
MISSING = "a required value is missing"
PURCHASED = "purchased is neither 0 nor 1"
PRODUCT = "the product is not in the catalog"
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "price nan": ({"price_offered": float("nan")}, PRICE),
    "price infinite": ({"price_offered": float("inf")}, PRICE),
    "price minus infinite": ({"price_offered": float("-inf")}, PRICE),
    "price zero": ({"price_offered": 0.0}, PRICE),
    "price negative": ({"price_offered": -1.5}, PRICE),
    "price huge": ({"price_offered": 1e6}, PRICE),
    "price missing": ({"price_offered": None}, MISSING),
    "stock negative": ({"inventory_level": -1.0}, STOCK),
    "stock fractional": ({"inventory_level": 2.5}, STOCK),
    "stock nan": ({"inventory_level": float("nan")}, STOCK),
    "stock infinite": ({"inventory_level": float("inf")}, STOCK),
    "stock beyond counting": ({"inventory_level": 3e9}, STOCK),
    "tick after closing": ({"tick": 48}, "the time is outside the opening hours"),
    "tick before opening": ({"tick": -1}, "the time is outside the opening hours"),
    "shopper below zero": ({"shopper_id": -1}, "the shopper's number cannot be"),
    "propensity zero": ({"propensity": 0.0}, "the propensity is not a probability above 0"),
    "propensity nan": ({"propensity": float("nan")}, "the propensity is not a probability above 0"),
    "outcome unknown": ({"outcome": "banana"}, "the outcome is none of the known ones"),
    "unknown product": ({"sku": "WINE"}, PRODUCT),
    "product in other letters": ({"sku": "milk"}, PRODUCT),
    "product in markup": ({"sku": "<script>alert(1)</script>"}, PRODUCT),
    "product in sql": ({"sku": "'); drop table x; --"}, PRODUCT),
    "product missing": ({"sku": None}, MISSING),
    "future time": ({"seen_at": dt.datetime(2026, 1, 6, 0, 0, 0, 1, tzinfo=dt.UTC)}, "the time is in the future"),
    "time that could not be read": ({"seen_at": None}, MISSING),
    "purchased two": ({"purchased": 2.0}, PURCHASED),
    "purchased minus one": ({"purchased": -1.0}, PURCHASED),
    "purchased a half": ({"purchased": 0.5}, PURCHASED),
    "purchased nan": ({"purchased": float("nan")}, PURCHASED),
    "purchased missing": ({"purchased": None}, MISSING),
    "bought from nothing": ({"purchased": 1.0, "inventory_level": 0.0}, "it was bought although the stock was 0"),
    "store missing": ({"store_id": None}, MISSING),
    "shopper missing": ({"shopper_id": None}, MISSING),
}


def with_changes(rows: pa.Table, changes: dict[int, dict[str, Any]]) -> pa.Table:
    values = rows.to_pylist()
    for position, change in changes.items():
        values[position] = values[position] | change
    return pa.Table.from_pylist(values, schema=rows.schema)


def test_good_rows_in_wide_types_all_pass_and_fit_the_contract(
    shelf: Catalog, loose_rows: pa.Table, played_day: StoreDay, closing: dt.datetime
) -> None:
    checked = validate(loose_rows, shelf, "file", closing)
    assert checked.rejected.num_rows == 0
    assert checked.rejected.schema == TABLES["rejected"].schema
    assert conform(checked.valid).to_pylist() == interactions_of(played_day, shelf).slice(0, 20).to_pylist()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_row_is_kept_aside_with_its_reason_and_the_others_go_on(
    shelf: Catalog, loose_rows: pa.Table, closing: dt.datetime, fault: str
) -> None:
    change, reason = FAULTS[fault]
    checked = validate(with_changes(loose_rows, {4: change}), shelf, "file.csv", closing)
    assert checked.rejected.num_rows == 1
    aside = checked.rejected.to_pylist()[0]
    assert (aside["source"], aside["row_number"], aside["reason"]) == ("file.csv", 5, reason)
    assert "shopper_id" in aside["row_text"]
    assert checked.valid.to_pylist() == loose_rows.to_pylist()[:4] + loose_rows.to_pylist()[5:]
    assert conform(checked.valid).schema == TABLES["interactions"].schema


def test_two_shoppers_at_one_moment_are_no_repeat(shelf: Catalog, loose_rows: pa.Table, closing: dt.datetime) -> None:
    moment = loose_rows["seen_at"][0].as_py()
    rows = with_changes(loose_rows, {0: {"shopper_id": 1}, 1: {"shopper_id": 2, "seen_at": moment}})
    assert validate(rows, shelf, "file", closing).rejected.num_rows == 0


def test_the_moment_of_closing_itself_is_not_the_future(
    shelf: Catalog, loose_rows: pa.Table, closing: dt.datetime
) -> None:
    rows = with_changes(loose_rows, {0: {"seen_at": closing}})
    assert validate(rows, shelf, "file", closing).rejected.num_rows == 0


def test_a_row_with_many_faults_is_kept_aside_once_with_its_whole_text(
    shelf: Catalog, loose_rows: pa.Table, closing: dt.datetime
) -> None:
    rows = with_changes(loose_rows, {0: {"price_offered": -1.0, "sku": "x" * 10_000, "inventory_level": -3.0}})
    aside = validate(rows, shelf, "file", closing).rejected
    assert aside["reason"].to_pylist() == [PRICE]
    assert len(aside["row_text"][0].as_py()) == 2_000


@settings(deadline=None, max_examples=50)
@given(
    spoiled=st.dictionaries(st.integers(0, 19), st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=3)),
    repeated=st.lists(st.integers(0, 19), max_size=6),
)
def test_rows_in_are_always_rows_valid_plus_rows_rejected(
    shelf: Catalog, loose_rows: pa.Table, closing: dt.datetime, spoiled: dict[int, list[str]], repeated: list[int]
) -> None:
    changes = {
        place: {k: v for fault in faults for k, v in FAULTS[fault][0].items()} for place, faults in spoiled.items()
    }
    rows = with_changes(loose_rows, changes)
    rows = pa.concat_tables([rows, rows.take(pa.array(repeated, pa.int64()))])

    checked = validate(rows, shelf, "file", closing)

    assert checked.valid.num_rows + checked.rejected.num_rows == rows.num_rows
    numbers = checked.rejected["row_number"].to_pylist()
    assert numbers == sorted(set(numbers))
    assert set(numbers) == {place + 1 for place in changes} | {21 + place for place in range(len(repeated))}
    kept = [row for number, row in enumerate(rows.to_pylist(), start=1) if number not in numbers]
    assert checked.valid.to_pylist() == kept
    assert validate(checked.valid, shelf, "again", closing).rejected.num_rows == 0


@pytest.mark.parametrize("in_order", [True, False])
def test_repeats_are_found_in_rows_of_the_contract_s_types_in_any_order(
    in_order: bool, shelf: Catalog, played_day: StoreDay, closing: dt.datetime
) -> None:
    rows = interactions_of(played_day, shelf)
    other = with_changes(rows.slice(7, 1), {0: {"price_offered": 0.5}})
    more = [rows.slice(0, 5), rows.slice(4, 1), rows.slice(5, 3), other, rows.slice(8)]
    again = pa.concat_tables(more if in_order else [*more[2:], *more[:2]])
    bad = validate(again, shelf, "file", closing).rejected.to_pylist()
    reasons = {6: REPEATS, 10: CONTRADICTS} if in_order else {4: CONTRADICTS, again.num_rows: REPEATS}
    assert {row["row_number"]: row["reason"] for row in bad} == reasons


def test_a_good_row_is_kept_although_a_bad_one_like_it_came_before(
    shelf: Catalog, loose_rows: pa.Table, closing: dt.datetime
) -> None:
    twice = pa.concat_tables(
        [with_changes(loose_rows.slice(0, 1), {0: {"price_offered": -1.0}}), loose_rows.slice(0, 1)]
    )
    checked = validate(twice, shelf, "file", closing)
    assert checked.valid.num_rows == 1
    assert checked.rejected.to_pylist()[0]["row_number"] == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"inventory_level": -1}, STOCK),
        ({"tick": 48}, "the time is outside the opening hours"),
        ({"tick": -1}, "the time is outside the opening hours"),
        ({"shopper_id": -1}, "the shopper's number cannot be"),
        ({"outcome": "banana"}, "the outcome is none of the known ones"),
        ({"sku": "WINE"}, PRODUCT),
    ],
)
def test_one_bad_value_in_a_column_of_the_contracts_own_type_is_found_where_it_is(
    shelf: Catalog, played_day: StoreDay, closing: dt.datetime, changes: dict[str, Any], reason: str
) -> None:
    rows = with_changes(interactions_of(played_day, shelf).slice(0, 20), {13: changes})
    checked = validate(rows, shelf, "twin", closing)
    assert checked.rejected["row_number"].to_pylist() == [14]
    assert checked.rejected["reason"].to_pylist() == [reason]


def test_a_word_that_a_column_could_hold_and_does_not_is_no_fault(
    shelf: Catalog, played_day: StoreDay, closing: dt.datetime
) -> None:
    rows = interactions_of(played_day, shelf).slice(0, 20)
    sku = rows["sku"].combine_chunks()
    words = pa.array([*sku.dictionary.to_pylist(), "WINE"])
    wider = pa.DictionaryArray.from_arrays(sku.indices, words)
    checked = validate(rows.set_column(rows.column_names.index("sku"), "sku", wider), shelf, "twin", closing)
    assert checked.rejected.num_rows == 0
