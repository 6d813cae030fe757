"""The belief of a store: what its prices are made from, before a day and in the middle of it.

Before the first champion it is the shelf's prior, one curve in price ratio, corrected by everything that was sold. With
one, the champion tells what the days taught that it learned from, and the days since correct it: its word counts for as
many visits as it has seen at each price, so that a forest has no say where it saw nobody. Where demand was seen to
change, the days before lend the shape of their curve, and its level is learned anew. Today's sales speak twice: as more
of the same, and as the beginning of a change; the two are mixed by how likely each is.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.records.pricing_rules import BeliefSettings
from serving.belief.footfall import Footfall
from serving.belief.gaussian import Counts, Gaussian, Knots

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


CHANCE_OF_A_CHANGE = 0.01
"""That demand is another one than on the day before."""

USUAL_DAY_SPREAD = 0.2
"""Spread of a day's visits until some days were counted, as a share."""

_LEVEL_OF_ALL, _LEVEL_OF_ONE = 0.7, 0.7  # spread of a change, in log odds

_TWO_SIDED = 1.96

Begins = Literal["prior", "change", "since"]


@dataclass(frozen=True)
class Stage:
    """Days of one demand, and what they began with: the prior, a change in demand, or what was known before.

    `told_by_champion` marks days of which the champion tells how many bought.
    """

    begins: Begins
    counts: Counts
    told_by_champion: bool = False


@dataclass(frozen=True)
class Belief:
    """What is known before a business date.

    Attributes
    ----------
    stages
        What was sold, oldest days first; at least one stage.
    footfall
        Who is expected.
    shape
        How free demand is, one of `prior.SHAPES`.
    """

    stages: tuple[Stage, ...]
    footfall: Footfall
    shape: Shape = USUAL_SHAPE


@dataclass(frozen=True)
class Opened:
    """A belief worked out for a catalog: what today's sales are weighed against.

    Attributes
    ----------
    start, counts
        What the newest stage began with, and what was sold in it before today.
    """

    knots: Knots
    start: Gaussian
    counts: Counts

    @cached_property
    def before_today(self) -> tuple[Gaussian, float]:
        """The belief at opening, and the log evidence of what was sold before."""
        found = self.start.updated(self.counts)
        return found.belief, found.log_evidence

    @property
    def at_opening(self) -> Gaussian:
        """The belief at opening."""
        return self.before_today[0]

    def given(self, today: Counts) -> "Understanding":
        """Return what is believed once a part of the day is sold; of nothing sold, what was before."""
        known, log_before = self.before_today
        if not today.met.any():
            return Understanding((known,), (1.0,))
        same = self.start.updated(self.counts + today)
        other = loosened(known).updated(today)
        for_a_change = np.log(CHANCE_OF_A_CHANGE) + other.log_evidence
        against = np.log1p(-CHANCE_OF_A_CHANGE) + same.log_evidence - log_before
        changed = float(expit(for_a_change - against))
        return Understanding((same.belief, other.belief), (1 - changed, changed))


@dataclass(frozen=True)
class Understanding:
    """One belief, or two that are mixed: that demand is as before, and that it has changed."""

    beliefs: tuple[Gaussian, ...]
    weights: tuple[float, ...]

    @property
    def changed(self) -> float:
        """Probability that today's demand is another one."""
        return self.weights[1] if len(self.weights) > 1 else 0.0

    @cached_property
    def interval(self) -> tuple[Floats, Floats]:
        """Lower and upper end of the chance of sale at the knots, 95 %, each shape (n_products, n_knots)."""
        likeliest = self.beliefs[int(np.argmax(self.weights))]
        half = _TWO_SIDED * np.sqrt(np.diagonal(likeliest.covariance, axis1=1, axis2=2))
        low, high = expit(likeliest.mean - half), expit(likeliest.mean + half)
        return np.minimum(low, self.chance), np.maximum(high, self.chance)

    @cached_property
    def chance(self) -> Floats:
        """Mean chance of sale at the knots, never rising with the price, shape (n_products, n_knots)."""
        mixed = sum(weight * belief.chance for weight, belief in zip(self.weights, self.beliefs, strict=True))
        return _never_rising(np.asarray(mixed), self.beliefs[int(np.argmax(self.weights))])


def believed_before_anybody_came(catalog: Catalog) -> Belief:
    """Return the belief of a store without a log."""
    knots = Knots.of(catalog)
    n_ticks = catalog.store.opening.ticks
    footfall = Footfall(
        daily=catalog.store.belief.visits_per_unit * catalog.par_stock.astype(float),
        profile=np.full(n_ticks, 1 / n_ticks),
        store_days=0.0,
        day_spread=USUAL_DAY_SPREAD,
    )
    return Belief((Stage("prior", Counts.none(knots.shape)),), footfall)


def opened(catalog: Catalog, belief: Belief) -> Opened:
    """Work a belief out: stage after stage, each begins where the one before it ended."""
    knots = Knots.of(catalog)
    start = shelf_prior(knots, catalog.store.belief, belief.shape)
    for before, stage in pairwise(belief.stages):
        known = start.updated(before.counts).belief
        start = loosened(known) if stage.begins == "change" else known
    return Opened(knots, start, belief.stages[-1].counts)


def loosened(belief: Gaussian) -> Gaussian:
    """Return what is left of a belief where demand may have changed."""
    return belief.loosened(_LEVEL_OF_ALL, _LEVEL_OF_ONE)


def likeliest_shape(knots: Knots, settings: BeliefSettings, counts: Counts) -> Shape:
    """Return how free demand is, by the evidence of what was sold in days of one demand."""
    if not counts.met.any():
        return USUAL_SHAPE
    evidence = [shelf_prior(knots, settings, shape).updated(counts).log_evidence for shape in SHAPES]
    return SHAPES[int(np.argmax(evidence))]


def _never_rising(chance: Floats, belief: Gaussian) -> Floats:
    """Return the nearest chances that never rise with the price, each weighed by how sure it is."""
    rising = np.flatnonzero((np.diff(chance, axis=1) > 0).any(axis=1))
    if not len(rising):
        return chance
    fallen = chance.copy()
    sure = 1 / np.diagonal(belief.covariance, axis1=1, axis2=2)
    for product in rising:
        fallen[product] = isotonic_regression(chance[product], weights=sure[product], increasing=False).x
    return fallen
