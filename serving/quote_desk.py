"""Where quotes are made: the price book in force and the books that stores' own sales led to, read once and kept.

The command line opens a desk for one question, the quote API keeps one until the lake has changed. Both give the same
bytes, because both ask here.
"""

import hashlib
from contextlib import suppress
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from catalog.errors import DataError
from catalog.load import Catalog
from serving.book_store import BookInForce, book_in_force
from serving.price_changes.orders import ordered
from serving.price_changes.store_time import next_date, next_ticks
from serving.quote import Answer, PriceQuestion, QuotedBook
from serving.reprice import RemadeBook, open_days, remade_book, remade_for
from warehouse.advice import next_command, situation_of
from warehouse.books import PassedOver, books_passed_over
from warehouse.lake import Lake

_TAG_LENGTH = 32  # hexadecimal digits


class NoBookError(DataError):
    """No price book is in force, so every product keeps its base price."""


class UnknownStoreError(DataError):
    """The catalog has no such store."""


class NotRemadeError(DataError):
    """A store that is being sold asks for prices that its own sales led to, and there are none."""


class _Counter(NamedTuple):
    """Where one store asks: its book, and what tells this book from any other."""

    book: QuotedBook
    tag: str


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
    ) -> None:
        self.catalog, self.found, self.passed_over = catalog, found, passed_over
        self._lake, self._catalog_dir = lake, catalog_dir
        self._decided = sorted(lake.changes("price_changes").items())
        self._next_date = next_date(lake, catalog)
        ticks = next_ticks(lake, catalog, catalog.store.stores)
        self._dates = {store: catalog.store.clock_of(store).date_of(moment) for store, moment in ticks.items()}
        self._counters: dict[str | None, _Counter] = {}

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
            self._next_date,
            self._dates,
        )
        return hashlib.sha256(repr(made_from).encode()).hexdigest()[:_TAG_LENGTH]

    def reopened(self) -> "QuoteDesk":
        """Return a desk for the same book in force, with the newest remade books of the stores that have asked."""
        other = QuoteDesk(self._lake, self.catalog, self.found, self.passed_over, self._catalog_dir)
        return other.ready_for_those_of(self)

    def ready_for_those_of(self, earlier: "QuoteDesk") -> "QuoteDesk":
        """Read and cut out what was asked of an earlier desk, so that none of them waits; return this one."""
        for store, counter in list(earlier._counters.items()):  # noqa: SLF001 - its own; another thread may add one
            with suppress(DataError):  # whoever asks is told
                self._counter(store).book.cut_out(counter.book.asked_for)
        return self

    def has_opened_for(self, store: str | None) -> bool:
        """Tell whether a store's book is at hand, so that its next answer reads no file."""
        return store in self._counters or self.found is None

    def answer(self, question: PriceQuestion, store: str | None = None) -> Answer:
        """Answer one question, for one store or for any.

        Raises
        ------
        CatalogError
            When the shelf does not have the product.
        NoBookError, UnknownStoreError, NotRemadeError
            When there is nothing to answer from.
        DataError
            When stock or time cannot be.
        """
        self._refuse_unanswerable(question.sku)
        return self._counter(store).book.answer(question)

    def text(self, question: PriceQuestion, store: str | None = None) -> str:
        """Return an answer as one line of JSON, with the dates of damaged newer books; raises as `answer`."""
        self._refuse_unanswerable(question.sku)
        return self._counter(store).book.text(question, self._warning)

    def tag_of(self, store: str | None) -> str:
        """Return what tells the book that a store's answers come from from any other; raises as `answer`."""
        return self._counter(store).tag

    @property
    def _warning(self) -> dict[str, Any] | None:
        return {"passed_over": [str(date) for date in self.passed_over.dates]} if self.passed_over else None

    def _refuse_unanswerable(self, sku: str) -> None:
        if self.found is not None:
            return
        product = self.catalog.product(sku)
        keeps = f"{sku} keeps its base price, {self.catalog.store.money.told(product.base_price)}"
        if self.passed_over is not None:
            raise NoBookError(f"{self.passed_over.sentence}: {keeps}; run {self.passed_over.remedy}")
        raise NoBookError(f"expected a price book, found none; {keeps}: {self._way_to_prices}")

    @cached_property
    def _way_to_prices(self) -> str:
        command = next_command(situation_of(self._lake.settings, self._catalog_dir))
        return f"run `{command}`" if command else "earlier days have books of their own"

    def _counter(self, store: str | None) -> _Counter:
        known = self._counters.get(store)
        if known is None:
            known = self._counters[store] = self._open_counter(store)
        return known

    def _open_counter(self, store: str | None) -> _Counter:
        found = self.found
        if found is None:
            raise NoBookError("expected a price book, found none; every product keeps its base price")
        if store is None:
            return _Counter(QuotedBook(self._ordered(None), found.book, found.curves), self.tag)
        remade = None if found.belief is None else self._remade(store, found)
        if remade is None and store not in self.catalog.store.stores:
            raise UnknownStoreError(
                f"expected a store of this catalog, such as {self.catalog.store.stores[0]}, found {store!r}; nothing "
                "was quoted"
            )
        if remade is None:
            return _Counter(QuotedBook(self._ordered(store), found.book, found.curves, store), self.tag)
        tag = hashlib.sha256(f"{self.tag}:{remade.sha256}".encode()).hexdigest()[:_TAG_LENGTH]
        return _Counter(QuotedBook(self._ordered(store), remade.book, remade.curves, store), tag)

    def _ordered(self, store: str | None) -> Catalog:
        """Return the catalog with what people ordered for the date that a store sells now, or next."""
        date = self._next_date if store is None else self._dates.get(store, self._next_date)
        return ordered(self._lake, self.catalog, date, store)

    def _remade(self, store: str, found: BookInForce) -> RemadeBook | None:
        """Return the newest prices that a store's own sales led to; None while it has sold nothing of the day."""
        date = found.book.published_at.date()
        place = remade_for(self._lake, store, date)
        if place is None:
            if not open_days(self._lake, store):
                return None
            raise NotRemadeError(
                f"expected prices that were remade for {store} on {date}, found none: nothing was quoted; run "
                f"`shelfprice reprice --store {store}` while it sells, or leave --store out"
            )
        return remade_book(self._lake, place)


def open_desk(lake: Lake, catalog: Catalog, catalog_dir: Path | None = None) -> QuoteDesk:
    """Read the price book in force.

    Parameters
    ----------
    catalog_dir
        Folder of the catalog if one was named, for the command that an error advises.
    """
    return QuoteDesk(lake, catalog, book_in_force(lake), books_passed_over(lake), catalog_dir)
