"""The belief of a store: its prior, what a day's sales make of it, and when they are read as another demand."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from believing import believed_after
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from truly_earned import expected_gain

from catalog.arrays import Floats
from catalog.ladder import price_ladder
from catalog.load import DEFAULT_DIR, Catalog, load
from catalog.records.shoppers import Persona, Shock
from etl.twin.store_day import play
from plugins.evaluation.truth import chance_of_sale, expected_visits_on
from serving.belief.belief import State, believed_before_anybody_came, opened
from serving.belief.gaussian import Counts, Knots
from serving.belief.sales import Sales, SoldAtPrices, sales_at_knots
from serving.belief.states import fit_days
from serving.learning.outlook import start_of_day
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import stock_aware
from serving.store.storefront import storefront_that_learns

DATE = dt.date(2026, 1, 19)
TICKS_OF_THREE_HOURS = 12


def at_base(catalog: Catalog, values: Floats) -> Floats:
    return Knots.of(catalog).at(values, catalog.base_prices[:, None])[:, 0]


@pytest.mark.parametrize("chance", [0.1, 0.5, 0.8])
def test_before_anybody_came_the_odds_at_the_base_price_are_those_of_the_catalog(
    with_store: Callable[..., Catalog], chance: float
) -> None:
    catalog = with_store(belief={"chance_at_base": chance})
    start = believed_before_anybody_came(catalog).states[0].demand
    assert expit(at_base(catalog, start.mean)) == pytest.approx(np.full(5, chance))


def test_the_slope_and_the_doubts_about_it_are_those_of_the_catalog(with_store: Callable[..., Catalog]) -> None:
    for slope, doubt in ((2.0, 0.5), (12.0, 6.0)):
        catalog = with_store(belief={"slope": slope, "slope_spread": doubt, "level_spread": 0.1, "bend_spread": 0.01})
        start, knots = believed_before_anybody_came(catalog).states[0].demand, Knots.of(catalog)
        assert np.diff(start.mean) / np.diff(knots.ratios) == pytest.approx(np.full((5, 19), -slope))
        shared = (start.shared @ start.shared.swapaxes(1, 2))[:, 0, 0]
        assert np.sqrt(shared) == pytest.approx(np.hypot(0.1, doubt * (1 - knots.ratios[:, 0])), rel=0.01)


def in_a_day(knots: Knots, counts: Counts) -> Sales:
    """Return counts as the sales of one day with one hour."""
    product, knot = np.nonzero(counts.met)
    price = (knots.ratios * knots.base_prices[:, None])[product, knot]
    nothing = np.zeros(len(product), dtype=np.int64)
    at = (product, knot)
    return sales_at_knots(
        knots, (DATE,), 1, SoldAtPrices(product, nothing, nothing, price, counts.met[at], counts.bought[at])
    )


sales = st.lists(st.tuples(st.integers(0, 400), st.floats(0, 1)), min_size=30, max_size=30)


@settings(deadline=None, max_examples=60)
@given(before=sales, today=sales, other=st.booleans())
def test_whatever_was_sold_the_chance_never_rises_with_the_price_and_lies_in_its_interval(
    shelf_of: Callable[..., Catalog], before: list[tuple[int, float]], today: list[tuple[int, float]], other: bool
) -> None:
    catalog = shelf_of({"base_price": 1.0}, {"base_price": 0.05}, {"base_price": 300.0}, ladder_prices=10)
    belief = believed_after(catalog, of_cells(before))
    if other:
        known_of_old = believed_after(catalog, of_cells(today[::-1])).states[0].demand
        belief = replace(belief, states=(replace(belief.states[0], weight=0.9), State(0.1, known_of_old)))
    known = opened(catalog, belief).given(of_cells(today))
    assert (np.diff(known.chance, axis=1) <= 1e-12).all()
    assert ((known.chance >= 0) & (known.chance <= 1)).all()
    low, high = known.interval
    assert (low <= known.chance).all()
    assert (known.chance <= high).all()
    assert 0 <= known.changed <= 1


def of_cells(cells: list[tuple[int, float]]) -> Counts:
    met = np.array([visits for visits, _ in cells], dtype=float).reshape(3, 10)
    return Counts(met, np.round(met * np.array([share for _, share in cells]).reshape(3, 10)))


@pytest.mark.parametrize("seed", range(4))
def test_a_fall_of_budgets_by_a_quarter_is_read_as_a_change_within_three_hours_and_a_usual_day_is_not(
    shelf: Catalog, explored_sales: Callable[..., Counts], seed: int
) -> None:
    fallen = Shock(business_date=DATE, budget_shift=-0.25)
    other = Catalog(shelf.products, shelf.store.model_copy(update={"shocks": (fallen,)}))
    start = start_of_day(shelf, believed_after(shelf, explored_sales(shelf, 10_000, seed)))
    changed = {}
    for name, catalog in (("usual", shelf), ("fallen", other)):
        day = play(catalog, storefront_that_learns(shelf, start), ("S01", "S02", "S03"), DATE, seed)
        changed[name] = {lesson.ticks: lesson.changed for lesson in day.lessons}
    early = [changed["fallen"][ticks] for ticks in changed["fallen"] if ticks <= TICKS_OF_THREE_HOURS]
    assert max(early) > 0.9
    assert max(changed["usual"].values()) < 0.5


def test_once_a_change_is_seen_the_days_before_lend_their_shape_alone(
    shelf: Catalog, explored_sales: Callable[..., Counts]
) -> None:
    known = opened(shelf, believed_after(shelf, explored_sales(shelf, 20_000)))
    today = explored_sales(shelf, 400, 2, -0.25)
    knots = Knots.of(shelf)
    truth = chance_of_sale(shelf, knots.ratios, -0.25)
    now = known.given(today)
    assert now.changed > 0.99
    assert np.abs(now.chance - truth).mean() < 0.25 * np.abs(known.at_opening.chance - truth).mean()


WORLDS = {
    "one peak": (Persona(name="everyone", share=1.0, mean=1.0, standard_deviation=0.25),),
    "narrow": (Persona(name="everyone", share=1.0, mean=1.0, standard_deviation=0.08),),
    "two peaks": (
        Persona(name="frugal", share=0.6, mean=0.8, standard_deviation=0.08),
        Persona(name="wealthy", share=0.4, mean=1.35, standard_deviation=0.08),
    ),
    "three segments": load(DEFAULT_DIR / "worlds" / "three_segments").store.personas,
}


@pytest.mark.parametrize("world", WORLDS)
def test_twenty_thousand_decisions_outweigh_the_family_of_curves_whatever_shape_demand_has(
    shelf: Catalog, explored_sales: Callable[..., Counts], world: str
) -> None:
    catalog = Catalog(shelf.products, shelf.store.model_copy(update={"personas": WORLDS[world]}))
    knots, counts = Knots.of(catalog), explored_sales(catalog, 20_000)
    shape = fit_days(catalog.store.belief, knots, in_a_day(knots, counts)).shape
    outlook = start_of_day(catalog, believed_after(catalog, counts, shape)).outlook()
    truth = chance_of_sale(catalog, knots.ratios, 0.0, np.arange(5)[:, None])
    seen = counts.met > 20
    assert seen.mean() > 0.9
    assert np.abs(outlook.understanding.chance - truth)[seen].max() < 0.05
    ladder = outlook.curves.prices
    true = chance_of_sale(catalog, ladder / catalog.base_prices[:, None], 0.0, np.arange(5)[:, None])
    visits = expected_visits_on(catalog, dt.date(2026, 6, 1))
    gained, most = (
        expected_gain(stock_aware(catalog, curves, visits, "any"), catalog, dt.date(2026, 6, 1)).sum()
        for curves in (outlook.curves, DemandCurves(catalog.skus, ladder, true, "truth"))
    )
    assert gained >= 0.997 * most


def test_intervals_hold_the_truth_about_as_often_as_they_say(
    shelf: Catalog, explored_sales: Callable[..., Counts]
) -> None:
    truth, held = chance_of_sale(shelf, Knots.of(shelf).ratios), []
    for seed in range(10):
        counts = explored_sales(shelf, 3_000, seed)
        low, high = opened(shelf, believed_after(shelf, counts)).given(Counts.none((5, 20))).interval
        held.append(((low <= truth) & (truth <= high)).mean())
    assert 0.88 <= np.mean(held) <= 1.0


def test_products_that_are_alike_are_taken_to_be_and_products_with_curves_of_their_own_are_not(
    shelf: Catalog, explored_sales: Callable[..., Counts]
) -> None:
    own_curves = load(DEFAULT_DIR / "worlds" / "own_curves")
    found = {}
    for name, catalog in (("alike", shelf), ("own curves", own_curves)):
        knots = Knots.of(catalog)
        found[name] = fit_days(shelf.store.belief, knots, in_a_day(knots, explored_sales(catalog, 20_000))).shape.own
    assert found["alike"] < 1 < found["own curves"]


def test_the_ladder_is_read_from_the_knots_also_where_it_is_longer(with_store: Callable[..., Catalog]) -> None:
    catalog = with_store(ladder_prices=200)
    curves = start_of_day(catalog, believed_before_anybody_came(catalog)).outlook().curves
    assert curves.p_sale.shape == price_ladder(catalog).shape == (5, 200)
    assert (np.diff(curves.p_sale, axis=1) <= 1e-12).all()
