"""The belief of a store: what its prices are made from, before a day and in the middle of it.

Before the first champion it is the shelf's prior, one curve in price ratio, corrected by everything that was sold. What
days have taught is worked out at night, see `serving.belief.states`. During the day its sales are weighed against each
demand that may hold: that of yesterday, those of earlier days, and one that was never seen. They are mixed by how
likely each is.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import expit, softmax

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.records.pricing import BeliefSettings
from serving.belief.changes import CHANCE_OF_A_CHANGE
from serving.belief.gaussian import Counts, Gaussian, Knots, falling
from serving.belief.posterior import posterior
from serving.belief.said import NOTHING_SAID, Said
from serving.belief.sales import n_hours_of
from serving.belief.today import FIRST_DAY, USUAL, Footfall, hour_drift
from serving.optimise.curves import LogitSwitching

_OWN_LEVEL, _OWN_SLOPE, _OWN_BEND = 0.5, 1.5, 0.4  # spread of one product around the shelf, in log odds
_JITTER = 1e-6
_SAME = 1e-9  # price ratios
_SHELF_KNOTS = 24


@dataclass(frozen=True)
class Shape:
    """How free demand is, as factors of the usual spreads: of one product around the shelf, and around a line.

    `length` is that of a bend, in price ratio.
    """

    own: float = 1.0
    bend: float = 1.0
    length: float = 0.2


USUAL_SHAPE = Shape()
"""Of a shelf that has sold nothing yet."""


def shelf_prior(knots: Knots, settings: BeliefSettings, shape: Shape) -> Gaussian:
    """Return the belief of a store that has seen nobody: hierarchical over its products, and weak."""
    level = np.log(settings.chance_at_base / (1 - settings.chance_at_base))
    mean = level - settings.slope * (knots.ratios - 1)
    own = shape.own**2 * _covariance(knots.ratios, _OWN_LEVEL, _OWN_SLOPE, shape.bend * _OWN_BEND, shape.length)
    common = np.linspace(knots.ratios.min(), knots.ratios.max(), _SHELF_KNOTS)
    spreads = (settings.level_spread, settings.slope_spread, shape.bend * settings.bend_spread)
    shelf = _covariance(common[None], *spreads, shape.length)[0]
    directions = np.linalg.cholesky(shelf + _JITTER * np.eye(_SHELF_KNOTS))
    below = np.searchsorted(common, knots.ratios, side="right") - 1
    apart = np.maximum(np.diff(common, append=np.inf), _SAME)[:, None]
    slopes = np.diff(directions, axis=0, append=directions[-1:]) / apart
    return Gaussian(mean, own, slopes[below] * (knots.ratios - common[below])[:, :, None] + directions[below])


def _covariance(ratios: Floats, level: float, slope: float, bend: float, length: float) -> Floats:
    """Return the covariance of a random line with bends, shape (n, n_knots, n_knots) for ratios (n, n_knots)."""
    off, apart = ratios - 1, ratios[:, :, None] - ratios[:, None, :]
    line = level**2 + slope**2 * off[:, :, None] * off[:, None, :]
    return np.asarray(line + bend**2 * np.exp(-0.5 * (apart / length) ** 2))


USUAL_DAY_SPREAD = 0.2
"""Spread of a day's visits until some days were counted, as a share."""

_LEVEL_OF_ALL, _LEVEL_OF_ONE = 0.7, 0.7  # spread of a change, in log odds
_OUT_OF_THE_QUESTION = 1e-3  # probability below which a demand is left out of prices

_TURNS = 3  # in which demand and the drift of its hours are found, each given the other
_NEAR = 1e-6  # log density that a step may gain in such a turn

_TWO_SIDED = 1.96


@dataclass(frozen=True)
class State:
    """A demand that may hold today, and how likely it is; log odds at the knots, hours apart."""

    weight: float
    demand: Gaussian


@dataclass(frozen=True)
class StoreKind:
    """A group of stores with a demand belief of its own; fields are as in `Belief`."""

    stores: tuple[str, ...]
    states: tuple[State, ...]
    hours: Floats


@dataclass(frozen=True)
class Belief:
    """What is known before a business date.

    Attributes
    ----------
    states
        Demands that may hold, the likeliest first; their weights add up to 1.
    hours
        What each hour adds to the log odds, shape (n_hours, n_products).
    footfall
        Who is expected.
    shape
        How free demand is around the shelf and around a line.
    sold
        What was sold on the days behind it, shape (n_products, n_knots).
    drift_spread
        Spread of how the hours of a later day than the first differ from the usual ones, in log odds.
    kinds
        Stores with demands of their own; none while all stores are alike. `states` and `hours` are of all stores
        together.
    switching
        How shoppers of all stores take substitutes; None where nobody is known to.
    model_version
        The champion whose curves or forests went into the states; None without one.
    said
        What its forests said beforehand.
    """

    states: tuple[State, ...]
    hours: Floats
    footfall: Footfall
    shape: Shape
    sold: Counts
    drift_spread: float
    kinds: tuple[StoreKind, ...] = ()
    switching: LogitSwitching | None = None
    model_version: str | None = None
    said: Said = NOTHING_SAID

    def of_kind(self, kind: StoreKind) -> "Belief":
        """Return the belief about stores of one kind, which rests on their sales without a champion."""
        return replace(self, states=kind.states, hours=kind.hours, kinds=(), model_version=None)


@dataclass(frozen=True)
class Opened:
    """A belief on the shelf of a catalog: what today's sales are weighed against.

    `hours` and `drift_spread` are as in `Belief`; on a first day nothing was sold before.
    """

    knots: Knots
    states: tuple[State, ...]
    hours: Floats
    drift_spread: float
    is_first_day: bool

    @cached_property
    def at_opening(self) -> "Understanding":
        """What is believed before the first visit."""
        return Understanding(
            tuple(state.demand for state in self.states), tuple(state.weight for state in self.states), self.hours
        )

    def given(self, today: Counts) -> "Understanding":
        """Return what is believed once a part of the day is sold; of nothing sold, what was before."""
        if not today.met.any():
            return self.at_opening
        drift, odds = self._drift(today)
        hours = self.hours + drift[:, None]
        changed = posterior(
            self.states[0].demand.loosened(_LEVEL_OF_ALL, _LEVEL_OF_ONE), today, hours, odds
        )  # first: its prior is let go of
        known = [(state.weight * (1 - CHANCE_OF_A_CHANGE), state.demand) for state in self.states]
        found = [*(posterior(demand, today, hours, odds) for _, demand in known), changed]
        weights = np.array([*(weight for weight, _ in known), CHANCE_OF_A_CHANGE])
        weights = softmax(np.log(weights) + [own.log_evidence for own in found])
        kept = [*np.flatnonzero(weights[:-1] >= _OUT_OF_THE_QUESTION), len(known)]
        weights = weights[kept] / weights[kept].sum()
        return Understanding(
            tuple(found[number].belief for number in kept), tuple(weights.tolist()), hours, float(weights[-1])
        )

    def _drift(self, today: Counts) -> tuple[Floats, Floats]:
        """Return how demand drifts through the hours, shape (n_hours,), found in turns with the newest state's mode."""
        spread, drift = FIRST_DAY if self.is_first_day else self.drift_spread, np.zeros(len(self.hours))
        odds = self.states[0].demand.mean
        if today.met.ndim == self.knots.ratios.ndim:  # hours are not told apart
            return drift, odds
        for _ in range(_TURNS):
            odds = posterior(self.states[0].demand, today, self.hours + drift[:, None], odds, _NEAR).odds
            drift = hour_drift(odds, today, self.hours, spread)
        return drift, odds


@dataclass(frozen=True)
class Understanding:
    """Demands that may hold, mixed by how likely each is.

    `hours` are as in `Belief`, with how they drift today; `changed` is the probability that today's demand is one that
    was never seen.
    """

    beliefs: tuple[Gaussian, ...]
    weights: tuple[float, ...]
    hours: Floats
    changed: float = 0.0

    def among(self, products: slice) -> "Understanding":
        """Return what is understood of some products."""
        beliefs = tuple(belief.among(products) for belief in self.beliefs)
        return Understanding(beliefs, self.weights, self.hours[:, products], self.changed)

    @property
    def likeliest(self) -> Gaussian:
        """The demand that most likely holds."""
        return self.beliefs[int(np.argmax(self.weights))]

    @cached_property
    def interval(self) -> tuple[Floats, Floats]:
        """Lower and upper end of the chance of sale at the knots, 95 %, each shape (n_products, n_knots)."""
        half = _TWO_SIDED * np.sqrt(self.likeliest.variance)
        low, high = expit(self.likeliest.mean - half), expit(self.likeliest.mean + half)
        return np.minimum(low, self.chance), np.maximum(high, self.chance)

    @cached_property
    def chance(self) -> Floats:
        """Mean chance of sale at the knots, hours apart, never rising with the price, shape (n_products, n_knots)."""
        return self._mean_chance(np.zeros((1, 1, 1)))[0]

    @cached_property
    def by_hour(self) -> Floats:
        """The same in each hour, shape (n_hours, n_products, n_knots)."""
        return self._mean_chance(self.hours[:, :, None])

    @cached_property
    def knows_hours(self) -> bool:
        """Whether the hour of the day matters."""
        return bool(np.abs(self.hours).max(initial=0.0) > _LEAST_HOUR)

    def _mean_chance(self, more: Floats) -> Floats:
        mixed = sum(weight * belief.chance(more) for weight, belief in zip(self.weights, self.beliefs, strict=True))
        return np.asarray(falling(np.asarray(mixed), 1 / self.likeliest.variance))


_LEAST_HOUR = 0.05  # log odds below which the hour of the day does not matter


def believed_before_anybody_came(catalog: Catalog) -> Belief:
    """Return the belief of a store without a log."""
    knots = Knots.of(catalog)
    n_ticks = catalog.store.opening.ticks
    footfall = Footfall(
        daily=_expected_visits(catalog),
        profile=np.full(n_ticks, 1 / n_ticks),
        store_days=0.0,
        day_spread=USUAL_DAY_SPREAD,
    )
    prior = shelf_prior(knots, catalog.store.belief, USUAL_SHAPE)
    hours = np.zeros((n_hours_of(catalog), len(catalog.skus)))
    return Belief((State(1.0, prior),), hours, footfall, USUAL_SHAPE, Counts.none(knots.shape), USUAL)


def _expected_visits(catalog: Catalog) -> Floats:
    """Return visits to each product on a store day before any were counted: stated, or from the units ordered."""
    settings = catalog.store.belief
    pairs = zip(catalog.skus, settings.visits_per_unit * catalog.units_a_day, strict=True)
    return np.array([settings.visits_per_day.get(sku, visits) for sku, visits in pairs])


def opened(catalog: Catalog, belief: Belief) -> Opened:
    """Put a belief on the shelf of a catalog."""
    return Opened(Knots.of(catalog), belief.states, belief.hours, belief.drift_spread, not belief.sold.met.any())
