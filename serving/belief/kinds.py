"""Which stores have shoppers of another kind than others.

One belief serves all stores while they are alike. Each store has a level of demand around the line that its products
share, in log odds; where levels are clearly apart, stores are cut into a few kinds, and each kind learns from its own
sales alone. Levels are found together with the lines, since stores of another kind soon show other prices.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from catalog.arrays import Floats, Ints
from catalog.records.pricing import BeliefSettings
from serving.belief.gaussian import evenly_chosen

_LEVEL_SPREAD, _SLOPE_SPREAD, _STORE_SPREAD = 1.5, 4.0, 1.0  # of a product's line and of a store's level, in log odds
_NO_MATTER = 0.1  # spread of stores' levels that are alike all the same, in log odds
_MOST_KINDS = 4
_WORTH = 11.0  # log odds by which one kind more must be likelier
_MOST_STORES = 1_000
MOST_PRODUCTS = 60
"""Products of a large shelf that tell the kinds of stores."""
_STEPS, _LONGEST_STEP, _CLOSE = 30, 1.0, 1e-4


@dataclass(frozen=True)
class SoldInStores:
    """Visits that found a product on the shelf, and those that bought, by store; arrays of shape (n_rows,).

    Attributes
    ----------
    store, product
        Positions of the store and of the product.
    ratio
        Price over base price.
    """

    store: Ints
    product: Ints
    ratio: Floats
    met: Floats
    bought: Floats


def kinds_of_stores(sold: SoldInStores, n_stores: int, settings: BeliefSettings) -> Ints:
    """Return each store's kind, shape (n_stores,): 0 for all of them where they are alike.

    Of a large shelf some products tell it, evenly chosen. More than a thousand stores are taken for alike.

    Parameters
    ----------
    settings
        What is believed of the products' lines before anything was sold.
    """
    if not 1 < n_stores <= _MOST_STORES or not len(sold.met):
        return np.zeros(n_stores, dtype=np.int64)
    products = np.unique(sold.product)
    chosen = products[evenly_chosen(len(products), MOST_PRODUCTS)]
    rows = np.isin(sold.product, chosen)
    product = np.searchsorted(chosen, sold.product[rows])
    some = SoldInStores(sold.store[rows], product, sold.ratio[rows], sold.met[rows], sold.bought[rows])
    return _cut(*_levels(some, n_stores, float(logit(settings.chance_at_base)), settings.slope))


def _levels(sold: SoldInStores, n_stores: int, level: float, slope: float) -> tuple[Floats, Floats]:
    """Return each store's level around the mean of stores, and its variance, both of shape (n_stores,).

    A logistic regression with a line for each product and a level for each store, all normal beforehand; its mode by
    Newton's method, its variance by the curvature there. Stores know of each other through the lines alone, so they are
    eliminated first: the cost grows with stores, not with their square.
    """
    n_products = int(sold.product.max()) + 1
    cell, tilt = sold.product * n_stores + sold.store, sold.ratio - 1
    prior, spreads = np.repeat([level, -slope], n_products), np.repeat([_LEVEL_SPREAD, _SLOPE_SPREAD], n_products)
    lines, levels = prior.copy(), np.zeros(n_stores)
    for _ in range(_STEPS):
        chance = expit(lines[sold.product] + lines[n_products + sold.product] * tilt + levels[sold.store])
        weight, surplus = sold.met * chance * (1 - chance), sold.bought - sold.met * chance
        pull, pull_of_tilt, met, met_tilt, met_tilt_twice = (
            np.bincount(cell, value, n_products * n_stores).reshape(n_products, n_stores)
            for value in (surplus, surplus * tilt, weight, weight * tilt, weight * tilt**2)
        )
        shared = np.concatenate([met, met_tilt])  # what lines and levels share, shape (2 n_products, n_stores)
        of_levels = 1 / (met.sum(axis=0) + _STORE_SPREAD**-2)
        to_lines = np.concatenate([pull.sum(axis=1), pull_of_tilt.sum(axis=1)]) + (prior - lines) / spreads**2
        to_levels = pull.sum(axis=0) - levels / _STORE_SPREAD**2
        same, crossed, twice = (np.diag(own.sum(axis=1)) for own in (met, met_tilt, met_tilt_twice))
        through = shared * of_levels
        curvature = np.block([[same, crossed], [crossed, twice]]) + np.diag(spreads**-2) - through @ shared.T
        step_of_lines = np.linalg.solve(curvature, to_lines - through @ to_levels)
        step_of_levels = of_levels * (to_levels - shared.T @ step_of_lines)
        longest = max(float(np.abs(step_of_lines).max()), float(np.abs(step_of_levels).max()))
        scale = min(1.0, _LONGEST_STEP / max(longest, _CLOSE))
        lines, levels = lines + scale * step_of_lines, levels + scale * step_of_levels
        if longest < _CLOSE:
            break
    # what all stores have in common says nothing of kinds
    apart = through - through.mean(axis=1, keepdims=True)
    variances = of_levels * (1 - 2 / n_stores) + of_levels.mean() / n_stores
    variances += (apart * np.linalg.solve(curvature, apart)).sum(axis=0)
    return levels - levels.mean(), variances


def _cut(levels: Floats, variances: Floats) -> Ints:
    """Return the kind of each store: as few kinds as tell levels apart, each a stretch of them; shape (n_stores,).

    Levels of a kind are normal around one mean. The best cut into so many kinds is found by dynamic programming.
    """
    order = np.argsort(levels, kind="stable")
    weight = 1 / (variances[order] + _NO_MATTER**2)
    sums = [np.concatenate([[0.0], np.cumsum(weight * levels[order] ** power)]) for power in range(3)]
    n_stores = len(levels)

    def cost(first: Ints, last: int) -> Floats:
        total, mean, square = (own[last] - own[first] for own in sums)
        members = last - first  # which stores are of a kind is chosen too: of so many, in so many ways
        return np.asarray(0.5 * (square - mean**2 / total) + members * np.log(n_stores / members))

    costs = np.array([np.inf, *(cost(np.array([0]), last)[0] for last in range(1, n_stores + 1))])
    starts = [np.zeros(n_stores + 1, dtype=np.int64)]

    def one_kind_more(last: int) -> tuple[int, float]:
        """Return where the last kind of the first `last` stores begins, and what that costs."""
        first = np.arange(len(starts), last)
        tried = costs[first] + cost(first, last)
        return int(first[np.argmin(tried)]), float(tried.min())

    while len(starts) < min(_MOST_KINDS, n_stores) and costs[-1] - one_kind_more(n_stores)[1] >= _WORTH:
        finer, begins = np.full(n_stores + 1, np.inf), np.zeros(n_stores + 1, dtype=np.int64)
        for last in range(len(starts) + 1, n_stores + 1):
            begins[last], finer[last] = one_kind_more(last)
        costs = finer
        starts.append(begins)
    kinds, end = np.zeros(n_stores, dtype=np.int64), n_stores
    for kind in range(len(starts) - 1, -1, -1):
        begin = int(starts[kind][end])
        kinds[order[begin:end]] = kind
        end = begin
    return kinds
