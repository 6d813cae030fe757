"""On exported sales alone a price moves the told way, by a small step a week, and some stores keep the old one."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from catalog.arrays import Floats
from catalog.load import DEFAULT_DIR, Catalog, load, price_ladder
from features.response import ToldSlopes
from own_data.small_steps import directions, in_small_steps, keepers, stores_that_keep
from serving.book_store import unpublished_book
from serving.curves import DemandCurves, curves_from_table, curves_to_table
from serving.quote import PriceQuestion, explained

CATALOG = load(DEFAULT_DIR)
BASE = CATALOG.base_prices
WIDE = np.column_stack([0.5 * BASE, 2 * BASE])
MONDAY = dt.date(2026, 1, 5)


def told(*intervals: tuple[float, float], is_count: bool = False) -> ToldSlopes:
    """The first products' responses, by their intervals."""
    ends = np.full((5, 2), np.nan)
    ends[: len(intervals)] = intervals
    return ToldSlopes(ends.mean(axis=1), ends[:, 0], ends[:, 1], np.full(5, is_count))


def level(chance: float = 0.3) -> DemandCurves:
    ladder = price_ladder(CATALOG)
    return DemandCurves(CATALOG.skus, ladder, np.full(ladder.shape, chance), "7")


def with_margin(catalog: Catalog, cost_share: float) -> Catalog:
    products = tuple(replace_cost(product, cost_share) for product in catalog.products)
    policies = catalog.store.policies.model_copy(update={"objective": "margin"})
    return replace(catalog, products=products, store=catalog.store.model_copy(update={"policies": policies}))


def replace_cost(product: object, cost_share: float) -> object:
    return product.model_copy(update={"unit_cost": cost_share * product.base_price})  # type: ignore[attr-defined]


def moved(slopes: ToldSlopes, old: Floats = BASE, catalog: Catalog = CATALOG) -> DemandCurves:
    return in_small_steps(level(), catalog, slopes, old, WIDE)[0]


def test_the_direction_is_told_only_when_every_possible_slope_agrees_on_it() -> None:
    slopes = told((-0.8, -0.3), (-3.0, -1.4), (-1.6, -0.7), is_count=True)
    assert directions(CATALOG, slopes, np.full(5, 0.3), BASE).tolist() == [1, -1, 0, 0, 0]


def test_of_visits_the_elasticity_is_the_slope_times_the_share_that_did_not_buy() -> None:
    slopes = told((-1.6, -1.2))
    assert directions(CATALOG, slopes, np.full(5, 0.05), BASE)[0] == -1
    assert directions(CATALOG, slopes, np.full(5, 0.60), BASE)[0] == 1


def test_with_margin_as_the_objective_the_cost_turns_the_direction() -> None:
    slopes = told((-2.0, -1.5), is_count=True)
    at = np.full(5, 0.3)
    assert directions(CATALOG, slopes, at, BASE)[0] == -1
    assert directions(with_margin(CATALOG, 0.7), slopes, at, BASE)[0] == 1


def test_a_price_moves_by_at_most_a_step_and_every_candidate_lies_on_the_way() -> None:
    curves = moved(told((-0.8, -0.3), (-3.0, -1.4), (-1.6, -0.7), is_count=True))
    dearer, cheaper, stays = curves.prices[:3]
    assert dearer.min() == BASE[0]
    assert 1.04 * BASE[0] < dearer.max() <= 1.05 * BASE[0]
    assert cheaper.max() == BASE[1]
    assert 0.95 * BASE[1] <= cheaper.min() < 0.96 * BASE[1]
    assert stays.tolist() == price_ladder(CATALOG)[2].tolist()
    assert curves.kept is not None
    assert np.isfinite(curves.kept).tolist() == [True, True, False, False, False]
    assert curves.p_sale[0].tolist() == pytest.approx(0.3 * (dearer / BASE[0]) ** -0.55)
    assert (np.diff(curves.prices[:2], axis=1) >= 0).all(), "a ladder ascends"


def test_next_week_goes_on_from_this_weeks_price_and_never_beyond_what_was_observed() -> None:
    slopes = told((-0.8, -0.3), is_count=True)
    this_week = moved(slopes).prices[0].max()
    next_week = moved(slopes, np.r_[this_week, BASE[1:]])
    assert next_week.prices[0].min() == this_week
    assert next_week.prices[0].max() == pytest.approx(1.05 * this_week, abs=0.01)
    nearly = np.column_stack([BASE, 1.02 * BASE])
    curves, moves = in_small_steps(level(), CATALOG, slopes, BASE, nearly)
    assert moves[0]
    assert curves.prices[0].max() <= 1.02 * BASE[0]
    assert not in_small_steps(level(), CATALOG, slopes, BASE, np.column_stack([BASE, BASE]))[1].any()


def chain_of(*stores: str) -> Catalog:
    return replace(CATALOG, store=CATALOG.store.model_copy(update={"stores": stores}))


def test_a_quarter_of_the_stores_keeps_the_old_price_for_a_week_and_the_next_week_draws_anew() -> None:
    chain = chain_of(*(f"S{number:04d}" for number in range(2_000)))
    first = set(keepers(chain, "MILK", MONDAY))
    assert len(first) == 500
    assert set(keepers(chain, "MILK", MONDAY + dt.timedelta(days=6))) == first
    for other in (keepers(chain, "MILK", MONDAY + dt.timedelta(days=7)), keepers(chain, "EGGS", MONDAY)):
        assert len(first & set(other)) == pytest.approx(125, abs=40)


def test_of_few_stores_one_keeps_it_and_a_store_alone_does_in_a_quarter_of_the_weeks() -> None:
    assert len(keepers(chain_of("A", "B"), "MILK", MONDAY)) == 1
    weeks = [MONDAY + dt.timedelta(weeks=week) for week in range(400)]
    alone = [bool(keepers(chain_of("A"), "MILK", week)) for week in weeks]
    assert np.mean(alone) == pytest.approx(0.25, abs=0.07)
    rules = CATALOG.store.exported_prices.model_copy(update={"kept_share": 0.0})
    never = replace(CATALOG, store=CATALOG.store.model_copy(update={"exported_prices": rules}))
    assert keepers(never, "MILK", MONDAY) == ()


def test_the_kept_price_is_written_with_the_curves() -> None:
    curves = moved(told((-0.8, -0.3), is_count=True))
    again = curves_from_table(curves_to_table(curves))
    assert again.kept is not None
    assert np.array_equal(again.kept, curves.kept, equal_nan=True)  # type: ignore[arg-type]
    assert curves_from_table(curves_to_table(level())).kept is None


def test_a_store_that_keeps_the_old_price_is_quoted_it_and_the_others_the_new_one() -> None:
    curves = moved(told((-0.8, -0.3), is_count=True))
    supported = replace(curves, observed=np.ones(curves.prices.shape, dtype=bool))
    stores = tuple(f"S{number:02d}" for number in range(1, 13))
    chain = chain_of(*stores)
    book = unpublished_book(chain, supported, np.full((5, chain.store.opening.ticks), 0.1), MONDAY)
    (kept,) = stores_that_keep(chain, supported, book, MONDAY)
    assert (kept["sku"], kept["old_price"]) == (CATALOG.skus[0], BASE[0])
    assert kept["price"] > BASE[0]
    assert len(kept["stores"]) == 3
    question = PriceQuestion(CATALOG.skus[0], stock=CATALOG.products[0].par_stock)
    for store in stores:
        answer = explained(chain, book, supported, question, store)
        assert answer.price == (BASE[0] if store in kept["stores"] else kept["price"])
        assert (answer.binding_rule == "kept_price") == (store in kept["stores"])
    assert explained(chain, book, supported, question).price == kept["price"]
