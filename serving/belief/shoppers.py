"""How shoppers differ between stores, and how they take substitutes.

One belief serves all stores while they are alike. Each store has a level of demand around the line that its products
share, in log odds; where levels are clearly apart, stores are cut into a few kinds, and each kind learns from its own
sales alone. Levels are found together with the lines, since stores of another kind soon show other prices.

Substitutes are chosen by a logit: the weight of one is exp(level - slope x (price ratio - 1)), and leaving has the
weight 1 (Train, "Discrete Choice Methods with Simulation", 2009, chapter 3). The prior takes nearly everybody to leave.
"""

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from scipy.special import logit

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.records.pricing import BeliefSettings
from features.substitutes import choices_in
from serving.belief.gaussian import evenly_chosen
from serving.belief.posterior import Latents, Likelihood, Roots, binomial, find_mode
from serving.optimise.curves import LogitSwitching

_LINE_SPREAD, _STORE_SPREAD = (1.5, 4.0), 1.0  # of level and slope of a product, and of a store's level, in log odds
_NO_MATTER = 0.1  # spread of stores' levels that are alike all the same, in log odds
_MOST_KINDS = 4
_WORTH = 11.0  # log odds by which one kind more must be likelier
_MOST_STORES = 1_000
MOST_PRODUCTS = 60
"""Products of a large shelf that tell the kinds of stores."""


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

    A logistic regression with a line for each product and a level for each store, all normal beforehand: products are
    the groups of the posterior, and stores the cells that they share.
    """
    n_products, tilt = int(sold.product.max()) + 1, sold.ratio - 1
    roots = Roots(np.tile(np.diag(_LINE_SPREAD), (n_products, 1, 1)), np.zeros((n_products, 2, 0)), 0.0, _STORE_SPREAD)
    usual, powers = np.array([level, -slope]), np.stack([np.ones_like(tilt), tilt])

    def by_store(rows: Floats) -> Floats:
        sums = np.bincount(sold.product * n_stores + sold.store, rows, n_products * n_stores)
        return np.asarray(sums, dtype=float).reshape(n_products, n_stores)

    def model(_products: slice, at: Latents) -> tuple[Roots, Likelihood]:
        lines, levels = usual + roots.coefficients(at), roots.levels(at)[0]
        odds = (lines[sold.product].T * powers).sum(axis=0) + levels[sold.store]
        log, surplus, curved = binomial(odds, sold.met, sold.bought)
        met, tilted, twice = (by_store(curved * tilt**power) for power in range(3))
        pull = np.stack([by_store(surplus * power) for power in powers], axis=1)
        sums = [own.sum(axis=1) for own in (met, tilted, tilted, twice)]
        weight = np.stack(sums, axis=1).reshape(n_products, 2, 2)
        by_cell = np.stack([met, tilted], axis=1)
        return roots, Likelihood(log, weight, by_cell, met, pull.sum(axis=2), pull[:, 0])

    mode = find_mode(Latents.zeros(n_products, 2, 0, n_stores), model)
    apart = np.eye(n_stores) - 1 / n_stores  # what all stores have in common says nothing of kinds
    variances = (np.linalg.solve(mode.shared_factor, _STORE_SPREAD * apart) ** 2).sum(axis=0)
    return apart @ (_STORE_SPREAD * mode.at.shared_cells), variances


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


_USUAL, _SPREAD = np.array([-5.0, 4.0]), np.array([3.0, 2.0])
"""Of level and slope before anybody chose: mean, and standard deviation."""


def switching_from(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, first: dt.date, last: dt.date
) -> LogitSwitching | None:
    """Return how shoppers take substitutes, by the choices of some days; None where no choice was seen."""
    if not catalog.names_substitutes:
        return None
    choices = choices_in(connection, first, last)
    known = dict(zip(catalog.skus, catalog.base_prices.tolist(), strict=True))
    choices = choices[choices["others"].map(lambda others: all(own in known for own in others)).astype(bool)]
    if choices.empty:
        return None
    return LogitSwitching(catalog.substitutes, *likeliest(*_as_arrays(choices, known)).tolist())


def likeliest(off: Floats, took: Floats, count: Floats) -> Floats:
    """Return the likeliest level and slope, shape (2,).

    Parameters
    ----------
    off
        Price ratio of each substitute in a choice less 1, infinite where a choice has fewer, shape (n_choices, n_most).
    took
        1 for the substitute that was taken, of the same shape.
    count
        Shoppers who chose so, shape (n_choices,).
    """
    there = np.isfinite(off)
    features = np.stack([there.astype(float), np.where(there, -off, 0.0)], axis=-1)
    roots = Roots(np.diag(_SPREAD)[None], np.zeros((1, 2, 0)))

    def model(_own: slice, at: Latents) -> tuple[Roots, Likelihood]:
        log_weights = features @ (_USUAL + roots.coefficients(at)[0])
        weights = np.exp(log_weights) * there
        total = 1 + weights.sum(axis=1, keepdims=True)
        chances = weights / total
        expected = np.einsum("cj,cjk->ck", chances, features)
        slope = np.einsum("c,cj,cjk->k", count, took - chances, features)
        second = np.einsum("c,cj,cjk,cjl->kl", count, chances, features, features)
        second -= np.einsum("c,ck,cl->kl", count, expected, expected)
        log = float(count @ ((took * log_weights).sum(axis=1) - np.log(total[:, 0])))
        return roots, Likelihood.without_cells(log, second[None], slope[None])

    mode = find_mode(Latents.zeros(1, 2, 0, 0), model)
    return np.asarray(_USUAL + roots.coefficients(mode.at)[0])


def _as_arrays(choices: pd.DataFrame, base_prices: dict[str, float]) -> tuple[Floats, Floats, Floats]:
    """Return choices as `likeliest` takes them."""
    most = max(map(len, choices["others"]))
    off, took = np.full((len(choices), most), np.inf), np.zeros((len(choices), most))
    rows = zip(choices["others"], choices["prices"], choices["taken"], strict=True)
    for row, (others, prices, taken) in enumerate(rows):
        off[row, : len(others)] = [price / base_prices[own] - 1 for own, price in zip(others, prices, strict=True)]
        took[row, : len(others)] = [own == taken for own in others]
    return off, took, choices["count_shoppers"].to_numpy(dtype=float)
