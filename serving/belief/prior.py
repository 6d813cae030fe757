"""What is believed before anybody came: one curve for the shelf in price ratio, and how far a product may differ."""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats
from catalog.records.pricing_rules import BeliefSettings
from serving.belief.gaussian import Gaussian, Knots

_BEND_LENGTH = 0.2  # of a bend, in price ratio
_OWN_LEVEL, _OWN_SLOPE, _OWN_BEND = 0.5, 1.5, 0.4  # spread of one product around the shelf, in log odds
_JITTER = 1e-6
_SHELF_KNOTS = 24


@dataclass(frozen=True)
class Shape:
    """How free demand is, as factors of the usual spreads: of one product around the shelf, and around a line."""

    own: float = 1.0
    bend: float = 1.0


USUAL_SHAPE = Shape()
"""Of a shelf that has sold nothing yet."""

SHAPES = tuple(Shape(own, bend) for own in (0.4, 1.0, 2.5) for bend in (0.2, 1.0))
"""Shapes that are tried; the likeliest is taken, by what was sold."""


def shelf_prior(knots: Knots, settings: BeliefSettings, shape: Shape) -> Gaussian:
    """Return the belief of a store that has seen nobody: hierarchical over its products, and weak.

    Parameters
    ----------
    shape
        How free demand is, one of `SHAPES`.
    """
    level = np.log(settings.chance_at_base / (1 - settings.chance_at_base))
    mean = level - settings.slope * (knots.ratios - 1)
    own = shape.own**2 * _covariance(knots.ratios, _OWN_LEVEL, _OWN_SLOPE, shape.bend * _OWN_BEND)
    common = np.linspace(knots.ratios.min(), knots.ratios.max(), _SHELF_KNOTS)
    shelf = _covariance(common[None], settings.level_spread, settings.slope_spread, shape.bend * settings.bend_spread)[
        0
    ]
    directions = np.linalg.cholesky(shelf + _JITTER * np.eye(_SHELF_KNOTS))
    at = np.stack([np.interp(knots.ratios.ravel(), common, column) for column in directions.T], axis=-1)
    return Gaussian(mean, own, at.reshape(*knots.shape, _SHELF_KNOTS))


def _covariance(ratios: Floats, level: float, slope: float, bend: float) -> Floats:
    """Return the covariance of a random line with bends, shape (n, n_knots, n_knots) for ratios (n, n_knots)."""
    off, apart = ratios - 1, ratios[:, :, None] - ratios[:, None, :]
    line = level**2 + slope**2 * off[:, :, None] * off[:, None, :]
    return np.asarray(line + bend**2 * np.exp(-0.5 * (apart / _BEND_LENGTH) ** 2))
