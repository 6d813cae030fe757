"""Which days had the same demand, and how far effects usually move: both as the sales find likeliest.

Days of one demand are found first (`serving.belief.changes`), by a fit in which each day has a level of its own. They
hold where the sales are likelier so than under one demand for all days. Then spreads are found, under which the sales
were likeliest beforehand, one after another around the usual ones.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.records.pricing import BeliefSettings
from serving.belief.belief import USUAL_SHAPE, Shape, State, shelf_prior
from serving.belief.changes import DayLevels, chances_tomorrow, log_chance
from serving.belief.effects import EffectsFit, EffectSpreads, fit_effects
from serving.belief.gaussian import Gaussian, Knots, evenly_chosen
from serving.belief.posterior import Latents, binomial
from serving.belief.sales import Sales
from serving.belief.today import USUAL, likeliest_spread

MOST_STUDIED = 60  # products on which spreads are tried
_LOOSE = EffectSpreads(
    week=0.01, weekday=0.01, day=1.0, own_week=0.01, own_weekday=0.01
)  # under which a day's level says what its weekday adds
_LEAST = 1e-3  # weight of a day's sales
_TRIED: dict[str, tuple[float, ...]] = {
    "own_state": (0.1, 0.3, 1.0),
    "own": (0.4, 1.0, 2.5, 6.0),
    "bend": (0.2, 1.0, 2.5),
    "length": (0.2, 0.07),
    "day": (0.02, 0.1, 0.3, 0.8),
    "hours": (0.03, 0.2, 0.8),
    "own_day": (0.02, 0.1, 0.3),
    "own_week": (0.03, 0.2, 0.6),
    "own_hours": (0.02, 0.1, 0.4),
}
SHARES = (0.5, 1.0, 1.5)
"""Of what a version says beforehand, beside none of it."""
CLEARLY = 0.5  # log evidence by which another value must be better


@dataclass(frozen=True)
class Fit:
    """Demand fitted to all days together.

    Attributes
    ----------
    state_of_day
        State of each day, from 0, shape (n_days,).
    drift_spread
        Spread of how the hours of a day differ from the usual ones, in log odds.
    prior_shift
        What a version says of each product beforehand, log odds at the knots, shape (n_products, n_knots); None for
        nothing.
    """

    effects: EffectsFit
    shape: Shape
    state_of_day: Ints
    drift_spread: float = USUAL
    prior_shift: Floats | None = None

    def refit(self, knots: Knots, settings: BeliefSettings, sales: Sales, known_days: Floats | None = None) -> "Fit":
        """Refit to other sales of the same days, or to known day effects, with spreads and states held fixed."""
        study = Study(knots, settings, sales, self.prior_shift)
        near = self.effects.mode.at
        effects = study.fit(self.shape, self.effects.spreads, self.state_of_day, known_days, near)
        return replace(self, effects=effects)

    @property
    def evidence(self) -> float:
        """Log of how likely the sales were beforehand, and that demand changed so often."""
        return self.effects.log_evidence + log_chance(self.state_of_day)

    @property
    def levels(self) -> Floats:
        """Level of each product on each day beyond weekday and hours, in log odds, shape (n_products, n_days)."""
        return self.effects.days + self.effects.states[:, self.state_of_day, 0]

    def with_day_effects(
        self, knots: Knots, settings: BeliefSettings, sales: Sales, days: Floats
    ) -> tuple["Fit", float]:
        """Refit with a model's effects of days; return the fit, and the share of the effects that holds.

        The likeliest share of it is taken, none unless another is clearly likelier. What looked like another demand may
        be what the model told, so days are also taken as of one state; and days differ less beyond what it told.

        Parameters
        ----------
        days
            What the model adds to the log odds on each day, shape (n_products, n_days).
        """
        some = evenly_chosen(len(days), MOST_STUDIED)
        study = Study(knots, settings, sales, self.prior_shift).among(some)
        tried = [self.state_of_day, *([np.zeros_like(self.state_of_day)] if self.state_of_day.any() else [])]
        best, most, kept = self, -np.inf, 0.0
        for share in (0.0, *SHARES):
            for states in tried if share else tried[:1]:
                effects = study.fit(self.shape, self.effects.spreads, states, share * days[some])
                found = replace(self, effects=effects, state_of_day=states)
                if found.evidence > most:
                    best, most, kept = found, found.evidence + (0 if share else CLEARLY), share
        if kept:
            spreads = best.effects.spreads
            likeliest = study.likeliest(best.shape, spreads, best.state_of_day, _OF_DAYS, kept * days[some])
            best = replace(likeliest, drift_spread=self.drift_spread, prior_shift=self.prior_shift)
        if len(some) < len(days):
            best = best.refit(knots, settings, sales, kept * days)
        return best, kept

    def states_on(
        self, knots: Knots, date: dt.date, beside: Floats | None = None, *, by_luck: bool = True
    ) -> tuple[State, ...]:
        """Return the demands that may hold on a date: that of the newest day first.

        Parameters
        ----------
        beside
            What is known to add to the log odds of each product on the date, shape (n_products,); None for nothing.
        by_luck
            As in `EffectsFit.on`.
        """
        newest, chances = int(self.state_of_day[-1]), chances_tomorrow(self.state_of_day)
        return tuple(
            State(float(chances[state]), self.effects.on(knots.ratios, date.weekday(), state, beside, by_luck=by_luck))
            for state in sorted(range(len(chances)), key=lambda state: state != newest)
        )


@dataclass(frozen=True)
class Study:
    """Sales of some days, and the spreads that are tried on them; `prior_shift` is as in `Fit`."""

    knots: Knots
    settings: BeliefSettings
    sales: Sales
    prior_shift: Floats | None = None

    def among(self, some: Ints) -> "Study":
        """Return the study of some products, by their positions."""
        prior_shift = None if self.prior_shift is None else self.prior_shift[some]
        return Study(self.knots.among(some), self.settings, self.sales.of_products(some), prior_shift)

    def prior(self, shape: Shape) -> Gaussian:
        """Return what is believed of the curves before anything was sold."""
        prior = shelf_prior(self.knots, self.settings, shape)
        return prior if self.prior_shift is None else replace(prior, mean=prior.mean + self.prior_shift)

    def fit(
        self,
        shape: Shape,
        spreads: EffectSpreads,
        states: Ints,
        known_days: Floats | None = None,
        near: Latents | None = None,
    ) -> EffectsFit:
        """Fit the sales under given spreads; arguments as in `fit_effects`."""
        prior = self.prior(shape)
        known = np.zeros((len(prior.mean), len(states))) if known_days is None else known_days
        return fit_effects(self.knots.ratios, prior, self.sales, spreads, states, known, near)

    def day_levels(self) -> DayLevels:
        """Return the shelf's level on each day, fitted as if each day had a level of its own."""
        alike = np.zeros(len(self.sales.dates), dtype=np.int64)
        loose = self.fit(USUAL_SHAPE, _LOOSE, alike)
        odds = loose.odds(self.knots.ratios, self.sales, alike)
        weight = np.bincount(self.sales.day, binomial(odds, self.sales.met, self.sales.bought)[2], len(alike))
        return DayLevels(loose.days.mean(axis=0), 1 / np.maximum(weight, _LEAST), self.sales.weekdays)

    def likeliest(
        self, shape: Shape, spreads: EffectSpreads, states: Ints, names: Sequence[str], known_days: Floats | None = None
    ) -> Fit:
        """Return the likeliest spreads, found one after another."""
        best = Fit(self.fit(shape, spreads, states, known_days), shape, states, prior_shift=self.prior_shift)
        for name in names if states.any() else [name for name in names if name != "own_state"]:
            for tried in _neighbours(best.shape, best.effects.spreads, name):
                found = self.fit(*tried, states, known_days)
                if found.log_evidence > best.effects.log_evidence + CLEARLY:
                    best = Fit(found, tried[0], states, prior_shift=self.prior_shift)
        return best


def _neighbours(shape: Shape, spreads: EffectSpreads, name: str) -> list[tuple[Shape, EffectSpreads]]:
    """Return shape and spreads with each other value of one of their fields."""
    values: Any = [value for value in _TRIED[name] if value != getattr(shape if name in _OF_SHAPE else spreads, name)]
    if name in _OF_SHAPE:
        return [(replace(shape, **{name: value}), spreads) for value in values]
    return [(shape, replace(spreads, **{name: value})) for value in values]


_OF_SHAPE, _OF_DAYS = ("own", "bend", "length"), ("day", "own_day")


def fit_days(settings: BeliefSettings, knots: Knots, sales: Sales) -> Fit:
    """Return what the days teach, with the likeliest spreads and states.

    Of a large shelf these are found on some of the products, evenly chosen: all of them share one set of spreads.
    """
    n_products = len(knots.ratios)
    some = evenly_chosen(n_products, MOST_STUDIED)
    study = Study(knots, settings, sales).among(some)
    levels, alike = study.day_levels(), np.zeros(len(sales.dates), dtype=np.int64)
    fits = []
    for days in [alike, states] if (states := levels.states()).any() else [alike]:
        day, week, weekday = levels.spreads(days)
        spreads = EffectSpreads(day=day, week=week, weekday=weekday)
        fits.append(study.likeliest(USUAL_SHAPE, spreads, days, ("own_state",)))
    best = max(fits, key=attrgetter("evidence"))
    for names in (tuple(_TRIED), ("own", "bend")):
        best = study.likeliest(best.shape, best.effects.spreads, best.state_of_day, names)
    odds = best.effects.odds(study.knots.ratios, study.sales, best.state_of_day)
    best = replace(best, drift_spread=likeliest_spread(study.sales, odds, CLEARLY))
    return best if len(some) == n_products else best.refit(knots, settings, sales)
