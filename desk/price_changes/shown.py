"""The price that each store showed of each product, as the lake knows it: the last one, or that of an opening."""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Floats
from catalog.load import Catalog
from etl.live.day import days_with_live_parts
from serving.evidence import ShelfPrices, evidence
from warehouse.lake import Lake, Partition
from warehouse.parquet import cells, in_one_piece, texts

_MOST_DAYS = 14
"""Days with sales that are looked at for a store that did not sell on the newest of them."""

Prices = dict[tuple[str, str], float]
"""Prices, EUR, by store and product."""


def prices_shown(lake: Lake, catalog: Catalog) -> Prices:
    """Return the price shown last, EUR, by store and product; stores that never sold are left out.

    In a retailer's lake it is the last regular price of the log. A damaged part says nothing; the others go on.
    """
    regular = evidence().shelf_prices(lake, catalog)
    if regular is not None:
        return regular.by_place(catalog)
    batches = (list(lake.partitions_on("repricings", date)) for date in lake.newest_dates("repricings"))
    shelf = _Shelf.of(catalog)
    shown = shelf.newest_prices(lake, (list(filter(lake.receipt, parts)) for parts in batches))
    for day in days_with_live_parts(lake):
        part = day.part("live_repricings")
        if not day.is_closed(lake) and day.store in catalog.store.stores and lake.receipt(part) is not None:
            shelf.write_prices(lake, part, shown)
    return ShelfPrices(catalog.store.stores, shown).by_place(catalog)


def opening_prices_before(lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str] | None = None) -> Floats:
    """Return the opening price, EUR, of each store and product on its newest day before a date that is closed.

    Stores need not have sold on the same dates: one alone may have sold a live day. Those that sold on none of the last
    days of the lake have NaN. In a retailer's lake it is the last regular price of the log.

    Parameters
    ----------
    stores
        The stores that are asked about: what others opened with is not read. None is every store of the catalog.

    Returns
    -------
    Floats
        Shape (n_stores, n_products), of these stores and the catalog; NaN where none is known.
    """
    regular = evidence().shelf_prices(lake, catalog, date)
    if regular is not None:
        named = catalog.store.stores if stores is None else stores
        return regular.of(named, len(named))
    shelf, earlier = _Shelf.of(catalog, stores), (day for day in lake.newest_dates("repricings") if day < date)
    batches = (lake.partitions_on("repricings", day) for day in earlier)
    own = ([part for part in parts if stores is None or shelf.is_in(lake, part)] for parts in batches)
    return shelf.newest_prices(lake, own, at_opening=True)


class OpeningsBefore:
    """What stores opened with on the day before a date: read of those that are asked about first alone.

    Once others are asked about, those of all stores are read: partitions of a chain hold many stores each.
    """

    def __init__(self, lake: Lake, catalog: Catalog, date: dt.date) -> None:
        """Read nothing yet."""
        self._lake, self._catalog, self._date = lake, catalog, date
        self._is_asked = False

    def of(self, stores: Sequence[str]) -> Floats:
        """Return the prices of stores, EUR, shape (n_stores, n_products); NaN where none is known."""
        if not self._is_asked:
            self._is_asked = True
            return opening_prices_before(self._lake, self._catalog, self._date, stores)
        return self.of_all[[self._catalog.store.stores.index(store) for store in stores]]

    @cached_property
    def of_all(self) -> Floats:
        """The prices of every store of the catalog."""
        return opening_prices_before(self._lake, self._catalog, self._date)


def last_opening_prices(lake: Lake, catalog: Catalog, since: dt.date, last: dt.date) -> Floats:
    """Return the opening price of each store and product on the last of some dates that has one, EUR.

    An older date is opened while some price is missing. A damaged part says nothing.

    Returns
    -------
    Floats
        Shape (n_stores, n_products), of the catalog; NaN where none is known.
    """
    shelf, prices = _Shelf.of(catalog), None
    for date in lake.newest_dates("repricings"):
        if date < since or (prices is not None and not np.isnan(prices).any()):
            break
        if date <= last:
            of_day = shelf.prices_in(
                lake, filter(lake.receipt, lake.partitions_on("repricings", date)), at_opening=True
            )
            prices = of_day if prices is None else np.where(np.isnan(prices), of_day, prices)
    return shelf.unknown() if prices is None else prices


class _Shelf(NamedTuple):
    """The stores and products whose prices are read, as texts."""

    stores: pa.Array
    skus: pa.Array

    @classmethod
    def of(cls, catalog: Catalog, stores: Sequence[str] | None = None) -> "_Shelf":
        """Return all stores of a catalog, or some."""
        return cls(texts(catalog.store.stores if stores is None else stores), texts(catalog.skus))

    def unknown(self) -> Floats:
        """Return prices of which none is known, shape (n_stores, n_products)."""
        return np.full((len(self.stores), len(self.skus)), np.nan)

    def newest_prices(self, lake: Lake, batches: Iterable[list[Partition]], *, at_opening: bool = False) -> Floats:
        """Return the prices of each store on the newest day that has any, from each day's batches, newest first."""
        prices: Floats | None = None
        missing: Flags = np.ones(len(self.stores), dtype=bool)
        for parts in islice(batches, _MOST_DAYS):
            of_day = self.prices_in(lake, parts, at_opening=at_opening)
            prices = of_day if prices is None else np.where(missing[:, None], of_day, prices)
            missing &= np.isnan(prices).all(axis=1)
            if not missing.any():
                break
        return self.unknown() if prices is None else prices

    def prices_in(self, lake: Lake, parts: Iterable[Partition], *, at_opening: bool) -> Floats:
        """Return what partitions of a day show, shape (n_stores, n_products); NaN where nothing is known."""
        prices = self.unknown()
        for part in parts:
            self.write_prices(lake, part, prices, at_opening=at_opening)
        return prices

    def write_prices(self, lake: Lake, part: Partition, prices: Floats, *, at_opening: bool = False) -> None:
        """Write the last price of each product that a partition shows, or the one at opening."""
        rows = lake.read(part, ("store_id", "tick", "sku", "new_price"), coded=True)
        if at_opening and pc.max(rows["tick"]).as_py():
            rows = rows.filter(pc.equal(rows["tick"], 0))
        places, own = cells(rows, self.stores, self.skus)
        np.put(prices, places, rows["new_price"].to_numpy()[own])  # in order of time: the last one stays

    def is_in(self, lake: Lake, part: Partition) -> bool:
        """Tell whether a partition shows prices of one of the stores."""
        (stores,) = lake.read(part, ("store_id",), coded=True).columns
        names = in_one_piece(stores.unify_dictionaries()).dictionary
        return bool(pc.any(pc.is_in(names, value_set=self.stores)).as_py())
