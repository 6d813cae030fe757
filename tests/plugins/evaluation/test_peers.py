"""Peers: each against a closed form, then all of them in the store that the product sells in."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from sklearn.linear_model import LogisticRegression
from truly_earned import gained

from catalog.decisions.pricing import LearnsWhileSelling, Shelf, Sold
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from etl.twin.store_day import meet
from etl.twin.visits import draw_visits
from plugins.evaluation.clairvoyant import clairvoyant
from plugins.evaluation.peers.certainty_equivalence import certainty_equivalence
from plugins.evaluation.peers.known_shelf import known_before_opening, plan_for
from plugins.evaluation.peers.logit import HIGHEST, LOWEST, WEAK, WEAK_TOGETHER, chance_of, fit_logits, posterior_of
from plugins.evaluation.peers.peer import NAMES, live_day, peers_of
from plugins.evaluation.peers.thompson import best_mixture, thompson_inventory, thompson_logit
from plugins.evaluation.truth import chance_on, expected_visits_on, true_curves
from serving.optimise.policies import stock_aware
from serving.store.storefront import Storefront

DATE = dt.date(2026, 6, 1)
FLAT = np.zeros(2)


def of_stores(n_stores: int) -> Catalog:
    """Return the default shelf in some stores."""
    catalog = load(CLASSIC)
    stores = tuple(f"S{number:02d}" for number in range(n_stores))
    return Catalog(catalog.products, catalog.store.model_copy(update={"stores": stores}))


ONE = of_stores(1)
KNOWN = known_before_opening(ONE)


def tick_sold(tick: int, prices: np.ndarray, visits: int, bought: int) -> Sold:
    """Return a tick in which each product had the same visits, all of which met stock."""
    counts = np.full(prices.shape, visits)
    return Sold(tick, prices, counts, counts, np.full(prices.shape, bought))


def test_maximum_likelihood_is_the_logistic_regression_of_the_features() -> None:
    rng = np.random.default_rng(1)
    distance, offered = np.tile(np.linspace(-0.3, 0.6, 20), (1, 1)), rng.integers(5, 60, (1, 20)).astype(float)
    bought = rng.binomial(offered.astype(int), 1 / (1 + np.exp(-(0.4 - 5 * distance)))).astype(float)
    found, information = fit_logits(distance, offered, bought, WEAK.mean[None], FLAT, WEAK.mean[None])
    rows, outcome = np.tile(distance[0], 2)[:, None], np.repeat([1, 0], 20)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000)
    theirs.fit(rows, outcome, np.concatenate([bought[0], offered[0] - bought[0]]))
    assert found[0, 0] == pytest.approx(theirs.intercept_[0], abs=1e-6)
    assert -np.exp(found[0, 1]) == pytest.approx(theirs.coef_[0, 0], abs=1e-5)
    chance, X = theirs.predict_proba(distance[0][:, None])[:, 1], np.column_stack([np.ones(20), distance[0]])
    certain = X.T @ (X * (offered[0] * chance * (1 - chance))[:, None])
    by_slope = np.diag([1.0, -np.exp(found[0, 1])])  # of the slope, for its logarithm
    assert information[0] == pytest.approx(by_slope @ certain @ by_slope, rel=1e-4)


@given(
    st.lists(st.tuples(st.integers(0, 400), st.floats(0, 1)), min_size=20, max_size=20),
    st.sampled_from([0.0, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_parameters_stay_in_the_compact_set_whatever_was_sold(cells: list[tuple[int, float]], weight: float) -> None:
    offered = np.array([[count for count, _ in cells]], dtype=float)
    bought = np.array([[round(count * share) for count, share in cells]], dtype=float)
    found, _ = fit_logits(
        KNOWN.distance[:1], offered, bought, WEAK.mean[None], weight * WEAK.deviation**-2.0, WEAK.mean[None]
    )
    assert (found >= LOWEST).all()
    assert (found <= HIGHEST).all()


def test_with_a_prior_the_estimate_is_where_the_posterior_density_is_highest() -> None:
    rng = np.random.default_rng(7)
    offered = rng.integers(0, 6, 20).astype(float)
    bought = rng.binomial(offered.astype(int), 0.4).astype(float)

    def minus_log_density(at: np.ndarray) -> float:
        chance = chance_of(at[None], KNOWN.distance[:1])[0]
        sales = bought * np.log(chance) + (offered - bought) * np.log1p(-chance)
        return 0.5 * float((((at - WEAK.mean) / WEAK.deviation) ** 2).sum()) - float(sales.sum())

    around = WEAK.mean + np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.5]])  # its own first steps from 0 are far too small
    options = {"xatol": 1e-8, "fatol": 1e-12, "initial_simplex": around}
    exact = minimize(minus_log_density, WEAK.mean, method="Nelder-Mead", options=options)
    assert exact.success
    found, _ = fit_logits(
        KNOWN.distance[:1], offered[None], bought[None], WEAK.mean[None], WEAK.deviation**-2.0, WEAK.mean[None]
    )
    assert found[0] == pytest.approx(exact.x, abs=1e-5)


def test_the_hierarchy_lends_a_product_without_sales_what_the_others_show() -> None:
    offered, bought = np.full((5, 20), 50.0), np.full((5, 20), 45.0)
    offered[4] = bought[4] = 0.0
    levels = posterior_of(KNOWN.distance, offered, bought, WEAK_TOGETHER).parameters[:, 0]
    assert 0.5 < levels[4] < levels[0]


@given(st.integers(0, 10_000), st.floats(0.0, 120.0), st.floats(0.5, 500.0))
@settings(max_examples=80, deadline=None)
def test_the_mixture_earns_what_the_linear_program_earns(seed: int, stock: float, coming: float) -> None:
    rng = np.random.default_rng(seed)
    gains, chances = np.sort(rng.uniform(0.5, 8.0, 20)), rng.beta(1.0, 2.0, 20)
    first, second, share = best_mixture(gains, chances, coming, stock)
    shown = np.zeros(20)
    for candidate, often in ((first, share), (second, 1 - share)):
        if candidate >= 0:
            shown[candidate] += often
    assert (shown >= -1e-9).all()
    assert shown.sum() <= 1 + 1e-9
    assert coming * (chances * shown).sum() <= stock * (1 + 1e-6) + 1e-6
    exact = linprog(-gains * chances, A_ub=[coming * chances, np.ones(20)], b_ub=[stock, 1.0], bounds=(0, None))
    assert (gains * chances * shown).sum() == pytest.approx(-exact.fun, rel=1e-5, abs=1e-7)


def test_the_beta_posterior_counts_what_was_bought_and_refused_at_each_price() -> None:
    peer = thompson_inventory(ONE, 1)
    ladder = price_ladder(ONE)
    for tick, (candidate, bought) in enumerate([(3, 4), (3, 1), (7, 0)]):
        peer = peer.learned(tick_sold(tick, ladder[None, :, candidate], 6, bought))
    a, b = peer.posterior()
    assert a[:, 3].tolist() == [1 + 5] * 5
    assert b[:, 3].tolist() == [1 + 7] * 5
    assert (a[0, 7], b[0, 7]) == (1, 7)
    assert (a[0, 0], b[0, 0]) == (1, 1)


def test_with_known_demand_the_plan_asks_what_true_demand_asks() -> None:
    truth = stock_aware(ONE, true_curves(ONE, DATE), expected_visits_on(ONE, DATE), "truth")
    ratio = price_ladder(ONE) / ONE.base_prices[:, None]
    plan = plan_for(KNOWN, chance_on(ONE, DATE, ratio), expected_visits_on(ONE, DATE), 100)
    rng = np.random.default_rng(2)
    for left in (1, 7, KNOWN.n_ticks):
        shelf = Shelf(rng.integers(1, 101, (9, 5)), np.full((9, 5), np.nan), left, np.zeros((9, 5)))
        mine = KNOWN.candidates[np.arange(5), plan.candidates_on(shelf)]
        assert np.array_equal(mine, truth.ask(shelf).prices)


def test_prices_that_did_not_differ_all_day_are_moved_by_a_step_near_closing() -> None:
    peer = certainty_equivalence(ONE)
    same = replace(peer.plan, best=np.full_like(peer.plan.best, 10))
    shelf = Shelf(np.full((1, 5), 50), np.full((1, 5), np.nan), 2, np.zeros((1, 5)))
    at = replace(
        peer, plan=same, seen=replace(peer.seen, lowest=np.full(5, 10), highest=np.array([10, 11, 12, 10, 10]))
    )
    moved = known_before_opening(ONE).position_of(at.ask(shelf).prices)[0]
    assert moved.tolist() == [11, 12, 10, 11, 11]
    assert KNOWN.position_of(at.ask(replace(shelf, ticks_left=3)).prices)[0].tolist() == [10] * 5


@pytest.mark.parametrize("n_stores", [1, 3])
def test_peers_learn_within_two_days_and_a_day_lived_again_is_the_same(n_stores: int) -> None:
    catalog = of_stores(n_stores)
    stores = peers_of(catalog, 1)
    assert tuple(stores) == NAMES
    limit = Storefront(clairvoyant(catalog, DATE))
    for name, first in stores.items():
        store = first
        assert isinstance(store, LearnsWhileSelling)
        lost = []
        for day in range(2):
            date = DATE + dt.timedelta(days=day)
            visits = draw_visits(catalog, catalog.store.stores, date, 1)
            most = gained(meet(catalog, limit, catalog.store.stores, date, visits), catalog)
            again, _ = live_day(catalog, store, date, visits)
            played, store = live_day(catalog, store, date, visits)
            assert np.array_equal(played.decisions.prices, again.decisions.prices)
            lost.append(1 - gained(played, catalog) / most)
        assert lost[1] < (0.45 if name == "thompson_inventory" else 0.12), name
        assert store.peer.seen.day == 2
        assert store.peer.seen.store_days == 2 * n_stores


def test_peers_keep_the_guardrails_of_the_product() -> None:
    rails = ONE.store.guardrails.model_copy(
        update={"minimum_margin": 0.3, "price_ending": 9, "frozen": {"EGGS": 1.1}, "largest_step": 0.2}
    )
    catalog = Catalog(ONE.products, ONE.store.model_copy(update={"guardrails": rails}))
    visits = draw_visits(catalog, catalog.store.stores, DATE, 4)
    for name, store in peers_of(catalog, 4).items():
        prices = live_day(catalog, store, DATE, visits)[0].decisions.prices[:, 0]
        assert set(prices[:, 2]) == {1.1}, name
        others = np.delete(prices, 2, axis=1)
        assert np.array_equal(np.round(others * 100) % 10, np.full(others.shape, 9)), name
        assert (others >= np.delete(catalog.unit_costs, 2) * 1.3 - 1e-9).all(), name
        assert (np.abs(np.diff(others, axis=0)) <= others[:-1] * 0.2 + 1e-9).all(), name


def test_another_seed_draws_other_worlds_and_certainty_knows_no_chance() -> None:
    shelf = Shelf(np.full((1, 5), 100), np.full((1, 5), np.nan), KNOWN.n_ticks, np.zeros((1, 5)))
    for make in (thompson_inventory, thompson_logit):
        first, other = (make(ONE, seed).ask(shelf).prices for seed in (1, 2))
        assert not np.array_equal(first, other)
