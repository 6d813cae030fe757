"""Learners that see units alone: the ones to beat in a store whose till tells nothing but what it sold.

log E[units] = level(store, product) + effect(week) + slope(product) x log(price / owner's price); units are negative
binomial. Slopes are normal around a mean that products share: slope_p ~ N(m, tau), m ~ N(m0, s). Week effects are
chain-wide, N(0, 0.2). The posterior is a normal distribution around its mode (Laplace), found by iterated weighted
least squares in which levels are eliminated. One learner draws (Thompson sampling: Russo and others, "A Tutorial on
Thompson Sampling", 2018), the other one maximises expected profit. Neither knows of stocking up or of substitutes.
"""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats, Ints
from evaluation.outside_store.stores.count_grocer import best_ratio
from evaluation.outside_store.stores.weekly_seller import WeekPrices, WeeksSeen

_ROUNDS = 8
_CLOSE = 1e-6
_WEEK_SD = 0.2
_LEVEL_PRECISION = 1e-4
_DRAWS = 400
_FEWEST, _MOST = 5.0, 500.0  # bounds of the negative binomial's shape


@dataclass(frozen=True)
class SlopePrior:
    """Mean and standard deviation of the slope that products share, and the spread of products around it."""

    mean: float = -2.0
    shared: float = 1.0
    apart: float = 0.9


WIDE = SlopePrior()


@dataclass(frozen=True)
class SlopePosterior:
    """The normal approximation of the slopes, shape (n_products,) and (n_products, n_products), and the shape found."""

    mean: Floats
    covariance: Floats
    shape: float

    def draw(self, count: int, dice: np.random.Generator) -> Floats:
        """Draw all slopes together, shape (count, n_products)."""
        return self.mean + dice.standard_normal((count, len(self.mean))) @ np.linalg.cholesky(self.covariance).T


@dataclass(frozen=True)
class ThompsonUnits:
    """The peer that draws: a pure policy of what was seen."""

    prior: SlopePrior = WIDE
    name: str = "thompson_units"

    def __call__(self, seen: WeeksSeen, dice: np.random.Generator) -> WeekPrices:
        """Draw slopes for each store, and ask for the prices that are best under them."""
        slopes = slopes_of(seen.prices, seen.units, seen.owner_prices, self.prior).draw(len(seen.owner_prices), dice)
        wanted = seen.owner_prices * best_ratio(slopes, seen.unit_costs / seen.owner_prices, seen.rules)
        return WeekPrices(wanted)


@dataclass(frozen=True)
class ExpectedProfitUnits:
    """The peer that never tries a price: all stores ask for the price with the highest expected profit.

    It learns only because the owner's largest step leads its prices there week by week, and because what it believes
    changes. Nothing makes sure that it goes on learning.
    """

    prior: SlopePrior = WIDE
    name: str = "expected_profit_units"

    def __call__(self, seen: WeeksSeen, dice: np.random.Generator) -> WeekPrices:
        """Ask for the best of a hundred prices, averaged over slopes that are drawn."""
        drawn = slopes_of(seen.prices, seen.units, seen.owner_prices, self.prior).draw(_DRAWS, dice)
        ratios = np.linspace(1 - seen.rules.band, 1 + seen.rules.band, 101)
        demand = np.exp(drawn[:, :, None] * np.log(ratios)).mean(axis=0)
        profit = demand * (ratios - (seen.unit_costs / seen.owner_prices[0])[:, None])
        return WeekPrices(seen.owner_prices * ratios[profit.argmax(axis=1)])


THOMPSON, EXPECTED_PROFIT = ThompsonUnits(), ExpectedProfitUnits()


def slopes_of(prices: Floats, units: Ints, owner_prices: Floats, prior: SlopePrior = WIDE) -> SlopePosterior:
    """Return what units say of the slopes.

    Parameters
    ----------
    prices, units
        EUR and units, shape (n_weeks, n_stores, n_products).
    owner_prices
        EUR, shape (n_stores, n_products).
    """
    log_ratio = np.log(prices / owner_prices)
    n_weeks, _, n_products = log_ratio.shape
    level, week = np.log(units.mean(axis=0) + 0.5), np.zeros(n_weeks)
    slopes, shape = np.full(n_products, prior.mean), _MOST
    for _ in range(_ROUNDS):
        predicted = level + week[:, None, None] + slopes * log_ratio
        mean = np.exp(np.clip(predicted, -10, 15))
        shape = _shape_of(units, mean)
        weight, response = mean / (1 + mean / shape), predicted + (units - mean) / mean
        precision, pull = _reduced(weight, log_ratio, response, prior)
        found = np.linalg.solve(precision, pull).astype(np.float64)
        step = np.abs(found[n_weeks : n_weeks + n_products] - slopes).max()
        week, slopes = found[:n_weeks], found[n_weeks : n_weeks + n_products]
        left = response - week[:, None, None] - slopes * log_ratio
        level = (weight * left).sum(axis=0) / (weight.sum(axis=0) + _LEVEL_PRECISION)
        if step < _CLOSE:
            break
    covariance = np.linalg.inv(precision).astype(np.float64)
    return SlopePosterior(slopes, covariance[n_weeks:-1, n_weeks:-1], shape)


def _shape_of(units: Ints, mean: Floats) -> float:
    """Return the shape whose variance, mean + mean^2 / shape, is that of the residuals."""
    surplus = float(((units - mean) ** 2 - mean).sum() / (mean**2).sum())
    return float(np.clip(1 / max(surplus, 1 / _MOST), _FEWEST, _MOST))


def _reduced(weight: Floats, log_ratio: Floats, response: Floats, prior: SlopePrior) -> tuple[Floats, Floats]:
    """Return precision and pull of week effects, slopes and their shared mean, with the levels eliminated."""
    n_weeks, _, n_products = weight.shape
    total = weight.sum(axis=0) + _LEVEL_PRECISION
    centred = log_ratio - (weight * log_ratio).sum(axis=0) / total
    response = response - (weight * response).sum(axis=0) / total
    by_week = weight.reshape(n_weeks, -1)
    size = n_weeks + n_products + 1
    slopes = np.arange(n_weeks, size - 1)
    precision, pull = np.zeros((size, size)), np.zeros(size)
    precision[:n_weeks, :n_weeks] = np.diag(by_week.sum(axis=1) + _WEEK_SD**-2) - by_week / total.ravel() @ by_week.T
    cross = (weight * centred).sum(axis=1)
    precision[:n_weeks, n_weeks:-1], precision[n_weeks:-1, :n_weeks] = cross, cross.T
    precision[slopes, slopes] = (weight * centred**2).sum(axis=(0, 1)) + prior.apart**-2
    precision[slopes, -1] = precision[-1, slopes] = -(prior.apart**-2)
    precision[-1, -1] = n_products * prior.apart**-2 + prior.shared**-2
    pull[:n_weeks] = (weight * response).sum(axis=(1, 2))
    pull[n_weeks:-1] = (weight * centred * response).sum(axis=(0, 1))
    pull[-1] = prior.mean * prior.shared**-2
    return precision, pull
