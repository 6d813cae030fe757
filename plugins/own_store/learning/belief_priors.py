"""What is believed of slopes before units tell anything, and what a log told of them.

A shelf has a mean slope, and each product one of its own around it. What a log told of a slope is an observation of it
with an error, of which a part is common to all the products of the log: where own prices show that the log is too steep
for some, it is believed to be too steep for the others as well.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Flags, Floats

SHELF_SLOPE, SHELF_WIDTH = -2.2, 1.0
"""What is believed of a slope before anything was sold: mean and standard deviation, over a shelf."""
TOLD_WIDTH, LEAST_TOLD_WIDTH = 1.2, 1.0
"""Standard deviation by which a log's slope may be wrong; no log is believed to be nearer than the second."""

_MEAN_WIDTH = 0.7  # of the mean slope of a shelf; products around it make up the rest of SHELF_WIDTH
_SHARED_ERROR = 0.5  # share of the variance of a log's error that all its products have in common


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
class SlopePrior:
    """What is believed of slopes before units tell anything: two common normals, and one of each product's own.

    The common ones carry the mean slope of the shelf and the error that all told slopes share.

    Attributes
    ----------
    mean, own
        Mean and standard deviation of each product's own part, shape (n_products,).
    common
        What one unit of each common normal adds to slopes, shape (n_products, 2).
    shelf, shelf_common
        Mean of the shelf's mean slope, and what one unit of each common normal adds to it, shape (2,).
    """

    mean: Floats
    own: Floats
    common: Floats
    shelf: float
    shelf_common: Floats

    @classmethod
    def of(cls, told: ToldPrior, spread: float) -> "SlopePrior":
        """Return the prior by what a log told, where slopes spread by so much around their mean."""
        is_told = np.isfinite(told.slopes)
        slopes, variances = np.where(is_told, told.slopes, 0.0), told.widths**2
        shared_error = _SHARED_ERROR * float(variances[is_told].mean()) if is_told.any() else 1.0
        own_error = (1 - _SHARED_ERROR) * variances
        seen = is_told / (spread**2 + own_error)  # precision of told slopes, as sums of mean and shared error
        precision = np.diag([1 / _MEAN_WIDTH**2, 1 / shared_error]) + seen.sum()
        shelf, error = np.linalg.solve(precision, np.array([SHELF_SLOPE / _MEAN_WIDTH**2, 0.0]) + seen @ slopes)
        common = np.linalg.cholesky(np.linalg.inv(precision))
        weights = np.stack([np.full(slopes.shape, spread**-2.0), np.where(is_told, -1 / own_error, 0.0)], axis=1)
        variance = 1 / (weights[:, 0] - weights[:, 1])
        mean = variance * (weights @ np.array([shelf, error]) - weights[:, 1] * slopes)
        return cls(mean, np.sqrt(variance), variance[:, None] * weights @ common, float(shelf), common[0])
