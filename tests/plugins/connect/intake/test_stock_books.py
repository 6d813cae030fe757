"""The books of a product in an outside store: whatever is told, each unit is accounted for."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.connect.intake.stock_books import Lot, StockBooks, StockChange

DAY = dt.date(2026, 1, 19)
OPENS = dt.datetime(2026, 1, 19, 8, tzinfo=dt.UTC)
LIFE = 3  # days
NEWEST = DAY + dt.timedelta(days=LIFE - 1)


def after(hours: float) -> dt.datetime:
    return OPENS + dt.timedelta(hours=hours)


def due(days: int) -> dt.date:
    return DAY + dt.timedelta(days=days)


def books(*changes: StockChange, freshest_share: float = 0.0, **carried: int) -> dict[str, Lot]:
    """Return the lots after some changes by the days that are left; `d0=4` are four units of the last day."""
    lots = {due(int(name[1:])): Lot(carried=units) for name, units in carried.items()}
    own = StockBooks(DAY, NEWEST, freshest_share, lots).write(changes)
    return {f"d{(expires - DAY).days}": lot for expires, lot in own.lots.items() if expires is not None}


def test_the_oldest_unit_is_sold_first_and_a_share_of_shoppers_takes_the_freshest() -> None:
    sold = StockChange(after(1), "sold", 10)
    found = books(sold, d0=8, d1=8, d2=8)
    assert [lot.sold for lot in found.values()] == [8, 2, 0]
    found = books(sold, freshest_share=0.3, d0=8, d1=8, d2=8)
    assert [lot.sold for lot in found.values()] == [7, 0, 3]


def test_single_sales_take_as_many_fresh_units_as_one_large_one() -> None:
    one_by_one = [StockChange(after(number / 10), "sold", 1) for number in range(10)]
    assert [lot.sold for lot in books(*one_by_one, freshest_share=0.3, d0=8, d2=8).values()] == [7, 3]


def test_parts_of_a_unit_are_put_together_over_the_day() -> None:
    parts = [StockChange(after(number), "sold", 0.25) for number in range(8)]
    assert books(*parts, d2=5)["d2"].sold == 2


def test_a_delivery_keeps_as_long_as_was_told_and_else_as_the_catalog_says() -> None:
    told, untold = StockChange(after(-1), "delivery", 5, due(1)), StockChange(after(-1), "delivery", 7)
    found = books(told, untold)
    assert (found["d1"].delivered, found["d1"].is_estimated) == (5, False)
    assert (found["d2"].delivered, found["d2"].is_estimated) == (7, True)


def test_a_count_takes_what_is_missing_from_the_oldest_units_and_what_it_finds_is_new() -> None:
    found = books(StockChange(after(-1), "count", 6), d0=4, d1=4)
    assert [(lot.adjusted, lot.left) for lot in found.values()] == [(-2, 2), (0, 4), (0, 0)]
    found = books(StockChange(after(-1), "count", 11), d0=4, d1=4)
    assert [(lot.adjusted, lot.left) for lot in found.values()] == [(0, 4), (0, 4), (3, 3)]


def test_a_count_with_dates_tells_the_ages_and_what_it_does_not_name_is_not_there() -> None:
    at = after(-1)
    found = books(StockChange(at, "count", 5, due(1)), StockChange(at, "count", 2, due(5)), d0=4, d1=4)
    assert {name: lot.left for name, lot in found.items()} == {"d0": 0, "d1": 5, "d2": 0, "d5": 2}
    assert not found["d1"].is_estimated
    assert not found["d5"].is_estimated
    mixed = books(StockChange(at, "count", 5, due(1)), StockChange(at, "count", 3), d0=4, d1=4)
    assert [lot.left for lot in mixed.values()] == [3, 5, 0], "those without a date are of the others"


def test_ages_are_told_until_it_is_not_known_which_unit_went() -> None:
    sold = StockChange(after(1), "sold", 1)
    assert not books(sold, d1=4)["d1"].is_estimated
    found = books(sold, d0=4, d1=4)
    assert found["d0"].is_estimated
    assert found["d1"].is_estimated


def test_the_closing_throws_away_what_no_longer_keeps_and_is_told_of_it_once() -> None:
    closing = StockChange(after(12), "closing")
    found = books(closing, StockChange(after(13), "spoiled", 3), d0=3, d1=5)
    assert [lot.spoiled for lot in found.values()] == [3, 0, 0]
    found = books(closing, StockChange(after(13), "spoiled", 4), d0=3, d1=5)
    assert [lot.spoiled for lot in found.values()] == [3, 1, 0], "one more than was too old"


def test_what_leaves_beyond_the_books_was_there() -> None:
    lot = books(StockChange(after(1), "sold", 4), StockChange(after(2), "spoiled", 1))["d2"]
    assert (lot.adjusted, lot.sold, lot.spoiled, lot.left) == (5, 4, 1, 0)


def test_units_that_keep_for_ever_are_of_one_age_and_nothing_about_them_is_estimated() -> None:
    changes = [StockChange(after(-1), "delivery", 5), StockChange(after(1), "sold", 7)]
    own = StockBooks(DAY, None, 0.3, {None: Lot(carried=4)}).write(changes)
    own.close()
    assert own.lots == {None: Lot(carried=4, delivered=5, sold=7)}


_WHEN = st.integers(-120, 900).map(lambda minutes: OPENS + dt.timedelta(minutes=minutes))
_UNITS = st.integers(0, 40)
_DATES = st.none() | st.integers(0, 6).map(due)
_CHANGE = st.one_of(
    st.builds(StockChange, _WHEN, st.sampled_from(["delivery", "count"]), _UNITS, _DATES),
    st.builds(StockChange, _WHEN, st.just("spoiled"), _UNITS),
    st.builds(StockChange, _WHEN, st.just("sold"), st.integers(0, 120).map(lambda quarters: quarters / 4)),
    st.builds(StockChange, st.just(after(12)), st.just("closing")),
)


@given(
    changes=st.lists(_CHANGE, max_size=12),
    carried=st.dictionaries(st.integers(0, 4).map(due), st.integers(1, 30), max_size=4),
    share=st.floats(0, 1),
    seed=st.randoms(use_true_random=False),
)
def test_whatever_is_told_the_balance_closes_to_the_unit_in_any_order_of_telling(
    changes: list[StockChange], carried: dict[dt.date, int], share: float, seed: Any
) -> None:
    def written(told: list[StockChange]) -> dict[dt.date | None, Lot]:
        own = StockBooks(DAY, NEWEST, share, {date: Lot(carried=units) for date, units in carried.items()}).write(told)
        own.close()
        return own.lots

    lots = written(changes)
    for expires, lot in lots.items():
        assert min(lot.carried, lot.delivered, lot.sold, lot.spoiled, lot.left) >= 0
        assert lot.left == 0 or (expires is not None and expires > DAY), "nothing is kept beyond its last day"
    assert sum(lot.carried for lot in lots.values()) == sum(carried.values())
    delivered = sum(change.units for change in changes if change.kind == "delivery")
    assert sum(lot.delivered for lot in lots.values()) == delivered
    sold = sum(change.units for change in changes if change.kind == "sold")
    assert abs(sum(lot.sold for lot in lots.values()) - sold) <= 0.5 + 1e-6
    mixed = list(changes)
    seed.shuffle(mixed)
    keys = [(change.at, change.kind, change.expires_on) for change in changes if change.kind == "count"]
    if len(set(keys)) == len(keys):  # of two counts of one moment what was said last holds
        totals = {expires: lot.left for expires, lot in written(mixed).items()}
        assert sum(totals.values()) == sum(lot.left for lot in lots.values())


@pytest.mark.parametrize("units", [0, 3])
def test_a_count_of_nothing_empties_the_shelf(units: int) -> None:
    found = books(StockChange(after(12), "count", units), d0=4, d1=9)
    assert sum(lot.left for lot in found.values()) == units
