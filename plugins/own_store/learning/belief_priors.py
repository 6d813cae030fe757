"""What is believed before units tell anything: of slopes, effects and optional terms, and what a log told of slopes.

A shelf has a mean slope, and each product one of its own around it. What a log told of a slope is an observation of it
with an error, of which a part is common to all the products of the log: where own prices show that the log is too steep
for some, it is believed to be too steep for the others as well.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from plugins.own_store.learning.belief_spreads import Spreads
from plugins.own_store.learning.unit_rows import UnitRows

SHELF_SLOPE, SHELF_WIDTH = -2.2, 1.0
"""What is believed of a slope before anything was sold: mean and standard deviation, over a shelf."""
TOLD_WIDTH, LEAST_TOLD_WIDTH = 1.2, 1.0
"""Standard deviation by which a log's slope may be wrong; no log is believed to be nearer than the second."""

_MEAN_WIDTH = 0.7  # of the mean slope of a shelf; products around it make up the rest of SHELF_WIDTH
_SHARED_ERROR = 0.5  # share of the variance of a log's error that all its products have in common
_WEEKDAY_WIDTH, _CARRY_WIDTH, _BEND_WIDTH = 0.5, 0.5, 1.0
_ALONE = 10.0  # spread of slopes that are not drawn together
_N_WEEKDAYS = 7


@dataclass(frozen=True)
class ToldPrior:
    """What a log told of slopes, arrays of shape (n_products,); NaN where it told nothing.

    Attributes
    ----------
    slopes
        The slopes.
    errors
        The standard errors that the log claims for them.
    widths
        Standard deviations by which they are believed; see `LEAST_TOLD_WIDTH`.
    """

    slopes: Floats
    errors: Floats
    widths: Floats

    @classmethod
    def of(cls, slopes: Floats, errors: Floats | float = 0.0, width: float = TOLD_WIDTH) -> "ToldPrior":
        """Return told slopes that are believed by a width, but never by less than their own errors."""
        errors = np.broadcast_to(np.asarray(errors, dtype=float), slopes.shape)
        return cls(slopes, errors, np.maximum(max(width, LEAST_TOLD_WIDTH), errors))

    @classmethod
    def none(cls, n_products: int) -> "ToldPrior":
        """Return what a log tells that tells nothing."""
        return cls.of(np.full(n_products, np.nan))

    def without(self, products: Flags) -> "ToldPrior":
        """Return what is left once the slopes of some products are withdrawn, a flag for each, shape (n_products,)."""
        return replace(self, slopes=np.where(products, np.nan, self.slopes))


@dataclass(frozen=True)
class RateTerms:
    """Which optional terms the log rate has: a bend of the curve, and the price of the period before (carry-over)."""

    bend: bool = False
    carry: bool = False

    def of(self, rows: UnitRows) -> Floats:
        """Return what multiplies each optional coefficient, shape (n_terms, n_products, n_stores, n_periods)."""
        each = [rows.log_ratios**2] * self.bend + [rows.log_ratios_before] * self.carry
        return np.array(each).reshape(len(each), *rows.log_ratios.shape)

    @property
    def widths(self) -> list[float]:
        """Standard deviations of the coefficients' priors, around 0."""
        return [_BEND_WIDTH] * self.bend + [_CARRY_WIDTH] * self.carry


@dataclass(frozen=True)
class SharedPlaces:
    """Where each shared term stands among all of them.

    Attributes
    ----------
    slopes, effects, optional
        Places of the terms that rows see, shapes (n_products,), (n_periods,) and (n_optional,).
    widths
        Of the optional terms' priors, shape (n_optional,).
    mean, error
        Place of the mean slope, and of the error that a log has in common.
    weekdays
        Place of each period's weekday, shape (n_periods,); where periods have none, all the same.
    n_shared
        How many there are.
    """

    slopes: Ints
    effects: Ints
    optional: Ints
    widths: Floats
    mean: int
    error: int
    weekdays: Ints
    n_shared: int

    @classmethod
    def of(cls, rows: UnitRows, terms: RateTerms) -> "SharedPlaces":
        """Return the places: slopes, effects, optional terms, mean slope, error, seven weekdays."""
        n_products, _, n_periods = rows.shape
        mean = n_products + n_periods + len(terms.widths)
        weekdays = np.zeros(n_periods, dtype=np.int64) if rows.weekdays is None else rows.weekdays
        return cls(
            np.arange(n_products),
            np.arange(n_products, n_products + n_periods),
            np.arange(n_products + n_periods, mean),
            np.array(terms.widths),
            mean,
            mean + 1,
            mean + 2 + weekdays,
            mean + 2 + _N_WEEKDAYS,
        )

    def prior(self, told: ToldPrior, spreads: Spreads, *, alone: bool) -> tuple[Floats, Floats]:
        """Return the precision of the prior, shape (n_shared, n_shared), and precision x its mean.

        `alone` leaves slopes hardly drawn to their mean.
        """
        precision, pull = np.zeros((self.n_shared, self.n_shared)), np.zeros(self.n_shared)
        slope_spread = _ALONE if alone else spreads.slope
        means = np.full(len(self.slopes), self.mean)
        _tie(precision, self.slopes, means, np.full(len(means), 1 / slope_spread**2), -1.0)
        _tie(precision, self.effects, self.weekdays, np.full(len(self.effects), 1 / spreads.effect**2), -1.0)
        is_told = np.flatnonzero(np.isfinite(told.slopes))
        variances = told.widths[is_told] ** 2
        own = 1 / ((1 - _SHARED_ERROR) * variances)
        _tie(precision, is_told, np.full(len(is_told), self.error), own, 1.0)
        pull[is_told] += own * told.slopes[is_told]
        pull[self.error] += own @ told.slopes[is_told]
        precision[self.error, self.error] += 1 / (_SHARED_ERROR * variances.mean()) if len(is_told) else 1.0
        precision[self.mean, self.mean] += 1 / _MEAN_WIDTH**2
        pull[self.mean] += SHELF_SLOPE / _MEAN_WIDTH**2
        weekdays = np.arange(self.error + 1, self.n_shared)
        precision[weekdays, weekdays] += 1 / _WEEKDAY_WIDTH**2
        precision[self.optional, self.optional] += 1 / self.widths**2
        return precision, pull


def _tie(precision: Floats, places: Ints, others: Ints, weights: Floats, sign: float) -> None:
    """Add to a precision that `place + sign x other` is near something, by a weight for each pair."""
    np.add.at(precision, (places, places), weights)
    np.add.at(precision, (others, others), weights)
    np.add.at(precision, (places, others), sign * weights)
    np.add.at(precision, (others, places), sign * weights)
