"""The prices of many rows, changed in one action."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from price_shop import DATE, Shop

from catalog.errors import DataError, Declined
from dashboard.data.desk import acts
from dashboard.data.desk.drafts import price_by
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.rows import Row
from plugins.desk.price_changes.record import all_changes

ROW = Row("S01", "MILK", "Milk", "dairy", DATE, False, 1.5, 1.6, 1.6, 0.4, "book", "", "passes", "passes", "", None)
SOLD = replace(ROW, unit_cost=0.9)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("to 1.29", 1.29),
        ("To 1,29", 1.29),
        ("+5 %", 1.58),
        ("-10%", 1.35),
        ("\N{MINUS SIGN}0.10", 1.4),
        ("+ 0.05", 1.55),
        ("margin 30 %", 1.29),
        ("margin 0 %", 0.9),
    ],
)
def test_a_change_is_typed_as_an_amount_a_percentage_or_a_margin(text: str, price: float) -> None:
    assert price_by(text, SOLD) == pytest.approx(price)


@pytest.mark.parametrize("text", ["", "1.29", "to 5 %", "margin 30", "+five", "*1.1", "to -1", "to 1.29 EUR", "+1e3"])
def test_what_is_no_change_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(DataError, match=r'expected "to 1\.29", "\+5 %", "-0\.10" or "margin 30 %", found'):
        price_by(text, SOLD)


@pytest.mark.parametrize(
    ("text", "row", "words"),
    [
        ("-1.50", SOLD, "Milk in S01: -1.50 of 1.50 EUR leaves no price above 0"),
        ("-100 %", SOLD, "leaves no price above 0"),
        ("margin 100 %", SOLD, "expected a margin from 0 % to below 100 %"),
        ("margin 30 %", ROW, "expected a product whose cost is known"),
    ],
)
def test_a_change_that_makes_no_price_says_of_which_product(text: str, row: Row, words: str) -> None:
    with pytest.raises(DataError, match=words):
        price_by(text, row)


@given(st.integers(1, 5_000), st.integers(0, 99))
def test_a_target_margin_is_reached_and_a_cent_less_would_miss_it(cents: int, margin: int) -> None:
    price = price_by(f"margin {margin} %", replace(ROW, unit_cost=cents / 100))
    assert (price - cents / 100) / price >= margin / 100 - 1e-9
    assert price - 0.01 <= 0 or (price - 0.01 - cents / 100) / (price - 0.01) < margin / 100


def desk_of(folder: Path) -> tuple[Shop, PriceDesk]:
    shop = Shop(folder)
    shop.publish()
    return shop, shop.desk()


def test_many_prices_are_one_action_that_holds_from_the_opening_of_one_date_until_the_closing_of_another(
    tmp_path: Path,
) -> None:
    shop, desk = desk_of(tmp_path)
    first, last = DATE + dt.timedelta(days=1), DATE + dt.timedelta(days=3)
    ids = [row.id for row in desk.sheet().rows if row.sku == "MILK"]
    said = acts.override_all(desk, ids, "to 1.29", "a weekend offer", (first, last))
    assert said.startswith(f"{len(ids)} prices set (to 1.29) from ")
    changes = all_changes(shop.lake)
    assert {change.number for change in changes} == {1}
    clock = shop.catalog.store.clock_of("S01")
    assert {(change.terms.new_price, *(change.span() or ())) for change in changes} == {
        (1.29, clock.opening_of(first), clock.closing_of(last))
    }
    assert {change.terms.store for change in changes} == set(shop.catalog.store.stores)


def test_when_something_speaks_against_one_of_many_prices_none_is_set(tmp_path: Path) -> None:
    shop, desk = desk_of(tmp_path)
    ids = [row.id for row in desk.sheet().rows if row.store == "S01"]
    with pytest.raises(Declined, match="is below its cost"):
        acts.override_all(desk, ids, "-70 %", "clear the shelf")
    assert all_changes(shop.lake) == []
    with pytest.raises(DataError, match="choose some in the table"):
        acts.override_all(desk, [], "-70 %", "clear the shelf")
