import numpy as np
import pytest

from catalog.decisions.pricing import PriceDecision, Shelf
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from serving.learning.exploration import ExplorationPlan
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import policy_without_model
from serving.store.storefront import Storefront


@pytest.fixture(scope="module")
def shelf() -> Catalog:
    return load(CLASSIC)


def decide(policy: Storefront, dice: list[float], stock: int, n_products: int) -> PriceDecision:
    """Let as many stores as there are dice decide, each with its number for all its products."""
    shape = (len(dice), n_products)
    thrown = np.tile(np.array(dice)[:, None], n_products)
    return policy.decide(Shelf(np.full(shape, stock), np.full(shape, np.nan), 10, thrown))


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
