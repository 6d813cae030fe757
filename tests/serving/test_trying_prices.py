import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.load import CLASSIC, Catalog, load
from catalog.price_ladder import price_ladder
from catalog.pricing import PriceDecision, Shelf
from serving.curves import DemandCurves
from serving.exploration import ExplorationPlan
from serving.policies import StaticPolicy, policy_without_model
from serving.pricing_policy import Asked
from serving.storefront import Storefront


@pytest.fixture(scope="module")
def shelf() -> Catalog:
    return load(CLASSIC)


def decide(policy: Storefront, dice: list[float], stock: int, n_products: int) -> PriceDecision:
    """Let as many stores as there are dice decide, each with its number for all its products."""
    shape = (len(dice), n_products)
    thrown = np.tile(np.array(dice)[:, None], n_products)
    return policy.decide(Shelf(np.full(shape, stock), np.full(shape, np.nan), 10, thrown))


@settings(deadline=None, max_examples=50)
@given(
    ladder_cents=st.lists(st.integers(70, 160), min_size=2, max_size=30).map(sorted),
    usual_cents=st.integers(70, 160),
    share=st.floats(0.01, 1),
)
def test_the_logged_chances_of_all_prices_that_can_be_shown_sum_to_one(
    ladder_cents: list[int], usual_cents: int, share: float
) -> None:
    ladder = np.array([ladder_cents]) / 100
    policy = Storefront(StaticPolicy(np.array([usual_cents / 100])), exploration=ExplorationPlan(share, ladder))
    n_prices = ladder.shape[1]
    tries = [(candidate + 0.5 * share) / n_prices for candidate in range(n_prices)]
    stays = [(1 + share) / 2 / n_prices] if share < 1 - 1e-9 else []  # dice have no finer grain
    answer = decide(policy, tries + stays, 5, 1)
    chance_of = dict(zip(answer.prices[:, 0].tolist(), answer.propensity[:, 0].tolist(), strict=True))
    assert set(ladder[0].tolist()) <= set(chance_of)
    assert sum(chance_of.values()) == pytest.approx(1)
    assert answer.explored[:n_prices].all()
    assert not answer.explored[n_prices:].any()


def test_an_empty_shelf_is_not_used_to_learn(shelf: Catalog) -> None:
    ladder = price_ladder(shelf)
    policy = Storefront(policy_without_model(shelf), exploration=ExplorationPlan(1.0, ladder))
    answer = decide(policy, [0.0, 0.3, 0.999], 0, 5)
    assert not answer.explored.any()
    assert (answer.prices == shelf.base_prices).all()
    assert (answer.propensity == 1).all()


def test_a_tried_price_carries_its_own_chance_of_sale_and_its_rule(shelf: Catalog) -> None:
    ladder = price_ladder(shelf)
    chances = np.linspace(0.9, 0.1, 100).reshape(5, 20)
    curves = DemandCurves(shelf.skus, ladder, chances, "7")
    policy = Storefront(policy_without_model(shelf), curves, exploration=ExplorationPlan(0.5, ladder))
    answer = decide(policy, [0.0, 0.9749999, 0.975], 3, 5)
    assert np.array_equal(answer.prices, np.stack([ladder[:, 0], ladder[:, -1], shelf.base_prices]))
    assert np.array_equal(answer.p_sale[:2], np.stack([chances[:, 0], chances[:, -1]]))
    at_base = [np.interp(*one) for one in zip(shelf.base_prices, ladder, chances, strict=True)]
    assert answer.p_sale[2] == pytest.approx(at_base)
    assert [policy.rules[rule] for rule in answer.rule[:, 0]] == ["exploration", "exploration", "base_price"]


def test_without_a_share_nothing_is_tried(shelf: Catalog) -> None:
    ladder = price_ladder(shelf)
    answer = decide(Storefront(policy_without_model(shelf), exploration=ExplorationPlan(0.0, ladder)), [0.0, 0.9], 3, 5)
    assert (answer.prices == shelf.base_prices).all()
    assert (answer.propensity == 1).all()


def decide_rule(catalog: Catalog, stock: int) -> Asked:
    shape = (1, len(catalog.products))
    policy = policy_without_model(catalog, "rule")
    return policy.ask(Shelf(np.full(shape, stock), np.full(shape, np.nan), 10, np.zeros(shape)))
