"""Read a belief off the log: what was sold at which price, when demand changed, and who comes.

A belief looks back eight weeks, footfall four. Only prices that our own policies showed teach: what somebody else set
had reasons that were not logged.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np
from scipy.special import expit, logit

from catalog.arrays import Floats
from catalog.load import Catalog
from features.footfall import counted_visits
from serving.belief.belief import Belief, StoreKind, believed_before_anybody_came
from serving.belief.footfall import expected_footfall
from serving.belief.gaussian import Knots
from serving.belief.sales import LOOKS_BACK, Sales, sales_by_kind, sales_of_all
from serving.belief.shoppers import switching_from
from serving.belief.states import Fit, days_in_context, fit_day_effects, fit_days
from serving.belief.today import Footfall
from serving.optimise.curves import DemandCurves, LogitSwitching

_SAME = 1e-9  # EUR
_CHAMPION_VISITS = 100.0  # visits to a product that a champion's curve weighs
_SURE = 1e-4  # chance below which a champion's word is no more than that


@dataclass(frozen=True)
class ChampionCurves:
    """A champion's demand curves, which carry its version, and the last business date it learned from."""

    curves: DemandCurves
    trained_through: dt.date


@dataclass(frozen=True)
class LogEvidence:
    """What the log shows up to a business date, read and fitted once per night.

    Attributes
    ----------
    sales
        What was sold at our own prices.
    footfall
        Who is expected on the next date.
    fit
        Demand fitted to the sales, without a champion; None where nothing was sold.
    kinds
        Stores of each kind and what their own sales teach; nothing while all stores are alike.
    fit_with_days
        The fit with a forest's effects of days, and these effects on the days and on the next one, as
        `Fit.with_day_effects` returns them; None where the forest has no context to learn from.
    switching
        How shoppers take substitutes; None where nobody is known to.
    """

    sales: Sales
    footfall: Footfall
    fit: Fit | None
    kinds: tuple[tuple[tuple[str, ...], Fit], ...] = ()
    fit_with_days: tuple[Fit, Floats, Floats] | None = None
    switching: LogitSwitching | None = None


def read_log_evidence(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> LogEvidence:
    """Read what a belief about the day after a business date rests on."""
    knots = Knots.of(catalog)
    settings, sales = catalog.store.belief, sales_of_all(connection, catalog, knots, through)
    prior, date = believed_before_anybody_came(catalog).footfall, through + dt.timedelta(days=1)
    footfall = expected_footfall(prior, counted_visits(connection, catalog, through), date)
    if not len(sales.met):
        return LogEvidence(sales, footfall, None)
    fit = fit_days(settings, knots, sales)
    kinds = tuple(
        (stores, fit_days(settings, knots, own)) for stores, own in sales_by_kind(connection, catalog, knots, through)
    )
    fit_with_days = None
    if settings.learns_days:
        days = days_in_context(connection, catalog, (*sales.dates, date))
        fit_with_days = fit_day_effects(fit, knots, settings, sales, days)
    switching = switching_from(connection, catalog, through - dt.timedelta(days=LOOKS_BACK - 1), through)
    return LogEvidence(sales, footfall, fit, kinds, fit_with_days, switching)


def belief_from(
    catalog: Catalog, evidence: LogEvidence, date: dt.date, champion: ChampionCurves | None = None
) -> Belief:
    """Return the belief about a business date from the log before it.

    Parameters
    ----------
    champion
        Its curves stand for the days it learned from, and the days since correct it. The belief names its version if
        the curves were used.
    """
    return _beliefs_from(catalog, evidence, date, champion, (True,))[0]


def belief_and_average(catalog: Catalog, evidence: LogEvidence, date: dt.date) -> tuple[Belief, Belief]:
    """Return the belief about a business date without a champion, and about the mean of such days.

    The mean leaves out the random effect of a single day.
    """
    belief, average = _beliefs_from(catalog, evidence, date, None, (True, False))
    return belief, average


def _beliefs_from(
    catalog: Catalog, evidence: LogEvidence, date: dt.date, champion: ChampionCurves | None, by_luck: Sequence[bool]
) -> list[Belief]:
    """Return a belief for each value of `by_luck`: whether it includes the random effect of the day itself."""
    if evidence.fit is None:
        return [replace(believed_before_anybody_came(catalog), footfall=evidence.footfall)] * len(by_luck)
    knots, settings, fit = Knots.of(catalog), catalog.store.belief, evidence.fit
    day_effects, on_date, version = np.zeros(fit.effects.days.shape), None, None
    if evidence.fit_with_days is not None:
        fit, day_effects, on_date = evidence.fit_with_days
    if champion is not None:
        sales = _as_expected(knots, champion, evidence.sales, fit, day_effects)
        if sales is not None:
            fit, version = fit.refit(knots, settings, sales, day_effects), champion.curves.model_version
    kinds = tuple(
        StoreKind(stores, kind.states_on(knots, date, on_date), kind.effects.hours.T) for stores, kind in evidence.kinds
    )
    belief = Belief(
        states=(),
        hours=fit.effects.hours.T,
        footfall=evidence.footfall,
        shape=fit.shape,
        sold=evidence.sales.at_knots(knots.shape),
        drift_spread=fit.drift_spread,
        kinds=kinds,
        switching=evidence.switching,
        model_version=version,
    )
    return [replace(belief, states=fit.states_on(knots, date, on_date, by_luck=luck)) for luck in by_luck]


def _as_expected(knots: Knots, champion: ChampionCurves, sales: Sales, fit: Fit, day_effects: Floats) -> Sales | None:
    """Return the visits with some purchases replaced by the champion's expectation; None where it replaces none.

    The champion describes the curve of the last demand it saw, at prices within its support. Its curve weighs as much
    as a fixed number of visits to each product, because many sales are better evidence than a model of them. Effects
    of weekday, hour and day come from the sales.
    """
    bought, curves = sales.bought.copy(), champion.curves
    is_learned = np.array([date <= champion.trained_through for date in sales.dates])
    if not is_learned.any():
        return None
    is_learned &= fit.state_of_day == fit.state_of_day[is_learned][-1]
    effects = fit.effects.beside_curves(sales) + day_effects[sales.product, sales.day]
    is_used = False
    by_product = zip(curves.prices, curves.p_sale, curves.supported, strict=True)
    for product, (prices, chance, is_supported) in enumerate(by_product):
        if not is_supported.any() or not np.isfinite(chance[is_supported]).all():
            continue
        rows = np.arange(sales.starts[product], sales.starts[product + 1])
        price = (knots.ratios[product] * knots.base_prices[product])[sales.knot[rows]]
        lowest, highest = prices[is_supported][[0, -1]]
        is_within = (price >= lowest - _SAME) & (price <= highest + _SAME) & is_learned[sales.day[rows]]
        replaced, curve = rows[is_within], np.interp(price[is_within], prices[is_supported], chance[is_supported])
        if not len(replaced):
            continue
        is_used, met = True, sales.met[replaced]
        usual, share = np.average(effects[replaced], weights=met), min(1.0, _CHAMPION_VISITS / met.sum())
        bought[replaced] += share * (
            met * expit(logit(np.clip(curve, _SURE, 1 - _SURE)) + effects[replaced] - usual) - bought[replaced]
        )
    return replace(sales, bought=bought) if is_used else None
