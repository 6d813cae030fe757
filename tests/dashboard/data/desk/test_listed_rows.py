"""Columns of the desk answer what its rows, looked at one by one, would have answered."""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listed_rows import columns_of
from price_shop import Shop

from catalog.load import Catalog
from dashboard.data.desk import acts
from dashboard.data.desk.drafts import PriceDraft
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.rows import Row
from dashboard.data.desk.table import DeskQuestion, in_order, totals_of
from etl.load import load_store_day
from etl.twin.store_day import play
from features.cells import ALL_VIEWS
from plugins.desk.price_changes.propose import propose
from serving.optimise.policies import policy_without_model
from serving.store.storefront import Storefront
from warehouse.query.connection import build_file

_DATE = dt.date(2026, 1, 19)
_ROW = Row("S01", "MILK", "Milk", "dairy", _DATE, False, 1.5, 1.6, 1.6, 0.4, "why", "", "passes", "passes", "", None)
_PRICES = st.sampled_from([1.2, 1.5, 1.6])
_STATES = st.sampled_from(["waits", "passes", "approved", "rejected"])
_ROWS = st.lists(
    st.builds(
        lambda store, product, prices, gain, decision, is_set: replace(
            _ROW,
            store=store,
            sku=product[0],
            name=product[1],
            category=product[2],
            now=prices[0],
            proposed=prices[1],
            stands=prices[2],
            gain=gain,
            decision=decision,
            state="overridden" if is_set else decision,
            told="set to 1.20" if is_set else decision,
        ),
        st.sampled_from(["S02", "S01", "N1"]),
        st.sampled_from([("MILK", "Milk", "dairy"), ("HAM", "ham of York", "butcher"), ("OAT", "Oat Milk", "vegan")]),
        st.tuples(st.none() | _PRICES, _PRICES, _PRICES),
        st.none() | st.sampled_from([-2.0, 0.0, 0.5, 2.0]),
        _STATES,
        st.booleans(),
    ),
    max_size=14,
)
_QUESTIONS = st.builds(
    DeskQuestion,
    st.sampled_from([None, "", "milk", "MILK s01", "butcher ham", "nothing"]),
    st.sampled_from([None, "S01", "N1"]),
    st.sampled_from([None, "dairy", "vegan"]),
    st.sampled_from([None, "waits", "passes", "overridden"]),
    st.booleans(),
)
_WAYS: dict[str, Callable[[Row], Any]] = {
    "store": lambda row: row.store,
    "name": lambda row: row.name.casefold(),
    "now": lambda row: row.now,
    "proposed": lambda row: row.proposed,
    "moved": lambda row: row.moved,
    "gain": lambda row: row.gain,
    "stands": lambda row: row.stands,
    "state": lambda row: row.told,
}
_SORTS = st.lists(
    st.fixed_dictionaries({"colId": st.sampled_from([*_WAYS, "why"]), "sort": st.sampled_from(["asc", "desc"])}),
    max_size=3,
)


def found_one_by_one(asked: DeskQuestion, rows: Sequence[Row]) -> list[Row]:
    return [
        row
        for row in rows
        if asked.store in {None, row.store}
        and asked.category in {None, row.category}
        and asked.state in {None, row.state}
        and all(
            word in f"{row.name} {row.sku} {row.store} {row.category}".casefold()
            for word in (asked.text or "").casefold().split()
        )
        and (asked.unchanged or asked.text or row.state != "passes" or row.proposed != row.now)
    ]


def sorted_one_by_one(rows: Sequence[Row], wanted: Sequence[dict[str, Any]]) -> list[Row]:
    result = sorted(rows, key=lambda row: -1.0 if row.gain is None else abs(row.gain), reverse=True)
    for column in reversed(wanted):
        order = _WAYS.get(column["colId"])
        if order is not None:
            known = sorted(
                (row for row in result if order(row) is not None), key=order, reverse=column["sort"] == "desc"
            )
            result = [*known, *(row for row in result if order(row) is None)]
    return result


@given(_ROWS, _QUESTIONS, _SORTS)
def test_columns_find_and_sort_as_rows_would_one_by_one(
    rows: list[Row], asked: DeskQuestion, wanted: list[dict[str, Any]]
) -> None:
    columns = columns_of(rows, _ROW)
    found = asked.found_in(columns)
    assert list(found) == found_one_by_one(asked, rows)
    assert list(in_order(found, wanted)) == sorted_one_by_one(list(found), wanted)
    assert columns.ids == [row.id for row in rows]
    assert columns.are_waiting.tolist() == [row.decision == "waits" for row in rows]


@pytest.mark.parametrize(("share", "others"), [(0.01, {"waits", "approved"}), (0.051, {"passes"})])
def test_columns_of_a_desk_say_what_each_of_its_rows_says_in_every_state(
    share: float, others: set[str], tmp_path: Path
) -> None:
    shop = Shop(tmp_path, f"{{within_of_base: {share}}}")
    book = shop.publish()
    build_file(shop.settings, ALL_VIEWS)
    shop.sell(1)
    desk = shop.desk()
    assert not desk.sheet().rows.are_recorded.any()
    propose(shop.workspace, book, _DATE)
    if "approved" in others:
        acts.approve(desk, ["S02|MILK"], {})
    acts.turn_down(desk, ["S02|EGGS"], "too dear")
    row = desk.sheet().chosen(["S03|MILK"])[0]
    acts.override(desk, row, PriceDraft(1.29), "a rival", ignore_conflicts=True)
    rows = desk.sheet().rows
    each = list(rows)
    assert {row.state for row in each} == {"rejected", "overridden", *others}
    assert [row.state for row in each] == [next(own for own in _ALL if rows.are(own)[at]) for at in range(len(each))]
    assert [row.now for row in each] == [None if math.isnan(price) else price for price in rows.now.tolist()]
    assert [row.gain for row in each] == [None if math.isnan(gain) else gain for gain in rows.gain.tolist()]
    assert [(row.proposed, row.stands) for row in each] == list(zip(rows.proposed, rows.stands, strict=True))
    assert (rows.told, rows.are_recorded.tolist()) == ([r.told for r in each], [r.is_recorded for r in each])
    passed = [row for row in each if row.passed is not None]
    assert bool(passed) == ("passes" in others)
    assert all(row.change is None for row in passed)
    changes = [row.change for row in acts.with_changes(desk, passed)]
    assert [change and (change.id, change.terms.new_price) for change in changes] == [
        (row.passed, row.proposed) for row in passed
    ]


_ALL = ("waits", "passes", "approved", "rejected", "overridden")


def dearer(catalog: Catalog) -> Catalog:
    products = [own.model_copy(update={"base_price": own.base_price + 0.1}) for own in catalog.products]
    return replace(catalog, products=tuple(products))


@pytest.fixture
def desk(tmp_path: Path) -> PriceDesk:
    """A desk of three stores that sold the day before at the same prices, of which S01 is being sold."""
    shop = Shop(tmp_path)
    shop.publish()
    for days, catalog in ((2, dearer(shop.catalog)), (1, shop.catalog)):
        front, stores = Storefront(policy_without_model(catalog, "static")), tuple(shop.catalog.store.stores)
        sold = play(shop.catalog, front, stores, _DATE - dt.timedelta(days=days), 1)
        load_store_day(shop.lake, shop.catalog, sold, "all", inputs="1", seed=1)
    build_file(shop.settings, ALL_VIEWS)
    shop.sell(1)
    return shop.desk()


def test_totals_are_the_sums_of_the_rows_one_after_another(desk: PriceDesk) -> None:
    rows = desk.sheet().rows
    whole, *each = totals_of(rows)
    known = [row for row in rows if row.plan is not None and row.kept is not None]
    assert known
    for name in ("units", "revenue", "profit", "worth"):
        # Not `sum`, which corrects its rounding from Python 3.12 on.
        assert getattr(whole.plan, name) == list(accumulate(getattr(row.plan, name) for row in known))[-1]
        assert getattr(whole.kept, name) == list(accumulate(getattr(row.kept, name) for row in known))[-1]
    assert whole.unknown == len(rows) - len(known) == sum(own.unknown for own in each)


def test_a_page_has_the_opening_prices_of_its_rows(desk: PriceDesk) -> None:
    sheet = desk.sheet()
    rows = sheet.chosen(["S02|MILK", "S03|EGGS"])
    base = [sheet.catalog.product(row.sku).base_price for row in rows]
    assert desk.courses(rows) == [[pytest.approx(price + 0.1), price] for price in base]
    assert desk.courses([replace(rows[0], sku="NEW")]) == [[]]
    assert desk.courses([]) == []


def test_a_store_in_which_nothing_was_ever_sold_proposes_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    desk = shop.desk()
    assert len(desk.sheet().rows) == 0
    shop.publish()
    assert len(desk.sheet().rows) == 3 * len(shop.catalog.skus)
