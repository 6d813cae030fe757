"""The prices of a day whose own sales correct them: those that a book opens with, and those of every update after.

Two books that differ at opening come nearer to each other by each update, since both hear of the same shoppers. So what
a book gains is not what it would gain if it stood all day. The day is one on which as many come, and as many of them
buy, as is expected: what the sales teach follows from it without luck.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.pricing import Sold
from serving.belief.belief import State
from serving.belief.policy import Morning, Outlook
from serving.tabulate import tabulate

_NOBODY = 1e-12  # chance of a sale
_ANY_DAY = dt.date(1970, 1, 1)
_MOST_STORES = 24  # whose sales are told: an hour of so many says nearly all


@dataclass(frozen=True)
class ExpectedDay:
    """Who comes to a store on a day, and who buys.

    Attributes
    ----------
    visits
        Expected in each tick, shape (n_products, n_ticks).
    chance
        Returns the chance of sale of each product at a price, EUR, in a tick, each shape (n_products,).
    date
        Decides what is delivered when, where stock lives on.
    """

    visits: Floats
    chance: Callable[[Floats, int], Floats]
    date: dt.date = _ANY_DAY


def updates_due(catalog: Catalog) -> range:
    """Return the ticks after which the prices of a later day than the first are remade."""
    return range(catalog.store.belief.update_ticks, catalog.store.opening.ticks, catalog.store.belief.update_ticks)


def some_updates(catalog: Catalog) -> Sequence[int]:
    """Return the first of these, and those after a quarter and a half of the day: the rest hardly adds to them."""
    due = updates_due(catalog)
    return sorted({due[0], due[len(due) // 4], due[len(due) // 2]}) if due else ()


def prices_of_day(opens: Floats, outlook: Outlook | None, day: ExpectedDay, updates: Sequence[int]) -> Floats:
    """Return the prices of a day, EUR, in the shape of a book's: (n_products, n_levels, n_ticks).

    Parameters
    ----------
    opens
        Those that the day opens with, in the same shape.
    outlook
        What is believed before the first visit, if the day's sales correct it; without one those prices stand all day.
    day
        What is to be expected in each store of the catalog.
    updates
        Ticks after which prices are remade, ascending.
    """
    if outlook is None or not updates:
        return opens
    catalog, made_for = outlook.morning.catalog, dt.datetime.combine(day.date, dt.time(), dt.UTC)
    product, n_ticks = np.arange(len(catalog.skus)), catalog.store.opening.ticks
    n_stores = min(len(catalog.store.stores), _MOST_STORES)
    prices, stock, unheard = opens.copy(), catalog.par_stock.astype(float), list[Sold]()
    for tick in range(updates[-1]):
        shown = prices[product, np.rint(stock).astype(np.int64), n_ticks - tick - 1]
        chance = np.maximum(day.chance(shown, tick), _NOBODY)
        bought = np.minimum(stock, day.visits[:, tick] * chance)
        unheard.append(Sold(tick, *_in_each(n_stores, shown, day.visits[:, tick], bought / chance, bought)))
        stock = stock - bought
        if tick + 1 in updates:
            outlook, unheard, left = outlook.after(tuple(unheard)), [], n_ticks - tick - 1
            prices[:, :, :left] = tabulate(outlook.policy, catalog, made_for, outlook.curves, left).of().prices
    return prices


def shelf_of(outlook: Outlook, chosen: Ints) -> Outlook:
    """Return what is believed of some products before the first visit, by their positions, without the others."""
    morning, believed = outlook.morning, outlook.morning.opened
    states = tuple(State(own.weight, own.demand.among(chosen)) for own in believed.states)
    few = Morning(
        Catalog(tuple(morning.catalog.products[own] for own in chosen), morning.catalog.store),
        replace(believed, knots=believed.knots.among(chosen), states=states, hours=believed.hours[:, chosen]),
        replace(morning.footfall, daily=morning.footfall.daily[chosen]),
        morning.model_version,
        None if morning.owners is None else morning.owners[chosen],
        morning.learners,
    )
    return few.outlook()


def _in_each(n_stores: int, *brought: Floats) -> tuple[Any, Any, Any, Any]:
    """Return the same for each store; what is expected is no whole number, as what is counted would be."""
    prices, visits, met, bought = (np.tile(own, (n_stores, 1)) for own in brought)
    return prices, visits, met, bought
