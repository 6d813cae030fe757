"""What exploring costs, and that a price that is being tried stays."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.pricing import Shelf
from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from plugins.evaluation.truth import chance_of_sale
from serving.book.book import BookPolicy
from serving.book.make import tabulate
from serving.learning.exploration import ExplorationPlan
from serving.limits.limits import limits_of
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import Asked, policy_with_model
from serving.store.storefront import Storefront

CATALOG = load(CLASSIC)
LADDER = price_ladder(CATALOG)
N_PRODUCTS = len(CATALOG.skus)
CURVES = DemandCurves(CATALOG.skus, LADDER, chance_of_sale(CATALOG, LADDER / CATALOG.base_prices[:, None]), "7")
MIDNIGHT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
VISITS = 2_000 * CATALOG.popularity[:, None] * tick_profile(CATALOG.store)


@settings(deadline=None, max_examples=150)
@given(
    budget=st.just(0.0) | st.floats(1e-6, 0.3),  # a smaller chance would fall between the throws below
    unit_value=st.floats(0.0, 1.0),
    seed=st.integers(0, 1_000_000),
    rails=st.sampled_from(
        [{}, {"price_ending": 9}, {"largest_step": 0.2}, {"minimum_margin": 0.5}, {"moving_share": 0.4}]
    ),
)
def test_trying_never_costs_more_than_its_share_of_expected_revenue(
    budget: float, unit_value: float, seed: int, rails: dict[str, object]
) -> None:
    """Every outcome is listed: each candidate, and staying, with the propensity that the policy logs for it."""
    store = CATALOG.store.model_copy(update={"guardrails": Guardrails.model_validate(rails)})
    catalog = Catalog(CATALOG.products, store)
    dice = np.random.default_rng(seed)
    curves = DemandCurves(CATALOG.skus, LADDER, np.sort(dice.random(LADDER.shape), axis=1)[:, ::-1], "7")
    kept = unit_value * CATALOG.base_prices
    policy = Storefront(
        Priced(curves, kept),
        curves,
        exploration=ExplorationPlan(0.5, LADDER, np.full(N_PRODUCTS, budget)),
        limits=limits_of(catalog),
    )
    n_candidates = LADDER.shape[1]
    everything = (np.arange(n_candidates) + 1e-9) / n_candidates
    nothing_tried = (n_candidates - 1e-9) / n_candidates
    throws = np.tile(np.append(everything, nothing_tried)[:, None], N_PRODUCTS)
    shown = np.tile(CATALOG.base_prices, (len(throws), 1))
    answer = policy.decide(Shelf(np.full(throws.shape, 9), shown, 10, throws, shown))
    for own in range(N_PRODUCTS):
        prices, first = np.unique(answer.prices[:, own], return_index=True)
        chance = answer.propensity[first, own]
        assert chance.sum() == pytest.approx(1)
        value = (prices - kept[own]) * np.interp(prices, LADDER[own], curves.p_sale[own])
        usual = answer.prices[-1, own]
        p_usual = np.interp(usual, LADDER[own], curves.p_sale[own])
        loss = (usual - kept[own]) * p_usual - (chance * value).sum()
        assert not answer.explored[-1, own]
        assert loss <= budget * usual * p_usual + 1e-9


class Priced:
    """The candidate worth most, each unit kept being worth a given amount: stock-aware pricing in miniature."""

    name, model_version, rules = "priced", "7", ("greedy",)

    def __init__(self, curves: DemandCurves, kept: np.ndarray) -> None:
        worth = np.where(curves.choosable, (curves.prices - kept[:, None]) * curves.p_sale, -np.inf)
        best = worth.argmax(axis=1)
        self.prices = curves.prices[np.arange(len(best)), best]
        self.p_sale = curves.p_sale[np.arange(len(best)), best]
        self.kept = kept

    def ask(self, shelf: Shelf) -> Asked:
        shape = shelf.stock.shape
        prices, p_sale, kept = (np.broadcast_to(one, shape).copy() for one in (self.prices, self.p_sale, self.kept))
        return Asked(prices, np.zeros(shape, dtype=np.int64), p_sale, kept)


def test_an_empty_shelf_is_not_tried_on_a_budget_and_sells_at_no_price() -> None:
    rails = Guardrails(frozen={"MILK": 1.99})
    catalog = Catalog(CATALOG.products, CATALOG.store.model_copy(update={"guardrails": rails}))
    book = tabulate(policy_with_model(CATALOG, CURVES, VISITS), CATALOG, MIDNIGHT, CURVES)
    policy = Storefront(
        BookPolicy(book),
        CURVES,
        exploration=ExplorationPlan(0.5, LADDER, np.full(N_PRODUCTS, 1.0)),
        limits=limits_of(catalog),
    )
    shape = (50, N_PRODUCTS)
    dice = np.random.default_rng(6).random(shape)
    answer = policy.decide(Shelf(np.zeros(shape, int), np.full(shape, np.nan), 10, dice))
    assert not answer.explored.any()
    assert (answer.propensity == 1).all()
    assert (answer.prices[:, 0] == 1.99).all()
    assert (answer.p_sale == 0).all()
    greedy = Storefront(
        Priced(CURVES, 0 * CATALOG.base_prices), CURVES, exploration=ExplorationPlan(0.5, LADDER, np.full(5, 1.0))
    )
    assert not greedy.decide(Shelf(np.zeros(shape, int), np.full(shape, np.nan), 10, dice)).explored.any()


def test_while_the_same_dice_stand_a_tried_price_never_gives_way_to_another() -> None:
    dice = np.random.default_rng(4).random((3_000, N_PRODUCTS))
    shown = []
    for kept in (0.0, 0.3, 0.6):
        policy = Storefront(
            Priced(CURVES, kept * CATALOG.base_prices),
            CURVES,
            exploration=ExplorationPlan(0.5, LADDER, np.full(5, 0.05)),
        )
        answer = policy.decide(Shelf(np.full(dice.shape, 9), np.full(dice.shape, np.nan), 10, dice))
        shown.append(np.where(answer.explored, answer.prices, np.nan))
    for one in shown:
        for other in shown:
            both = np.isfinite(one) & np.isfinite(other)
            assert both.sum() > 100
            assert (one[both] == other[both]).all()
