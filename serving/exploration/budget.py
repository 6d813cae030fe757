"""How often a price may be tried: at most as often as costs the budgeted share of expected revenue.

A price is worth (price - what a sale forgoes) x chance of sale, so trying in a share e of the time costs e x (worth of
the usual price - mean worth of the candidates) a visit: linear in e.
"""

import numpy as np

from catalog.arrays import Floats
from serving.exploration.candidates import Candidates
from serving.guardrails import nothing_shown
from serving.shelf_limits import ShelfLimits
from serving.worth import Worth

HIGHEST_CHANCE = 0.5
"""Highest chance of a trial that a budget may lead to, however little a trial costs."""


def chance_on_budget(
    budget: Floats, worth: Worth, limits: ShelfLimits, usual: Floats, candidates: Candidates
) -> Floats:
    """Return the chance of a trial at which it costs the budgeted share, shape (n_stores, n_products).

    Where steps are limited, an earlier trial may have left the usual price away from where the policy wants it; what
    that costs is taken from the budget.

    Parameters
    ----------
    budget
        Share of expected revenue, shape (n_products,).
    usual
        Prices shown where nothing is tried, EUR, shape (n_stores, n_products).
    """
    p_usual = worth.p_sale(usual)
    own = (usual - worth.forgone) * p_usual
    affordable = budget * (usual * p_usual)
    if limits.limits is not None and not limits.limits.are_static:
        asked = worth.asked.prices
        wanted = worth.of(ShelfLimits(limits.limits, nothing_shown(asked.shape)).apply(asked))
        affordable = np.maximum(affordable - np.maximum(wanted - own, 0.0), 0.0)
    loss = own - candidates.mean_worth(worth.forgone)
    chance = np.full(loss.shape, HIGHEST_CHANCE)
    np.divide(affordable, loss, out=chance, where=loss * HIGHEST_CHANCE > affordable)
    return chance
