"""True demand: the twin's chance of a sale, known in closed form, and what prices truly gain under it.

Models and policies are scored by it; no model is fitted on it and no price is made from it. Where decisions came from
outside, the truth is unknown. The chance is that of a first visit: a shopper who waits and looks again buys with
another one, which depends on the prices since (`etl.twin.selling`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from catalog.load import Catalog
from etl.twin.draws import Personas, footfall_factor_on, products_by_personas
from etl.twin.selling import chooses_substitutes
from etl.twin.visits import budget_shifts_on, demand_factors_on, stores_alike
from plugins.evaluation.logged_visits import LoggedVisits
from serving.optimise.curves import DemandCurves
from serving.optimise.days_ahead import evenings_of
from serving.optimise.policies import costs_that_count
from serving.optimise.recursion import value_of_prices
from training.fit.dataset import Dataset
from training.judge.believed_gain import (
    LONG_SHELF,
    ExpectedDay,
    RivalBooks,
    prices_of_day,
    some_updates,
    updates_due,
)
from warehouse.origin import origin_of
from warehouse.workspace import Workspace

_FARTHEST, _STEPS = 5.0, 100
"""Of the multipliers of shoppers: standard deviations from a mean, and steps in which they are added up."""


def chance_of_sale(
    catalog: Catalog, price_ratio: Floats, budget_shift: Floats | float = 0.0, product: Ints | None = None
) -> Floats:
    """P(buy) with stock on the shelf: the personas' mixture of P(multiplier >= price / base price).

    Parameters
    ----------
    price_ratio
        Price over base price, any shape.
    budget_shift
        Shift of everyone's multiplier, broadcast against `price_ratio`.
    product
        Position of the product on the shelf, broadcast against `price_ratio`; None is one whose shoppers are the
        store's own personas.
    """
    ratio = np.asarray(price_ratio) - budget_shift
    kinds = products_by_personas(catalog)
    if product is None or len(kinds) == 1:
        return _mixture(catalog.store.personas if product is None else kinds[0][0], ratio)
    chance, of_product = np.empty_like(ratio, dtype=float), np.broadcast_to(product, ratio.shape)
    for personas, products in kinds:
        is_theirs = np.isin(of_product, products)
        chance[is_theirs] = _mixture(personas, ratio[is_theirs])
    return chance


def chance_of_switch(
    catalog: Catalog, product: int, own_ratio: Floats, ratios: Floats, budget_shift: float = 0.0
) -> Floats:
    """P(takes a substitute) of a shopper who found a product too dear, each substitute apart.

    It is the logit of `etl.twin.substitutes`, averaged over the multipliers of those who do not pay the product's own
    price, in steps of equal width.

    Parameters
    ----------
    product
        Position of the product she came for.
    own_ratio
        Its price over base price, shape (n,); infinite where it is sold out.
    ratios
        Those of the products on the shelf, shape (n, n_products); infinite for one that is sold out.
    budget_shift
        Shift of everyone's multiplier.

    Returns
    -------
    Floats
        Shape (n, n_products); 0 for what is no substitute.
    """
    rules, personas = catalog.store.substitution, catalog.products[product].personas or catalog.store.personas
    low = min(persona.mean - _FARTHEST * persona.standard_deviation for persona in personas) + budget_shift
    high = max(persona.mean + _FARTHEST * persona.standard_deviation for persona in personas) + budget_shift
    edges = np.linspace(low, high, _STEPS + 1)
    below = 1 - chance_of_sale(catalog, np.minimum(edges, own_ratio[:, None]), budget_shift, np.array(product))
    share = np.diff(below, axis=1)
    share /= np.maximum(share.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    others, chances = np.flatnonzero(catalog.substitutes[product]), np.zeros(ratios.shape)
    value = (edges[:-1] + edges[1:])[:, None] / 2 - ratios[:, None, others]
    weights = rules.strength * np.exp(value / rules.noise)
    chances[:, others] = (share[:, :, None] * weights / (1 + weights.sum(axis=2, keepdims=True))).sum(axis=1)
    return chances


def chance_on(catalog: Catalog, business_date: dt.date, price_ratio: Floats, store: str | None = None) -> Floats:
    """P(buy) on a date, its shocks and effects included.

    Parameters
    ----------
    price_ratio
        Price over base price, shape (n_products, n_prices).
    store
        Whose demand it is; None is a store that no effect names.

    Returns
    -------
    Floats
        Probabilities, shape (n_products, n_prices); on a date on which they differ by tick, with that axis first,
        (n_ticks, n_products, n_prices).
    """
    shifts = budget_shifts_on(catalog, business_date, store)
    shifts = shifts[0] if (shifts == shifts[0]).all() else shifts
    products = np.arange(len(catalog.products))[:, None]
    ratio = np.broadcast_to(price_ratio, (*shifts.shape, price_ratio.shape[1]))
    return chance_of_sale(catalog, ratio, shifts[..., None], products)


def mean_chance_on(catalog: Catalog, business_date: dt.date, price_ratio: Floats) -> Floats:
    """P(buy) on a date of an average visit in all stores of the catalog, where each price stands all day.

    Shapes are those of `chance_on`, without an axis of ticks.
    """
    examples, group = stores_alike(catalog, catalog.store.stores)
    counts, chances = np.bincount(group), [chance_on(catalog, business_date, price_ratio, store) for store in examples]
    if len(chances) == 1 and chances[0].ndim == 2:  # noqa: PLR2004 - products x prices
        return chances[0]
    visits = [
        count * expected_visits_on(catalog, business_date, store) for count, store in zip(counts, examples, strict=True)
    ]
    return chance_of_average_visit(list(zip(visits, chances, strict=True)))


def chance_of_average_visit(groups: Sequence[tuple[Floats, Floats]]) -> Floats:
    """P(buy) of an average visit among groups of visits, shape (n_products, n_prices).

    Parameters
    ----------
    groups
        Of each, mean visits, shape (n_products, n_ticks), and P(buy) as `chance_on` gives it.
    """
    bought = sum(np.einsum("pt,tpk->pk", v, np.broadcast_to(p, (v.shape[1], *p.shape[-2:]))) for v, p in groups)
    return np.asarray(bought / np.maximum(sum(v.sum(axis=1) for v, _ in groups), np.finfo(float).tiny)[:, None])


def _mixture(personas: Personas, ratio: Floats) -> Floats:
    chance = np.zeros_like(ratio, dtype=float)
    for persona in personas:
        chance += persona.share * ndtr((persona.mean - ratio) / persona.standard_deviation)
    return chance


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
        cell = product[rows], place[rows]  # a price that many cells have, by stock or hour, is asked about once
        ratios = np.ones((len(positions), 1 + int(place[rows].max())))
        ratios[cell] = ratio.to_numpy()[rows]
        truth[rows] = mean_chance_on(catalog, _date_of(stamp), ratios)[cell]
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
    ahead = evenings_of(catalog, true_curves(catalog, date, store), visits)
    gained = np.empty(len(prices))
    for row, par in enumerate(catalog.par_stock):
        evening = np.zeros(len(prices[row])) if ahead is None else ahead[row].of_new_units(date)
        levels = slice(len(evening))
        gained[row] = value_of_prices(gains[row, levels], (chance[row] * visits[row, ::-1])[levels], evening)[par, -1]
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


def true_gain_of_rivals(catalog: Catalog, rivals: RivalBooks) -> float | None:
    """Return what one book truly gains over the other on an average store day as sales correct both, EUR.

    None where shoppers take substitutes: what prices of one product bring depends on the others' then.
    """
    if chooses_substitutes(catalog):
        return None
    day, is_long = true_day(catalog, rivals.date), len(catalog.skus) > LONG_SHELF
    updates = (some_updates if is_long else updates_due)(catalog)
    opens = (book.of().prices for book in rivals.books)
    prices = (prices_of_day(*pair, day, updates) for pair in zip(opens, rivals.outlooks, strict=True))
    return true_gain(catalog, rivals.date, *prices)


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


def expected_visits_on(catalog: Catalog, business_date: dt.date, store: str | None = None) -> Floats:
    """Mean visits to each product in each tick of a store day, shape (n_products, n_ticks).

    It knows the date's shocks, effects, weekday and how busy it is, as the clairvoyant does, the baseline for regret.
    Without a store it is one that no effect names.
    Returns of shoppers who wait are left out: how many come, and whether they buy, depends on the prices. They bring
    nothing at prices that do not fall during the day, so the expectation is exact for those, and too low for others.
    """
    factors = demand_factors_on(catalog, business_date, store) * footfall_factor_on(catalog, business_date)
    return (catalog.store.visits_per_day * catalog.popularity * factors).T * tick_profile(catalog.store)
