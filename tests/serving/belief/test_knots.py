"""Counts at any prices, held at knots: nothing is lost, whatever the ladder and the prices are."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.ladder import price_ladder
from catalog.load import Catalog
from serving.belief.belief import believed_before_anybody_came, opened
from serving.belief.gaussian import Counts, Knots
from serving.learning.outlook import start_of_day

ratios = st.floats(0.01, 10)
KNOTS = Knots(np.linspace([0.7, 0.5, 1.0], [1.6, 1.0, 1.0], 20, axis=1), np.array([1.5, 0.2, 6.0]))


@settings(deadline=None)
@given(
    sold=st.lists(st.tuples(st.integers(0, 2), ratios, st.integers(0, 1_000)), min_size=1, max_size=30)
)  # fmt: skip
def test_counts_at_any_prices_keep_their_sum(sold: list[tuple[int, float, int]]) -> None:
    product, ratio, count = (np.array(column) for column in zip(*sold, strict=True))
    total = KNOTS.counted(product, ratio * KNOTS.base_prices[product], count.astype(float))
    assert (total >= 0).all()
    by_product = np.bincount(product, weights=count, minlength=3)
    assert total.sum(axis=1) == pytest.approx(by_product)


def test_a_price_between_two_knots_counts_for_both_by_its_distance() -> None:
    knots = Knots(np.array([[0.5, 1.0, 1.5]]), np.array([2.0]))
    assert knots.counted(np.array([0]), np.array([1.25]), np.array([8.0]))[0] == pytest.approx([6, 2, 0])


def test_a_price_that_nobody_met_counts_for_nothing_even_if_it_is_none() -> None:
    total = KNOTS.counted(np.array([0, 1, 2]), np.array([np.nan, 0.2, np.nan]), np.array([0.0, 4.0, 0.0]))
    assert total.sum(axis=1) == pytest.approx([0, 4, 0])


def test_values_are_read_on_straight_lines_between_the_knots() -> None:
    values = np.random.default_rng(1).random(KNOTS.shape)
    at_knots = KNOTS.ratios * KNOTS.base_prices[:, None]
    assert KNOTS.at(values, at_knots)[:2] == pytest.approx(values[:2])
    between = KNOTS.at(values, (at_knots[:, 1:] + at_knots[:, :-1]) / 2)
    assert between[:2] == pytest.approx((values[:2, 1:] + values[:2, :-1]) / 2)


@pytest.mark.parametrize(("ladder_prices", "n_knots"), [(2, 2), (20, 20), (24, 24), (25, 24), (1_000, 24)])
def test_a_ladder_has_as_many_knots_as_prices_and_at_most_24(
    with_store: Callable[..., Catalog], ladder_prices: int, n_knots: int
) -> None:
    catalog = with_store(ladder_prices=ladder_prices)
    knots = Knots.of(catalog)
    assert knots.shape == (5, n_knots)
    first, last = (knots.ratios * knots.base_prices[:, None])[:, [0, -1]].T
    assert first == pytest.approx([product.floor for product in catalog.products])
    assert last == pytest.approx([product.ceiling for product in catalog.products])


@pytest.mark.parametrize("ladder_prices", [5, 20, 24])
def test_each_candidate_price_is_a_knot_so_that_what_it_sells_tells_of_no_other(
    with_store: Callable[..., Catalog], ladder_prices: int
) -> None:
    catalog = with_store(ladder_prices=ladder_prices)
    knots, ladder = Knots.of(catalog), price_ladder(catalog)
    assert np.abs(knots.ratios * knots.base_prices[:, None] - ladder).max() <= 0.005 + 1e-9  # whole cents


ODD_SHELF: tuple[dict[str, object], ...] = (
    {"base_price": 2.0, "floor_price": 2.0, "ceiling_price": 2.0},
    {"base_price": 0.02, "floor_price": 0.01, "ceiling_price": 0.03},
    {"base_price": 9_999.0, "floor_price": 1.0, "ceiling_price": 90_000.0},
)


@pytest.mark.parametrize("ladder_prices", [2, 20, 1_000])
@pytest.mark.parametrize("products", [ODD_SHELF, ODD_SHELF[:1], ODD_SHELF[1:2]], ids=["three", "fixed", "cheap"])
def test_a_fixed_price_and_the_same_cent_twice_are_believed_and_priced_like_any_other(
    shelf_of: Callable[..., Catalog], products: tuple[dict[str, object], ...], ladder_prices: int
) -> None:
    catalog = shelf_of(*(own | {"par_stock": 3} for own in products), ladder_prices=ladder_prices)
    knots, ladder = Knots.of(catalog), price_ladder(catalog)
    product = np.broadcast_to(np.arange(len(products))[:, None], ladder.shape).ravel()
    met = knots.counted(product, ladder.ravel(), np.full(product.shape, 3.0))
    assert met.sum(axis=1) == pytest.approx(np.full(len(products), 3.0 * ladder_prices))
    known = opened(catalog, believed_before_anybody_came(catalog)).given(Counts(met, met / 3))
    assert ((known.chance > 0) & (known.chance < 1)).all()
    assert (np.diff(known.chance, axis=1) <= 1e-12).all()
    outlook = start_of_day(catalog, believed_before_anybody_came(catalog)).outlook()
    assert np.isfinite(outlook.curves.p_sale).all()
    assert np.isfinite(outlook.exploration.budget).all()
