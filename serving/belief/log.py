"""Read a belief off the log: what was sold at which price, when demand changed, and who comes.

A belief looks back eight weeks, footfall four. Only prices that our own policies showed teach: what somebody else set
had reasons that were not logged.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
import pandas as pd
from scipy.special import expit, logit

from catalog.arrays import Floats
from catalog.load import Catalog
from features.attributes import attributes_of, attributes_of_stores
from features.context import day_in_words, days_in_context
from features.footfall import counted_visits
from features.prior_forests import NO_PRIOR, PriorForests
from serving.belief.belief import Belief, StoreKind, believed_before_anybody_came
from serving.belief.footfall import expected_footfall
from serving.belief.gaussian import Knots
from serving.belief.hearing import Hearing, hear, hear_products, kinds_joined
from serving.belief.said import Said
from serving.belief.sales import LOOKS_BACK, Sales, sales_by_kind, sales_of_all
from serving.belief.shoppers import switching_from
from serving.belief.states import CLEARLY, Fit, fit_days
from serving.belief.today import Footfall
from serving.optimise.curves import DemandCurves, LogitSwitching

_SAME = 1e-9  # EUR
_CHAMPION_VISITS = 100.0  # visits to a product that a champion's curve weighs
_SURE = 1e-4  # chance below which a champion's word is no more than that


@dataclass(frozen=True)
class ChampionCurves:
    """A champion's demand curves, which carry its version, the last business date it learned from, and its forests."""

    curves: DemandCurves
    trained_through: dt.date
    prior: PriorForests = NO_PRIOR


@dataclass(frozen=True)
class KindEvidence:
    """Stores of one kind, their sales, and demand fitted to these."""

    stores: tuple[str, ...]
    sales: Sales
    fit: Fit


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
        Stores of each kind and what their sales teach; nothing while all stores are alike.
    days
        Context of the days of the sales and of the next date, as `days_in_context` returns it; None where nothing was
        sold.
    switching
        How shoppers take substitutes; None where nobody is known to.
    """

    sales: Sales
    footfall: Footfall
    fit: Fit | None
    kinds: tuple[KindEvidence, ...] = ()
    days: pd.DataFrame | None = None
    switching: LogitSwitching | None = None
    heard: dict[str, Hearing] = field(default_factory=dict, compare=False, repr=False)
    """What was heard from each version, by its name."""

    def shares(self, version: str) -> dict[str, float]:
        """Return how much of each forest of a version that was heard holds, by name."""
        heard = self.heard.get(version)
        names = ("product_share", "day_share", "store_share")
        return {} if heard is None else {name: getattr(heard, name) for name in names}

    def hearing(self, catalog: Catalog, champion: ChampionCurves | None) -> Hearing | None:
        """Return the fit with what a champion's forests say beforehand; None without one, or where nothing was sold."""
        if self.fit is None or champion is None:
            return None
        version = champion.curves.model_version
        if version not in self.heard:
            lines, levels = lines_of(champion.prior, catalog), None
            if champion.prior.days is not None and self.days is not None:
                levels = champion.prior.days.levels(self.days, catalog.skus)
            knots, settings = Knots.of(catalog), catalog.store.belief
            kinds = tuple(hear_products(kind.fit, knots, settings, kind.sales, lines)[0] for kind in self.kinds)
            heard = replace(hear(self.fit, knots, settings, self.sales, lines, levels), kinds=kinds)
            if champion.prior.stores is not None and self.kinds:
                stores = attributes_of_stores(catalog)
                said = pd.Series(champion.prior.stores.levels(stores), stores.index)
                joined = kinds_joined(said, [kind.stores for kind in self.kinds], levels_of_kinds(self.kinds))
                heard = heard if joined is None else replace(heard, store_share=1.0, joined=joined)
            self.heard[version] = heard
        return self.heard[version]


def levels_of_kinds(kinds: Sequence[KindEvidence]) -> Floats:
    """Return the level of each kind around the mean of stores, log odds over all prices, shape (n_kinds,)."""
    levels = np.array([kind.fit.effects.curves.mean() for kind in kinds])
    return levels - np.average(levels, weights=[len(kind.stores) for kind in kinds]) if kinds else levels


def lines_of(prior: PriorForests, catalog: Catalog) -> Floats | None:
    """Return what a forest says of each product of a catalog, as `ProductForest.lines`; None without such a forest."""
    return None if prior.products is None else prior.products.lines(attributes_of(catalog))


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
        KindEvidence(stores, sold, fit_days(settings, knots, sold))
        for stores, sold in sales_by_kind(connection, catalog, knots, through)
    )
    days = days_in_context(connection, catalog, (*sales.dates, date))
    switching = switching_from(connection, catalog, through - dt.timedelta(days=LOOKS_BACK - 1), through)
    return LogEvidence(sales, footfall, fit, kinds, days, switching)


def belief_and_average(
    catalog: Catalog, evidence: LogEvidence, date: dt.date, rivals: Iterable[ChampionCurves | None] = ()
) -> tuple[Belief, Belief]:
    """Return the belief about a business date under which the sales were likeliest, and about the mean of such days.

    No curve of a champion goes in. Forests of the rivals do, where the sales are clearly likelier with them. The mean
    leaves out the random effect of a single day.
    """
    if evidence.fit is None:
        believed = _of_nobody(catalog, evidence)
        return believed, believed
    best, most = None, evidence.fit.evidence + CLEARLY
    for rival in rivals:
        hearing = evidence.hearing(catalog, rival)
        if hearing is not None and hearing.fit.evidence > most:
            best, most = rival, hearing.fit.evidence
    hearing = evidence.hearing(catalog, best)
    fit, beside = (evidence.fit, None) if hearing is None else (hearing.fit, hearing.date)
    belief = _belief_of(catalog, evidence, date, fit, hearing)
    return belief, replace(belief, states=fit.states_on(Knots.of(catalog), date, beside, by_luck=False))


def belief_from(
    catalog: Catalog, evidence: LogEvidence, date: dt.date, champion: ChampionCurves | None = None
) -> Belief:
    """Return the belief about a business date from the log before it.

    Parameters
    ----------
    champion
        Its forests say beforehand how products and days differ. Where nothing of that holds, its curves stand for the
        days it learned from, and the days since correct them. The belief names its version if any of these was used.
    """
    if evidence.fit is None:
        return _of_nobody(catalog, evidence)
    knots, settings, hearing = Knots.of(catalog), catalog.store.belief, evidence.hearing(catalog, champion)
    if champion is None or hearing is None:
        return _belief_of(catalog, evidence, date, evidence.fit, None)
    fit = hearing.fit
    sales = None
    if (
        not hearing.speaks and champion.prior.attributes is None
    ):  # one of attributes would replace a product's own sales
        sales = _as_expected(knots, champion, evidence.sales, fit)
    if sales is not None:
        fit = fit.refit(knots, settings, sales)
    belief = _belief_of(catalog, evidence, date, fit, hearing)
    is_used, said = hearing.speaks or sales is not None, _said(knots, evidence, hearing)
    return replace(belief, model_version=champion.curves.model_version if is_used else None, said=said)


def _said(knots: Knots, evidence: LogEvidence, hearing: Hearing) -> Said:
    """Return what was heard, at base prices and on the date to price."""
    shift, of_products = hearing.fit.prior_shift, None
    if shift is not None:
        of_products = np.array([np.interp(1.0, *curve) for curve in zip(knots.ratios, shift, strict=True)])
    if not hearing.day_share or evidence.days is None:
        return Said(of_products)
    return Said(of_products, hearing.date, day_in_words(evidence.days.iloc[-1]))


def _of_nobody(catalog: Catalog, evidence: LogEvidence) -> Belief:
    return replace(believed_before_anybody_came(catalog), footfall=evidence.footfall)


def _belief_of(catalog: Catalog, evidence: LogEvidence, date: dt.date, fit: Fit, hearing: Hearing | None) -> Belief:
    """Return the belief about a date from a fit to all sales, and what was heard of a version."""
    knots = Knots.of(catalog)
    beside = None if hearing is None else hearing.date
    fits = [kind.fit for kind in evidence.kinds] if hearing is None else hearing.kinds
    joined = {} if hearing is None else hearing.joined
    members = [
        (*kind.stores, *(store for store, place in joined.items() if place == number))
        for number, kind in enumerate(evidence.kinds)
    ]
    kinds = (
        StoreKind(stores, of_kind.states_on(knots, date, beside), of_kind.effects.hours.T)
        for stores, of_kind in zip(members, fits, strict=True)
    )
    return Belief(
        states=fit.states_on(knots, date, beside),
        hours=fit.effects.hours.T,
        footfall=evidence.footfall,
        shape=fit.shape,
        sold=evidence.sales.at_knots(knots.shape),
        drift_spread=fit.drift_spread,
        kinds=tuple(kinds),
        switching=evidence.switching,
    )


def _as_expected(knots: Knots, champion: ChampionCurves, sales: Sales, fit: Fit) -> Sales | None:
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
    effects = fit.effects.beside_curves(sales)
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
