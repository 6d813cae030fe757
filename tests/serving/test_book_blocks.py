"""A price book in blocks of products: the bytes of one process, and small shelves are not sent."""

import datetime as dt
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from elsewhere import Elsewhere

from catalog.load import CLASSIC, Catalog, load
from catalog.price_ladder import price_ladder
from catalog.records.guardrails import Guardrails
from catalog.spread import HERE, Done, Spread, unheard
from catalog.store_day import tick_profile
from serving.book_blocks import ProductBlock, _worked_out, is_worth_a_cluster, unpublished_book
from serving.book_store import NewBook, new_book
from serving.curves import DemandCurves
from serving.price_book import PriceBook
from serving.shelf_limits import with_support
from serving.switching import LogitSwitching
from simulation.truth import chance_of_sale
from tests.serving.dense_book import DenseBook, as_dense
from tests.serving.joint_optimum import WORLD

SHELF = load(CLASSIC)
DATE = dt.date(2026, 3, 2)


class Counted:
    """Elsewhere, and how many jobs it was sent each time."""

    is_elsewhere = True

    def __init__(self, width: int = 2) -> None:
        self.width, self.sent = width, list[int]()

    def __call__(self, function: Callable[[Any], Any], jobs: Sequence[Any], on_done: Done = unheard) -> list[Any]:
        self.sent.append(len(jobs))
        return Elsewhere(self.width)(function, jobs, on_done)


def many_of(catalog: Catalog, n_products: int, par_stock: int) -> Catalog:
    """Return the shelf with so many products of so many units each."""
    own = (catalog.products[number % len(catalog.products)] for number in range(n_products))
    numbered = (
        product.model_copy(update={"sku": f"p{number}", "name": f"Product {number}", "par_stock": par_stock})
        for number, product in enumerate(own)
    )
    return Catalog(tuple(numbered), catalog.store.model_copy(update={"popularity": {}}))


def book_of(shelf: Catalog, spread: Spread = HERE) -> NewBook:
    ladder = price_ladder(shelf)
    curves = DemandCurves(shelf.skus, ladder, chance_of_sale(shelf, ladder / shelf.base_prices[:, None]), "7")
    visits = 200.0 * shelf.popularity[:, None] * tick_profile(shelf.store)
    return new_book(shelf, curves, visits, DATE, spread=spread)


@pytest.mark.parametrize("states", [1, 12_000])
def test_a_price_book_is_the_same_wherever_its_blocks_are_worked_out(
    monkeypatch: pytest.MonkeyPatch, states: int
) -> None:
    monkeypatch.setattr("serving.book_blocks._WORTH_A_CLUSTER", 0.0)
    monkeypatch.setattr("serving.book_blocks._STATES", states)
    spread = Counted()
    here, away = (book_of(SHELF, own) for own in (HERE, spread))
    assert spread.sent == [5 if states == 1 else 3]
    assert away.inputs == here.inputs
    assert all(away.tables[part].equals(here.tables[part]) for part in here.tables)


def test_however_a_shelf_is_cut_its_book_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shoppers take substitutes, evenings are poor, one product never varied, and each has a par of its own."""
    products = tuple(own.model_copy(update={"par_stock": 9 + 7 * number}) for number, own in enumerate(WORLD.products))
    rails = Guardrails(price_ending=9, frozen={WORLD.skus[1]: float(WORLD.base_prices[1])})
    shelf = Catalog(products, WORLD.store.model_copy(update={"guardrails": rails}))
    ladder = price_ladder(shelf)
    observed = np.column_stack([ladder[:, 0], ladder[:, -1]])
    observed[0] = np.nan
    chance = np.clip(1.4 - ladder / shelf.base_prices[:, None] / 1.3, 0, 1)
    n_ticks = shelf.store.opening.ticks
    by_tick = np.stack([chance] * (n_ticks - 9) + [chance / 2] * 9)
    choice = LogitSwitching(shelf.substitutes, 0.5, 4.0)
    curves = DemandCurves(shelf.skus, ladder, chance, "1", by_tick=by_tick, switching=choice)
    visits = np.full((len(products), n_ticks), 1.5)
    found = []
    for states in (1, 10**9):
        monkeypatch.setattr("serving.book_blocks._STATES", states)
        found.append(as_dense(unpublished_book(shelf, with_support(curves, observed), visits, DATE)))
    alone = as_dense(unpublished_book(shelf, replace(with_support(curves, observed), switching=None), visits, DATE))
    for name in DenseBook._fields:
        np.testing.assert_array_equal(getattr(found[0], name), getattr(found[1], name), err_msg=name)
    assert (alone.unconstrained != found[0].unconstrained).any()


@pytest.mark.parametrize(
    ("n_products", "par_stock", "is_worth"), [(5, 100, False), (2_000, 100, False), (2_000, 300, True)]
)
def test_large_shelves_alone_are_worth_a_cluster(n_products: int, par_stock: int, *, is_worth: bool) -> None:
    assert is_worth_a_cluster(many_of(SHELF, n_products, par_stock)) is is_worth


def test_a_small_shelf_is_not_sent() -> None:
    spread = Counted()
    assert book_of(SHELF, spread).book.skus == SHELF.skus
    assert spread.sent == []


def test_the_book_of_a_block_is_joined_before_the_next_one_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.book_blocks._STATES", 1)
    there = list[weakref.ref[PriceBook]]()

    def worked_out(block: ProductBlock) -> PriceBook:
        assert all(one() is None for one in there[:-1])
        book = _worked_out(block)
        there.append(weakref.ref(book))
        return book

    monkeypatch.setattr("serving.book_blocks._worked_out", worked_out)
    assert book_of(SHELF).book.skus == SHELF.skus
    assert len(there) == len(SHELF.skus)
