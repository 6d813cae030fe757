"""How far the random terms of the belief from units spread, and how the spreads are learned.

Each spread has a weak prior that counts for a few observations, so that a shelf of one product or a chain of one store
has spreads too.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from catalog.arrays import Floats
from plugins.own_store.learning.unit_rows import UnitRows

_SLOPE, _EFFECT, _SHOCK = (0.7, 5.0), (0.08, 3.0), (0.05, 5.0)  # prior spread, and observations that it counts for
_REMAINS, _REMAINS_COUNT = 0.5, 20.0
_MOST_REMAINS = 0.95
_SHAPE = 30.0
_SHAPES = np.geomspace(1.0, 2000.0, 20)
_SHAPE_WIDTH, _PRODUCT_WIDTH = 1.5, 0.5  # in log units: of the chain's shape, and of a product's around it


@dataclass(frozen=True)
class Spreads:
    """Standard deviations of the random terms, in log units.

    Attributes
    ----------
    slope
        Of products' slopes around their mean.
    effect
        Of the chain's effects of periods, around the weekday's.
    shock
        Of a store's shocks.
    remains
        Correlation of a store's shock with that of the period before.
    shapes
        Shape of the negative binomial of each product, shape (n_products,): units vary by mean + mean^2 / shape.
    """

    slope: float
    effect: float
    shock: float
    remains: float
    shapes: Floats

    @classmethod
    def usual(cls, n_products: int) -> "Spreads":
        """Return the spreads before anything was sold."""
        return cls(_SLOPE[0], _EFFECT[0], _SHOCK[0], _REMAINS, np.full(n_products, _SHAPE))

    def shock_root(self, n_periods: int) -> Floats:
        """Return the lower root of the covariance of a store's shocks, shape (n_periods, n_periods)."""
        periods = np.arange(n_periods)
        apart = np.abs(periods[:, None] - periods)
        return np.asarray(self.shock * np.linalg.cholesky(self.remains**apart))


def learned_spreads(
    spreads: Spreads, slopes: Floats, effects: Floats, shocks: Floats, shocks_covariance: Floats
) -> Spreads:
    """Return spreads that the posterior makes likeliest; the shapes stay as they are.

    Parameters
    ----------
    slopes, effects
        Expected squares of slopes around their mean and of effects around their weekday's, shapes (n_products,) and
        (n_periods,).
    shocks, shocks_covariance
        Mean and covariance of each store's shocks, shapes (n_stores, n_periods) and (n_stores, n_periods, n_periods).
    """
    squares = shocks[:, :, None] * shocks[:, None, :] + shocks_covariance
    now, next_to = np.diagonal(squares, axis1=1, axis2=2), np.diagonal(squares, offset=1, axis1=1, axis2=2)
    shock = _spread(now.ravel(), *_SHOCK)
    usual = _REMAINS_COUNT * shock**2
    remains = (next_to.sum() + usual * _REMAINS) / (now[:, :-1].sum() + usual)
    remains = float(np.clip(remains, 0.0, _MOST_REMAINS))
    slope, effect = _spread(slopes, *_SLOPE), _spread(effects, *_EFFECT)
    return replace(spreads, slope=slope, effect=effect, shock=shock, remains=remains)


def _spread(squares: Floats, usual: float, count: float) -> float:
    return float(np.sqrt((squares.sum() + count * usual**2) / (squares.size + count)))


def learned_shapes(spreads: Spreads, rows: UnitRows, expected: Floats) -> Spreads:
    """Return spreads with the shapes that the units make likeliest, each product's drawn towards the chain's.

    The likelihood is that of the mode, adjusted for the levels that were fitted (Cox and Reid, "Parameter orthogonality
    and approximate conditional inference", JRSS B 49(1), 1987).

    Parameters
    ----------
    expected
        Units expected, 0 where the exposure is 0, shape (n_products, n_stores, n_periods).
    """
    numbers, counts = rows.counted
    sold, n_rows = counts @ numbers, counts.sum(axis=1)
    likely = counts @ gammaln(numbers[:, None] + _SHAPES) - n_rows[:, None] * gammaln(_SHAPES)
    likely -= sold[:, None] * np.log(_SHAPES)
    for place, shape in enumerate(_SHAPES):
        ratio = expected / shape
        likely[:, place] -= np.einsum("pst,pst->p", rows.units + shape, np.log1p(ratio))
        likely[:, place] -= 0.5 * np.log((expected / (1 + ratio)).sum(axis=2) + 1.0).sum(axis=1)
    log_shapes = np.log(_SHAPES)
    chain = _highest(
        log_shapes, likely.sum(axis=0, keepdims=True) - 0.5 * ((log_shapes - np.log(_SHAPE)) / _SHAPE_WIDTH) ** 2
    )
    return replace(
        spreads, shapes=np.exp(_highest(log_shapes, likely - 0.5 * ((log_shapes - chain) / _PRODUCT_WIDTH) ** 2))
    )


def _highest(grid: Floats, values: Floats) -> Floats:
    """Return where each row of values on an even grid is highest, between grid points too, shape (n_rows,)."""
    top = np.clip(np.argmax(values, axis=1), 1, len(grid) - 2)
    left, middle, right = (values[np.arange(len(values)), top + shift] for shift in (-1, 0, 1))
    bent = left - 2 * middle + right
    shift = np.where(bent < 0, np.clip(0.5 * (left - right) / np.where(bent < 0, bent, -1.0), -1.0, 1.0), 0.0)
    return np.asarray(grid[top] + shift * (grid[1] - grid[0]))
