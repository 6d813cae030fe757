"""A price book in steps says what one with a row for each state says, whatever the policy."""

import datetime as dt
from copy import copy
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Floats, Ints
from catalog.load import CLASSIC, Catalog, load
from catalog.price_ladder import price_ladder
from catalog.pricing import Shelf
from catalog.records.guardrails import Guardrails
from catalog.settings import read_settings
from serving import book_table, price_steps
from serving.book_policy import BookPolicy
from serving.book_store import (
    book_in_force,
    book_with,
    commit_book,
    in_force_for,
    new_book,
    publish_book,
    restored_book,
)
from serving.book_table import book_from_parts, book_from_table, book_to_table
from serving.curves import DemandCurves
from serving.matching import match_to_shelf
from serving.price_book import PriceBook
from serving.price_steps import VALUE_TOLERANCE
from serving.pricing_policy import Asked
from serving.shelf_limits import with_support
from serving.tabulate import tabulate
from tests.serving.dense_book import DenseBook, as_dense, dense_book, dense_table
from warehouse.connection import VIEW_FOLDERS, build_file, read_only
from warehouse.lake import Lake, Partition
from warehouse.proof import verify

CLASSIC_SHELF = load(CLASSIC)
DAY = dt.date(2026, 3, 2)
MIDNIGHT = dt.datetime.combine(DAY, dt.time(), dt.UTC)
RAILS = (
    Guardrails(),
    Guardrails(price_ending=9),
    Guardrails(frozen={"MEAT": 8.0}, minimum_margin=0.2),
    Guardrails(price_ending=5, markdown_only=["MILK"]),
)


@dataclass(frozen=True)
class Arbitrary:
    """A policy that wants whatever it is told, by stock and tick; nothing about it is monotone."""

    prices: Floats
    p_sale: Floats
    unit_value: Floats
    rule: Ints
    name: str = "arbitrary"
    model_version: str | None = "3"
    rules: tuple[str, ...] = ("base_price", "low_stock")

    def ask(self, shelf: Shelf) -> Asked:
        at = shelf.ticks_left - 1, shelf.stock, np.arange(shelf.stock.shape[1])
        return Asked(self.prices[at], self.rule[at], self.p_sale[at], self.unit_value[at])


def any_shelf(seed: int, most: int = 40) -> tuple[Arbitrary, Catalog, DemandCurves | None]:
    """Draw a shelf, its limits, what is known of demand, and a policy: smooth, stepwise or wild.

    Pars are below `most`.
    """
    draw = np.random.default_rng(seed)
    pars = draw.integers(1, most, 5)
    products = tuple(
        own.model_copy(update={"par_stock": int(par)}) for own, par in zip(CLASSIC_SHELF.products, pars, strict=True)
    )
    rails = RAILS[draw.integers(len(RAILS))]
    catalog = Catalog(products, CLASSIC_SHELF.store.model_copy(update={"guardrails": rails}))
    ladder, shape = price_ladder(catalog), (catalog.store.opening.ticks, int(pars.max()) + 1, 5)
    wildness = draw.choice([0.0, 0.02, 1.0])
    falling = np.linspace(19, 0, shape[1])[:, None] * draw.uniform(0.2, 1, (shape[0], 1, 5))
    wild = draw.integers(0, 20, shape)
    choice = np.where(draw.random(shape) < wildness, wild, np.rint(falling)).astype(int)
    curve = np.sort(draw.random(ladder.shape), axis=1)[:, ::-1]
    by_tick = curve * draw.uniform(0.5, 1, (shape[0], 5, 1)) if draw.random() < 0.5 else None
    p_sale = np.take_along_axis((curve[None] if by_tick is None else by_tick[::-1]), choice.transpose(0, 2, 1), axis=2)
    p_sale = np.where(draw.random(shape) < wildness / 20, np.nan, p_sale.transpose(0, 2, 1))
    value = np.exp(-np.arange(shape[1]) / draw.uniform(3, 30))[:, None] * draw.uniform(0, 9, (shape[0], 1, 5))
    value = np.where(draw.random(shape) < wildness / 4, draw.normal(0, 9, shape), value)
    value = np.where(draw.random(shape if wildness else 5) < 0.2, np.nan, value)
    rule = (draw.random(shape) < wildness / 4).astype(np.int64)
    policy = Arbitrary(ladder[np.arange(5), choice], p_sale, value, rule)
    curves = DemandCurves(catalog.skus, ladder, curve, "3", by_tick=by_tick)
    if draw.random() < 0.3:
        observed = np.column_stack([ladder[:, 0], ladder[:, -1]])
        observed[draw.integers(5)] = np.nan
        curves = with_support(curves, observed)
    return policy, catalog, None if by_tick is None and draw.random() < 0.3 else curves


def assert_same(found: DenseBook, expected: DenseBook) -> None:
    """All is the same to the last bit; what a unit is worth is so within the tolerance."""
    for name in ("prices", "unconstrained", "p_sale", "p_unconstrained", "rule", "policy_rule"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    np.testing.assert_array_equal(np.isnan(found.unit_value), np.isnan(expected.unit_value))
    largest = np.nan_to_num(np.abs(expected.unit_value)).max(axis=(1, 2))
    allowed = np.maximum(VALUE_TOLERANCE * expected.unconstrained.max(axis=(1, 2)), largest / 8_000) * (1 + 1e-9)
    apart = np.nan_to_num(np.abs(found.unit_value - expected.unit_value)).max(axis=(1, 2))
    assert (apart <= allowed).all(), (apart / allowed).max()


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32))
def test_a_book_in_steps_says_what_holds_in_every_state_of_any_policy(seed: int) -> None:
    policy, catalog, curves = any_shelf(seed)
    book, expected = tabulate(policy, catalog, MIDNIGHT, curves), dense_book(policy, catalog, curves, DAY)
    assert_same(as_dense(book), expected)
    read = book_from_table(book_to_table(book, "inputs"))
    assert_same(as_dense(read), as_dense(book))
    for own, products in ((book, slice(None)), (read, np.arange(len(book.skus))[::-2])):
        np.testing.assert_array_equal(own.shown(products), book.of(products).prices)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32))
def test_a_full_shelf_opens_with_what_is_looked_up_for_it_and_another_one_does_not(seed: int) -> None:
    policy, catalog, curves = any_shelf(seed)
    made = tabulate(policy, catalog, MIDNIGHT, curves)
    for book in (made, book_from_table(book_to_table(made, "inputs"))):
        expected = book.at(np.arange(5), book.par_stock, book.n_ticks)
        for own, looked_up in zip(book.opening, expected, strict=True):
            np.testing.assert_array_equal(own, looked_up, strict=True)
        for less, left in ((0, book.n_ticks), (-2, book.n_ticks), (1, book.n_ticks), (0, book.n_ticks - 1)):
            stock = np.tile(np.maximum(book.par_stock - less, 0), (2, 1))
            asked = BookPolicy(book).ask(Shelf(stock, np.full((2, 5), np.nan), left, np.zeros((2, 5))))
            found = book.at(np.arange(5), stock, left)
            np.testing.assert_array_equal(asked.prices, found.unconstrained)
            np.testing.assert_array_equal(asked.unit_value, found.unit_value)


def test_the_prices_of_a_full_shelf_are_found_without_what_is_compiled(
    book: PriceBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_steps, "_find_all", None)
    stock = np.tile(book.par_stock, (2, 1))
    asked = BookPolicy(book).ask(Shelf(stock, np.full((2, 5), np.nan), book.n_ticks, np.zeros((2, 5))))
    assert asked.prices.shape == (2, 5)


def test_a_book_is_read_without_what_is_compiled(book: PriceBook, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = book_to_table(book, "inputs")
    monkeypatch.setattr(book_table, "step_after_step", None)
    assert_same(as_dense(book_from_table(rows)), as_dense(book))


def jumping_shelf(most: int = 40) -> tuple[Arbitrary, Catalog, DemandCurves]:
    """Return a policy that jumps, under a price ending, where some chances differ by tick."""
    found = (any_shelf(seed, most) for seed in range(100))
    return next(
        (policy, catalog, curves)
        for policy, catalog, curves in found
        if curves is not None and curves.by_tick is not None and catalog.store.guardrails.price_ending == 9
    )


@pytest.fixture(scope="module")
def shelf() -> tuple[Arbitrary, Catalog, DemandCurves]:
    return jumping_shelf()


@pytest.fixture(scope="module")
def book(shelf: tuple[Arbitrary, Catalog, DemandCurves]) -> PriceBook:
    policy, catalog, curves = shelf
    return tabulate(policy, catalog, MIDNIGHT, curves)


def test_one_price_is_the_one_that_many_at_once_have(book: PriceBook) -> None:
    states = np.nonzero(np.ones((len(book.skus), book.n_levels + 2, book.n_ticks)))
    prices, _, p_sale, _, unit_value, rule, _ = book.at(states[0], states[1], states[2] + 1)
    found = [book.quote(book.skus[own], stock, left + 1) for own, stock, left in np.transpose(states).tolist()]
    for name, expected in (("price", prices), ("p_sale", p_sale), ("unit_value", unit_value)):
        np.testing.assert_array_equal(np.array([getattr(own, name) for own in found], dtype=float), expected)
    assert [own.binding_rule for own in found] == [book.rules[own] for own in rule]
    np.testing.assert_array_equal(book.quotes(states[0], states[1], states[2] + 1), (prices, p_sale))


def test_a_book_that_was_asked_is_sent_without_the_places_of_its_arrays(book: PriceBook) -> None:
    book.quote("MILK", 1, 1)
    assert set(vars(copy(book))) == {own.name for own in fields(book)}


@pytest.mark.parametrize("rows", [1, 7, 10_000])
def test_rows_that_come_in_parts_are_the_same_book(rows: int) -> None:
    policy, catalog, curves = jumping_shelf(12)
    book = tabulate(policy, catalog, MIDNIGHT, curves)
    table = book_to_table(book, "inputs")
    read = book_from_parts(table[first : first + rows] for first in range(0, len(table), rows))
    assert_same(as_dense(read), as_dense(book))


@pytest.mark.parametrize(
    ("most", "worth", "kinds"),
    [
        (40, 0.01, (np.uint8, np.uint8)),
        (40, 1.0, (np.uint8, np.int16)),
        (900, 0.01, (np.int16, np.uint8)),
        (900, 1.0, (np.int16, np.int16)),
        (40, -0.01, (np.uint8, np.int16)),
    ],
)
def test_a_book_keeps_stocks_and_values_in_a_byte_where_they_fit_and_says_the_same_when_it_is_read(
    most: int, worth: float, kinds: tuple[type[np.generic], ...]
) -> None:
    policy, catalog, curves = any_shelf(2, most)
    policy = replace(policy, unit_value=np.abs(policy.unit_value) * worth)
    book = tabulate(policy, catalog, MIDNIGHT, curves)
    table = book_to_table(book, "inputs")
    read = book_from_parts(table[first : first + 100] for first in range(0, len(table), 100))
    for own in (book, read):
        assert tuple(values.dtype for values in own.steps[2:6]) == (*[kinds[0]] * 3, kinds[1])
    for name in ("stock_from", "unit_value", "ticks_from"):
        assert book_to_table(read, "inputs")[name].equals(table[name]), name
    draw = np.random.default_rng(3)
    states = [draw.integers(first, end, 500) for first, end in ((0, 5), (0, most), (1, book.n_ticks + 1))]
    np.testing.assert_array_equal(read.quotes(*states), book.quotes(*states))
    for own, stock, left in np.transpose(states).tolist():
        assert str(read.quote(book.skus[own], stock, left)) == str(book.quote(book.skus[own], stock, left))


def test_thresholds_of_a_tick_lie_side_by_side_and_step_after_step(book: PriceBook) -> None:
    steps, place = book.steps, 0
    for product, par in enumerate(book.par_stock.tolist()):
        own = range(*steps.first_step[product : product + 2])
        for tick in range(1, book.n_ticks + 1):
            there = [one for one in own if steps.first_tick[one] <= tick < steps.first_tick[one] + steps.lengths[one]]
            for stock, step in zip(steps.stock_from[place : place + len(there)].tolist(), there, strict=True):
                assert stock <= par
                assert steps.found(product, stock, tick)[0] == step
            place += len(there)
    assert place == len(steps.stock_from)


def test_what_a_policy_asked_for_is_kept_for_the_steps_alone_that_a_limit_changed(book: PriceBook) -> None:
    at_a_limit = np.flatnonzero(book.prices[book.limited.limited_step] != book.limited.asked)
    assert 0 < len(at_a_limit) == len(book.limited.asked) < len(book.prices)
    products = np.array([4, 0, 2])
    for own, was in zip(book.take(products).of(), book.of(products), strict=True):
        np.testing.assert_array_equal(own, was)


def test_states_in_any_order_and_shape_are_answered_where_they_were_asked(book: PriceBook) -> None:
    draw = np.random.default_rng(5)
    product, left = draw.integers(0, len(book.skus), (7, 1, 40)), draw.integers(1, book.n_ticks + 1, (3, 1))
    stock = draw.integers(0, book.n_levels, 40)
    everywhere = book.of()
    places = product, np.minimum(stock, book.par_stock[product]), left - 1
    np.testing.assert_array_equal(book.at(product, stock, left), [own[places] for own in everywhere])
    expected = everywhere.prices[places], everywhere.p_sale[places]
    np.testing.assert_array_equal(book.quotes(product, stock, left), expected)


def in_lake(home: Path, partition: Partition, rows: pa.Table) -> Lake:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(home)}))
    lake.prepare()
    lake.publish(partition, rows, inputs="inputs")
    build_file(lake.settings, VIEW_FOLDERS)
    return lake


def rows_in(lake: Lake, question: str) -> list[tuple[object, ...]]:
    with read_only(lake.settings) as connection:
        return connection.execute(question).fetchall()


@pytest.mark.parametrize("table", ["price_steps", "replaced_price_steps", "hourly_price_steps"])
def test_the_view_has_a_row_for_each_state_with_what_the_book_says(tmp_path: Path, book: PriceBook, table: str) -> None:
    view = table.replace("price_steps", "price_book")
    in_steps = in_lake(tmp_path / "a", Partition(table, DAY, "all"), book_to_table(book, "inputs"))
    by_state = in_lake(tmp_path / "b", Partition(view, DAY, "all"), dense_table(book))
    apart = "unit_value"
    question = f"select * exclude ({apart}) from {view} order by sku, inventory_level, ticks_left"  # noqa: S608
    assert repr(rows_in(in_steps, question)) == repr(rows_in(by_state, question))  # NaN is not itself
    values = f"select {apart} from {view} order by sku, inventory_level, ticks_left"  # noqa: S608
    found, expected = (np.array(rows_in(lake, values), dtype=float) for lake in (in_steps, by_state))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    many = f"select count(*) from {view} where sku = 'MILK' and inventory_level = 1 and ticks_left = 2"  # noqa: S608
    assert rows_in(in_steps, many) == [(1,)]


def test_two_books_of_a_date_that_were_replaced_do_not_meet_in_the_view(tmp_path: Path, book: PriceBook) -> None:
    lake = in_lake(tmp_path, Partition("replaced_price_steps", DAY, "one"), book_to_table(book, "one"))
    lake.publish(Partition("replaced_price_steps", DAY, "other"), book_to_table(book, "other"), inputs="other")
    states = int((book.par_stock + 1).sum()) * book.n_ticks
    assert rows_in(lake, "select count(*) from replaced_price_book") == [(2 * states,)]
    assert rows_in(lake, "select count(distinct (sku, inventory_level, ticks_left)) from replaced_price_book") == [
        (states,)
    ]


LADDER = price_ladder(CLASSIC_SHELF)
CURVES = DemandCurves(CLASSIC_SHELF.skus, LADDER, np.tile(np.linspace(0.9, 0.1, LADDER.shape[1]), (5, 1)), "7")
VISITS = np.full((5, 48), 2.0)


@pytest.fixture
def earlier(tmp_path: Path) -> Lake:
    """A lake whose book is in the form of the version before."""
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    lake.prepare()
    new = new_book(CLASSIC_SHELF, CURVES, VISITS, DAY)
    place = in_force_for(DAY, "price_book").book
    tables = {new.place: None, **new.tables} | {}
    del tables[new.place]
    before = replace(new, tables=tables | {place: dense_table(new.book)}, inputs=new.inputs | {place: "before:1"})
    commit_book(lake, replace(before, inputs=dict.fromkeys(before.tables, "before:1")))
    build_file(lake.settings, VIEW_FOLDERS)
    return lake


def test_a_book_of_the_version_before_prices_as_it_did(earlier: Lake) -> None:
    found = book_in_force(earlier)
    assert found is not None
    assert_same(as_dense(found.book), as_dense(new_book(CLASSIC_SHELF, CURVES, VISITS, DAY).book))
    assert rows_in(earlier, "select count(*) from price_book") == [(5 * 101 * 48,)]
    assert verify(earlier).findings == ()


def test_a_new_book_takes_the_place_of_one_of_the_version_before_which_is_kept(earlier: Lake) -> None:
    before = book_in_force(earlier)
    assert before is not None
    publish_book(earlier, CLASSIC_SHELF, CURVES, VISITS, DAY)
    now, kept = book_in_force(earlier), book_with(earlier, before.sha256)
    assert now is not None
    assert kept is not None
    assert (now.sha256 != before.sha256, kept.is_replaced, kept.form) == (True, True, "price_book")
    assert not earlier.holds(in_force_for(DAY, "price_book").book)
    assert rows_in(earlier, "select count(*) from price_book") == [(5 * 101 * 48,)]
    commit_book(earlier, restored_book(earlier, kept, DAY))
    again = book_in_force(earlier)
    assert again is not None
    assert again.sha256 == before.sha256
    assert not earlier.holds(in_force_for(DAY).book)
    assert verify(earlier).findings == ()


def test_a_book_older_than_the_policys_rule_tells_the_binding_rule_alone(book: PriceBook) -> None:
    older = dense_table(book).drop_columns(["policy_rule"])
    older = older.add_column(9, "policy_rule", pa.nulls(len(older), pa.dictionary(pa.int32(), pa.string())))
    read = as_dense(book_from_table(older))
    np.testing.assert_array_equal(read.policy_rule, as_dense(book).rule)


def test_on_another_shelf_products_keep_their_steps_and_a_new_one_stands_at_its_base_price(book: PriceBook) -> None:
    order = [3, 0, 4]
    new = CLASSIC_SHELF.products[1].model_copy(update={"sku": "BEER", "par_stock": 7})
    catalog = Catalog((*(CLASSIC_SHELF.products[own] for own in order), new), CLASSIC_SHELF.store)
    matched = match_to_shelf(catalog, book, CURVES)[0]
    for own, was in enumerate(order):
        stock, left = np.arange(40), np.full(40, 9)
        for one, other in zip(matched.at(own, stock, left)[:5], book.at(was, stock, left)[:5], strict=True):
            np.testing.assert_array_equal(one, other)
    beer = matched.quote("BEER", 5, 48)
    assert (beer.price, beer.unit_value, beer.binding_rule) == (new.base_price, None, "unknown_product")
