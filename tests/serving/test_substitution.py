"""Prices of substitutes, held against the joint optimum of a small category, worked out state by state."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.pricing import Shelf
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, load
from plugins.evaluation.truth import TrueSwitching
from serving.book.make import tabulate
from serving.learning.exploration import ExplorationPlan, Worth, candidates_within, chance_on_budget
from serving.limits.limits import ShelfLimits
from serving.optimise.curves import DemandCurves, LogitSwitching
from serving.optimise.policies import policy_with_model
from serving.optimise.substitution import sales_with_substitutes
from tests.serving.joint_optimum import CASES, SLOTS, WORLD, Joint, category

PUBLISHED = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize(("skus", "stock", "visits", "strength", "n_prices"), CASES, ids=["pair", "scarce", "three"])
def test_books_that_know_of_substitutes_earn_the_joint_optimum_and_those_that_do_not_lose_much(
    skus: tuple[str, ...], stock: tuple[int, ...], visits: tuple[float, ...], strength: float, n_prices: int
) -> None:
    joint = Joint(category(skus, stock, strength, n_prices), visits)
    no_shift = np.zeros(len(skus))
    together = joint.of_books(joint.books(joint.curves(TrueSwitching(joint.catalog, no_shift))))
    alone = joint.of_books(joint.books(joint.curves(None)))
    best = joint.best()
    assert 0.99 * best < together <= best * (1 + 1e-9)
    assert alone < 0.95 * best


def test_where_nobody_takes_a_substitute_books_are_those_of_products_that_sell_alone() -> None:
    catalog = load(CLASSIC)
    ladder = price_ladder(catalog)
    chance = np.clip(1.4 - ladder / catalog.base_prices[:, None] / 1.3, 0, 1)
    curves = DemandCurves(catalog.skus, ladder, chance, "1")
    visits = np.full((len(catalog.skus), catalog.store.opening.ticks), 3.0)
    assert sales_with_substitutes(catalog, curves, visits, ladder) is None
    nobody = LogitSwitching(WORLD.substitutes, -800.0, 4.0)
    ladder = price_ladder(WORLD)
    chance = np.clip(1.4 - ladder / WORLD.base_prices[:, None] / 1.3, 0, 1)
    alone = DemandCurves(WORLD.skus, ladder, chance, "1")
    books = [
        tabulate(policy_with_model(WORLD, own, visits[:4]), WORLD, PUBLISHED, own)
        for own in (alone, replace(alone, switching=nobody))
    ]
    assert np.array_equal(books[0].of().prices, books[1].of().prices)


@settings(deadline=None, max_examples=30)
@given(level=st.floats(-3, 2), slope=st.floats(0.5, 10), scarce=st.floats(0.2, 5))
def test_a_product_without_substitutes_is_priced_as_ever_and_the_others_sell_to_more(
    level: float, slope: float, scarce: float
) -> None:
    ladder = price_ladder(WORLD)
    chance = np.clip(1.4 - ladder / WORLD.base_prices[:, None] / 1.3, 0.01, 1)
    curves = DemandCurves(WORLD.skus, ladder, chance, "1", switching=LogitSwitching(WORLD.substitutes, level, slope))
    visits, gains = np.full((4, WORLD.store.opening.ticks), scarce), ladder - WORLD.unit_costs[:, None]
    found = sales_with_substitutes(WORLD, curves, visits, gains)
    assert found is not None
    bread = WORLD.skus.index("BREAD")
    assert np.array_equal(found.gains[bread], gains[bread])
    assert np.array_equal(found.chances[bread], chance[bread])
    assert (found.beside[bread] == 0).all()
    assert (found.chances >= chance).all()


def test_no_price_is_tried_for_what_it_sells_alone_where_it_takes_from_a_substitute() -> None:
    joint = Joint(category(*CASES[0][:2], strength=1.0, n_prices=12), CASES[0][2])
    curves = joint.curves(TrueSwitching(joint.catalog, np.zeros(2)))
    visits = np.tile(np.array(joint.visits)[:, None] / SLOTS, (1, SLOTS))
    found = sales_with_substitutes(joint.catalog, curves, visits, joint.ladder - joint.catalog.unit_costs[:, None])
    assert found is not None
    best, alone = (joint.books(own)[[0, 1], joint.catalog.par_stock, -1] for own in (curves, joint.curves(None)))
    allowed = np.arange(12) == alone[:, None]
    shelf = Shelf(joint.catalog.par_stock[None], np.full((1, 2), np.nan), SLOTS, np.zeros((1, 2)))
    asked = policy_with_model(joint.catalog, curves, visits).ask(shelf)
    forgone = asked.unit_value + joint.catalog.unit_costs
    chances = []
    for beside in (found.beside, None):
        known = replace(curves, beside=beside)
        plan, limits = ExplorationPlan(0.0, joint.ladder, budget=np.zeros(2), allowed=allowed), ShelfLimits(None, shelf)
        candidates = candidates_within(limits, plan, known)
        worth = Worth(known, asked, forgone, shelf.stock)
        chances.append(chance_on_budget(np.zeros(2), worth, limits, joint.ladder[[0, 1], best][None], candidates))
    assert (chances[0] == 0).all()
    assert (chances[1] > 0).all()
