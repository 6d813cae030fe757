"""Which stores have shoppers of another kind than others.

One belief serves all stores while they are alike. Each store has a level of demand around the line that its products
share, in log odds; where levels are clearly apart, stores are cut into a few kinds, and each kind learns from its own
sales alone. Levels are found together with the lines, since stores of another kind soon show other prices.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from catalog.arrays import Floats, Ints
from catalog.records.pricing_rules import BeliefSettings
from serving.belief.sales import evenly_chosen

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
    Newton's method, its variance by the curvature there.
    """
    n_products = int(sold.product.max()) + 1
    size = 2 * n_products + n_stores
    prior = np.concatenate([np.full(n_products, level), np.full(n_products, -slope), np.zeros(n_stores)])
    spreads = np.repeat([_LEVEL_SPREAD, _SLOPE_SPREAD, _STORE_SPREAD], [n_products, n_products, n_stores])
    places = np.stack([sold.product, n_products + sold.product, 2 * n_products + sold.store])
    values = np.stack([np.ones(len(sold.met)), sold.ratio - 1, np.ones(len(sold.met))])
    at = prior.copy()
    for _ in range(_STEPS):
        chance = expit((values * at[places]).sum(axis=0))
        weight, surplus = sold.met * chance * (1 - chance), sold.bought - sold.met * chance
        gradient = (prior - at) / spreads**2
        curvature = np.diag(1 / spreads**2)
        for one, value in zip(places, values, strict=True):
            gradient += np.bincount(one, value * surplus, size)
            for other, beside in zip(places, values, strict=True):
                cell = np.bincount(one * size + other, value * beside * weight, size * size)
                curvature += cell.reshape(size, size)
        step = np.linalg.solve(curvature, gradient)
        at += step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), _CLOSE))
        if np.abs(step).max() < _CLOSE:
            break
    apart = np.eye(n_stores) - 1 / n_stores  # what all stores have in common says nothing of kinds
    covariance = np.linalg.inv(curvature)[2 * n_products :, 2 * n_products :]
    return apart @ at[2 * n_products :], np.diag(apart @ covariance @ apart)


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
    while len(starts) < min(_MOST_KINDS, n_stores):
        finer, begins = np.full(n_stores + 1, np.inf), np.zeros(n_stores + 1, dtype=np.int64)
        for last in range(len(starts) + 1, n_stores + 1):
            first = np.arange(len(starts), last)
            tried = costs[first] + cost(first, last)
            begins[last], finer[last] = first[np.argmin(tried)], tried.min()
        if costs[-1] - finer[-1] < _WORTH:
            break
        costs = finer
        starts.append(begins)
    kinds, end = np.zeros(n_stores, dtype=np.int64), n_stores
    for kind in range(len(starts) - 1, -1, -1):
        begin = int(starts[kind][end])
        kinds[order[begin:end]] = kind
        end = begin
    return kinds
