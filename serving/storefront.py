"""How a policy is played in a store: with prices tried on purpose, and within the guardrails."""

import numpy as np

from catalog.ladder import price_ladder
from catalog.load import Catalog
from catalog.pricing import Policy
from serving.curves import DemandCurves
from serving.exploration import Exploring
from serving.guardrails import limits_of
from serving.policies import costs_that_count, policy_without_model
from serving.support import may_be_tried


def in_store(catalog: Catalog, policy: Policy, curves: DemandCurves) -> Exploring:
    """Return a policy with a model as it is played: a share of expected revenue may be spent on trying prices."""
    exploration = catalog.store.exploration
    return Exploring(
        policy,
        exploration.before_champion,
        curves.prices,
        curves.p_sale,
        limits_of(catalog),
        budget=np.where(curves.has_support, exploration.budget, np.nan),
        allowed=may_be_tried(curves),
        unit_costs=costs_that_count(catalog),
    )


def in_store_without_model(catalog: Catalog, name: str | None = None) -> Exploring:
    """Return `static` or `rule`, by default the catalog's own choice, as it is played: a share of the time is tried."""
    return _without_curves(catalog, policy_without_model(catalog, name), catalog.store.exploration.before_champion)


def in_store_under_kill_switch(catalog: Catalog) -> Exploring:
    """Return base prices, with nothing tried."""
    return _without_curves(catalog, policy_without_model(catalog, "static"), 0.0)


def in_store_with_nothing_tried(catalog: Catalog, policy: Policy, curves: DemandCurves) -> Exploring:
    """Return a policy within the guardrails alone: what a quote explains."""
    costs = costs_that_count(catalog)
    return Exploring(policy, 0.0, curves.prices, curves.p_sale, limits_of(catalog), unit_costs=costs)


def _without_curves(catalog: Catalog, policy: Policy, share: float) -> Exploring:
    ladder = price_ladder(catalog)
    return Exploring(policy, share, ladder, np.full(ladder.shape, np.nan), limits_of(catalog))
