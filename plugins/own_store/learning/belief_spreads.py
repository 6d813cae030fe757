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
        Of a store's shocks; 0 leaves shocks out.
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

    def shock_precision(self, n_periods: int) -> Floats | None:
        """Return the precision of a store's shocks, shape (n_periods, n_periods); None where they are left out."""
        if self.shock <= 0:
            return None
        fresh = self.shock**2 * (1 - self.remains**2)
        inner = np.full(n_periods, 1 + self.remains**2)
        inner[0] = inner[-1] = 1.0
        inner[0] += (n_periods == 1) * -(self.remains**2)
        beside = np.full(n_periods - 1, -self.remains)
        return np.asarray((np.diag(inner) + np.diag(beside, 1) + np.diag(beside, -1)) / fresh)


def learned_spreads(
    spreads: Spreads, slopes: Floats, effects: Floats, shocks: Floats, shocks_covariance: Floats | None
) -> Spreads:
    """Return spreads that the posterior makes likeliest; the shapes stay as they are.

    Parameters
    ----------
    slopes, effects
        Expected squares of slopes around their mean and of effects around their weekday's, shapes (n_products,) and
        (n_periods,).
    shocks, shocks_covariance
        Mean and covariance of each store's shocks, shapes (n_stores, n_periods) and (n_stores, n_periods, n_periods);
        no covariance where shocks are left out.
    """
    changed = replace(spreads, slope=_spread(slopes, *_SLOPE), effect=_spread(effects, *_EFFECT))
    if shocks_covariance is None:
        return changed
    squares = shocks[:, :, None] * shocks[:, None, :] + shocks_covariance
    now, next_to = np.diagonal(squares, axis1=1, axis2=2), np.diagonal(squares, offset=1, axis1=1, axis2=2)
    shock = _spread(now.ravel(), *_SHOCK)
    usual = _REMAINS_COUNT * shock**2
    remains = (next_to.sum() + usual * _REMAINS) / (now[:, :-1].sum() + usual)
    return replace(changed, shock=shock, remains=float(np.clip(remains, 0.0, _MOST_REMAINS)))


def _spread(squares: Floats, usual: float, count: float) -> float:
    return float(np.sqrt((squares.sum() + count * usual**2) / (squares.size + count)))


def learned_shapes(spreads: Spreads, rows: UnitRows, expected: Floats) -> Spreads:
    """Return spreads with the shapes that the units make likeliest, each product's drawn towards the chain's.

    The likelihood is that of the mode, adjusted for the levels that were fitted (Cox and Reid, "Parameter orthogonality
    and approximate conditional inference", JRSS B 49(1), 1987).

    Parameters
    ----------
    expected
        Units expected in each row, shape (n_products, n_stores, n_periods).
    """
    is_row = rows.exposure > 0
    numbers, number_of = np.unique(rows.units, return_inverse=True)  # a few hundred numbers stand for all rows
    number_of = number_of.reshape(rows.shape)
    constant = rows.units * np.log(np.maximum(expected, 1e-12))
    likely = np.empty((len(_SHAPES), len(expected)))
    for number, shape in enumerate(_SHAPES):
        log_chance = (gammaln(numbers + shape) - gammaln(shape) + shape * np.log(shape))[number_of]
        log_chance += constant - (rows.units + shape) * np.log(expected + shape)
        curved = (is_row * expected / (1 + expected / shape)).sum(axis=2)
        likely[number] = (is_row * log_chance).sum(axis=(1, 2)) - 0.5 * np.log(curved + 1.0).sum(axis=1)
    at = np.log(_SHAPES)
    chain = _highest(at, likely.sum(axis=1) - 0.5 * ((at - np.log(_SHAPE)) / _SHAPE_WIDTH) ** 2)
    own = likely - 0.5 * ((at - chain) / _PRODUCT_WIDTH)[:, None] ** 2
    return replace(spreads, shapes=np.exp([_highest(at, product) for product in own.T]))


def _highest(at: Floats, values: Floats) -> float:
    """Return where values on an even grid are highest, between its points too."""
    top = int(np.clip(np.argmax(values), 1, len(at) - 2))
    left, middle, right = values[top - 1 : top + 2]
    bent = left - 2 * middle + right
    shift = 0.5 * (left - right) / bent if bent < 0 else 0.0
    return float(at[top] + np.clip(shift, -1.0, 1.0) * (at[1] - at[0]))
