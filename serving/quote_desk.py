"""Where quotes are made: the price book in force, corrected by what a store that is being sold has sold, read once.

The command line opens a desk for one question, the quote API keeps one until the lake has changed. Both give the same
bytes, because both ask here.
"""

import datetime as dt
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from catalog.bounds import price_links
from catalog.decisions.rules import RULES
from catalog.errors import DataError
from catalog.hooks import STANDING, ShelfQuotes
from catalog.load import Catalog
from etl.calendar import StoreNow, catalog_of_the_day, stores_now
from serving.belief.table import switching_in
from serving.book.store import BookInForce, OpenBook, book_in_force
from serving.limits.orders import at_once_now, orders_on, orders_stamp
from serving.optimise.policies import costs_that_count
from serving.quote import EVERY_STORE, PriceQuestion, PriceQuote, QuotedBook, known, text_of
from serving.store.in_force import stores_apart, unknown_price
from serving.store.present import PresentShelf, present_shelf, shelf_after
from warehouse.checks.whole import PassedOver, books_passed_over
from warehouse.lake import Lake
from warehouse.origin import seller_of, sells_outside
from warehouse.query.advice import next_command, situation_of

_SHOWN_STORES = 5
_TAG_LENGTH = 32  # hexadecimal digits


class NoBookError(DataError):
    """No price book is in force."""


class UnknownStoreError(DataError):
    """The catalog has no such store."""


class StoresDifferError(DataError):
    """A question names no store, and stores have different answers."""


class Counter(NamedTuple):
    """The shelf that some stores share: answers about it, the stores, its version tag, and the shelf itself."""

    book: QuotedBook
    stores: tuple[str, ...]
    tag: str
    shelf: PresentShelf


class Counters:
    """Cache of opened shelves: one for each store that is priced alone, and one for all others that open on a date.

    `newest` is the newest price book; it is read for earlier dates alone.
    """

    def __init__(
        self, lake: Lake, catalog: Catalog, stores: Mapping[str, StoreNow], newest: BookInForce | None
    ) -> None:
        self._lake, self._catalog, self._stores, self._newest = lake, catalog, stores, newest
        self._books: dict[dt.date, BookInForce | None] = {}
        self._opened_books: dict[tuple[str, str], OpenBook] = {}
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
            found = self._book_on(now.date)
            self._apart[now.date] = frozenset() if found is None else stores_apart(self._catalog, found)
            if found is not None and self._catalog.counts_evenings:
                self._apart[now.date] = frozenset(self._stores)
        return now.day is not None or now.store in self._apart[now.date]

    def _opened(self, place: str | dt.date, made_from: str) -> Counter:
        """Open the counter of one store that is being sold, or of all that open on a date."""
        now = self._stores[place] if isinstance(place, str) else None
        date = place if isinstance(place, dt.date) else self._stores[place].date
        found = self._book_on(date)
        if found is None:
            raise NoBookError(f"expected a price book for {date} or before, found none")
        if now is not None and now.day is not None:
            catalog = catalog_of_the_day(self._lake, self._catalog, now.day)
            shelf = shelf_after(self._lake, self._open(catalog, found), catalog, now.day, now.tick)
            stores: tuple[str, ...] = (now.store,)
            left = catalog.store.opening.ticks - now.tick
        else:
            alone = None if now is None else now.store
            catalog, left = self._catalog, None
            shelf = present_shelf(self._lake, catalog, found, alone, date, self._open(catalog, found))
            opening = (one for one in self._stores.values() if one.day is None and one.date == date)
            stores = (alone,) if alone else tuple(one.store for one in opening if not self._is_asked_alone(one))
        at_once = at_once_now(self._lake, {store: self._stores[store].moment for store in stores})
        orders = orders_on(self._lake, catalog, date, stores, at_once)
        tag = hashlib.sha256(f"{made_from}:{place}:{found.sha256}".encode()).hexdigest()[:_TAG_LENGTH]
        curves = replace(shelf.curves, switching=switching_in(found.belief, catalog))
        beside = None
        if price_links(catalog.products, catalog.store):
            standings = STANDING.needed("families and own_brands in store.yaml")
            standing = standings(self._lake, self._catalog, {store: self._stores[store] for store in stores})
            beside = {store: at.prices for store, at in standing.items()}
        return Counter(QuotedBook(catalog, shelf, curves, orders, left, beside), stores, tag, shelf)

    def _book_on(self, date: dt.date) -> BookInForce | None:
        if self._newest is not None and self._newest.book.published_at.date() <= date:
            return self._newest
        if date not in self._books:
            self._books[date] = book_in_force(self._lake, date)
        return self._books[date]

    def _open(self, catalog: Catalog, found: BookInForce) -> OpenBook:
        key = catalog.fingerprint, found.sha256
        if key not in self._opened_books:
            self._opened_books[key] = OpenBook(catalog, found)
        return self._opened_books[key]


class QuoteDesk:
    """Answers questions from the books that were in force when it was opened.

    A store's book is read when the store first asks, and kept.

    Attributes
    ----------
    catalog
        The shelf on which prices are made.
    found
        The book in force; None without one.
    passed_over
        Damaged books that are newer than the one in force; None where there are none.
    """

    def __init__(
        self,
        lake: Lake,
        catalog: Catalog,
        found: BookInForce | None,
        passed_over: PassedOver | None,
        catalog_dir: Path | None = None,
        now: dt.datetime | None = None,
    ) -> None:
        self.catalog, self.found, self.passed_over = catalog, found, passed_over
        self._lake, self._catalog_dir = lake, catalog_dir
        self._decided = sorted(orders_stamp(lake).items())
        self._stores = stores_now(lake, catalog, catalog.store.stores, now)
        seller = seller_of(lake.store, catalog.store)
        self._shelves = () if seller is None else seller.changes_of_shelves(lake)
        self._drawn = None if seller is None else seller.quotes(lake, catalog, self._stores)
        self._counters = Counters(lake, catalog, self._stores, found)
        self._asked_about: set[str | None] = set()

    @property
    def made_for(self) -> str | None:
        """Business date of the book in force, None without one."""
        return None if self.found is None else f"{self.found.book.published_at:%Y-%m-%d}"

    @property
    def tag(self) -> str:
        """What tells the book in force, its catalog, the dates it is asked for and the code from any other.

        See `tag_of` for a store's.
        """
        made_from = (
            version("shelfprice"),
            self.catalog.fingerprint,
            self.found.sha256 if self.found else "",
            self.passed_over,
            self._decided,
            self._shelves,
            sorted((now.store, now.date, now.tick) for now in self._stores.values()),
            *(() if self._drawn is None else self._drawn.tag),
        )
        return hashlib.sha256(repr(made_from).encode()).hexdigest()[:_TAG_LENGTH]

    def ready_for_those_of(self, earlier: "QuoteDesk") -> "QuoteDesk":
        """Read the books that were asked of an earlier desk, so that nobody waits for them; return this one."""
        for store in list(earlier._asked_about):  # noqa: SLF001 - its own; another thread may add one
            with suppress(DataError):  # whoever asks is told
                if self._drawn is not None:
                    self._open_drawn(self._drawn, store)
                else:
                    self._counters_for(store)
        return self

    def has_opened_for(self, store: str | None) -> bool:
        """Tell whether a store's book is at hand, so that its next answer reads no file."""
        return store in self._asked_about or (self.found is None and self._drawn is None)

    def answer(self, question: PriceQuestion, store: str | None = None) -> PriceQuote:
        """Answer one question for one store, or without one where the answer is the same in every store.

        Raises
        ------
        CatalogError
            When the shelf does not have the product.
        NoBookError, UnknownStoreError, StoresDifferError
            When there is nothing to answer from, or not one answer.
        DataError
            When stock or time cannot be.
        """
        if self._drawn is not None:
            return self._drawn_answer(self._drawn, question, store)
        self.catalog.product(question.sku)
        if self.found is None:
            raise self._no_book(question.sku, store)
        try:
            counters = self._counters_for(store)
        except NoBookError:
            raise self._no_book(question.sku, store) from None
        if store is None:
            self._refuse_different(question, counters)
        answer = counters[0].book.answer(question, store or counters[0].stores[0])
        return answer if store is not None else replace(answer, holds_in=EVERY_STORE)

    def worths(self, answer: PriceQuote, store: str | None = None) -> list[float | None]:
        """Return what the policy of an answer maximises, by candidate, EUR per visit; None for one it may not choose.

        That is what a visit gains at the candidate, now and by what is left after it, above keeping all units. Of
        a policy that does not value stock it is the gain of a sale, times the chance of sale.
        """
        shelf, found = self._counters_for(store)[0].shelf, None
        if answer.sku in shelf.catalog.positions:
            found = shelf.worths(shelf.catalog.positions[answer.sku], answer.priced_as_stock, answer.ticks_left)
        if found is not None and len(found) == len(answer.candidates):
            return [known(worth) for worth in found.tolist()]
        forgone = (answer.unit_value or 0.0) + float(costs_that_count(self.catalog)[self.catalog.positions[answer.sku]])
        return [
            None if (chance := one["p_sale"]) is None else ((one["price"] or 0.0) - forgone) * chance
            for one in answer.candidates
        ]

    def text(self, question: PriceQuestion, store: str | None = None, *, candidates: bool = True) -> str:
        """Return an answer as one line of JSON, with the dates of damaged newer books; raises as `answer`.

        `candidates` says whether the prices that were weighed are in it.
        """
        return text_of(self.answer(question, store), self.warning, candidates=candidates)

    def tag_of(self, store: str | None) -> str:
        """Return what tells the books that a store's answers come from from any other; raises as `answer`."""
        if self._drawn is not None:
            self._open_drawn(self._drawn, store)
            return self.tag
        counters = self._counters_for(store)
        return counters[0].tag if store is not None or len(counters) == 1 else self.tag

    def _refuse_different(self, question: PriceQuestion, counters: Sequence[Counter]) -> None:
        """Refuse a question without a store where stores have different answers."""
        found: dict[tuple[float, str], list[str]] = {}
        for counter in counters:
            for key, stores in counter.book.distinct(question, counter.stores).items():
                found.setdefault(key, []).extend(stores)
        self._refuse_several(question, found)

    def _refuse_several(self, question: PriceQuestion, found: dict[tuple[float, str], list[str]]) -> None:
        if len(found) > 1:
            prices = "; ".join(f"{self._told(price)} in {_named(stores)}" for (price, _), stores in found.items())
            raise StoresDifferError(
                f"expected a store, for {question.sku} has several prices ({prices}), found none; nothing was quoted: "
                f"name one, such as {self.catalog.store.stores[0]}"
            )

    def _drawn_answer(self, desk: ShelfQuotes, question: PriceQuestion, store: str | None) -> PriceQuote:
        """Answer from what stands in outside stores; raises as `answer`."""
        self.catalog.product(question.sku)
        self._open_drawn(desk, store)
        if store is not None:
            return desk.answer(question, store)
        self._refuse_several(question, desk.distinct(question.sku))
        return replace(desk.answer(question, self.catalog.store.stores[0]), holds_in=EVERY_STORE)

    def _open_drawn(self, desk: ShelfQuotes, store: str | None) -> None:
        self._refuse_unknown(store)
        desk.open_for(tuple(self._stores) if store is None else (store,))
        self._asked_about.add(store)

    def _told(self, price: float) -> str:
        return self.catalog.store.money.format_money(price) if math.isfinite(price) else "none known"

    @property
    def warning(self) -> dict[str, Any] | None:
        """Dates of the damaged newer books, as an answer names them; None without any."""
        return {"passed_over": [str(date) for date in self.passed_over.dates]} if self.passed_over else None

    def _no_book(self, sku: str, store: str | None) -> NoBookError:
        """Return the refusal where no book is in force: it names the price that stands all the same."""
        of, standings = store if store in self._stores else self.catalog.store.stores[0], STANDING.only()
        found = standings and standings(self._lake, self.catalog, {of: self._stores[of]})[of].of(sku)
        stands = unknown_price(sku, of)
        if found:
            stands = (
                f"{sku} stands at {self.catalog.store.money.format_money(found.price)} in {of}, {RULES[found.rule]}"
            )
        if self.passed_over is not None:
            return NoBookError(f"{self.passed_over.sentence}: {stands}; run {self.passed_over.remedy}")
        return NoBookError(f"expected a price book, found none; {stands}: {self._way_to_prices}")

    @cached_property
    def _way_to_prices(self) -> str:
        command = next_command(situation_of(self._lake.settings, self._catalog_dir))
        if command is None and sells_outside(self._lake.store, self.catalog.store):
            return "name products under `drawn_prices` in store.yaml to let prices move"
        return f"run `{command}`" if command else "earlier days have books of their own"

    def _counters_for(self, store: str | None) -> list[Counter]:
        """Return where a store asks; without one, where any does.

        Raises
        ------
        UnknownStoreError, NoBookError
            When the catalog does not have the store, or no book is in force for it.
        """
        self._refuse_unknown(store)
        wanted = self._stores.values() if store is None else (self._stores[store],)
        found = self._counters.of(wanted, self.tag)
        self._asked_about.add(store)
        return found

    def _refuse_unknown(self, store: str | None) -> None:
        if store is not None and store not in self._stores:
            raise UnknownStoreError(
                f"expected a store of this catalog, such as {self.catalog.store.stores[0]}, found {store!r}; nothing "
                "was quoted"
            )


def _named(stores: Sequence[str]) -> str:
    """Name stores, the first few of many."""
    shown = ", ".join(stores[:_SHOWN_STORES])
    return shown if len(stores) <= _SHOWN_STORES else f"{shown} and {len(stores) - _SHOWN_STORES} more"


def open_desk(
    lake: Lake, catalog: Catalog, catalog_dir: Path | None = None, now: dt.datetime | None = None
) -> QuoteDesk:
    """Read the price book in force; an outside store shows what stands there, and no price of a book.

    Parameters
    ----------
    catalog_dir
        Folder of the catalog if one was named, for the command that an error advises.
    now
        The time, UTC; see `next_dates`.
    """
    if sells_outside(lake.store, catalog.store):  # no book prices there, whatever is left of one
        return QuoteDesk(lake, catalog, None, None, catalog_dir, now)
    return QuoteDesk(lake, catalog, book_in_force(lake), books_passed_over(lake), catalog_dir, now)
