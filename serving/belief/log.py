"""Read a belief off the log: what was sold at which price, when demand changed, and who comes.

A belief looks back eight weeks, footfall four. Only prices that our own policies showed teach: what somebody else set
had reasons that were not logged.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pandas as pd
from scipy.special import expit, gammaln, softmax

from catalog.arrays import Floats
from catalog.load import Catalog
from features.cells import query
from features.footfall import counted_visits, store_days_in
from serving.belief.belief import (
    CHANCE_OF_A_CHANGE,
    Belief,
    Shape,
    Stage,
    believed_before_anybody_came,
    likeliest_shape,
    loosened,
    opened,
)
from serving.belief.footfall import PRIOR_DAYS, Footfall
from serving.belief.gaussian import Counts, Gaussian, Knots
from serving.curves import DemandCurves

LOOKS_BACK = 56
"""The days whose decisions a belief rests on, the last one included."""

_SURE_OF_A_CHANGE = 0.9
_MOST_CHANGES = 3
_DAY_SPREADS = (0.02, 0.05, 0.1, 0.2, 0.4)  # of a day's visits around what is usual, as a share
_PROFILE_VISITS = 50.0  # weight of an even profile, in visits
_SAME = 1e-9  # EUR


@dataclass(frozen=True)
class ChampionCurves:
    """A champion's demand curves, and the last business date it learned from."""

    curves: DemandCurves
    trained_through: dt.date


@dataclass(frozen=True)
class Seen:
    """What the log shows up to a business date: to read it takes as long as there are decisions, so it is read once.

    Attributes
    ----------
    days
        What was sold at our own prices, by business date, ascending.
    footfall
        Who comes on a usual day.
    """

    days: dict[dt.date, Counts]
    footfall: Footfall


def seen_in(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> Seen:
    """Read what a belief about the day after a business date rests on."""
    days = _sales_by_day(connection, catalog, Knots.of(catalog), through)
    return Seen(days, _footfall(connection, catalog, through))


def belief_from(catalog: Catalog, seen: Seen, champion: ChampionCurves | None = None) -> Belief:
    """Return what is believed by what was seen.

    Parameters
    ----------
    champion
        With one, it tells what the days taught that it learned from, and the days since correct it.
    """
    knots = Knots.of(catalog)
    shape = likeliest_shape(knots, catalog.store.belief, _sum(list(seen.days.values()), knots))
    plain = Belief(_stages(catalog, knots, seen.days, shape), seen.footfall, shape)
    return plain if champion is None else _led_by(plain, catalog, knots, seen.days, champion)


def _sales_by_day(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, knots: Knots, through: dt.date
) -> dict[dt.date, Counts]:
    span = {"first": through - dt.timedelta(days=LOOKS_BACK - 1), "last": through}
    sales = connection.execute(query("own_sales"), span).df()
    positions = {sku: position for position, sku in enumerate(catalog.skus)}
    sales = sales[sales["sku"].isin(positions)]
    days = {}
    for stamp, own in sales.groupby("business_date", sort=True):
        product, price = own["sku"].map(positions).to_numpy(dtype=np.int64), own["price_offered"].to_numpy()
        met, bought = (own[name].to_numpy(dtype=float) for name in ("count_met", "count_bought"))
        date = pd.Timestamp(str(stamp)).date()
        days[date] = Counts(knots.counted(product, price, met), knots.counted(product, price, bought))
    return days


def _stages(catalog: Catalog, knots: Knots, days: dict[dt.date, Counts], shape: Shape) -> tuple[Stage, ...]:
    """Cut the days where demand changed, as often as that is nearly sure, the most striking change first."""
    stages, dates = [Stage("prior", Counts.none(knots.shape))], list(days)
    nobody = believed_before_anybody_came(catalog).footfall
    while dates:
        counts = [days[date] for date in dates]
        cut = None
        if len(dates) > 1 and len(stages) <= _MOST_CHANGES:
            cut = _change(opened(catalog, Belief(tuple(stages), nobody, shape)).start, counts, knots)
        end = len(dates) if cut is None else cut
        stages[-1] = Stage(stages[-1].begins, _sum(counts[:end], knots))
        dates = dates[end:]
        if dates:
            stages.append(Stage("change", Counts.none(knots.shape)))
    return tuple(stages)


def _change(start: Gaussian, counts: Sequence[Counts], knots: Knots) -> int | None:
    """Return the position of the first day of another demand, or None where the days are more likely alike."""
    whole = start.updated(_sum(counts, knots))
    chance = expit(whole.belief.mean)
    residual = np.array([(day.bought - day.met * chance).sum(axis=1) for day in counts])
    variance = np.array([(day.met * chance * (1 - chance)).sum(axis=1) for day in counts])
    after, later = residual[::-1].cumsum(axis=0)[::-1][1:], variance[::-1].cumsum(axis=0)[::-1][1:]
    total = np.maximum(variance.sum(axis=0), 1e-9)
    before = variance.sum(axis=0) - later
    apart = after - residual.sum(axis=0) * later / total  # a firm belief leaves residuals that do not cancel out
    striking = (apart**2 / np.maximum(later * before / total, 1e-9)).sum(axis=1)
    cut = int(np.argmax(striking)) + 1
    first = start.updated(_sum(counts[:cut], knots))
    second = loosened(first.belief).updated(_sum(counts[cut:], knots))
    odds = np.log(CHANCE_OF_A_CHANGE / (1 - CHANCE_OF_A_CHANGE))
    changed = expit(odds + first.log_evidence + second.log_evidence - whole.log_evidence)
    return cut if changed > _SURE_OF_A_CHANGE else None


def _led_by(
    plain: Belief, catalog: Catalog, knots: Knots, days: dict[dt.date, Counts], champion: ChampionCurves
) -> Belief:
    """Return the belief in which the champion tells of the days that it learned from, and the days since correct it."""
    learned = {date: own for date, own in days.items() if date <= champion.trained_through}
    since = [own for date, own in days.items() if date > champion.trained_through]
    *before, newest = _stages(catalog, knots, learned, plain.shape)
    told = replace(newest, counts=_as_told(knots, champion.curves, newest.counts), told_by_champion=True)
    first = replace(plain, stages=(*before, told, Stage("since", Counts.none(knots.shape))))
    cut = _change(opened(catalog, first).start, since, knots) if len(since) > 1 else None
    parts = [since] if cut is None else [since[:cut], since[cut:]]
    later = [Stage("change" if number else "since", _sum(part, knots)) for number, part in enumerate(parts)]
    return replace(plain, stages=(*before, told, *later))


def _as_told(knots: Knots, curves: DemandCurves, counts: Counts) -> Counts:
    """Return the visits with as many purchases as the champion expects of them, where it saw the price."""
    bought = counts.bought.copy()
    for product, (prices, chance, seen) in enumerate(zip(curves.prices, curves.p_sale, curves.supported, strict=True)):
        if not seen.any() or not np.isfinite(chance[seen]).all():
            continue
        at = knots.ratios[product] * knots.base_prices[product]
        expected = counts.met[product] * np.interp(at, prices[seen], chance[seen])
        has_seen = (at >= prices[seen][0] - _SAME) & (at <= prices[seen][-1] + _SAME)
        bought[product] = np.where(has_seen, expected, bought[product])
    return Counts(counts.met, bought)


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


def _sum(counts: Sequence[Counts], knots: Knots) -> Counts:
    return sum(counts, Counts.none(knots.shape))
