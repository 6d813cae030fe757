"""The recursion in blocks of products: the bytes of one process, and small shelves are not sent."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from elsewhere import Elsewhere
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.load import CLASSIC, Catalog, load
from catalog.price_ladder import price_ladder
from catalog.spread import HERE, Done, unheard
from catalog.store_day import tick_profile
from serving.book_store import new_book
from serving.curves import DemandCurves
from serving.solve import ProductsToSolve, is_worth_a_cluster, solve
from simulation.truth import chance_of_sale

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


@settings(deadline=None, max_examples=40)
@given(
    n_products=st.integers(1, 30),
    n_levels=st.integers(1, 12),
    width=st.integers(1, 5),
    seed=st.integers(0, 1_000),
)
def test_however_a_shelf_is_cut_its_bytes_are_those_of_one_process(
    n_products: int, n_levels: int, width: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    choosable = random.random((n_products, 6)) < 0.5
    choosable[:, 0] |= ~choosable.any(axis=1)
    gains, chances = random.uniform(-1.0, 10.0, (n_products, 6)), random.random((n_products, 6))
    shelf = ProductsToSolve(0, gains, chances, choosable, random.gamma(1.0, 3.0, (n_products, 4)), n_levels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.solve._WORTH_A_CLUSTER", 0.0)
        spread = Counted(width)
        away = solve(shelf, spread)
    here = solve(shelf)
    assert away.best.tobytes() == here.best.tobytes()
    assert away.value.tobytes() == here.value.tobytes()
    assert choosable[np.arange(n_products)[:, None, None], here.best[:, 1:]].all()
    assert 1 <= spread.sent[0] <= min(n_products, 4 * width)


def test_a_price_book_is_the_same_wherever_it_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.solve._WORTH_A_CLUSTER", 0.0)
    ladder = price_ladder(SHELF)
    curves = DemandCurves(SHELF.skus, ladder, chance_of_sale(SHELF, ladder / SHELF.base_prices[:, None]), "7")
    visits = 200.0 * SHELF.popularity[:, None] * tick_profile(SHELF.store)
    spread = Counted()
    here, away = (new_book(SHELF, curves, visits, DATE, spread=own) for own in (HERE, spread))
    assert spread.sent == [5]
    assert away.inputs == here.inputs
    assert all(away.tables[part].equals(here.tables[part]) for part in here.tables)


@pytest.mark.parametrize(
    ("n_products", "par_stock", "is_worth"), [(5, 100, False), (2_000, 100, False), (2_000, 300, True)]
)
def test_large_shelves_alone_are_worth_a_cluster(n_products: int, par_stock: int, *, is_worth: bool) -> None:
    assert is_worth_a_cluster(many_of(SHELF, n_products, par_stock)) is is_worth


def test_a_small_shelf_is_not_sent() -> None:
    gains, spread = np.tile([1.0, 2.0], (40, 1)), Counted()
    shelf = ProductsToSolve(0, gains, gains / 4, np.ones_like(gains, bool), np.ones((40, 3)), 5)
    assert solve(shelf, spread).best.shape == (40, 5, 3)
    assert spread.sent == []
