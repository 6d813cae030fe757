"""How demand drifts through today's hours, beside what each hour usually adds: one effect for the whole shelf.

An hour is like the hours beside it, so an afternoon in which fewer buy is followed within an hour or two, and what it
was like says little of the next morning. On the first day nothing is known of hours, and they may drift far. Later
their usual effects are known, and they hardly do, unless past days show that they do.
"""

import numpy as np
from scipy.special import expit

from catalog.arrays import Floats
from serving.belief.gaussian import Counts, blocks_of
from serving.belief.sales import Sales

FIRST_DAY, USUAL = 1.0, 0.1
"""Spread of the drift, in log odds: while no day was seen, and afterwards until days show another one."""

_TRIED = (0.03, 0.3, 0.6)
_LEAST_DAYS = 3  # fewer are explained by the usual effects of hours

_LENGTH = 2.0  # hours over which an effect changes
_ALONE = 0.01  # variance of an hour that is like no other, as a share
_STEPS, _LONGEST_STEP, _CLOSE = 8, 1.0, 1e-4


def alike_hours(n_hours: int, alone: float) -> Floats:
    """Return the covariance of effects of hours, each like the hours beside it, shape (n_hours, n_hours).

    `alone` is what each adds that no other hour shares; the rest has variance 1.
    """
    apart = np.arange(n_hours)[:, None] - np.arange(n_hours)
    return np.asarray(np.exp(-0.5 * (apart / _LENGTH) ** 2) + alone * np.eye(n_hours))


def hour_drift(odds: Floats, today: Counts, hours: Floats, spread: float) -> Floats:
    """Return the likeliest drift of each hour given today's sales, in log odds, shape (n_hours,).

    It is the mode of a Gaussian process over the hours; those to come follow from those that were seen.

    Parameters
    ----------
    odds
        Log odds of a sale at the knots, hours apart, shape (n_products, n_knots).
    today
        What was sold so far, shape (n_hours, n_products, n_knots).
    hours
        What each hour usually adds, shape (n_hours, n_products).
    spread
        Standard deviation of the drift, in log odds.
    """
    n_hours = len(hours)
    covariance = spread**2 * alike_hours(n_hours, _ALONE)
    drift = np.zeros(n_hours)
    for _ in range(_STEPS):
        weight, gradient = np.zeros((2, n_hours))
        for some in blocks_of(len(odds)):
            own, chance = today.among(some), expit(odds[some] + hours[:, some, None] + drift[:, None, None])
            weight += (own.met * chance * (1 - chance)).sum(axis=(1, 2))
            gradient += (own.bought - own.met * chance).sum(axis=(1, 2))
        mode = np.linalg.solve(np.eye(n_hours) + covariance * weight, covariance @ (weight * drift + gradient))
        step = np.clip(mode - drift, -_LONGEST_STEP, _LONGEST_STEP)
        drift = drift + step
        if np.abs(step).max() < _CLOSE:
            break
    return np.asarray(drift)


def likeliest_spread(sales: Sales, odds: Floats, clearly: float) -> float:
    """Return the spread of the drift under which past days were likeliest, in log odds.

    Each day has a drift of its own, integrated out by Laplace's approximation around none.

    Parameters
    ----------
    odds
        Log odds of each row of sales without a drift, shape (n_rows,).
    clearly
        Log evidence by which another spread than the usual one must be better.
    """
    n_days, n_hours = len(sales.dates), sales.n_hours
    if n_days < _LEAST_DAYS:
        return USUAL
    chance, cell = expit(odds), sales.day * n_hours + sales.hour
    gradient, weight = (
        np.bincount(cell, own, n_days * n_hours).reshape(n_days, n_hours)
        for own in (sales.bought - sales.met * chance, sales.met * chance * (1 - chance))
    )
    alike = alike_hours(n_hours, _ALONE)

    def log_evidence(spread: float) -> float:
        covariance = spread**2 * alike
        told = np.eye(n_hours) + weight[:, :, None] * covariance
        moved = covariance @ np.linalg.solve(told, gradient[:, :, None])
        return 0.5 * float((gradient * moved[:, :, 0]).sum() - np.linalg.slogdet(told)[1].sum())

    found = {spread: log_evidence(spread) for spread in _TRIED}
    best = max(found, key=lambda spread: found[spread])
    return best if found[best] > log_evidence(USUAL) + clearly else USUAL
