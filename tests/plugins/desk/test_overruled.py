"""A limit is overruled where the price that stands does not keep it, and nowhere else."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.bounds import not_above
from catalog.decisions.pricing import Shelf
from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from plugins.desk.standing import overruled_by
from serving.limits.limits import ShelfLimits, caps_beside, limits_of

SHELF = load(CLASSIC)
SHAPE = (len(SHELF.store.stores), len(SHELF.skus))
OWN_BRANDS = [{"sku": "MILK", "brand": "BREAD", "below": 0.1}, {"sku": "EGGS", "brand": "MILK", "below": 0.3}]


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    margin=st.floats(0, 0.6),
    has_brands=st.booleans(),
    ending=st.sampled_from([None, 9]),
    frozen=st.sampled_from([{}, {"MILK": 1.40}]),
)
def test_a_limit_is_overruled_where_the_price_that_stands_does_not_keep_it_and_nowhere_else(
    seed: int, margin: float, has_brands: bool, ending: int | None, frozen: dict[str, float]
) -> None:
    rails = {"minimum_margin": margin, "own_brands": OWN_BRANDS if has_brands else [], "price_ending": ending}
    store = SHELF.store.model_copy(update={"guardrails": Guardrails.model_validate({**rails, "frozen": frozen})})
    dice = np.random.default_rng(seed)
    caps = np.where(
        dice.random(SHAPE[1]) < 0.5, np.round(SHELF.base_prices * dice.uniform(0.5, 1.5, SHAPE[1]), 2), np.nan
    )
    limits = replace(limits_of(Catalog(SHELF.products, store)), rival_caps=not_above(caps, ending, store.money))
    asked = np.round(SHELF.base_prices * dice.uniform(0.4, 2.0, SHAPE), 2)
    shelf = Shelf(np.ones(SHAPE, int), np.full(SHAPE, np.nan), 48, dice.random(SHAPE))
    prices = ShelfLimits(limits, shelf).beside(asked).apply(asked)
    told = overruled_by(limits, prices, shelf)
    brands = caps_beside(limits, prices).get("own_brands", np.full(SHAPE, np.nan))
    above_rivals, above_brands = prices > limits.rival_caps, prices > brands
    named, named_too = (np.array([[rule in own for own in row] for row in told]) for rule in ("rivals", "own_brands"))
    assert np.array_equal(named, above_rivals)
    assert not (named_too & ~above_brands).any()
    assert np.array_equal(named | named_too, above_rivals | above_brands)  # of two, the stricter one may stand for both
    frozen_at = np.where(np.isnan(limits.frozen), prices, limits.frozen)
    assert np.array_equal([["frozen" in own for own in row] for row in told], prices != frozen_at)
    assert not any(rule in own for row in told for own in row for rule in ("floor", "ceiling", "minimum_margin"))
