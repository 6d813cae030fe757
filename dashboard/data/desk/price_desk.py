"""The price desk: what is proposed and decided, read once for all browsers until something of it changes."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event

import numpy as np

from catalog.arrays import Floats
from catalog.errors import ShelfpriceError
from catalog.load import Catalog
from catalog.settings import Settings
from dashboard.cache import Cache
from dashboard.data.desk.rows import RivalPrice, Row
from dashboard.data.desk.store_rows import StoreRows
from dashboard.data.desk.table import Rows, waiting_first
from dashboard.data.reader import Reader
from etl.calendar import StoreNow, newest_sold, stores_now
from flows.workspace import now_of
from plugins.desk.law.shown import last_day_prices
from plugins.desk.price_changes.change import PriceChange
from plugins.desk.price_changes.consequence import DayForecast, outlook_of
from plugins.desk.price_changes.proposals import Proposals, proposals_on
from plugins.desk.price_changes.record import changes_by_people
from plugins.desk.rival_caps import fresh_prices
from plugins.desk.standing import StoreStanding, standings
from serving.book.store import BookInForce, OpenBook, book_in_force
from warehouse.workspace import Workspace

_COURSE = dt.timedelta(days=14)
_COURSES = ("store_id", "sku", "new_price")
_BOOKS = ("booked_prices", "demand_curves", "beliefs")
_SOLD = ("repricings", "live_repricings")
_RIVALS = "competitor_prices"
_MOST_SHELVES = 8  # of dates
_MOST_BOOKS = 3  # each with all that was worked out of it
_LOOK_EVERY = 5.0  # seconds


Rivals = Mapping[str, tuple[RivalPrice, ...]]


@dataclass(frozen=True)
class Sheet:
    """The desk at a moment.

    Attributes
    ----------
    people
        What people asked for, whatever became of it.
    clocks
        Where each store stands.
    outlooks
        What prices bring, by business date.
    standings
        What holds in each store.
    """

    catalog: Catalog
    rows: Rows
    people: tuple[PriceChange, ...]
    clocks: dict[str, StoreNow]
    outlooks: dict[dt.date, DayForecast]
    standings: dict[str, StoreStanding]

    def chosen(self, ids: Sequence[str]) -> list[Row]:
        """Return the rows with some ids; those that are not there are left out."""
        return list(self.rows.those(ids))

    def proposed(self, rows: Sequence[Row], date: dt.date) -> Floats:
        """Return the proposed prices of some rows of a date, EUR, shape (n_stores, n_products); NaN for all others."""
        stores, positions = self.catalog.store.stores, self.catalog.positions
        rivals = np.full((len(stores), len(positions)), np.nan)
        for row in rows:
            if row.date == date and row.sku in positions:
                rivals[stores.index(row.store), positions[row.sku]] = row.proposed
        return rivals

    def clock_of(self, store: str | None) -> StoreNow:
        """Return the clock of a store; of all stores, the one that is first at a tick."""
        clocks = self.clocks.values() if store is None else [self.clocks[store]]
        return min(clocks, key=lambda now: now.moment)


class PriceDesk:
    """Shared by all browsers of a monitor."""

    def __init__(self, settings: Settings, reader: Reader, catalog: Callable[[], Catalog]) -> None:
        self._settings, self._reader, self._catalog = settings, reader, catalog
        self._sheets = Cache[Sheet](1)
        self._books = Cache[OpenBook | None](_MOST_BOOKS)
        self._outlooks = Cache[DayForecast | None](_MOST_BOOKS)
        self._changes = Cache[list[PriceChange]](1)
        self._proposed = Cache[Proposals](_MOST_SHELVES)
        self._opened = Cache[Floats](_MOST_SHELVES)
        self._rivals = Cache[Rivals](_MOST_SHELVES)

    @property
    def workspace(self) -> Workspace:
        """Where decisions are recorded."""
        return Workspace(self._settings, self._catalog(), self._reader.lake)

    def stamp(self) -> tuple[Hashable, ...]:
        """Return what changes whenever the desk does."""
        hour = f"{now_of(self.workspace):%Y-%m-%d %H}" if self._catalog().store.sales == "outside" else None
        return (*self._reader.stamp("price_changes", _RIVALS, *_BOOKS, *_SOLD), self._catalog().fingerprint, hour)

    def sheet(self) -> Sheet:
        """Return the desk as it is now."""
        return self._sheets.get("now", self._made, self.stamp)

    def open_new_books(self, stop: Event) -> None:
        """Make a sheet whenever there is another price book, so that nobody waits for its prices to be worked out.

        It takes seconds where stores hold units of many ages. Ends soon after `stop` is set.
        """
        seen, wait = None, 0.0
        while not stop.wait(wait):
            wait = _LOOK_EVERY
            with suppress(ShelfpriceError, OSError):  # a page says it
                now = self._reader.stamp(*_BOOKS), self._catalog().fingerprint
                if now != seen:
                    seen = now
                    waiting_first(self.sheet().rows)

    def courses(self, rows: Sequence[Row]) -> list[list[float]]:
        """Return the opening prices of the last days of some rows, EUR, the oldest first."""
        if not rows or next(self._reader.lake.newest_dates("repricings"), None) is None:
            return [[] for _ in rows]
        last = max(now.date for now in self.sheet().clocks.values())
        stores, skus = list({row.store for row in rows}), list({row.sku for row in rows})
        columns = self._reader.columns("opening_courses", first=last - _COURSE, last=last, stores=stores, skus=skus)
        courses = defaultdict[tuple[str, str], list[float]](list)
        for store, sku, price in zip(*(columns[name].to_pylist() for name in _COURSES), strict=True):
            courses[store, sku].append(price)
        return [courses[row.store, row.sku] for row in rows]

    def book(self, date: dt.date) -> BookInForce | None:
        """Return the price book in force on a date; None without one."""
        opened = self._book(self._catalog(), date)
        return None if opened is None else opened.found

    def _made(self) -> Sheet:
        catalog, lake = self._catalog(), self._reader.lake
        clocks = stores_now(lake, catalog, catalog.store.stores, now_of(self.workspace))
        dates = sorted({now.date for now in clocks.values()})
        outlook_of = {date: self._outlook(date) for date in dates}
        outlooks = {date: outlook for date, outlook in outlook_of.items() if outlook is not None}
        people = self._by_people()
        held = standings(lake, catalog, clocks, self._book)
        held = {store: held[store] for store in catalog.store.stores}
        shelves = {id(standing.catalog): standing.catalog for standing in held.values()}
        opened = {shelf: self._opened_with(shelf_catalog, dates[-1]) for shelf, shelf_catalog in shelves.items()}
        rows = Rows(
            [
                self._rows_of(standing, opened[id(standing.catalog)], outlooks.get(standing.now.date), people)
                for standing in held.values()
            ]
        )
        if not people and newest_sold(lake) is None and next(lake.newest_dates("booked_prices"), None) is None:
            rows = rows[:0]  # nothing was ever sold or priced, so nothing is proposed
        return Sheet(catalog, rows, tuple(people), clocks, outlooks, held)

    def _rows_of(
        self, standing: StoreStanding, opened: Floats, outlook: DayForecast | None, people: Sequence[PriceChange]
    ) -> StoreRows:
        store_opened = opened[standing.catalog.store.stores.index(standing.now.store)]
        shown, proposed, rivals = self._shown(standing), self._proposals(standing), self._rivals_on(standing.now.date)
        return StoreRows(standing, outlook, store_opened, shown, proposed, people, rivals)

    def _rivals_on(self, date: dt.date) -> Rivals:
        """Return the prices of rivals that count on a date, by sku, the cheapest first."""

        def read() -> Rivals:
            rivals = defaultdict[str, list[RivalPrice]](list)
            for row in fresh_prices(self._reader.lake, date).sort_by("price_eur").to_pylist():
                rivals[row["sku"]].append(RivalPrice(row["rival"], row["price_eur"], row["seen_at"]))
            return {sku: tuple(prices) for sku, prices in rivals.items()}

        return self._rivals.get(date, read, lambda: self._reader.stamp(_RIVALS))

    def _book(self, catalog: Catalog, date: dt.date) -> OpenBook | None:
        """Return the price book in force, opened once for rows, standings and forecasts."""

        def read() -> OpenBook | None:
            book = book_in_force(self._reader.lake, date)
            return None if book is None else OpenBook(catalog, book)

        return self._books.get((catalog.fingerprint, date), read, lambda: self._reader.stamp(*_BOOKS))

    def _outlook(self, date: dt.date) -> DayForecast | None:
        catalog = self._catalog()

        def read() -> DayForecast | None:
            opened = self._book(catalog, date)
            return None if opened is None else outlook_of(self._reader.lake, catalog, opened.found, date, opened)

        return self._outlooks.get((catalog.fingerprint, date), read, lambda: self._reader.stamp(*_BOOKS))

    def _proposals(self, standing: StoreStanding) -> Proposals:
        """Return what policies proposed for a store's date, of its shelf: read already where that limits its prices."""
        shelf, date = standing.catalog, standing.now.date
        ranges = None if standing.orders is None else standing.orders.ranges
        if ranges is not None and isinstance(ranges.source, Proposals):
            return ranges.source
        return self._proposed.get(
            (date, shelf.skus, shelf.store.stores),
            lambda: proposals_on(self._reader.lake, shelf, date),
            lambda: self._reader.stamp("price_changes"),
        )

    def _by_people(self) -> list[PriceChange]:
        return self._changes.get(
            "people", lambda: changes_by_people(self._reader.lake), lambda: self._reader.stamp("price_changes")
        )

    def _opened_with(self, shelf: Catalog, last: dt.date) -> Floats:
        """Return the middle price of the newest day until a date, EUR, shape (n_stores, n_products) of a shelf."""
        return self._opened.get(
            (last, shelf.skus, shelf.store.stores),
            lambda: last_day_prices(self._reader.lake, shelf, last - _COURSE, last),
            lambda: self._reader.stamp(*_SOLD),
        )

    def _shown(self, standing: StoreStanding) -> Floats | None:
        """Return the prices that a store shows while it is sold, EUR, NaN where none is; None where it opens next."""
        now = standing.now
        if now.day is None:
            return None
        day_prices = self._reader.ask("prices_of_day", _SOLD, on=now.date, date=now.date)
        shown = day_prices[day_prices["store_id"] == now.store].set_index("sku")["price_eur"]
        return shown.reindex(list(standing.catalog.skus)).to_numpy(dtype=float)
