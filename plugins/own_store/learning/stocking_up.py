"""Shoppers who stock up at a low price are missing later: how many, and what a low price still sells when it stays.

Of what a low price sold, shares are missing one and two weeks on. They enter the belief from units as a known term of
the log rate, and are learned by turns with it, beside the level of each product and store and each product's response
(Frisch and Waugh, "Partial time regressions as compared with individual trends", Econometrica 1, 1933). They are alike
for all products, with a normal prior around 0. Prices count on them as far as sales are sure of them.
"""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats
from plugins.own_store.learning.unit_rows import UnitRows

_LAGS = (1, 2)  # weeks
_WIDTH = 0.15  # standard deviation of a share beforehand
_MOST = 0.6
_LEAST = 1e-9


@dataclass(frozen=True)
class StockingUp:
    """Shares of what a low price sold that are missing one and two weeks later, and their standard deviation together.

    Attributes
    ----------
    shares
        0 to 0.6 each, shape (2,).
    deviation
        Of their sum.
    """

    shares: Floats
    deviation: float

    @property
    def lasting(self) -> float:
        """Share of what a low price sells in its first week that it surely still sells when it stays."""
        return 1.0 - max(0.0, float(self.shares.sum()) - self.deviation)

    def added(self, rows: UnitRows, slopes: Floats) -> Floats:
        """Return what the low prices of the weeks before add to the log rate, shape as `rows.units`."""
        by_lag = zip(self.shares, _low_before(rows), strict=True)
        return np.asarray(sum(-share * slopes[:, None, None] * low for share, low in by_lag))

    def learned(self, rows: UnitRows, slopes: Floats, surplus: Floats, curved: Floats) -> "StockingUp":
        """Return shares that sales make likelier; rows of days tell nothing.

        Parameters
        ----------
        slopes
            Response of each product, shape (n_products,).
        surplus, curved
            Slope and bend of the log likelihood in the log rate, shape as `rows.units`.
        """
        if rows.weekdays is not None or rows.shape[2] <= len(_LAGS):
            return self
        terms = [_beside_own(-slopes[:, None, None] * low, rows.log_ratios, curved) for low in _low_before(rows)]
        slope = np.array([(surplus * term).sum() for term in terms]) - self.shares / _WIDTH**2
        bend = np.array([[(curved * one * other).sum() for other in terms] for one in terms])
        covariance = np.linalg.inv(bend + np.eye(len(terms)) / _WIDTH**2)
        return StockingUp(np.clip(self.shares + covariance @ slope, 0.0, _MOST), float(np.sqrt(covariance.sum())))


NOBODY = StockingUp(np.zeros(len(_LAGS)), 0.0)
"""Before anything was sold."""


def _low_before(rows: UnitRows) -> list[Floats]:
    """Return how low log ratios were one and two weeks before, at most 0, shape as `rows.units` each."""
    low, found = np.minimum(np.where(rows.exposure > 0, rows.log_ratios, 0.0), 0.0), list[Floats]()
    for lag in _LAGS:
        before = np.zeros_like(low)
        before[:, :, lag:] = low[:, :, :-lag]
        found.append(before)
    return found


def _beside_own(values: Floats, own: Floats, curved: Floats) -> Floats:
    """Return what is left of a term beside the level of each product and store, and each product's own response."""
    weight = np.maximum(curved.sum(axis=2, keepdims=True), _LEAST)

    def around(term: Floats) -> Floats:
        return np.asarray(term - (curved * term).sum(axis=2, keepdims=True) / weight)

    left, response = around(values), around(own)
    squares = (curved * response**2).sum(axis=(1, 2), keepdims=True)
    return np.asarray(left - (curved * left * response).sum(axis=(1, 2), keepdims=True) / (squares + _LEAST) * response)
