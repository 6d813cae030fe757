"""Demand of many days as one Gaussian belief: a curve for each product, and levels that come and go around it.

The log odds of a sale are the product's curve at the price, plus an effect of the weekday, of the hour and of the day
itself. Each effect has a part that the whole shelf shares and one of each product; their spreads say how far it
usually moves. So a weekend comes back as it was, and a day that was odd for no known reason teaches the curve's slope
and not its level. Where demand changed for good, days belong to another *state*, with a level and a slope around the
first one's.

Everything is normal beforehand and purchases are binomial. The posterior is its Laplace approximation, see
`serving.belief.posterior`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from catalog.arrays import Floats, Ints
from serving.belief.gaussian import Gaussian
from serving.belief.hours import alike_hours
from serving.belief.posterior import Likelihood, Newton, Normals, Places, Roots, likelihood
from serving.belief.sales import FIRST_OF_WEEKEND, WEEKDAYS, Sales

_SINGLE_HOUR = 0.05  # variance of an hour's effect that no other hour shares, as a share
_STATE_LEVEL, _STATE_SLOPE = 0.7, 1.0  # spread of a lasting change, in log odds, and by price ratio
_WEEKDAY = 0.4  # spread of a single weekday, as a factor of the weekend's
_STEPS, _HALVINGS, _CLOSE = 40, 12, 1e-5
_JITTER = 1e-9
_NO_MATTER = 1e-5  # variance that a direction adds at a knot, in log odds squared


@dataclass(frozen=True)
class EffectSpreads:
    """Standard deviations of effects, in log odds.

    Attributes
    ----------
    week, hours, day
        Of the weekend, of an hour and of a day: the part that the shelf shares.
    own_week, own_hours, own_day
        Each product's own part of them.
    """

    week: float = 0.3
    hours: float = 0.1
    day: float = 0.1
    own_week: float = 0.1
    own_hours: float = 0.05
    own_day: float = 0.05


@dataclass(frozen=True)
class Basis:
    """Where each effect stands among a product's coefficients: knots, weekend, weekdays, hours, states."""

    n_knots: int
    n_hours: int
    n_states: int

    @property
    def places(self) -> Places:
        """Positions of the weekend, which the weekdays follow; of the hours; and of the states: a level and a slope."""
        weekend = self.n_knots
        hours = weekend + 1 + WEEKDAYS
        return Places(weekend, hours, hours + self.n_hours)

    @property
    def size(self) -> int:
        """Number of coefficients of a product."""
        return self.places.states + 2 * (self.n_states - 1)

    def at_knots(self, ratios: Floats, weekday: int, state: int) -> Floats:
        """Return what the coefficients add up to at the knots on a day, hours apart, shape (n_products, n_knots, size).

        Parameters
        ----------
        ratios
            Price over base price at the knots, shape (n_products, n_knots).
        """
        rows, places = np.zeros((*ratios.shape, self.size)), self.places
        rows[:, np.arange(self.n_knots), np.arange(self.n_knots)] = 1.0
        rows[:, :, places.weekend] = weekday >= FIRST_OF_WEEKEND
        rows[:, :, places.weekend + 1 + weekday] = 1.0
        if state > 0:
            level = places.states + 2 * (state - 1)
            rows[:, :, level], rows[:, :, level + 1] = 1.0, ratios - 1
        return rows

    def roots_of_effects(self, week: float, hours: float) -> Floats:
        """Return what a unit of each standard normal adds to the coefficients beside the knots, n_effects of both.

        Parameters
        ----------
        week, hours
            Standard deviations, in log odds.
        """
        effects = np.zeros((self.size - self.n_knots, self.size - self.n_knots))
        first = 1 + WEEKDAYS
        effects[range(first), range(first)] = [week, *[_WEEKDAY * week] * WEEKDAYS]
        effects[first : first + self.n_hours, first : first + self.n_hours] = hours * _root_of_hours(self.n_hours)
        states = np.arange(first + self.n_hours, len(effects))
        effects[states, states] = np.tile([_STATE_LEVEL, _STATE_SLOPE], self.n_states - 1)
        return effects


def _root_of_hours(n_hours: int) -> Floats:
    return np.asarray(np.linalg.cholesky(alike_hours(n_hours, _SINGLE_HOUR)), dtype=float)


@dataclass(frozen=True)
class EffectsFit:
    """What is known after some days.

    Attributes
    ----------
    log_evidence
        Log of how likely the sales were beforehand (Laplace's approximation).
    prior_mean
        Log odds at the knots beforehand, shape (n_products, n_knots).
    mean
        Coefficients of each product, shape (n_products, size).
    left
        What the sales leave of every variance.
    days
        Level of each product on each day around its usual one, in log odds, shape (n_products, n_days).
    """

    basis: Basis
    prior_mean: Floats
    spreads: EffectSpreads
    log_evidence: float
    mean: Floats
    left: Newton
    days: Floats

    def on(
        self, ratios: Floats, weekday: int, state: int, beside: Floats | None = None, *, by_luck: bool = True
    ) -> Gaussian:
        """Return the belief about a new day before it begins, hours apart.

        Parameters
        ----------
        ratios
            Price over base price at the knots.
        beside
            What is known to add to the log odds of each product that day, shape (n_products,); None for nothing.
        by_luck
            Whether what the day itself will add belongs to what is not known: without, it is the mean of such days.
        """
        mean, covariance = self.prior_mean.copy(), np.empty((*ratios.shape, ratios.shape[1]))
        directions = np.full((*ratios.shape, len(self.left.shared_factor) + 1), by_luck * self.spreads.day)
        for some in self.left.products:
            rows = self.basis.at_knots(ratios[some], weekday, state)
            own, shared = self.left.block(some).left(self.left.shared_factor)
            mean[some] += np.einsum("pkn,pn->pk", rows, self.mean[some])
            covariance[some] = rows @ own @ rows.swapaxes(1, 2) + by_luck * self.spreads.own_day**2
            directions[some, :, :-1] = rows @ shared
        if beside is not None:
            mean = mean + beside[:, None]
        return Gaussian(mean, covariance, _few_directions(directions))

    @property
    def levels_of_states(self) -> Floats:
        """Level of each state around that of the first, at the base price, in log odds, (n_products, n_states)."""
        levels = self.mean[:, self.basis.places.states :: 2]
        return np.concatenate([np.zeros((len(levels), 1)), levels], axis=1)

    @property
    def hours(self) -> Floats:
        """Effect of each hour on each product, in log odds, shape (n_hours, n_products)."""
        first = self.basis.places.hours
        return self.mean[:, first : first + self.basis.n_hours].T

    def odds(self, ratios: Floats, sales: Sales, state_of_day: Ints) -> Floats:
        """Return the log odds of each row of sales on its day, all effects included, shape (n_rows,).

        Parameters
        ----------
        ratios
            Price over base price at the knots, shape (n_products, n_knots).
        state_of_day
            State of each day, from 0, shape (n_days,).
        """
        product, knot = sales.product, sales.knot
        found = self.prior_mean[product, knot] + self.mean[product, knot] + self.beside_curves(sales)
        level = self.basis.places.states + 2 * (state_of_day[sales.day] - 1)
        own = np.flatnonzero(state_of_day[sales.day])
        slope = self.mean[product[own], level[own] + 1] * (ratios[product[own], knot[own]] - 1)
        found[own] += self.mean[product[own], level[own]] + slope
        return found

    def beside_curves(self, sales: Sales) -> Floats:
        """Return what weekday, hour and day add to the log odds of each row of sales, shape (n_rows,)."""
        places, product = self.basis.places, sales.product
        weekday = sales.weekdays[sales.day]
        found = self.days[product, sales.day] + self.mean[product, places.hours + sales.hour]
        found += self.mean[product, places.weekend + 1 + weekday]
        return found + np.where(weekday >= FIRST_OF_WEEKEND, self.mean[product, places.weekend], 0.0)


def _few_directions(shared: Floats) -> Floats:
    """Return the same covariance in as few shared directions as matter."""
    flat = shared.reshape(-1, shared.shape[2])
    variances, turned = np.linalg.eigh(flat.T @ flat)
    return (flat @ turned[:, variances > _NO_MATTER * len(flat)]).reshape(*shared.shape[:2], -1)


def fit_effects(
    ratios: Floats,
    prior_of: Callable[[slice], Gaussian],
    sales: Sales,
    spreads: EffectSpreads,
    state_of_day: Ints,
    known_days: Floats,
    near: Normals | None = None,
) -> EffectsFit:
    """Return what some days teach.

    Parameters
    ----------
    ratios
        Price over base price at the knots, shape (n_products, n_knots).
    prior_of
        Returns the curves of some products beforehand.
    state_of_day
        State of each day, from 0, shape (n_days,).
    known_days
        What is known to add to the log odds on each day, beside all effects, shape (n_products, n_days).
    near
        Where the mode is looked for: what other products found with the same spreads and states, or the
        same products by other sales. By default what was believed beforehand.
    """
    basis = Basis(ratios.shape[1], sales.n_hours, int(state_of_day.max(initial=0)) + 1)
    own_effects = basis.roots_of_effects(spreads.own_week, spreads.own_hours)
    effects = basis.roots_of_effects(spreads.week, spreads.hours)

    @lru_cache(maxsize=1)
    def roots_of(first: int, last: int) -> tuple[Roots, Floats]:
        prior = prior_of(slice(first, last))
        curve = np.asarray(np.linalg.cholesky(prior.own + _JITTER * np.eye(basis.n_knots)), dtype=float)
        return Roots(curve, prior.shared, own_effects, effects, spreads.own_day, spreads.day), prior.mean

    def curved(own: slice, at: Normals) -> tuple[Roots, Likelihood]:
        (roots, mean), starts = roots_of(own.start, own.stop), sales.starts[own.start : own.stop + 1]
        known = (ratios[own], mean), (roots.coefficients(at), known_days[own] + roots.days(at))
        return roots, likelihood(sales, starts, state_of_day, basis.places, *known)

    n_shared = prior_of(slice(0, 1)).shared.shape[2] + basis.size - basis.n_knots
    at = Normals.none(len(ratios), basis.size, n_shared, len(sales.dates))
    here = Newton(at if near is None else at.near(near), curved)
    for _ in range(_STEPS):
        if here.promised < _CLOSE:
            break
        step, before = here.step, here
        for halving in range(_HALVINGS):
            here = Newton(before.at.moved(step, 0.5**halving), curved)
            gained = here.log + here.at.log_prior - (before.log + before.at.log_prior)
            if gained >= -_CLOSE:
                break
        if gained < _CLOSE:
            break
    days = spreads.own_day * here.at.own_days + spreads.day * here.at.shared_days
    evidence = here.log + here.at.log_prior - here.half_log_volume
    means, mean = np.empty(ratios.shape), np.empty((len(ratios), basis.size))
    for own in here.products:
        roots, means[own] = roots_of(own.start, own.stop)
        mean[own] = roots.coefficients(here.at.of(own))
    return EffectsFit(basis, means, spreads, evidence, mean, here, days)
