"""The twin's truth, for scoring alone: what shoppers would do, and what a book's days earned against base prices.

Days of exploration are no yardstick for a price book: they sell at prices that are meant to lose money. The twin can do
better. It draws who comes before any price is known, so the visits of a past day can be drawn again from the seed,
stores and catalog of the ledger, and met at base prices. What must hold: the day was played by the twin from opening to
closing under one price book. Days that were loaded from a file or sold live were not, and have no comparison.

No model is fitted on it and no price is made from it. Where decisions came from outside, nobody knows the truth.
"""

import datetime as dt
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.errors import CatalogError
from catalog.load import Catalog
from catalog.store_day import BOUGHT
from etl.ledger import LedgerRow, in_force_in, kept_catalog
from etl.live.day import is_live
from features.footfall import LoggedVisits
from serving.policies import StaticPolicy, costs_that_count
from serving.recursion import value_of_prices
from serving.storefront import Storefront
from simulation.store_day import meet
from simulation.truth import chance_of_sale, mean_chance_on
from simulation.visits import budget_shifts_on, draw_visits, expected_visits_on, stores_alike
from training.corrected_day import ExpectedDay
from training.dataset import Dataset
from warehouse.lake import Lake, Partition
from warehouse.origin import origin_of
from warehouse.workspace import Workspace


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
    positions = {sku: position for position, sku in enumerate(catalog.skus)}
    truth = np.empty(len(holdout))
    for stamp, rows in holdout.groupby("business_date").indices.items():
        cells = holdout.iloc[rows]
        ratios = np.broadcast_to(cells["price_ratio"].to_numpy(), (len(positions), len(cells)))
        chances = mean_chance_on(catalog, _date_of(stamp), ratios)
        truth[rows] = chances[cells["sku"].map(positions).to_numpy(), np.arange(len(cells))]
    return truth


def true_chances_at(catalog: Catalog, visits: LoggedVisits, price: Floats) -> Floats:
    """Return the true chance of sale at a price for each visit, in its tick and store, shape (n_visits,)."""
    examples, group = stores_alike(catalog, visits.stores)
    shifts = np.array([[budget_shifts_on(catalog, day, store) for store in examples] for day in visits.days])
    product, of_visit = visits.product, (visits.day, group[visits.store], visits.tick, visits.product)
    return chance_of_sale(catalog, price / catalog.base_prices[product], shifts[of_visit], product)


def truly_gained(prices: Floats, catalog: Catalog, date: dt.date, store: str | None = None) -> Floats:
    """Return what prices gain on average on one store day under true demand, EUR, shape (n_products,).

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
    return np.array(
        [
            value_of_prices(gain, p_sale * coming[::-1])[par, -1]
            for gain, p_sale, coming, par in zip(gains, chance, visits, catalog.par_stock, strict=True)
        ]
    )


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

    return ExpectedDay(mean, chance)


def _date_of(stamp: object) -> dt.date:
    date: dt.date = pd.Timestamp(str(stamp)).date()
    return date


@dataclass(frozen=True)
class SameShoppers:
    """One business date under its price book and at base prices, all stores together.

    Attributes
    ----------
    objective
        What is counted: `revenue`, or `margin`, which is revenue less unit costs.
    book_eur, base_eur
        What the price book earned, and what base prices would have earned from the same visits, EUR.
    """

    business_date: dt.date
    objective: str
    book_eur: float
    base_eur: float


@dataclass(frozen=True)
class MeanDay:
    """The mean of `count_days` business dates: EUR a day from the price book and at base prices."""

    count_days: int
    objective: str
    book_eur: float
    base_eur: float

    @property
    def gain(self) -> float | None:
        """What the book earned more, as a share of base prices; None where those earned nothing."""
        return self.book_eur / self.base_eur - 1 if self.base_eur > 0 else None


def on_same_shoppers(lake: Lake) -> list[SameShoppers]:
    """Compare every business date that the twin played from a price book with base prices, in order of date.

    A date of which a single batch cannot be compared is left out whole.
    """
    days = []
    for date, batches in groupby(lake.partitions("interactions"), lambda batch: batch.business_date):
        compared = [_compare(lake, batch) for batch in batches]
        comparable = [one for one in compared if one is not None]
        if date is not None and len(comparable) == len(compared):
            book_eur, base_eur = sum(one.book_eur for one in comparable), sum(one.base_eur for one in comparable)
            days.append(SameShoppers(date, comparable[0].objective, book_eur, base_eur))
    return days


def mean_of(days: list[SameShoppers]) -> MeanDay | None:
    """Return the mean day of those that have the newest day's objective; None without days."""
    counted = [day for day in days if day.objective == days[-1].objective]
    if not counted:
        return None
    book_eur, base_eur = fmean(day.book_eur for day in counted), fmean(day.base_eur for day in counted)
    return MeanDay(len(counted), counted[0].objective, book_eur, base_eur)


def _compare(lake: Lake, batch: Partition) -> SameShoppers | None:
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
    return SameShoppers(date, objective, earned_in(lake, batch, catalog), _at_base_prices(catalog, rows[0], date))


def earned_in(lake: Lake, batch: Partition, catalog: Catalog) -> float:
    """Sum what the published decisions of a batch earned, EUR."""
    decisions = lake.read(batch).select(["sku", "price_offered", "purchased"])
    sold = decisions.filter(decisions["purchased"]).to_pandas()
    costs = dict(zip(catalog.skus, costs_that_count(catalog), strict=True))
    return float(sold["price_offered"].sum() - sold["sku"].astype(str).map(costs).sum())


def _at_base_prices(catalog: Catalog, row: LedgerRow, date: dt.date) -> float:
    """Sell the same visits at base prices, EUR."""
    visits = draw_visits(catalog, row.stores, date, row.seed)
    day = meet(catalog, Storefront(StaticPolicy(catalog.base_prices)), row.stores, date, visits)
    bought = day.outcome == BOUGHT
    return float((day.price[bought] - costs_that_count(catalog)[day.product[bought]]).sum())
