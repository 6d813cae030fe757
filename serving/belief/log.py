"""Read a belief off the log: what was sold at which price, when demand changed, and who comes.

A belief looks back eight weeks, footfall four. Only prices that our own policies showed teach: what somebody else set
had reasons that were not logged.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from scipy.special import expit

from catalog.arrays import Floats
from catalog.load import Catalog
from features.cells import query
from features.footfall import counted_visits
from serving.belief.belief import (
    CHANCE_OF_A_CHANGE,
    USUAL_DAY_SPREAD,
    Belief,
    Stage,
    believed_before_anybody_came,
    likeliest_spread,
    loosened,
    opened,
)
from serving.belief.footfall import PRIOR_DAYS, Footfall
from serving.belief.gaussian import Counts, Gaussian
from serving.belief.knots import Knots
from serving.curves import DemandCurves

_DAYS = 56
_FOOTFALL_DAYS = 28
_SURE_OF_A_CHANGE = 0.9
_MOST_CHANGES = 3
_SURE_DAYS = 2.0  # weight of the usual spread of a day's visits, in days
_PROFILE_VISITS = 50.0  # weight of an even profile, in visits
_SURE = 1e-4  # a champion's chance is kept this far from 0 and 1


@dataclass(frozen=True)
class ChampionCurves:
    """A champion's demand curves, and the last business date it learned from."""

    curves: DemandCurves
    trained_through: dt.date


def belief_of(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date, champion: ChampionCurves | None = None
) -> Belief:
    """Return what is believed after a business date.

    Parameters
    ----------
    champion
        With one, its curves are believed, as far as the days it learned from bear them out, and corrected by the days
        since.
    """
    knots = Knots.of(catalog)
    days = _sales_by_day(connection, catalog, knots, through)
    spread = likeliest_spread(knots, catalog.store.belief, _sum(list(days.values()), knots))
    plain = Belief(_stages(catalog, knots, days, spread), _footfall(connection, catalog, through), spread)
    return plain if champion is None else _led_by(plain, catalog, knots, days, champion)


def _sales_by_day(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, knots: Knots, through: dt.date
) -> dict[dt.date, Counts]:
    span = {"first": through - dt.timedelta(days=_DAYS - 1), "last": through}
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


def _stages(catalog: Catalog, knots: Knots, days: dict[dt.date, Counts], spread: float) -> tuple[Stage, ...]:
    """Cut the days where demand changed, as often as that is nearly sure, the most striking change first."""
    stages, dates = [Stage("prior", Counts.none(knots.shape))], list(days)
    nobody = believed_before_anybody_came(catalog).footfall
    while dates:
        counts = [days[date] for date in dates]
        cut = None
        if len(dates) > 1 and len(stages) <= _MOST_CHANGES:
            cut = _change(opened(catalog, Belief(tuple(stages), nobody, spread)).start, counts, knots)
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
    """Return a belief in the champion's curves, corrected by the days after its training."""
    learned = {date: own for date, own in days.items() if date <= champion.trained_through}
    since = {date: own for date, own in days.items() if date > champion.trained_through}
    stages = _stages(catalog, knots, learned, plain.spread)
    odds = _odds_at(knots, champion.curves, opened(catalog, Belief(stages, plain.footfall, plain.spread)).at_opening)
    led = Belief((*stages, Stage("champion", Counts.none(knots.shape))), plain.footfall, plain.spread, odds)
    if not since:
        return led
    counts = list(since.values())
    cut = _change(opened(catalog, led).start, counts, knots) if len(counts) > 1 else None
    parts = [counts] if cut is None else [counts[:cut], counts[cut:]]
    later = [Stage("champion" if not number else "change", _sum(part, knots)) for number, part in enumerate(parts)]
    return Belief((*stages, *later), plain.footfall, plain.spread, odds)


def _odds_at(knots: Knots, curves: DemandCurves, known: Gaussian) -> Floats:
    """Return the champion's log odds at the knots.

    Beyond the prices it saw a forest is flat, so there the shelf's shape holds. A product without support keeps what
    the shelf says.
    """
    odds = known.mean.copy()
    for product, (prices, chance, seen) in enumerate(zip(curves.prices, curves.p_sale, curves.supported, strict=True)):
        if not seen.any() or not np.isfinite(chance[seen]).all():
            continue
        at = knots.ratios[product] * knots.base_prices[product]
        inside = np.clip(at, prices[seen][0], prices[seen][-1])
        own = np.clip(np.interp(inside, prices[seen], chance[seen]), _SURE, 1 - _SURE)
        shape = known.mean[product] - np.interp(inside, at, known.mean[product])
        odds[product] = np.log(own / (1 - own)) + shape
    return odds


def _footfall(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> Footfall:
    """Return who comes on a usual day: the last four weeks, and what was expected before with a little weight."""
    prior = believed_before_anybody_came(catalog).footfall
    span = {"first": through - dt.timedelta(days=_FOOTFALL_DAYS - 1), "last": through}
    visits, store_days = counted_visits(connection, catalog, through)
    if not store_days:
        return prior
    totals = connection.execute(query("visits_by_day"), span).df()
    profile = visits.sum(axis=0) + _PROFILE_VISITS * prior.profile
    return Footfall(
        daily=(prior.daily * PRIOR_DAYS + visits.sum(axis=1)) / (PRIOR_DAYS + store_days),
        profile=profile / profile.sum(),
        store_days=float(store_days),
        day_spread=_day_spread(totals["count_visits"].to_numpy(dtype=float), totals["count_stores"].to_numpy()),
    )


def _day_spread(visits: Floats, stores: Floats) -> float:
    """Return the spread of a day's visits a store beyond that of a Poisson count, drawn towards the usual one."""
    by_store = visits / stores
    days = len(visits)
    beyond = 0.0
    if days > 1:
        beyond = max(0.0, by_store.var(ddof=1) / by_store.mean() ** 2 - float(np.mean(1 / np.maximum(visits, 1))))
    return float(np.sqrt((_SURE_DAYS * USUAL_DAY_SPREAD**2 + (days - 1) * beyond) / (_SURE_DAYS + days - 1)))


def _sum(counts: Sequence[Counts], knots: Knots) -> Counts:
    return sum(counts, Counts.none(knots.shape))
