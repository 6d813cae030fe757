"""What it would be worth to know demand: how often, and with which prices, exploring can pay for itself.

Each draw from the belief has a best price of its own. A price that is best in none of them teaches nothing that could
change a price. What the draws would gain, if they were known, over the price that is best on average is the expected
value of perfect information (Raiffa and Schlaifer, "Applied statistical decision theory", 1961); exploring for more
than that cannot pay, and since it is worth that much on every day to come, a small part of it is enough.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit, ndtri
from scipy.stats import qmc

from catalog.arrays import Flags, Floats
from serving.belief.belief import Understanding
from serving.belief.gaussian import Knots

_DRAWS = 128
_LEAST_CHANCE = 0.02  # of being the best price, below which a price is not explored
_SHARE_OF_WORTH = 0.05
_SHARE_WHERE_HOPEFUL = 2.0
_HOPE = 0.975
_CLEARLY_MORE = 0.03  # as a share of what the best price is believed to earn
_SEED = 20260105


@dataclass(frozen=True)
class WorthKnowing:
    """What exploring may cost, and with which prices.

    Attributes
    ----------
    budget
        Share of expected revenue that it may cost, shape (n_products,): a small part of what knowing demand would gain.
    may_be_best
        Prices of the ladder that may be the best one, shape (n_products, n_prices).
    """

    budget: Floats
    may_be_best: Flags


def worth_knowing(
    knots: Knots, understanding: Understanding, ladder: Floats, forgone: Floats, most: float
) -> WorthKnowing:
    """Ask the draws of a belief which price is best, and what knowing them would gain.

    Parameters
    ----------
    ladder
        Candidate prices, EUR, shape (n_products, n_prices).
    forgone
        What a sale forgoes, EUR, shape (n_products,).
    most
        Share of expected revenue that exploring may cost at most.
    """
    chances = drawn_chances(understanding, knots.shape, _DRAWS)
    at_ladder = np.ascontiguousarray(knots.at(chances, ladder))  # sums depend on the order in memory
    gains = (ladder - forgone[:, None]) * at_ladder
    best = gains.argmax(axis=2)
    products = np.arange(len(ladder))
    times_best = np.zeros(ladder.shape)
    np.add.at(times_best, (np.broadcast_to(products, best.shape), best), 1)
    may_be_best = times_best / len(best)
    on_average = gains.mean(axis=0)
    chosen = on_average.argmax(axis=1)
    gained = np.maximum(gains.max(axis=2).mean(axis=0) - on_average[products, chosen], 0.0)  # rounding may be below
    revenue = (ladder * at_ladder.mean(axis=0))[products, chosen]
    share = np.divide(gained, revenue, out=np.zeros(len(ladder)), where=revenue > 0)
    allowed = may_be_best >= _LEAST_CHANCE
    hopeful: Flags = _hopeful(gains - gains[:, products, chosen][:, :, None], on_average.max(axis=1))
    has_hope = np.asarray(hopeful.any(axis=1))
    part = np.where(has_hope, _SHARE_WHERE_HOPEFUL, _SHARE_OF_WORTH)
    budget = np.minimum(part * share, most)
    allowed[products, chosen] = True
    return WorthKnowing(budget, allowed | hopeful)


def _hopeful(more: Floats, best: Floats) -> Flags:
    """Return the prices that may well earn clearly more than the best: of each such region, the most hopeful one.

    Parameters
    ----------
    more
        What each price gains over the best one in each draw, EUR, shape (n_draws, n_products, n_prices).
    best
        What the best is believed to gain, EUR, shape (n_products,).
    """
    most = np.quantile(more, _HOPE, axis=0)
    around = np.pad(most, ((0, 0), (1, 1)), constant_values=-np.inf)
    is_top = (most >= around[:, :-2]) & (most > around[:, 2:])
    return np.asarray(is_top & (most > _CLEARLY_MORE * best[:, None]), dtype=bool)


def drawn_chances(understanding: Understanding, shape: tuple[int, int], n_draws: int) -> Floats:
    """Return chances of sale at the knots, shape (n_draws, n_products, n_knots), the same draws on every call.

    `shape` is that of the knots; `n_draws` is a power of two.
    """
    _, n_knots = shape
    normal = _normal_draws(n_knots, n_draws)
    ends = np.round(np.cumsum(understanding.weights) * len(normal)).astype(int)
    counts = np.diff(ends, prepend=0)
    drawn, first = [], 0
    for belief, count in zip(understanding.beliefs, counts, strict=True):
        root = np.linalg.cholesky(belief.covariance + 1e-9 * np.eye(n_knots))
        odds = belief.mean + np.einsum("pkl,dl->dpk", root, normal[first : first + count])
        drawn.append(expit(odds))
        first += count
    return np.minimum.accumulate(np.concatenate(drawn), axis=2)


@lru_cache
def _normal_draws(n_knots: int, n_draws: int) -> Floats:
    uniform = qmc.Sobol(n_knots, rng=_SEED).random(n_draws)
    return np.asarray(ndtri(np.clip(uniform, 1e-6, 1 - 1e-6)))
