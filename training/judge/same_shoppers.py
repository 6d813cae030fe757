"""The twin's truth, for scoring alone: what shoppers would do, and what a book's days earned against base prices.

Days of exploration are no yardstick for a price book: they sell at prices that are meant to lose money. The twin can do
better. It draws who comes before any price is known, so the visits of a past day can be drawn again from the seed,
stores and catalog of the ledger, and met at base prices. What must hold: the day was played by the twin from opening to
closing under one price book. Days that were loaded from a file or sold live were not, and have no comparison.

No model is fitted on it and no price is made from it. Where decisions came from outside, nobody knows the truth.
"""

import datetime as dt
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from catalog.arrays import Flags, Floats
from catalog.decisions.takings import Takings, sum_of, takings_of
from catalog.errors import CatalogError
from catalog.ladder import price_ladder
from catalog.load import Catalog
from catalog.records.pricing import Objective
from etl.ledger import LedgerRow, in_force_in, kept_catalog
from etl.open_days import is_live
from etl.stock import kept_before
from etl.twin.over_days import OverDays
from etl.twin.substitutes import chooses_substitutes
from etl.twin.truth import chance_of_average_visit, chance_of_sale, chance_of_switch, chance_on, mean_chance_on
from etl.twin.visits import budget_shifts_on, draw_visits, expected_visits_on, stores_alike
from features.footfall import LoggedVisits
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import StaticPolicy, costs_that_count
from serving.optimise.recursion import value_of_prices
from serving.optimise.stock_ahead import StockAhead
from serving.store.storefront import Storefront
from training.fit.dataset import Dataset
from training.judge.believed_gain import ExpectedDay
from warehouse.lake import Lake, Partition
from warehouse.origin import bought_in, origin_of
from warehouse.workspace import Workspace

_LOST = ("waste_eur", "holding_eur", "units_spoiled")


def is_known(workspace: Workspace) -> bool:
    """Tell whether the decisions are the twin's, of which the true demand is known."""
    return origin_of(workspace.lake.store) == "twin"


def true_chances(workspace: Workspace, dataset: Dataset) -> Floats | None:
    """Return the true chance of sale of each held-out cell, shape (n_cells,); None where nobody knows it.

    A cell does not say when and in which store its visits were; where that matters, it is that of an average visit.
    """
    if not is_known(workspace):
        return None
    catalog, holdout = workspace.catalog, dataset.holdout
    positions = catalog.positions
    product, ratio = holdout["sku"].astype(object).map(positions).to_numpy(), holdout["price_ratio"]
    place = ratio.groupby([holdout["business_date"], product]).rank("dense").to_numpy(dtype=np.int64) - 1
    truth = np.empty(len(holdout))
    for stamp, rows in holdout.groupby("business_date").indices.items():
        own = product[rows], place[rows]  # a price that many cells have, by stock or hour, is asked about once
        ratios = np.ones((len(positions), 1 + int(place[rows].max())))
        ratios[own] = ratio.to_numpy()[rows]
        truth[rows] = mean_chance_on(catalog, _date_of(stamp), ratios)[own]
    return truth


def true_chances_at(catalog: Catalog, visits: LoggedVisits, price: Floats) -> Floats:
    """Return the true chance of sale at a price for each visit, in its tick and store, shape (n_visits,)."""
    examples, group = stores_alike(catalog, visits.stores)
    shifts = np.array([[budget_shifts_on(catalog, day, store) for store in examples] for day in visits.days])
    product, of_visit = visits.product, (visits.day, group[visits.store], visits.tick, visits.product)
    return chance_of_sale(catalog, price / catalog.base_prices[product], shifts[of_visit], product)


def truly_gained(prices: Floats, catalog: Catalog, date: dt.date, store: str | None = None) -> Floats:
    """Return what prices gain on average on one store day under true demand, EUR, shape (n_products,).

    Each product counts by itself: what is taken instead of another is left out.

    Parameters
    ----------
    prices
        EUR in every state, as a price book has them, shape (n_products, n_levels, n_ticks).
    store
        None for one that no demand effect names.
    """
    shifts = budget_shifts_on(catalog, date, store)[::-1].T[:, None]  # position t stands for t + 1 ticks left
    product = np.arange(len(prices))[:, None, None]
    chance = chance_of_sale(catalog, prices / catalog.base_prices[:, None, None], shifts, product)
    gains = prices - costs_that_count(catalog)[:, None, None]
    visits = expected_visits_on(catalog, date, store)
    ahead = StockAhead.of(catalog, true_curves(catalog, date, store), visits)
    gained = np.empty(len(prices))
    for own, par in enumerate(catalog.par_stock):
        evening = np.zeros(len(prices[own])) if ahead is None else ahead.evening_of_new_units(own, date)
        levels = slice(len(evening))
        gained[own] = value_of_prices(gains[own, levels], (chance[own] * visits[own, ::-1])[levels], evening)[par, -1]
    return gained


def true_curves(catalog: Catalog, date: dt.date, store: str | None = None) -> DemandCurves:
    """Return the true chance of sale in a store day at the catalog's ladder, by tick where it differs."""
    ladder = price_ladder(catalog)
    chance = chance_on(catalog, date, ladder / catalog.base_prices[:, None], store)
    switching = true_switching(catalog, date, store)
    if chance.ndim == 2:  # noqa: PLR2004 - products x prices
        return DemandCurves(catalog.skus, ladder, chance, "truth", switching=switching)
    mean = chance_of_average_visit([(expected_visits_on(catalog, date, store), chance)])
    return DemandCurves(catalog.skus, ladder, mean, "truth", by_tick=chance, switching=switching)


@dataclass(frozen=True)
class TrueSwitching:
    """How the twin's shoppers truly take substitutes. Implements `serving.optimise.curves.Switching`.

    `budget_shift` is that of each product's shoppers on an average tick, shape (n_products,).
    """

    catalog: Catalog
    budget_shift: Floats

    @property
    def substitutes(self) -> Flags:
        """Which products may be taken instead of which, shape (n_products, n_products)."""
        return self.catalog.substitutes

    def chances(self, product: int, own_ratio: Floats, ratios: Floats) -> Floats:
        """Return the chance that each product is taken instead of one, as `Switching` says."""
        return chance_of_switch(self.catalog, product, own_ratio, ratios, float(self.budget_shift[product]))


def true_switching(catalog: Catalog, date: dt.date, store: str | None = None) -> TrueSwitching | None:
    """Return how shoppers truly take substitutes on a date; None where nobody does."""
    if not chooses_substitutes(catalog):
        return None
    return TrueSwitching(catalog, budget_shifts_on(catalog, date, store).mean(axis=0))


def true_gain(catalog: Catalog, date: dt.date, prices: Floats, others: Floats) -> float:
    """Return what prices truly gain over others on a store day, on average over the stores, EUR."""
    examples, group = stores_alike(catalog, catalog.store.stores)
    gains = [
        float((truly_gained(prices, catalog, date, store) - truly_gained(others, catalog, date, store)).sum())
        for store in examples
    ]
    return float(np.mean(np.array(gains)[group]))


def true_day(catalog: Catalog, date: dt.date) -> ExpectedDay:
    """Return who truly comes to an average store of the catalog on a date, and who buys there."""
    examples, group = stores_alike(catalog, catalog.store.stores)
    product, shares = np.arange(len(catalog.skus)), np.bincount(group) / len(group)
    visits = np.array([expected_visits_on(catalog, date, store) for store in examples])
    shifts = np.array([budget_shifts_on(catalog, date, store) for store in examples])
    weights = shares[:, None, None] * visits
    mean = weights.sum(axis=0)

    def chance(prices: Floats, tick: int) -> Floats:
        bought = chance_of_sale(catalog, prices / catalog.base_prices, shifts[:, tick], product)
        return (weights[:, :, tick] * bought).sum(axis=0) / np.maximum(mean[:, tick], np.finfo(float).tiny)

    return ExpectedDay(mean, chance, date)


def _date_of(stamp: object) -> dt.date:
    date: dt.date = pd.Timestamp(str(stamp)).date()
    return date


@dataclass(frozen=True)
class Compared:
    """A price book beside base prices on the same shoppers, all stores together.

    Attributes
    ----------
    objective
        What prices were to maximise: `revenue`, `margin` or `profit`.
    book, base
        What the price book brought, and what base prices would have brought from the same visits.
    """

    objective: Objective
    book: Takings
    base: Takings

    @property
    def book_eur(self) -> float:
        """What the price book earned by the objective, EUR."""
        return self.book.counted(self.objective)

    @property
    def base_eur(self) -> float:
        """What base prices would have earned by the objective, EUR."""
        return self.base.counted(self.objective)


@dataclass(frozen=True)
class SameShoppers(Compared):
    """One business date."""

    business_date: dt.date


@dataclass(frozen=True)
class MeanDay(Compared):
    """The mean of `count_days` business dates."""

    count_days: int

    @property
    def gain(self) -> float | None:
        """What the book earned more, as a share of base prices; None where those earned nothing."""
        return self.book_eur / self.base_eur - 1 if self.base_eur > 0 else None


def on_same_shoppers(lake: Lake) -> list[SameShoppers]:
    """Compare every business date that the twin played from a price book with base prices, in order of date.

    A date of which a single batch cannot be compared is left out whole. Where stock lives on, base prices begin the
    first date with what the stores had, and every other one with what they themselves left.
    """
    days, at_base = [], OverDays()
    for date, batches in groupby(lake.partitions("interactions"), lambda batch: batch.business_date):
        compared = [_compare(lake, batch, at_base) for batch in batches]
        comparable = [one for one in compared if one is not None]
        if date is not None and len(comparable) == len(compared):
            book, base = (sum_of([getattr(one, name) for one in comparable]) for name in ("book", "base"))
            days.append(SameShoppers(comparable[0].objective, book, base, date))
    return days


def mean_of(days: list[SameShoppers]) -> MeanDay | None:
    """Return the mean day of those that have the newest day's objective; None without days."""
    counted = [day for day in days if day.objective == days[-1].objective]
    if not counted:
        return None
    book, base = (sum_of([getattr(day, name) for day in counted]).over(len(counted)) for name in ("book", "base"))
    return MeanDay(counted[0].objective, book, base, len(counted))


def _compare(lake: Lake, batch: Partition, at_base: OverDays) -> SameShoppers | None:
    """Compare one batch of decisions; None unless the twin played it from a price book all day."""
    date = batch.business_date
    if date is None or is_live(batch):
        return None
    rows = in_force_in(lake, date, batch.group)
    if lake.receipt(batch) is None or len(rows) != 1 or rows[0].book_made_for is None:
        return None
    try:
        catalog = kept_catalog(lake, rows[0].catalog)
    except CatalogError:  # this version cannot read it any more
        return None
    objective = catalog.store.policies.objective
    base = _at_base_prices(lake, catalog, rows[0], date, at_base)
    return SameShoppers(objective, takings_in(lake, batch, catalog), base, date)


def takings_in(lake: Lake, batch: Partition, catalog: Catalog) -> Takings:
    """Sum what the published decisions of a batch brought, and what was taken instead."""
    sold = bought_in(lake, batch, ["sku", "price_offered"]).to_pandas()
    costs = sold["sku"].astype(str).map(dict(zip(catalog.skus, catalog.unit_costs, strict=True)))
    waste = holding = spoiled = 0.0
    stock = replace(batch, table="stock_movements")
    if lake.receipt(stock) is not None:
        moved = lake.read(stock)
        waste, holding, spoiled = (float(pc.sum(moved[name]).as_py() or 0) for name in _LOST)
    return Takings(float(sold["price_offered"].sum()), float(costs.sum()), waste, holding, len(sold), spoiled)


def _at_base_prices(lake: Lake, catalog: Catalog, row: LedgerRow, date: dt.date, at_base: OverDays) -> Takings:
    """Sell the same visits at base prices."""
    visits = draw_visits(catalog, row.stores, date, row.seed)
    at_base.begin_with(kept_before(lake, catalog, row.stores, date), row.stores, date)
    policy = Storefront(StaticPolicy(catalog.base_prices))
    return takings_of(at_base.meet(catalog, policy, row.stores, date, visits), catalog)
