"""The price that each store showed of each product, as the lake knows it: the last one, or the middle one of a day."""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from etl.live.day import days_with_live_parts
from serving.evidence import ShelfPrices, evidence
from warehouse.lake import Lake, Partition
from warehouse.parquet import cells, in_one_piece, texts

_MOST_DAYS = 14
"""Days with sales that are looked at for a price that the newest of them does not have."""

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


def day_prices_before(lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str] | None = None) -> Floats:
    """Return the price, EUR, of each store and product on its newest day before a date that is closed.

    It is the middle one of the day: the shelf showed lower ones for half of the time. Prices that exploration tried,
    and those of an empty shelf, do not count, and what stood for a few ticks, such as before the first shopper came, is
    not the middle. Stores need not have sold on the same dates: one alone may have sold a live day. Those that sold on
    none of the last days of the lake have NaN. In a retailer's lake it is the last regular price of the log.

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
    return shelf.newest_prices(lake, own, of_day=True)


class PricesBefore:
    """Prices of stores on the day before a date: read of those that are asked about first alone.

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
            return day_prices_before(self._lake, self._catalog, self._date, stores)
        return self.of_all[[self._catalog.store.stores.index(store) for store in stores]]

    @cached_property
    def of_all(self) -> Floats:
        """The prices of every store of the catalog."""
        return day_prices_before(self._lake, self._catalog, self._date)


def last_day_prices(lake: Lake, catalog: Catalog, since: dt.date, last: dt.date) -> Floats:
    """Return the price of each store and product on the last of some dates that has one, EUR.

    As in `day_prices_before`; a damaged part says nothing.

    Returns
    -------
    Floats
        Shape (n_stores, n_products), of the catalog; NaN where none is known.
    """
    dates = (date for date in lake.newest_dates("repricings") if since <= date <= last)
    batches = (list(filter(lake.receipt, lake.partitions_on("repricings", date))) for date in dates)
    return _Shelf.of(catalog).newest_prices(lake, batches, of_day=True)


class _Shelf(NamedTuple):
    """The stores and products whose prices are read, as texts, and the ticks of a day."""

    stores: pa.Array
    skus: pa.Array
    n_ticks: int

    @classmethod
    def of(cls, catalog: Catalog, stores: Sequence[str] | None = None) -> "_Shelf":
        """Return all stores of a catalog, or some."""
        named = texts(catalog.store.stores if stores is None else stores)
        return cls(named, texts(catalog.skus), catalog.store.opening.ticks)

    def unknown(self) -> Floats:
        """Return prices of which none is known, shape (n_stores, n_products)."""
        return np.full((len(self.stores), len(self.skus)), np.nan)

    def newest_prices(self, lake: Lake, batches: Iterable[list[Partition]], *, of_day: bool = False) -> Floats:
        """Return each price of the newest day that has it, from each day's batches, newest first."""
        prices = self.unknown()
        for parts in islice(batches, _MOST_DAYS):
            prices = np.where(np.isnan(prices), self.prices_in(lake, parts, of_day=of_day), prices)
            if not np.isnan(prices).any():
                break
        return prices

    def prices_in(self, lake: Lake, parts: Iterable[Partition], *, of_day: bool) -> Floats:
        """Return what partitions of a day show, shape (n_stores, n_products); NaN where nothing is known."""
        prices = self.unknown()
        for part in parts:
            self.write_prices(lake, part, prices, of_day=of_day)
        return prices

    def write_prices(self, lake: Lake, part: Partition, prices: Floats, *, of_day: bool = False) -> None:
        """Write the last price of each product that a partition shows, or the middle one that was not tried."""
        columns = ("new_price", "tick", "explored", "inventory_level")
        rows = lake.read(part, ("store_id", "sku", *columns), coded=True)
        places, own = cells(rows, self.stores, self.skus)
        shown, tick, is_tried, units = (rows[name].to_numpy()[own] for name in columns)
        if of_day and len(places):
            stood = _ticks_stood(places, tick.astype(np.int64), self.n_ticks) * (~is_tried & (units > 0))
            places, shown = _middle(places, shown, stood)
        np.put(prices, places, shown)  # in order of time: the last one stays

    def is_in(self, lake: Lake, part: Partition) -> bool:
        """Tell whether a partition shows prices of one of the stores."""
        (stores,) = lake.read(part, ("store_id",), coded=True).columns
        names = in_one_piece(stores.unify_dictionaries()).dictionary
        return bool(pc.any(pc.is_in(names, value_set=self.stores)).as_py())


def _ticks_stood(places: Ints, tick: Ints, n_ticks: int) -> Ints:
    """Return for how many ticks each price stood, until the next one of its place or closing, shape (n_rows,)."""
    order = np.lexsort((tick, places))
    ends = np.full(len(order), max(n_ticks, int(tick.max()) + 1))
    is_followed = places[order][1:] == places[order][:-1]
    ends[:-1] = np.where(is_followed, tick[order][1:], ends[:-1])
    stood = np.empty(len(order), dtype=np.int64)
    stood[order] = ends - tick[order]
    return stood


def _middle(places: Ints, prices: Floats, stood: Ints) -> tuple[Ints, Floats]:
    """Return places with their middle price, EUR, by how long each price stood; places of none are left out."""
    order = np.lexsort((prices, places))
    places, prices, stood = places[order], prices[order], stood[order]
    total = np.bincount(places, weights=stood)
    passed = np.cumsum(stood) - (np.cumsum(total) - total)[places]
    is_middle = (2 * passed >= total[places]) & (2 * (passed - stood) < total[places])
    return places[is_middle], prices[is_middle]
