"""What may be drawn on a catalog's shelf: within band, step, guardrails and endings, around each store's own price."""

import numpy as np

from catalog.arrays import Flags, Floats
from catalog.limits import not_above, not_below, price_bounds
from catalog.load import Catalog
from serving.counts.price_room import PriceRoom
from serving.drawn_prices import PriceDraw

LADDER_PRICES = 25
"""Steps of the ladder that a draw chooses among: two percent apart at the usual band."""


def room_of(catalog: Catalog, own: Floats, wanted: Flags, before: PriceDraw | None) -> PriceRoom:
    """Return what may be drawn: within band, step, guardrails and endings, around each store's own price.

    Parameters
    ----------
    own
        The owner's prices, EUR, shape (n_stores, n_products), NaN where none is known.
    wanted
        What is drawn or goes back, shape as `own`; the rest is filled with base prices, and its draw is thrown away.
    """
    owner = np.where(wanted, own, catalog.base_prices)
    shown = middle = owner
    if before is not None:
        shown, middle = (
            np.where(wanted & np.isfinite(prices), prices, owner) for prices in (before.prices, before.step_from)
        )
    store = catalog.store
    ways = (store.drawn_prices.band, store.drawn_step, middle.T, store.money.smallest)
    return PriceRoom(_ladder(catalog, owner), owner.T, shown.T, catalog.unit_costs, *ways)


def _ladder(catalog: Catalog, owner: Floats) -> Floats:
    """Return allowed prices of each product, ascending, EUR, shape (n_products, n_prices), filled up with NaN."""
    rails, money, band = catalog.store.guardrails, catalog.store.money, catalog.store.drawn_prices.band
    bounds = price_bounds(catalog.products, rails, money)
    low = np.maximum(owner.min(axis=0) * (1 - band), bounds.lowest)
    high = np.minimum(owner.max(axis=0) * (1 + band), bounds.ceilings)
    found = np.full((len(catalog.skus), 2 * LADDER_PRICES), np.nan)
    for place in range(len(catalog.skus)):
        even = np.linspace(low[place], max(low[place], high[place]), LADDER_PRICES)
        near = np.concatenate([not_above(even, rails.price_ending, money), not_below(even, rails.price_ending, money)])
        inside = near[(near >= bounds.lowest[place] - 1e-9) & (near <= bounds.ceilings[place] + 1e-9)]
        prices = np.unique(np.round(inside, money.digits))
        found[place, : len(prices)] = prices
    return found
