"""Demand of many days as one Gaussian belief: a curve for each product, and levels that come and go around it.

The log odds of a sale are the product's curve at the price, plus an effect of the weekday, of the hour and of the day
itself. Each effect has a part that the whole shelf shares and one of each product; their spreads say how far it usually
moves. So a weekend comes back as it was, and a day that was odd for no known reason teaches the curve's slope and not
its level. Where demand changed for good, days belong to another *state*, with a level and a slope around the first
one's.

Everything is normal beforehand and purchases are binomial; `serving.belief.posterior` finds the posterior. A product's
coefficients are its log odds at the knots, then the effects of weekdays and of hours, then level and slope of each
state; its cells are the days.
"""

from dataclasses import dataclass

import numba
import numpy as np
from scipy.linalg import block_diag

from catalog.arrays import Floats, Ints
from serving.belief.gaussian import Gaussian
from serving.belief.posterior import Latents, Likelihood, Point, Roots, find_mode
from serving.belief.sales import WEEKDAYS, Sales, alike_weekdays
from serving.belief.today import alike_hours

_SINGLE_HOUR = 0.05  # variance of an hour's effect that no other hour shares, as a share
_STATE = (0.7, 1.0)  # spread of a lasting change: of the level, in log odds, and of the slope, by price ratio
_JITTER = 1e-9
_NO_MATTER = 1e-5  # variance that a direction adds at a knot, in log odds squared


@dataclass(frozen=True)
class EffectSpreads:
    """Standard deviations of the effects of the weekend, a single weekday, an hour and a day, in log odds.

    The shelf shares a part of each; `own_` are those of each product's own part. `own_state` is that of a lasting
    change, over the shelf's.
    """

    week: float = 0.3
    weekday: float = 0.1
    hours: float = 0.1
    day: float = 0.1
    own_week: float = 0.1
    own_weekday: float = 0.04
    own_hours: float = 0.05
    own_day: float = 0.05
    own_state: float = 1.0


def _root_of_effects(week: float, weekday: float, hours: float, state: float, n_hours: int, n_states: int) -> Floats:
    """Return what a unit of each standard normal adds to the coefficients after the knots, n_effects of both.

    The first state has no level and slope of its own.
    """
    of_weekdays = np.linalg.cholesky(week**2 * alike_weekdays(0.0) + weekday**2 * np.eye(WEEKDAYS))
    of_hours = np.linalg.cholesky(alike_hours(n_hours, _SINGLE_HOUR))
    states = state * np.diag([0.0, 0.0, *_STATE * (n_states - 1)])
    return np.asarray(block_diag(of_weekdays, hours * of_hours, states))


@dataclass(frozen=True)
class EffectsFit:
    """Demand fitted to some days.

    Attributes
    ----------
    log_evidence
        Log of how likely the sales were beforehand (Laplace's approximation).
    curves
        Log odds at the knots, shape (n_products, n_knots).
    weekdays, hours, states
        Effects on each product, in log odds: shapes (n_products, 7), (n_products, n_hours) and (n_products, n_states,
        2), the latter a level and a slope by price ratio.
    days
        Level of each product on each day around its usual one, shape (n_products, n_days).
    mode
        The mode, which knows the variance that the sales leave.
    """

    spreads: EffectSpreads
    log_evidence: float
    curves: Floats
    weekdays: Floats
    hours: Floats
    states: Floats
    days: Floats
    mode: Point

    def on(
        self, ratios: Floats, weekday: int, state: int, more: Floats | None = None, *, by_luck: bool = True
    ) -> Gaussian:
        """Return the belief about a new day before it begins, hours apart.

        Parameters
        ----------
        ratios
            Price over base price at the knots.
        more
            What a model adds to the log odds of each product that day, shape (n_products,); None for nothing.
        by_luck
            Whether to include the random effect of the day itself; without it, the belief is about the mean of days.
        """
        (n_knots, n_hours), off = (self.curves.shape[1], self.hours.shape[1]), ratios - 1
        level, slope = self.states[:, state, :, None].swapaxes(0, 1)
        mean = self.curves + self.weekdays[:, weekday, None] + level + slope * off
        mean += 0.0 if more is None else more[:, None]
        covariance = np.empty((*ratios.shape, n_knots))
        directions = np.full((*ratios.shape, len(self.mode.shared_factor) + 1), by_luck * self.spreads.day)
        first = n_knots + WEEKDAYS + n_hours + 2 * state
        for some in self.mode.blocks:
            rows = np.zeros((*ratios[some].shape, first + 2))
            rows[:, range(n_knots), range(n_knots)] = rows[:, :, n_knots + weekday] = rows[:, :, first] = 1.0
            rows[:, :, first + 1] = off[some]
            own, shared = self.mode.left(some)
            own = own[:, : first + 2, : first + 2]
            covariance[some] = rows @ own @ rows.swapaxes(1, 2) + by_luck * self.spreads.own_day**2
            directions[some, :, :-1] = rows @ shared[:, : first + 2]
        return Gaussian(mean, covariance, _few_directions(directions))

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
        level, slope = self.states[product, state_of_day[sales.day]].T
        curve = self.curves[product, knot] + level + slope * (ratios[product, knot] - 1)
        return np.asarray(curve + self.beside_curves(sales))

    def beside_curves(self, sales: Sales) -> Floats:
        """Return what weekday, hour and day add to the log odds of each row of sales, shape (n_rows,)."""
        product, day = sales.product, sales.day
        effects = self.days[product, day] + self.hours[product, sales.hour]
        return np.asarray(effects + self.weekdays[product, sales.weekdays[day]])


def _few_directions(shared: Floats) -> Floats:
    """Return the same covariance in as few shared directions as matter."""
    flat = shared.reshape(-1, shared.shape[2])
    variances, turned = np.linalg.eigh(flat.T @ flat)
    return (flat @ turned[:, variances > _NO_MATTER * len(flat)]).reshape(*shared.shape[:2], -1)


def fit_effects(
    ratios: Floats,
    prior: Gaussian,
    sales: Sales,
    spreads: EffectSpreads,
    state_of_day: Ints,
    known_days: Floats,
    near: Latents | None = None,
) -> EffectsFit:
    """Fit demand to some days.

    Parameters
    ----------
    ratios
        Price over base price at the knots, shape (n_products, n_knots).
    prior
        The curves beforehand.
    state_of_day
        State of each day, from 0, shape (n_days,).
    known_days
        What a model adds to the log odds on each day, beside all effects, shape (n_products, n_days).
    near
        Latents near which the mode is looked for, by default those of the prior: from a fit with as many states, of the
        same products or of others.
    """
    (n_products, n_knots), n_states = ratios.shape, int(state_of_day.max(initial=0)) + 1
    sizes = (sales.n_hours, n_states)
    own_effects = _root_of_effects(spreads.own_week, spreads.own_weekday, spreads.own_hours, spreads.own_state, *sizes)
    effects = _root_of_effects(spreads.week, spreads.weekday, spreads.hours, 1.0, *sizes)
    own_curves = np.asarray(np.linalg.cholesky(prior.own + _JITTER * np.eye(n_knots)), dtype=float)

    def roots_of(own: slice) -> Roots:
        own_root, shared = _beside(own_curves[own], own_effects), _beside(prior.shared[own], effects)
        return Roots(own_root, shared, spreads.own_day, spreads.day)

    def model(own: slice, at: Latents) -> tuple[Roots, Likelihood]:
        roots, starts = roots_of(own), sales.starts[own.start : own.stop + 1]
        coefficients, levels = roots.coefficients(at), known_days[own] + roots.levels(at)
        coefficients[:, :n_knots] += prior.mean[own]
        rows = (starts, sales.day, sales.hour, sales.knot, sales.met, sales.bought)
        return roots, Likelihood(*_likelihood(rows, sales.weekdays, state_of_day, ratios[own], coefficients, levels))

    n_effects = len(effects)
    start = Latents.zeros(n_products, n_knots + n_effects, prior.shared.shape[2] + n_effects, len(sales.dates))
    if near is not None:
        is_same = near.own.shape == start.own.shape
        start = near if is_same else start._replace(shared=near.shared, shared_cells=near.shared_cells)
    mode = find_mode(start, model)
    found = np.concatenate([roots_of(own).coefficients(mode.at.among(own)) for own in mode.blocks])
    curves, weekdays, hours, states = np.split(found, np.cumsum([n_knots, WEEKDAYS, sales.n_hours]), axis=1)
    return EffectsFit(
        spreads,
        mode.log_evidence,
        prior.mean + curves,
        weekdays,
        hours,
        states.reshape(n_products, n_states, 2),
        spreads.own_day * mode.at.own_cells + spreads.day * mode.at.shared_cells,
        mode,
    )


def _beside(curves: Floats, effects: Floats) -> Floats:
    """Return roots of curves, one for each product, with those of effects, which are the same for all of them."""
    (n_products, n_knots, n_curve), n_effects = curves.shape, len(effects)
    roots = np.zeros((n_products, n_knots + n_effects, n_curve + n_effects))
    roots[:, :n_knots, :n_curve], roots[:, n_knots:, n_curve:] = curves, effects
    return roots


_MOST_EFFECTS = 5  # of a sale: knot, weekday, hour, and level and slope of the state


@numba.njit(cache=True, nogil=True)
def _likelihood(
    rows: tuple[Ints, Ints, Ints, Ints, Floats, Floats],
    weekdays: Ints,
    state_of_day: Ints,
    ratios: Floats,
    coefficients: Floats,
    levels: Floats,
) -> tuple[float, Floats, Floats, Floats, Floats, Floats]:
    """Return the fields of `Likelihood` for sales of some products.

    Parameters
    ----------
    rows
        Starts of these products, as in `Sales`, then day, hour, knot, met and bought of all sales.
    coefficients, levels
        Of each product, and of its days, shapes (n_products, n_coefficients) and (n_products, n_days).
    """
    starts, day, hour, knot, met, bought = rows
    (n_products, size), n_days, n_knots = coefficients.shape, levels.shape[1], ratios.shape[1]
    weight, by_cell = np.zeros((n_products, size, size)), np.zeros((n_products, size, n_days))
    slope = np.zeros((n_products, size))
    of_cell, slope_of_cell = np.zeros((n_products, n_days)), np.zeros((n_products, n_days))
    hours, states = n_knots + WEEKDAYS, size - 2 * (state_of_day.max() + 1)
    log = 0.0
    place, factor = np.empty(_MOST_EFFECTS, dtype=np.int64), np.ones(_MOST_EFFECTS)
    for product in range(n_products):
        for row in range(starts[product], starts[product + 1]):
            date = day[row]
            place[0], place[1], place[2] = knot[row], n_knots + weekdays[date], hours + hour[row]
            place[3] = states + 2 * state_of_day[date]
            place[4], factor[4] = place[3] + 1, ratios[product, knot[row]] - 1
            odds = levels[product, date]
            for i in range(_MOST_EFFECTS):
                odds += factor[i] * coefficients[product, place[i]]
            chance = 1 / (1 + np.exp(-odds))
            log += bought[row] * odds - met[row] * (max(odds, 0.0) + np.log1p(np.exp(-abs(odds))))
            curved, surplus = met[row] * chance * (1 - chance), bought[row] - met[row] * chance
            of_cell[product, date] += curved
            slope_of_cell[product, date] += surplus
            for i in range(_MOST_EFFECTS):
                slope[product, place[i]] += factor[i] * surplus
                by_cell[product, place[i], date] += factor[i] * curved
                for j in range(_MOST_EFFECTS):
                    weight[product, place[i], place[j]] += factor[i] * factor[j] * curved
    return log, weight, by_cell, of_cell, slope, slope_of_cell
