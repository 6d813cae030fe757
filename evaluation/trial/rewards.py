"""What each tick of a trial brought, so that blocks can be compared.

Where whole days take turns, a tick's reward is what was sold: revenue, less unit costs where margin is the objective.
The sum of a day is what the day earned, and B minus A has no bias.

Where hours take turns, that would not do: a policy that sells cheap empties the shelf for the other one. So a tick's
reward is what was sold, plus what the stock left is worth until closing, less what the stock was worth before: its
*advantage*. The values are those of the price book in force, the same for both. By the performance difference lemma
(Kakade and Langford, "Approximately optimal approximate reinforcement learning", ICML 2002) the sum of B's advantages
less the sum of A's is what a day gains, each sum over the shelves that its own policy leaves. A trial sees the shelves
that both leave by turns, so it estimates that gain to first order, and as well as the book knows what stock is worth.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.store_day import StoreDay
from serving.price_book import PriceBook

_Places = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class TickSales:
    """What stores sold on one date: money, EUR, shape (n_stores, n_ticks); units (n_stores, n_ticks, n_products)."""

    gain_eur: Floats
    units: Ints


def sales_of(day: StoreDay, costs: Floats, ticks: int) -> TickSales:
    """Return the sales of a played date, or of a stretch of it; other ticks have none."""
    sold = day.bought()
    where = (sold.store, sold.tick, sold.product)
    return _counted(where, sold.price - costs[sold.product], (len(day.stores), ticks, len(costs)))


def sales_in(rows: pa.Table, stores: tuple[str, ...], skus: tuple[str, ...], costs: Floats, ticks: int) -> TickSales:
    """Return the sales in rows of units bought.

    Parameters
    ----------
    costs
        Unit costs that count, EUR, shape (n_products,).
    """
    sold = rows.to_pandas()
    store = pd.Index(stores).get_indexer(sold["store_id"].astype(str))
    product = pd.Index(skus).get_indexer(sold["sku"].astype(str))
    gains = sold["price_offered"].to_numpy() - costs[product]
    return _counted((store, sold["tick"].to_numpy(), product), gains, (len(stores), ticks, len(skus)))


def total(parts: Iterable[TickSales]) -> TickSales:
    """Add up the sales of a date's stretches; there must be one."""
    first, *others = parts
    money, units = first.gain_eur.copy(), first.units.copy()
    for part in others:
        money += part.gain_eur
        units += part.units
    return TickSales(money, units)


def stock_values(book: PriceBook, skus: tuple[str, ...]) -> Floats | None:
    """Return what stock is worth after each tick, EUR, shape (n_products, n_levels, n_ticks); None where no book says.

    A book holds the value of one unit more at each level; their sum from an empty shelf on is the value of the stock.
    """
    if book.policy == "greedy" or not set(skus) <= set(book.skus):
        return None
    worth = book.of(np.array([book.positions[sku] for sku in skus])).unit_value
    if np.isnan(worth).any():
        return None
    worth[:, 0] = 0.0
    return np.cumsum(worth, axis=1)[:, :, ::-1]


def advantages(sales: TickSales, opening_stock: Ints, values: Floats) -> Floats:
    """Return each tick's sales plus the change in the value of the stock, EUR, shape (n_stores, n_ticks).

    Parameters
    ----------
    opening_stock
        Units at opening, shape (n_products,), or (n_stores, n_products).
    values
        As from `stock_values`. What the stock was worth at opening is the same for all; the value after the first tick
        stands for it.
    """
    opening_stock = np.broadcast_to(opening_stock, (len(sales.units), len(values)))
    left = opening_stock[:, None] - np.cumsum(sales.units, axis=1)
    product, last = np.arange(len(values)), values.shape[1] - 1
    tick = np.arange(values.shape[2])[:, None]
    worth = values[product, np.minimum(left, last), tick].sum(axis=2)
    at_opening = values[product, np.minimum(opening_stock, last), 0].sum(axis=1, keepdims=True)
    return sales.gain_eur + np.diff(worth, axis=1, prepend=at_opening)


def _counted(where: tuple[_Places, _Places, _Places], gains: Floats, shape: tuple[int, int, int]) -> TickSales:
    money, units = np.zeros(shape[:2]), np.zeros(shape, dtype=np.int64)
    np.add.at(money, where[:2], gains)
    np.add.at(units, where, 1)
    return TickSales(money, units)
