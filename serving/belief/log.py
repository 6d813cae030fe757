"""Read a belief off the log: what was sold at which price, when demand changed, and who comes.

A belief looks back eight weeks, footfall four. Only prices that our own policies showed teach: what somebody else set
had reasons that were not logged.
"""

import datetime as dt
from dataclasses import dataclass, replace

import duckdb
import numpy as np
from scipy.special import expit, gammaln, logit, softmax

from catalog.arrays import Floats
from catalog.load import Catalog
from features.footfall import counted_visits, store_days_in
from serving.belief.belief import Belief, StoreKind, believed_before_anybody_came
from serving.belief.footfall import PRIOR_DAYS, Footfall
from serving.belief.gaussian import Knots
from serving.belief.own_sales import sales_by_kind, sales_of_all
from serving.belief.sales import Sales
from serving.belief.states import Learned, learned
from serving.curves import DemandCurves

_DAY_SPREADS = (0.02, 0.05, 0.1, 0.2, 0.4)  # of a day's visits around what is usual, as a share
_PROFILE_VISITS = 50.0  # weight of an even profile, in visits
_SAME = 1e-9  # EUR
_SURE = 1e-4  # chance below which a champion's word is no more than that


@dataclass(frozen=True)
class ContextCurves:
    """What a champion that looks at the context says of days.

    Attributes
    ----------
    days
        Its chance of sale in each hour of each day that was seen, shape (n_days, n_hours, n_products, n_prices).
    date
        The same on the date to price, shape (n_hours, n_products, n_prices).
    """

    days: Floats
    date: Floats

    def beside_weekdays(self, sales: Sales, date: dt.date) -> tuple[Floats, Floats]:
        """Return by how much each day is another one than its weekday usually is: a holiday, a pay day, a hot day.

        In log odds, shape (n_products, n_days), and for the date to price, shape (n_products,); 0 on a weekday that was
        not seen.
        """
        days, priced = (_odds(own).mean(axis=(-3, -1)) for own in (self.days, self.date))
        usual = {weekday: days[sales.weekdays == weekday].mean(axis=0) for weekday in set(sales.weekdays.tolist())}
        known = days - np.stack([usual[weekday] for weekday in sales.weekdays.tolist()])
        return known.T, priced - usual.get(date.weekday(), priced)


@dataclass(frozen=True)
class ChampionCurves:
    """A champion's demand curves, the last business date it learned from, and what it says of days in context.

    `context` is None where it does not look at the context.
    """

    curves: DemandCurves
    trained_through: dt.date
    context: ContextCurves | None = None


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
    """

    sales: Sales
    footfall: Footfall
    taught: Learned | None
    kinds: tuple[tuple[tuple[str, ...], Learned], ...] = ()


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
    return Seen(sales, _footfall(connection, catalog, through), taught, kinds)


def belief_from(catalog: Catalog, seen: Seen, date: dt.date, champion: ChampionCurves | None = None) -> Belief:
    """Return what is believed of a business date by what was seen before it.

    Parameters
    ----------
    champion
        With one, it tells what the days taught that it learned from, and the days since correct it.
    """
    if seen.taught is None:
        return replace(believed_before_anybody_came(catalog), footfall=seen.footfall)
    knots, settings, found, beside = Knots.of(catalog), catalog.store.belief, seen.taught, None
    if champion is not None:
        if champion.context is not None:
            known, beside = champion.context.beside_weekdays(seen.sales, date)
            found = found.told(knots, settings, seen.sales, known)
        found = found.told(knots, settings, _as_told(knots, champion, seen.sales, found), found.known_days)
    sold = seen.sales.at_knots(knots.shape)
    kinds = tuple(StoreKind(stores, own.states_on(knots, date), own.taught.hours) for stores, own in seen.kinds)
    return Belief(found.states_on(knots, date, beside), found.taught.hours, seen.footfall, found.shape, sold, kinds)


def _as_told(knots: Knots, champion: ChampionCurves, sales: Sales, found: Learned) -> Sales:
    """Return the visits with as many purchases as the champion expects of them, where it saw the price.

    It tells the curve of the demand that it saw last. What weekday, hour and day add to it, the sales tell; where it
    looks at the context, it tells weekday and hour as well.
    """
    bought, curves = sales.bought.copy(), champion.curves
    is_learned = np.array([date <= champion.trained_through for date in sales.dates])
    if not is_learned.any():
        return sales
    is_learned &= found.state_of_day == found.state_of_day[is_learned][-1]
    in_context = None if champion.context is None else champion.context.days
    beside = found.taught.beside_curves(sales) if in_context is None else found.taught.days[sales.product, sales.day]
    for product, (prices, chance, seen) in enumerate(zip(curves.prices, curves.p_sale, curves.supported, strict=True)):
        if not seen.any() or not np.isfinite(chance[seen]).all():
            continue
        rows = np.arange(sales.starts[product], sales.starts[product + 1])
        at = (knots.ratios[product] * knots.base_prices[product])[sales.knot[rows]]
        has_seen = (at >= prices[seen][0] - _SAME) & (at <= prices[seen][-1] + _SAME) & is_learned[sales.day[rows]]
        told, curve = rows[has_seen], np.interp(at[has_seen], prices[seen], chance[seen])
        if in_context is not None:
            curve = _read(prices[seen], in_context[sales.day[told], sales.hour[told], product][:, seen], at[has_seen])
        usual = np.average(beside[told], weights=sales.met[told]) if len(told) else 0.0
        bought[told] = sales.met[told] * expit(_odds(curve) + beside[told] - usual)
    return replace(sales, bought=bought)


def _odds(chance: Floats) -> Floats:
    return np.asarray(logit(np.clip(chance, _SURE, 1 - _SURE)))


def _read(prices: Floats, chances: Floats, at: Floats) -> Floats:
    """Read chances that are known at some prices, shape (n_rows, n_prices), at one price each, on straight lines."""
    below = np.clip(np.searchsorted(prices, at, side="right") - 1, 0, max(len(prices) - 2, 0))
    above = np.minimum(below + 1, len(prices) - 1)
    width = np.maximum(prices[above] - prices[below], _SAME)
    share, row = np.clip((at - prices[below]) / width, 0.0, 1.0), np.arange(len(at))
    return np.asarray(chances[row, below] * (1 - share) + chances[row, above] * share)


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
