"""Stock over days: what is on the shelf at opening, which unit a shopper takes, and what is left after closing.

A store of which nobody knows what it kept opens with a full shelf of new units. Units are counted by the days on which
they may still be sold, as in `catalog.stock_rules`.
"""

import datetime as dt
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.decisions.store_day import BOUGHT, KeptStock, StockMoves
from catalog.load import Catalog
from catalog.records.shoppers import Shock
from catalog.stock_rules import StockRules


@dataclass(frozen=True)
class OpenedWith:
    """Units on the shelves at opening: kept from the day before, and delivered since; (n_stores, n_products, n_lives).

    A shelf that is simply full counts as delivered.
    """

    carried: Ints
    delivered: Ints

    @property
    def by_life(self) -> Ints:
        """All units on the shelves."""
        return self.carried + self.delivered


def opening_stock(catalog: Catalog, business_date: dt.date) -> Ints:
    """Units on a shelf that is filled before opening: par, or the delivered share of it, shape (n_products,)."""
    return np.floor(catalog.par_stock * delivered_share(catalog, business_date) + 1e-9).astype(np.int64)


def delivered_share(catalog: Catalog, business_date: dt.date) -> Floats:
    """Share of what is due that is delivered before the opening of a date, shape (n_products,)."""
    share = np.ones(len(catalog.products))
    for shock in shocks_of(catalog, business_date):
        share[products_hit(catalog, shock)] *= shock.delivered_share
    return share


def shocks_of(catalog: Catalog, business_date: dt.date) -> list[Shock]:
    """Return the shocks that hold on a date."""
    return [shock for shock in catalog.store.shocks if shock.holds_on(business_date)]


def products_hit(catalog: Catalog, shock: Shock) -> list[int]:
    """Return the positions of the products that a shock concerns."""
    return [position for position, sku in enumerate(catalog.skus) if shock.sku in (None, sku)]


def open_shelves(
    catalog: Catalog, rules: StockRules, kept: KeptStock | None, n_stores: int, date: dt.date
) -> OpenedWith:
    """Return what is on the shelves at opening; without `kept` nobody knows what was there the day before."""
    n_products = len(catalog.products)
    carried = np.zeros((n_stores, n_products, rules.columns), dtype=np.int64)
    incoming = np.broadcast_to(opening_stock(catalog, date), (n_stores, n_products)).copy()
    if kept is not None:
        is_known = kept.known & rules.lives_on
        due = np.where(rules.quantity > 0, rules.quantity, kept.on_order)
        coming = np.floor(due * delivered_share(catalog, date) + 1e-9).astype(np.int64)
        incoming = np.where(is_known, coming * rules.is_delivered_on(date), incoming)
        carried = kept.units * is_known[:, :, None]
    delivered = np.zeros_like(carried)
    delivered[:, np.arange(n_products), rules.newest] = incoming
    return OpenedWith(carried, delivered)


def close_shelves(
    rules: StockRules, opened: OpenedWith, left: Ints, kept: KeptStock | None, date: dt.date
) -> StockMoves:
    """Return what became of each unit of a day.

    Parameters
    ----------
    left
        Units on the shelves at closing, shape (n_stores, n_products, n_lives).
    kept
        What was there the day before, with the orders under way.
    """
    lives_on = rules.lives_on[:, None]
    carried, delivered, left = (units * lives_on for units in (opened.carried, opened.delivered, left))
    spoiled, stay = np.zeros_like(left), np.zeros_like(left)
    if rules.columns > 1:
        spoiled[..., 0] = left[..., 0]
        stay[..., :-2] = left[..., 1:-1]
    stay[..., -1] = left[..., -1]
    missing = np.maximum(rules.par - stay.sum(axis=2), 0)
    under_way = np.zeros_like(missing) if kept is None else kept.on_order * ~rules.is_delivered_on(date)
    on_order = under_way + missing * rules.is_ordered_after(date)
    nights = KeptStock(stay, on_order, np.ones(on_order.shape, dtype=np.bool_))
    return StockMoves(carried, delivered, carried + delivered - left, spoiled, nights)


@numba.njit(cache=True, nogil=True)
def take_units(
    spans: Ints,
    product: NDArray[np.int16],
    outcome: NDArray[np.int8],
    picks_freshest: NDArray[np.bool_],
    by_life: Ints,
) -> None:
    """Let the buyers of a tick take their units: the one that keeps longest, or the oldest.

    Parameters
    ----------
    spans, product, outcome
        As in `etl.twin.selling.sell_tick`, after it.
    picks_freshest
        Whether a shopper takes the unit that keeps longest, shape (n_visits,); empty where nobody does.
    by_life
        Units on the shelves before the tick, shape (n_stores, n_products, n_lives); reduced in place.
    """
    n_lives, some_pick = by_life.shape[2], len(picks_freshest) > 0
    for store in range(len(spans)):
        for row in range(spans[store, 0], spans[store, 1]):
            if outcome[row] != BOUGHT:
                continue
            units = by_life[store, product[row]]
            if some_pick and picks_freshest[row]:
                column = n_lives - 1
                while units[column] == 0:
                    column -= 1
            else:
                column = 0
                while units[column] == 0:
                    column += 1
            units[column] -= 1
