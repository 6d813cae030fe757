"""Regression of purchases or counts on a few columns, with effects of many groups taken out.

Purchases of visits: logistic; counts: Poisson with the exposure as offset. Both by iteratively reweighted least squares
(McCullagh and Nelder, "Generalized Linear Models", 2nd ed., 1989), in which the effects of stores, weeks and so on are
projected out by turns instead of being estimated (Correia, Guimaraes and Zylkin, "Fast Poisson estimation with
high-dimensional fixed effects", Stata Journal, 2020).

Errors allow for whatever the rows of one cluster share, and for a small number of clusters: the jackknife over whole
clusters (CR3; Bell and McCaffrey, "Bias reduction in standard errors for linear regression with multi-stage samples",
Survey Methodology, 2002), with Student's t for as many degrees of freedom as there are clusters, less one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from scipy.special import stdtr, stdtrit

from catalog.arrays import Flags, Floats, Ints
from features.response import Slope
from own_data.price_response.observations import Observations

_STEPS = 30
_SWEEPS = 200
_CLOSE = 1e-7
_FAR = 25.0  # log odds beyond which a chance is 0 or 1
_LEAST_WEIGHT = 1e-9
_LEVEL = 0.975
_LEAST_CLUSTERS = 2
_RIDGE = 1e-10  # of the information, so that it can be solved where one cluster holds all of it


@dataclass(frozen=True)
class Clustered:
    """A standard error that allows for clusters: `changes` of the estimate when each is left out, by its number."""

    error: float
    changes: "dict[int, float]"

    @property
    def degrees(self) -> int:
        """Degrees of freedom: clusters less one."""
        return len(self.changes) - 1

    @property
    def half_width(self) -> float:
        """Half of the 95 % interval."""
        return float(stdtrit(self.degrees, _LEVEL)) * self.error


@dataclass(frozen=True)
class Fitted:
    """The first column's coefficient.

    Attributes
    ----------
    estimate
        The coefficient.
    by
        Its standard error by each clustering; the one with the widest interval counts.
    spread
        Standard deviation of the column that effects and other columns leave unexplained.
    rows, residual, weight
        Which rows were used, shape (n_rows,), and of these the sales beyond the fitted ones and their variance if
        sales came one by one, shape (n_used,).
    """

    estimate: float
    by: tuple[Clustered, ...]
    spread: float
    rows: Flags
    residual: Floats
    weight: Floats

    @property
    def widest(self) -> Clustered:
        """The clustering with the widest interval."""
        return max(self.by, key=lambda own: own.half_width)

    @property
    def p_value(self) -> float:
        """Two-sided p-value against zero."""
        return max(p_value_of(self.estimate / own.error, own.degrees) for own in self.by)

    @property
    def slope(self) -> Slope:
        """The coefficient with its 95 % interval."""
        own = self.widest
        ends = self.estimate - own.half_width, self.estimate + own.half_width
        return Slope(self.estimate, *ends, own.error, self.spread, self.p_value)

    def error_of_difference(self, other: "Fitted") -> float:
        """Return the standard error of the difference of two estimates from the same data."""
        errors = []
        for own, theirs in zip(self.by, other.by, strict=False):
            both = own.changes.keys() | theirs.changes.keys()
            moved = np.array([own.changes.get(one, 0.0) - theirs.changes.get(one, 0.0) for one in both])
            errors.append(float(np.sqrt((moved**2).sum())))
        return max(errors)


def p_value_of(t: float, degrees: int) -> float:
    """Return the two-sided p-value of an estimate over its standard error, by Student's t."""
    return float(2 * stdtr(degrees, -abs(t)))


def regress(own: Observations, columns: Sequence[Floats], groups: Sequence[Ints]) -> Fitted | None:
    """Regress sales on columns, shape (n_rows,) each, with an effect for each level of each group.

    Returns None where effects and other columns explain the first column wholly, or fewer than two clusters are left.
    """
    rows = informative(own, groups)
    own, groups = own.kept(rows), [np.unique(group[rows], return_inverse=True)[1] for group in groups]
    X = np.column_stack([column[rows] for column in columns])
    if not len(X) or min(len(np.unique(level)) for level in own.clusterings) < _LEAST_CLUSTERS:
        return None
    X = X - np.average(X, axis=0, weights=own.offered)
    spread = _spread_left(X, own.offered, groups)
    if spread < _CLOSE:
        return None
    within, weight, residual, beta = _fit(own, X, groups)
    by = tuple(_clustered(level, within, weight, residual) for level in own.clusterings)
    return Fitted(float(beta[0]), by, spread, rows, residual, weight)


def informative(own: Observations, groups: Sequence[Ints]) -> Flags:
    """Flag rows whose groups all have purchases, and refusals too unless these are counts; others tell nothing."""
    rows = np.asarray(own.offered > 0)
    refused = own.offered - own.bought
    levels = [np.unique(group, return_inverse=True)[1] for group in groups]
    while True:
        both = rows.copy()
        for level in levels:
            both &= (np.bincount(level, own.bought * rows) > 0)[level]
            if not own.is_count:
                both &= (np.bincount(level, refused * rows) > 0)[level]
        if (both == rows).all():
            return rows
        rows = both


def without_effects(values: Floats, weight: Floats, groups: Sequence[Ints]) -> Floats:
    """Return columns less the weighted means of every group, projected by turns, shape (n_rows, n_columns)."""
    values = values.copy()
    if not groups:
        return np.asarray(values - np.average(values, axis=0, weights=weight))
    levels = np.stack(groups)
    totals = np.ones((len(groups), levels.max() + 1))
    for group, total in zip(groups, totals, strict=True):
        own = np.bincount(group, weight)
        total[: len(own)] = np.maximum(own, _LEAST_WEIGHT)
    for place in range(values.shape[1]):
        values[:, place] = _projected(values[:, place].copy(), weight, levels, totals)
    return np.asarray(values)


@numba.njit(cache=True, nogil=True)
def _projected(column: Floats, weight: Floats, levels: Ints, totals: Floats) -> Floats:
    """Return a column less the means of its groups, in place, shape (n_rows,).

    `levels` are those of each group, shape (n_groups, n_rows), and `totals` their weights, (n_groups, n_levels).
    """
    size, mean = max(np.abs(column).max(), _CLOSE), np.empty(totals.shape[1])
    for _ in range(_SWEEPS):
        moved = 0.0
        for level, total in zip(levels, totals):  # noqa: B905 - Numba knows no other zip
            mean[:] = 0.0
            for row in range(len(column)):
                mean[level[row]] += weight[row] * column[row]
            for own in range(len(mean)):
                mean[own] /= total[own]
                moved = max(moved, abs(mean[own]))
            for row in range(len(column)):
                column[row] -= mean[level[row]]
        if moved < _CLOSE * size or len(levels) == 1:
            break
    return column


def _fit(own: Observations, X: Floats, groups: Sequence[Ints]) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the columns without effects, the weights, the raw residuals and the coefficients at convergence."""
    offered, bought = own.offered, own.bought
    exposure = np.log(offered) if own.is_count else np.zeros(len(offered))
    start = (bought.sum() + 0.5) / (offered.sum() + 1.0)
    eta: Floats = np.full(len(offered), np.log(start) if own.is_count else np.log(start / (1 - start)))
    beta = np.asarray(np.zeros(X.shape[1]), dtype=float)
    for _ in range(_STEPS):
        weight, residual = _moments(own, eta, exposure)
        both = without_effects(np.column_stack([eta + residual / weight, X]), weight, groups)
        goal, within = both[:, 0], both[:, 1:]
        root = np.sqrt(weight)[:, None]
        beta = np.linalg.lstsq(within * root, goal * root[:, 0], rcond=None)[0]
        new = eta + residual / weight - (goal - within @ beta)
        step = np.clip(new - eta, -2.0, 2.0)
        eta = np.clip(eta + step, -_FAR, _FAR)
        if np.abs(step).max() < _CLOSE * 10:
            break
    weight, residual = _moments(own, eta, exposure)
    return within, weight, residual, beta


def _moments(own: Observations, eta: Floats, exposure: Floats) -> tuple[Floats, Floats]:
    """Return the working weights and the residuals, each of shape (n_rows,)."""
    if own.is_count:
        mean = np.exp(np.minimum(eta + exposure, _FAR))
        return np.maximum(mean, _LEAST_WEIGHT), own.bought - mean
    chance = 1 / (1 + np.exp(-eta))
    return np.maximum(own.offered * chance * (1 - chance), _LEAST_WEIGHT), own.bought - own.offered * chance


def _clustered(level: Ints, within: Floats, weight: Floats, residual: Floats) -> Clustered:
    """Leave out one cluster after another, to first order, and return the error that this shows."""
    numbers, cluster = np.unique(level, return_inverse=True)
    n_columns, count = within.shape[1], len(numbers)
    score = np.empty((count, n_columns))
    own = np.empty((count, n_columns, n_columns))
    for i in range(n_columns):
        score[:, i] = np.bincount(cluster, within[:, i] * residual, count)
        for j in range(n_columns):
            own[:, i, j] = np.bincount(cluster, weight * within[:, i] * within[:, j], count)
    information = own.sum(axis=0)
    ridge = _RIDGE * np.trace(information) * np.eye(n_columns)
    change = np.linalg.solve(information + ridge - own, score[:, :, None])[:, 0, 0]
    error = float(np.sqrt((count - 1) / count * (change**2).sum()))
    return Clustered(error, dict(zip(numbers.tolist(), change.tolist(), strict=True)))


def _spread_left(X: Floats, weight: Floats, groups: Sequence[Ints]) -> float:
    """Return the standard deviation of the first column that the others and the effects do not explain."""
    within = without_effects(X, weight, groups)
    first, others = within[:, 0], within[:, 1:]
    if others.shape[1]:
        root = np.sqrt(weight)
        first = first - others @ np.linalg.lstsq(others * root[:, None], first * root, rcond=None)[0]
    return float(np.sqrt(np.average(first**2, weights=weight)))
