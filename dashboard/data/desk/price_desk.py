"""The price desk: what is proposed and decided, read once for all browsers until something of it changes."""

import datetime as dt
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event

from catalog.errors import ShelfpriceError
from catalog.load import Catalog
from catalog.names import BOOK_TABLES
from catalog.settings import Settings
from dashboard.cache import Cache
from dashboard.data.desk.rows import Row, RowEvidence, rows_of
from dashboard.data.reader import Reader
from dashboard.formats import show_in
from desk.price_changes.change import PriceChange
from desk.price_changes.consequence import DayForecast, outlook_of
from desk.price_changes.record import all_changes, changes_by_people
from etl.live.store_now import StoreNow, stores_now
from flows.clock import now_of
from serving.book_store import BookInForce, book_in_force
from serving.open_book import OpenBook
from serving.standing import StoreStanding, standings
from warehouse.workspace import Workspace

COURSE_DAYS = 14
_BOOKS = (*BOOK_TABLES, "demand_curves", "beliefs")
_SOLD = ("repricings", "live_repricings")
_MOST_DATES = 8
_MOST_BOOKS = 3  # each with all that was worked out of it
_LOOK_EVERY = 5.0  # seconds


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
    rows: tuple[Row, ...]
    people: tuple[PriceChange, ...]
    clocks: dict[str, StoreNow]
    outlooks: dict[dt.date, DayForecast]
    standings: dict[str, StoreStanding]

    def chosen(self, ids: Sequence[str]) -> list[Row]:
        """Return the rows with some ids; those that are not there are left out."""
        wanted = set(ids)
        return [row for row in self.rows if row.id in wanted]

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
        self._changes = Cache[list[PriceChange]](_MOST_DATES)

    @property
    def workspace(self) -> Workspace:
        """Where decisions are recorded."""
        return Workspace(self._settings, self._catalog(), self._reader.lake)

    def stamp(self) -> tuple[Hashable, ...]:
        """Return what changes whenever the desk does."""
        hour = f"{now_of(self.workspace):%Y-%m-%d %H}" if self._catalog().store.sales == "outside" else None
        return (*self._reader.stamp("price_changes", *_BOOKS, *_SOLD), self._catalog().fingerprint, hour)

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
                    show_in(self._catalog().store.money)
                    self.sheet()

    def book(self, date: dt.date) -> BookInForce | None:
        """Return the price book in force on a date; None without one."""
        opened = self._book(self._catalog(), date)
        return None if opened is None else opened.found

    def _made(self) -> Sheet:
        catalog, lake = self._catalog(), self._reader.lake
        clocks = stores_now(lake, catalog, catalog.store.stores, now_of(self.workspace))
        dates = sorted({now.date for now in clocks.values()})
        found = {date: self._outlook(date) for date in dates}
        outlooks = {date: outlook for date, outlook in found.items() if outlook is not None}
        people = self._by_people()
        proposals = {
            date: [change for change in self._changes_on(date) if change.terms.kind == "price"] for date in dates
        }
        held = standings(lake, catalog, clocks, self._book)
        held = {store: held[store] for store in catalog.store.stores}
        evidence = RowEvidence(held, outlooks, self._courses(dates), self._shown(clocks), proposals, people)
        return Sheet(catalog, tuple(rows_of(evidence)), tuple(people), clocks, outlooks, held)

    def _book(self, catalog: Catalog, date: dt.date) -> OpenBook | None:
        """Return the price book in force, opened once for rows, standings and forecasts."""

        def read() -> OpenBook | None:
            found = book_in_force(self._reader.lake, date)
            return None if found is None else OpenBook(catalog, found)

        return self._books.get((catalog.fingerprint, date), read, lambda: self._reader.stamp(*_BOOKS))

    def _outlook(self, date: dt.date) -> DayForecast | None:
        catalog = self._catalog()

        def read() -> DayForecast | None:
            opened = self._book(catalog, date)
            return None if opened is None else outlook_of(self._reader.lake, catalog, opened.found, date, opened)

        return self._outlooks.get((catalog.fingerprint, date), read, lambda: self._reader.stamp(*_BOOKS))

    def _changes_on(self, date: dt.date) -> list[PriceChange]:
        return self._changes.get(
            date,
            lambda: all_changes(self._reader.lake, lambda day: day == date),
            lambda: self._reader.stamp("price_changes"),
        )

    def _by_people(self) -> list[PriceChange]:
        return self._changes.get(
            "people", lambda: changes_by_people(self._reader.lake), lambda: self._reader.stamp("price_changes")
        )

    def _courses(self, dates: Sequence[dt.date]) -> dict[tuple[str, str], tuple[float, ...]]:
        last = dates[-1]
        first = last - dt.timedelta(days=COURSE_DAYS)
        if next(self._reader.lake.newest_dates("repricings"), None) is None:
            return {}
        found = self._reader.ask("opening_courses", _SOLD, first=first, last=last)
        columns = (found[name].tolist() for name in ("store_id", "sku", "prices"))
        return {(store, sku): tuple(map(float, prices)) for store, sku, prices in zip(*columns, strict=True)}

    def _shown(self, clocks: dict[str, StoreNow]) -> dict[tuple[str, str], float]:
        """Return the prices that live stores show, EUR."""
        shown: dict[tuple[str, str], float] = {}
        for date in {now.date for now in clocks.values() if now.day is not None}:
            found = self._reader.ask("prices_of_day", _SOLD, on=date, date=date)
            columns = (found[name].tolist() for name in ("store_id", "sku", "price_eur"))
            shown |= {
                (store, sku): price for store, sku, price in zip(*columns, strict=True) if clocks[store].day is not None
            }
        return shown
