"""The rules that a category manager has bind every price that is shown, unless a stronger limit is named."""

import datetime as dt

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.load import CLASSIC, Catalog, load
from catalog.pricing import Shelf
from catalog.records.guardrails import Guardrails
from desk.price_changes.change import Terms
from desk.price_changes.conflicts import below_cost
from desk.price_changes.passing import passing
from serving.exploration import ExplorationPlan
from serving.limits import limits_of
from serving.policies import StaticPolicy
from serving.pricing_policy import Asked, asked_without_model
from serving.storefront import Storefront

SHELF = load(CLASSIC)
LADDER = np.linspace(0.5, 2.0, 20) * SHELF.base_prices[:, None]
SHAPE = (len(SHELF.store.stores), len(SHELF.skus))
NOW = dt.datetime(2026, 1, 20, 8, tzinfo=dt.UTC)


def shelf_with(**rails: object) -> Catalog:
    return Catalog(SHELF.products, SHELF.store.model_copy(update={"guardrails": Guardrails.model_validate(rails)}))


class Wild(StaticPolicy):
    """A policy that asks for whatever it was given, store by store."""

    def ask(self, shelf: Shelf) -> Asked:
        assert self.base_prices.shape == shelf.stock.shape
        return asked_without_model(self.base_prices, np.zeros(self.base_prices.shape, dtype=np.int64))


@settings(deadline=None, max_examples=100)
@given(
    margins=st.dictionaries(st.sampled_from(["dairy", "bakery", "butcher"]), st.floats(0, 0.9)),
    chains=st.floats(0, 0.9),
    seed=st.integers(0, 10_000),
)
def test_no_price_is_below_cost_and_the_higher_of_the_two_margins(
    margins: dict[str, float], chains: float, seed: int
) -> None:
    catalog, dice = shelf_with(margins=margins, minimum_margin=chains), np.random.default_rng(seed)
    asked = np.round(SHELF.base_prices * dice.uniform(0.4, 2.0, SHAPE), 2)
    shelf = Shelf(np.ones(SHAPE, int), np.full(SHAPE, np.nan), 48, dice.random(SHAPE))
    front = Storefront(Wild(asked), exploration=ExplorationPlan(0.5, LADDER), limits=limits_of(catalog))
    shares = np.array([max(chains, margins.get(own.category, 0.0)) for own in SHELF.products])
    assert (front.decide(shelf).prices >= SHELF.unit_costs * (1 + shares) - 1e-6).all()


def test_a_person_is_told_the_margin_of_the_category_and_nothing_below_it_passes_by_itself() -> None:
    catalog = shelf_with(margins={"dairy": 0.5}, minimum_margin=0.1)
    milk, bread = (Terms("override", sku, None, None, 1.10, NOW, None, "a rival") for sku in ("MILK", "BREAD"))
    assert "minimum margin of 50%" in (below_cost(catalog, milk) or "")
    assert below_cost(catalog, bread) is None
    assert passing(catalog, catalog.product("MILK"), None)[0] == 1.35
