"""Where stores ask for quotes: alone, or all that open on a date together; a book is opened when somebody asks."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from catalog.bounds import price_links
from catalog.errors import DataError
from catalog.load import Catalog
from etl.live.calendar import catalog_of_the_day
from etl.live.store_now import StoreNow
from serving.belief.table import switching_in
from serving.book.store import Worths, book_in_force
from serving.limits.orders import at_once_now, orders_on
from serving.quote import QuotedBook
from serving.store.in_force import book_after, present_book, stores_apart
from serving.store.standing import standings
from warehouse.lake import Lake

TAG_LENGTH = 32
"""Hexadecimal digits of what tells one book from any other."""


class NoBookError(DataError):
    """No price book is in force."""


class Counter(NamedTuple):
    """Where some stores ask: their book, the stores, its version tag, and what its policy maximises."""

    book: QuotedBook
    stores: tuple[str, ...]
    tag: str
    worths: Worths | None = None


class Counters:
    """The counters of stores, by where each stands."""

    def __init__(self, lake: Lake, catalog: Catalog, stores: Mapping[str, StoreNow]) -> None:
        self._lake, self._catalog, self._stores = lake, catalog, stores
        self._found: dict[str | dt.date, Counter] = {}
        self._apart: dict[dt.date, frozenset[str]] = {}

    def of(self, stores: Iterable[StoreNow], made_from: str) -> list[Counter]:
        """Return where stores ask, each counter once; `made_from` tells the lake and the code from any other.

        Raises
        ------
        NoBookError
            When no book is in force for one of them.
        """
        places = dict.fromkeys(now.store if self._is_asked_alone(now) else now.date for now in stores)
        for place in places:
            if place not in self._found:
                self._found[place] = self._opened(place, made_from)
        return [self._found[place] for place in places]

    def _is_asked_alone(self, now: StoreNow) -> bool:
        """Tell whether a store has prices of its own: it is being sold, or its shoppers are of another kind."""
        if now.day is None and now.date not in self._apart:
            found = book_in_force(self._lake, now.date)
            self._apart[now.date] = frozenset() if found is None else stores_apart(self._catalog, found)
            if found is not None and self._catalog.counts_evenings:
                self._apart[now.date] = frozenset(self._stores)
        return now.day is not None or now.store in self._apart[now.date]

    def _opened(self, place: str | dt.date, made_from: str) -> Counter:
        """Open the counter of one store that is being sold, or of all that open on a date."""
        now = self._stores[place] if isinstance(place, str) else None
        date = place if isinstance(place, dt.date) else self._stores[place].date
        found = book_in_force(self._lake, date)
        if found is None:
            raise NoBookError(f"expected a price book for {date} or before, found none")
        if now is not None and now.day is not None:
            catalog = catalog_of_the_day(self._lake, self._catalog, now.day)
            own = book_after(self._lake, catalog, found, now.day, now.tick)
            stores: tuple[str, ...] = (now.store,)
            left = catalog.store.opening.ticks - now.tick
        else:
            alone = None if now is None else now.store
            catalog, own, left = self._catalog, present_book(self._lake, self._catalog, found, alone, date), None
            opening = (one for one in self._stores.values() if one.day is None and one.date == date)
            stores = (alone,) if alone else tuple(one.store for one in opening if not self._is_asked_alone(one))
        at_once = at_once_now(self._lake, {store: self._stores[store].moment for store in stores})
        orders = orders_on(self._lake, catalog, date, stores, at_once)
        tag = hashlib.sha256(f"{made_from}:{place}:{found.sha256}".encode()).hexdigest()[:TAG_LENGTH]
        curves = replace(own.curves, switching=switching_in(found.belief, catalog))
        beside = None
        if price_links(catalog.products, catalog.store):
            standing = standings(self._lake, self._catalog, {store: self._stores[store] for store in stores})
            beside = {store: own.prices for store, own in standing.items()}
        return Counter(QuotedBook(catalog, own.book, curves, orders, left, beside), stores, tag, own.worths)
