"""What draws from a belief gain at each price: whether the owner's may be the best, and what trying others is worth.

Demand of any shape is believed possible, and for most shapes some other price than the owner's is the best. But the
owner had reasons. So each draw in which no price gains clearly more than the owner's counts some times more: his price
stands until sales tell another one from it, and hardly weighs once they do.

A price is worth trying while what it may teach brings more, on the days to come, than the trials cost. Trials shrink
what is not known about the price's gain over the best one's; the mean of that gain will then lie anywhere around what
it is now, and where it lies above 0, prices change and earn more: the knowledge gradient of so many trials at once
(Frazier, Powell and Dayanik, "The knowledge-gradient policy for correlated normal beliefs", INFORMS Journal on
Computing, 2009). So no region of prices is given up while its upper end is worth a look, and where few shoppers come,
little is tried.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import expit, ndtr, ndtri, pdtr, pdtrc

from catalog.arrays import Flags, Floats
from serving.belief.belief import Understanding
from serving.belief.gaussian import Knots, falling

_DRAWS = 256
_AS_GOOD = 0.003  # share by which the best price gains more than the owner's where his is as good
_TRIALS = (3, 10, 30, 100, 300, 1000, 3000)  # visits
_SEED = 20260105
_TINY = 1e-12
_STEPS = 64  # of the chance of sale


@dataclass(frozen=True)
class StockedDay:
    """Visits of a day and units for them, shape (n_products,); infinite units where stock does not count."""

    visits: Floats
    units: Floats

    def sold(self, chances: Floats) -> Floats:
        """Return units sold for each visit where one price stands all day, in the shape of the chances of sale.

        Purchases are Poisson, read between steps of the chance.
        """
        mean, units = np.linspace(0.0, 1.0, _STEPS + 1) * self.visits[:, None], self.units[:, None]
        met = mean * pdtr(units - 1, mean) + np.where(np.isinf(units), 0.0, units) * pdtrc(units, mean)
        share = np.where(np.isinf(units), mean, met) / np.maximum(self.visits[:, None], _TINY)
        step = np.minimum((chances * _STEPS).astype(np.int64), _STEPS - 1)
        product = np.arange(len(share))[:, None]
        below, above = share[product, step], share[product, step + 1]
        return np.asarray(below + (above - below) * (chances * _STEPS - step))


@dataclass(frozen=True)
class Drawn:
    """What draws from a belief say of the ladder.

    Attributes
    ----------
    ladder
        Candidate prices, EUR, shape (n_products, n_prices).
    forgone
        What a sale forgoes, EUR, shape (n_products,).
    chances
        Chance of sale, shape (n_draws, n_products, n_prices).
    gains
        What a visit gains on average over a day that sells no more units than it has, EUR, as the chances.
    weights
        How often each draw counts, 1 on average, shape (n_draws, n_products).
    """

    ladder: Floats
    forgone: Floats
    chances: Floats
    gains: Floats
    weights: Floats

    @property
    def moved(self) -> Floats:
        """By how much the owner's fair start moves the mean chance of sale, shape (n_products, n_prices)."""
        return self.mean(self.chances) - self.chances.mean(axis=0)

    def mean(self, values: Floats) -> Floats:
        """Return the weighted mean over the draws of values in the shape of the chances."""
        return np.asarray(np.einsum("dp,dpk->pk", self.weights, values) / len(self.weights))


def fairly(chance: Floats, moved: Floats) -> Floats:
    """Give the owner's prices their fair start in a mean chance of sale at the ladder, which never rises.

    Parameters
    ----------
    chance
        As all draws have it that count alike, shape (..., n_products, n_prices).
    moved
        As `Drawn.moved`.
    """
    return np.asarray(np.minimum.accumulate(np.clip(chance + moved, 0.0, 1.0), axis=-1))


def drawn_gains(
    knots: Knots,
    understanding: Understanding,
    ladder: Floats,
    forgone: Floats,
    owners: Floats,
    trust: float,
    day: StockedDay,
    beside: Floats | float = 0.0,
) -> Drawn:
    """Draw from a belief.

    Parameters
    ----------
    owners
        The owner's prices, each of which is on the ladder or near one of its prices, EUR, shape (n_products,).
    trust
        How many times more a draw counts in which the owner's price is as good as any.
    day
        What there is to sell.
    beside
        What a visit brings beside its own sale, EUR, shape (n_products, n_prices), or 0 for nothing.
    """
    # sums depend on the order in memory
    chances = np.ascontiguousarray(knots.at(drawn_chances(understanding, knots.shape, _DRAWS), ladder))
    gains = (ladder - forgone[:, None]) * day.sold(chances) + beside
    nearest = np.abs(ladder - owners[:, None]).argmin(axis=1)
    of_owners = gains[:, np.arange(len(ladder)), nearest]
    weights = 1 + trust * (gains.max(axis=2) <= of_owners * (1 + _AS_GOOD))
    return Drawn(ladder, forgone, chances, gains, weights / weights.mean(axis=0))


def worth_knowing(
    drawn: Drawn, to_come: Floats, a_day: Floats, most: float, may_stand: Flags | None = None
) -> tuple[Floats, Flags]:
    """Return the share of expected revenue that exploring may cost, by product, and which prices are worth a trial.

    The share is 0 where no trial pays; the best price of the ladder is among those that may be tried. All draws count
    alike: trust in the owner's price moves the prices that are shown, and never what a trial is worth.

    Of neighbouring prices the one most worth it is tried: they teach the same. All trials may be made in a day, within
    the budget.

    Parameters
    ----------
    to_come, a_day
        Visits within which a trial has to pay, and those of a day, in all stores, shape (n_products,).
    most
        Share of expected revenue that exploring may cost at most.
    may_stand
        Prices of the ladder that need nobody's approval, in its shape; None for all. Others are not tried.
    """
    gains, products = drawn.gains, np.arange(len(drawn.ladder))
    stands = np.ones(drawn.ladder.shape, dtype=bool) if may_stand is None else may_stand
    best = np.where(stands, gains.mean(axis=0), -np.inf).argmax(axis=1)
    more = gains - gains[:, products, best][:, :, None]
    costs = np.maximum(-more.mean(axis=0), 0.0)
    variance = more.var(axis=0)
    chance = drawn.chances.mean(axis=0)
    noise = (drawn.ladder - drawn.forgone[:, None]) ** 2 * chance * (1 - chance)
    worth, trials = np.zeros(costs.shape), np.zeros(costs.shape)
    for n in _TRIALS:
        moves = variance / np.sqrt(variance + noise / n + _TINY)  # spread of where the mean will be after them
        brings = np.maximum(to_come[:, None] - 2 * n, 0.0) * _mean_above(costs, moves) - n * costs
        trials = np.where(brings > worth, n, trials)
        worth = np.maximum(worth, brings)
    worth = np.where(stands, worth, 0.0)
    around = np.pad(worth, ((0, 0), (1, 1)))
    may_be_tried: Flags = (worth > 0) & (worth >= around[:, :-2]) & (worth > around[:, 2:])
    cost = (trials * costs * may_be_tried).sum(axis=1)
    revenue = a_day * (drawn.ladder * chance)[products, best]
    may_be_tried[products, best] = True
    return np.minimum(cost / np.maximum(revenue, _TINY), most), may_be_tried


def _mean_above(below: Floats, spread: Floats) -> Floats:
    """Return the mean of max(0, x) where x is normal around -below."""
    apart = below / (spread + _TINY)
    return np.asarray(spread * np.exp(-0.5 * apart**2) / np.sqrt(2 * np.pi) - below * ndtr(-apart))


def drawn_chances(understanding: Understanding, shape: tuple[int, int], n_draws: int) -> Floats:
    """Return chances of sale at the knots, shape (n_draws, n_products, n_knots), the same draws on every call.

    None rises with the price: each draw is the falling curve that is nearest to what was drawn.

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
        drawn.append(expit(falling(odds, 1 / belief.variance)))
        first += count
    return np.concatenate(drawn)


@lru_cache
def _normal_draws(n_knots: int, n_draws: int) -> Floats:
    from scipy.stats import qmc  # noqa: PLC0415 - all of SciPy's statistics, for one draw

    uniform = qmc.Sobol(n_knots, rng=_SEED).random(n_draws)
    return np.asarray(ndtri(np.clip(uniform, 1e-6, 1 - 1e-6)))
