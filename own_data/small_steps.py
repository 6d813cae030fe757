"""How far a price moves while its demand is known from prices that somebody else set, and from those alone.

Such evidence can be wrong, and no test can rule that out. So a price moves only in the direction in which every slope
that is possible earns more, by a small step a week, and in each week some stores, drawn at random, keep the old price.
What the stores then sell tells: within a week they differ by the draw alone.

A step is a share of a price. Where a retailer's stores have prices of their own, a book's step begins from the one in
the middle of them, and each store takes the same share from its own; see `serving.book_policy`.
"""

import datetime as dt
import hashlib
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from features.response import ToldSlopes, with_response
from own_data.price_response.calendar import MONDAY
from own_data.shelf_price import moved_by_book, shelf_prices
from serving.curves import DemandCurves, chance_at
from serving.evidence import OwnPrices, ShelfPrices
from serving.policies import costs_that_count
from serving.price_book import PriceBook
from warehouse.lake import Lake
from warehouse.partition import between
from warehouse.proof import Span
from warehouse.sql_files import queries_beside

_query = queries_beside(__file__)
_WEEK = 7
_DRAWS = 2**32
_SAME = 1e-6  # EUR or cents


def old_prices(connection: duckdb.DuckDBPyConnection, catalog: Catalog, date: dt.date) -> Floats:
    """Return the prices of a week before a date, EUR, shape (n_products,): of the book then in force, or base prices.

    A book's price is the one at opening with a full shelf.
    """
    asked = {"latest": date - dt.timedelta(days=_WEEK)}
    known = dict(connection.execute(_query("opening_prices"), asked).fetchall())
    return np.array([known.get(product.sku, product.base_price) for product in catalog.products])


def step_from(lake: Lake, catalog: Catalog, date: dt.date, standing: ShelfPrices | None = None) -> ShelfPrices | None:
    """Return the prices that a retailer's stores step from on a date; None in a lake that is not a retailer's alone.

    They are the last regular prices before the date, or before the first book of the last seven days that moves the
    product: so one step a week is taken, however often books are made.

    Parameters
    ----------
    standing
        The last regular prices before the date, if they were read already.
    """
    found = standing or shelf_prices(lake, catalog, date)
    if found is None:
        return None
    moved = np.zeros(len(catalog.skus), dtype=bool)
    for made_for in lake.dates("price_book", between(date - dt.timedelta(days=_WEEK - 1), date - dt.timedelta(days=1))):
        first = np.isin(catalog.skus, moved_by_book(lake, made_for)) & ~moved
        earlier = shelf_prices(lake, catalog, made_for) if first.any() else None
        if earlier is not None:
            found, moved = replace(found, prices=np.where(first, earlier.prices, found.prices)), moved | first
    return found


def own_prices_under(lake: Lake, catalog: Catalog, date: dt.date, book_of: dt.date) -> OwnPrices | None:
    """Return a retailer's own prices on a date under the book of another; None where it is not a retailer's lake."""
    standing = shelf_prices(lake, catalog, date)
    before = None if standing is None else step_from(lake, catalog, book_of, standing if book_of == date else None)
    return None if standing is None or before is None else OwnPrices(standing, before)


def books_before(lake: Lake, date: dt.date) -> list[Span]:
    """Return the price book that was in force a week before a date, as it is read from the lake; none without one."""
    made_for = [own for own in lake.dates("price_book") if own <= date - dt.timedelta(days=_WEEK)]
    return [Span("price_book", made_for[-1], made_for[-1])] if made_for else []


def directions(catalog: Catalog, told: ToldSlopes, chance: Floats, prices: Floats) -> Ints:
    """Return where each price should move, shape (n_products,): 1 up, -1 down, 0 where that is not told.

    Gain x rate of sale rises with the price where 1 + margin x elasticity is positive, margin being the gain per unit
    as a share of the price. The direction is told when its sign is the same at both ends of the slope's interval.

    Parameters
    ----------
    chance
        Chance of sale at the prices, shape (n_products,).
    prices
        EUR, shape (n_products,).
    """
    margin = 1 - costs_that_count(catalog) / prices
    of_slope = np.where(told.is_count, 1.0, 1 - chance)
    at_lowest, at_highest = (1 + margin * of_slope * slope for slope in (told.lowest, told.highest))
    return np.where(at_lowest > 0, 1, np.where(at_highest < 0, -1, 0)) * told.is_told


def in_small_steps(
    curves: DemandCurves, catalog: Catalog, told: ToldSlopes, old: Floats, observed: Floats
) -> tuple[DemandCurves, Flags]:
    """Give each product whose direction is told a short ladder: from its old price, a week's step that way.

    Parameters
    ----------
    curves
        A model's curves, whose level at the base price is used.
    told
        The told responses.
    old
        Prices of a week ago, EUR, shape (n_products,).
    observed
        Lowest and highest price observed, EUR, shape (n_products, 2).

    Returns
    -------
    curves, moves
        The curves, and which products move, shape (n_products,).
    """
    base, step, money = catalog.base_prices, catalog.store.exported_prices.weekly_step, catalog.store.money
    at_base = chance_at(curves.prices, curves.p_sale, base[None, :])[0]
    at_old = with_response(at_base, old / base, told.slope, is_count=told.is_count)
    way = directions(catalog, told, at_old, old)
    end = np.clip(old * (1 + step * way), *_reach(catalog, observed))
    end = np.where(way > 0, np.floor(end * money.scale + _SAME), np.ceil(end * money.scale - _SAME)) / money.scale
    moves = (way * (end - old) > _SAME) & np.isfinite(end)
    share = np.linspace(0, 1, curves.prices.shape[1])
    ladder = np.round(np.minimum(old, end)[:, None] + np.abs(end - old)[:, None] * share, money.digits)
    prices = np.where(moves[:, None], ladder, curves.prices)
    chances = with_response(
        at_base[:, None], prices / base[:, None], told.slope[:, None], is_count=told.is_count[:, None]
    )
    p_sale = np.where(moves[:, None], chances, curves.p_sale)
    kept = np.where(moves, old, np.nan) if moves.any() else None
    return replace(curves, prices=prices, p_sale=p_sale, kept=kept), moves


def _reach(catalog: Catalog, observed: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and the highest price that was observed and that the shelf allows, EUR."""
    floors, ceilings = (np.array([getattr(one, end) for one in catalog.products]) for end in ("floor", "ceiling"))
    return np.maximum(observed[:, 0], floors), np.minimum(observed[:, 1], ceilings)


def keepers(catalog: Catalog, sku: str, date: dt.date) -> tuple[str, ...]:
    """Return the stores that keep a moving product's old price in the week of a date.

    The draw depends on store, product and week alone, so anybody can repeat it. It takes `kept_share` of the stores,
    at least one of several; a store alone keeps the old price in that share of the weeks. So the share of the stores
    that is taken is the propensity of the old price.
    """
    stores, share = catalog.store.stores, catalog.store.exported_prices.kept_share
    week = (date - MONDAY).days // _WEEK
    drawn = {store: int.from_bytes(hashlib.sha256(f"{store}\n{sku}\n{week}".encode()).digest()[:4]) for store in stores}
    if len(stores) == 1:
        return stores if drawn[stores[0]] < share * _DRAWS else ()
    count = max(1, round(share * len(stores))) if share else 0
    taken = sorted(stores, key=drawn.__getitem__)[:count]
    return tuple(store for store in stores if store in taken)


def kept_prices(
    catalog: Catalog, curves: DemandCurves, date: dt.date, own: ShelfPrices | None = None
) -> dict[str, Floats]:
    """Return the old prices that stores keep in the week of a date, EUR, shape (n_products,); else NaN.

    `own` are the prices that a retailer's stores step from, each its own.
    """
    found: dict[str, Floats] = {}
    if curves.kept is None:
        return found
    for position in np.flatnonzero(np.isfinite(curves.kept)):
        for store in keepers(catalog, curves.skus[position], date):
            old = curves.kept[position] if own is None else own.of((store,), 1)[0, position]
            found.setdefault(store, np.full(len(curves.skus), np.nan))[position] = old
    return found


def stores_that_keep(catalog: Catalog, curves: DemandCurves, book: PriceBook, date: dt.date) -> list[dict[str, Any]]:
    """Return each product that moves, with its old price and the price at opening with a full shelf, EUR.

    `stores` are those that keep the old price in the week of the date.
    """
    if curves.kept is None:
        return []
    return [
        {
            "sku": sku,
            "old_price": float(old),
            "price": book.quote(sku, int(book.par_stock[book.positions[sku]]), book.prices.shape[2]).price,
            "stores": list(keepers(catalog, sku, date)),
        }
        for sku, old in zip(curves.skus, curves.kept, strict=True)
        if np.isfinite(old)
    ]
