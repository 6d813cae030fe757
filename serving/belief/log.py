"""Read a belief off the log: what was sold at which price, when demand changed, and who comes.

A belief looks back eight weeks, footfall four. Only prices that our own policies showed teach: what somebody else set
had reasons that were not logged.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np
from scipy.special import expit, gammaln, logit, softmax

from catalog.arrays import Floats
from catalog.load import Catalog
from features.footfall import counted_visits, store_days_in
from serving.belief.belief import Belief, StoreKind, believed_before_anybody_came
from serving.belief.day_forest import days_in_context, heard_of_days
from serving.belief.footfall import PRIOR_DAYS, Footfall
from serving.belief.gaussian import Knots
from serving.belief.sales import Sales, sales_by_kind, sales_of_all
from serving.belief.states import Learned, learned
from serving.belief.substitution_fit import switching_from
from serving.optimise.curves import DemandCurves, LogitSwitching

_DAY_SPREADS = (0.02, 0.05, 0.1, 0.2, 0.4)  # of a day's visits around what is usual, as a share
_PROFILE_VISITS = 50.0  # weight of an even profile, in visits
_SAME = 1e-9  # EUR
_WORD = 100.0  # visits to a product that a champion's word counts for
_SURE = 1e-4  # chance below which a champion's word is no more than that


@dataclass(frozen=True)
class ChampionCurves:
    """A champion's demand curves, and the last business date it learned from."""

    curves: DemandCurves
    trained_through: dt.date


@dataclass(frozen=True)
class Seen:
    """What the log shows up to a business date. To read it and to learn from it takes long, so both are done once.

    Attributes
    ----------
    sales
        What was sold at our own prices.
    footfall
        Who comes on a usual day.
    taught
        What the sales teach, without a champion's word; None where nothing was sold.
    kinds
        Stores of each kind and what their own sales teach; nothing while all stores are alike.
    heard
        What the sales teach with a forest's word on the days, and how much of it holds on them and on the next day, as
        `Learned.knowing` returns it; None where the forest has nothing to go by.
    switching
        How shoppers take substitutes; None where nobody is known to.
    """

    sales: Sales
    footfall: Footfall
    taught: Learned | None
    kinds: tuple[tuple[tuple[str, ...], Learned], ...] = ()
    heard: tuple[Learned, Floats, Floats] | None = None
    switching: LogitSwitching | None = None


def seen_in(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> Seen:
    """Read what a belief about the day after a business date rests on."""
    knots = Knots.of(catalog)
    settings, sales = catalog.store.belief, sales_of_all(connection, catalog, knots, through)
    if not len(sales.met):
        return Seen(sales, _footfall(connection, catalog, through), None)
    taught = learned(settings, knots, sales)
    kinds = tuple(
        (stores, learned(settings, knots, own)) for stores, own in sales_by_kind(connection, catalog, knots, through)
    )
    heard = None
    if settings.learns_days:
        days = days_in_context(connection, catalog, (*sales.dates, through + dt.timedelta(days=1)))
        heard = heard_of_days(taught, knots, settings, sales, days)
    switching = switching_from(connection, catalog, through)
    return Seen(sales, _footfall(connection, catalog, through), taught, kinds, heard, switching)


def belief_from(catalog: Catalog, seen: Seen, date: dt.date, champion: ChampionCurves | None = None) -> Belief:
    """Return what is believed of a business date by what was seen before it.

    Parameters
    ----------
    champion
        With one, it tells what the days taught that it learned from, and the days since correct it.
    """
    return _beliefs_from(catalog, seen, date, champion, (True,))[0]


def belief_and_average(catalog: Catalog, seen: Seen, date: dt.date) -> tuple[Belief, Belief]:
    """Return what is believed of a business date without a champion, and of the mean of such days.

    Of such days on average, what each adds by luck is no part.
    """
    belief, average = _beliefs_from(catalog, seen, date, None, (True, False))
    return belief, average


def _beliefs_from(
    catalog: Catalog, seen: Seen, date: dt.date, champion: ChampionCurves | None, by_luck: Sequence[bool]
) -> list[Belief]:
    """Return a belief for each answer to whether what the day adds by luck is part of it."""
    if seen.taught is None:
        return [replace(believed_before_anybody_came(catalog), footfall=seen.footfall)] * len(by_luck)
    knots, settings, found = Knots.of(catalog), catalog.store.belief, seen.taught
    known, beside = np.zeros(found.taught.days.shape), None
    if seen.heard is not None:
        found, known, beside = seen.heard
    if champion is not None:
        found = found.told(knots, settings, _as_told(knots, champion, seen.sales, found, known), known)
    sold = seen.sales.at_knots(knots.shape)
    kinds = tuple(StoreKind(stores, own.states_on(knots, date, beside), own.taught.hours) for stores, own in seen.kinds)
    around = (found.taught.hours, seen.footfall, found.shape, sold, found.drift_spread, kinds, seen.switching)
    return [Belief(found.states_on(knots, date, beside, by_luck=own), *around) for own in by_luck]


def _as_told(knots: Knots, champion: ChampionCurves, sales: Sales, found: Learned, known_days: Floats) -> Sales:
    """Return the visits with some of their purchases as the champion expects them, where it saw the price.

    It tells the curve of the demand that it saw last, and its word counts for some visits to each product: many sales
    tell more than a model of them. What weekday, hour and day add to it, the sales tell.
    """
    bought, curves = sales.bought.copy(), champion.curves
    is_learned = np.array([date <= champion.trained_through for date in sales.dates])
    if not is_learned.any():
        return sales
    is_learned &= found.state_of_day == found.state_of_day[is_learned][-1]
    beside = found.taught.beside_curves(sales) + known_days[sales.product, sales.day]
    for product, (prices, chance, seen) in enumerate(zip(curves.prices, curves.p_sale, curves.supported, strict=True)):
        if not seen.any() or not np.isfinite(chance[seen]).all():
            continue
        rows = np.arange(sales.starts[product], sales.starts[product + 1])
        at = (knots.ratios[product] * knots.base_prices[product])[sales.knot[rows]]
        has_seen = (at >= prices[seen][0] - _SAME) & (at <= prices[seen][-1] + _SAME) & is_learned[sales.day[rows]]
        told, curve = rows[has_seen], np.interp(at[has_seen], prices[seen], chance[seen])
        if not len(told):
            continue
        met = sales.met[told]
        usual, share = np.average(beside[told], weights=met), min(1.0, _WORD / met.sum())
        bought[told] += share * (met * expit(_odds(curve) + beside[told] - usual) - bought[told])
    return replace(sales, bought=bought)


def _odds(chance: Floats) -> Floats:
    return np.asarray(logit(np.clip(chance, _SURE, 1 - _SURE)))


def _footfall(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> Footfall:
    """Return who comes on a usual day: the last four weeks, and what was expected before with a little weight."""
    prior = believed_before_anybody_came(catalog).footfall
    visits, totals = counted_visits(connection, catalog, through)
    store_days = store_days_in(totals)
    if not store_days:
        return prior
    profile = visits.sum(axis=0) + _PROFILE_VISITS * prior.profile
    return Footfall(
        daily=(prior.daily * PRIOR_DAYS + visits.sum(axis=1)) / (PRIOR_DAYS + store_days),
        profile=profile / profile.sum(),
        store_days=float(store_days),
        day_spread=_day_spread(totals["count_visits"].to_numpy(dtype=float), totals["count_stores"].to_numpy()),
    )


def _day_spread(visits: Floats, stores: Floats) -> float:
    """Return the spread of a day's visits beyond that of a Poisson count: the mean of its posterior on a grid.

    Days are negative binomial around their mean, and each spread of the grid is as likely beforehand.
    """
    expected = stores * visits.sum() / stores.sum()
    shapes = 1 / np.array(_DAY_SPREADS)[:, None] ** 2
    total = shapes + expected
    likely = (
        gammaln(shapes + visits) - gammaln(shapes) + shapes * np.log(shapes / total) + visits * np.log(expected / total)
    ).sum(axis=1)
    return float(softmax(likely) @ np.array(_DAY_SPREADS))
