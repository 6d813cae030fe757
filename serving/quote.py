"""A quote and why it is what it is: the decision of the policy in force under the guardrails, for one product.

Where the catalog is the one that the price book in force was printed for, and a store has nothing of its own, prices
are looked up in the book. Elsewhere the belief behind the book is solved for the product that is asked about, once for
all of the day: in another catalog, for a kind of stores, for units that a store opened with, after sales of the day.

The command line opens a desk for one question; the quote API keeps one until the lake has changed. Both give the same
bytes.
"""

import datetime as dt
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.compute as pc
from cachetools import LRUCache

from catalog.arrays import Floats, Ints
from catalog.bounds import price_links
from catalog.decisions.pricing import Shelf
from catalog.decisions.reasons import PriceMove, json_text, reason
from catalog.decisions.rules import RULES
from catalog.errors import DataError
from catalog.hooks import STANDING, ShelfQuotes
from catalog.load import Catalog
from etl.calendar import StoreNow, catalog_of_the_day, stores_now
from etl.open_days import SoldSoFar, newest_prices, prices_lately, sold_in, sold_so_far, stuck_in
from etl.stock import opens_with
from serving.belief.said import said_in_words
from serving.belief.table import switching_in
from serving.book.book import PriceBook
from serving.book.make import said_beforehand_at
from serving.book.store import BookInForce, OpenBook, book_in_force, catalog_of, named
from serving.learning.outlook import WITHOUT_CHAMPION, DayStart, Outlook
from serving.learning.updates import LearningPolicy
from serving.limits.limits import ShelfLimits, caps_beside, limits_of
from serving.limits.orders import Orders, at_once_now, orders_on, orders_stamp
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import (
    Asked,
    PricingPolicy,
    StockAwarePolicy,
    costs_that_count,
    policy_with_model,
    sales_of,
)
from serving.store.in_force import kinds_in, unknown_price
from serving.store.storefront import Storefront
from warehouse.checks.whole import books_passed_over, parts_of_book
from warehouse.lake import Lake
from warehouse.origin import seller_of
from warehouse.query.advice import next_command, situation_of

EVERY_STORE = "every store"
_KEPT_PRODUCTS = 256  # of each store; a solved one takes about 80 kB


class NoBookError(DataError):
    """No price book is in force."""


class UnknownStoreError(DataError):
    """The catalog has no such store."""


class StoresDifferError(DataError):
    """A question names no store, and stores have different answers."""


@dataclass(frozen=True)
class PriceQuestion:
    """What is asked about one product.

    Attributes
    ----------
    stock
        Units on the shelf.
    ticks_left
        Ticks until closing, this one included; None for the whole day.
    shown, opening
        Price on the shelf now and at opening, EUR; without them those of a store that is being sold, else an opening.
    """

    sku: str
    stock: int
    ticks_left: int | None = None
    shown: float | None = None
    opening: float | None = None


@dataclass(frozen=True)
class PriceQuote:
    """A price with everything that led to it. Money in EUR; None where no model or policy knows.

    `priced_as_stock` is the stock whose price this is, at most a full shelf. `holds_in` is the store that the answer
    holds for, or "every store". `clamps` holds each limit that changed the price with the prices before and after, in
    order; `clamp_cost` and `expected_revenue` are per visit.
    """

    sku: str
    stock: int
    priced_as_stock: int
    ticks_left: int
    price: float
    p_sale: float | None
    expected_revenue: float | None
    unit_value: float | None
    binding_rule: str
    model_version: str
    policy: str
    made_for: str
    unconstrained_price: float
    clamps: list[dict[str, Any]]
    clamp_cost: float | None
    reason: str
    currency: str
    holds_in: str
    candidates: list[dict[str, float | None]]


@dataclass(frozen=True)
class SolvedProduct:
    """The policy of one product, asked at most for a full shelf of a store. Implements `PricingPolicy`.

    `opened_with` are the units of its opening by life, shape (1, 1, n_lives), and `sticker` is the sticker on the
    shelf, EUR, shape (1, 1), NaN for none; None as in `Shelf`.
    """

    policy: PricingPolicy
    most: int
    date: dt.date
    opened_with: Ints | None
    sticker: Floats | None
    name: str
    model_version: str | None
    rules: tuple[str, ...]

    def ask(self, shelf: Shelf) -> Asked:
        """Ask the policy; an empty shelf asks as one unit and sells nothing."""
        wanted, is_empty = self.policy.ask(self.on(shelf)), shelf.stock == 0
        if not is_empty.any():
            return wanted
        rule = np.where(is_empty, self.rules.index("sold_out"), wanted.rule)
        return replace(wanted, rule=rule, p_sale=np.where(is_empty, 0.0, wanted.p_sale))

    def on(self, shelf: Shelf) -> Shelf:
        """Return the shelf as the policy knows it."""
        stock = np.clip(shelf.stock, 1, self.most)
        return replace(shelf, stock=stock, opened_with=self.opened_with, business_date=self.date, sticker=self.sticker)


@dataclass(frozen=True)
class PresentShelf:
    """A store's shelf whose products are priced one by one: by the printed book where it holds, else by the belief.

    Attributes
    ----------
    day_start
        Returns what the day begins with.
    date
        The day.
    opened_with
        Units of the opening by product and life, shape (1, n_products, n_lives); None for new units.
    sold
        What was sold of the day before the tick that is priced; None before its first tick.
    """

    catalog: Catalog
    book: BookInForce
    day_start: Callable[[], DayStart]
    date: dt.date
    opened_with: Ints | None
    sold: SoldSoFar | None
    is_printed: bool

    @property
    def published_at(self) -> dt.datetime:
        """When the book in force was made."""
        return self.book.book.published_at

    @property
    def n_ticks(self) -> int:
        """Ticks until closing that have prices."""
        return self.catalog.store.opening.ticks - (0 if self.is_printed else self.outlook.today.ticks)

    @property
    def curves(self) -> DemandCurves:
        """The demand curves that prices stand on."""
        curves = self.book.curves if self.is_printed else self.outlook.curves
        return replace(curves, switching=switching_in(self.book.belief, self.catalog))

    @cached_property
    def outlook(self) -> Outlook:
        """The outlook that prices follow from, corrected by what was sold."""
        policy, sold = LearningPolicy(self.day_start().outlook()), self.sold
        for tick in () if sold is None else sold_in(sold.rows, self.catalog, sold.mark.tick):
            policy = policy.learned(tick)
        return policy.outlook

    @cached_property
    def _sales(self) -> tuple[Floats, Floats]:
        return sales_of(self.catalog, self.outlook.curves, self.outlook.visits)

    def policy_of(self, product: int) -> PricingPolicy:
        """Return the printed policy of one product where it holds, else the solved one."""
        return self.book.book.policy_of(product) if self.is_printed else self.solved(product)

    def solved(self, product: int) -> SolvedProduct:
        """Return the policy of a product on its own: what its substitutes take is in its gains and chances."""
        outlook, part = self.outlook, slice(product, product + 1)
        ahead, (gains, chances), units = outlook.start.ahead, self._sales, self.opened_with
        shelf = Catalog((self.catalog.products[product],), self.catalog.store)
        policy = policy_with_model(
            shelf,
            outlook.curves.among(part),
            outlook.visits[part],
            ahead=None if ahead is None else ahead[part],
            sales=(gains[part], chances[..., part, :]),
        )
        if units is not None:  # those that keep for ever come last on a shelf of one product, too
            lives = (self.catalog.products[product].shelf_life_days or 0) + 1
            kept = units[:, part, lives - 1 :].sum(axis=2, keepdims=True)
            units = np.concatenate([units[:, part, : lives - 1], kept], axis=2)
        return SolvedProduct(
            policy,
            int(self.catalog.most_stock[product]),
            self.date,
            units,
            None if self.sold is None else stuck_in(self.catalog, self.sold.rows.repricings)[None, part],
            policy.name,
            policy.model_version,
            (*policy.rules, "sold_out"),
        )


class ShownPrices(NamedTuple):
    """The prices of a store that is being sold, EUR.

    Those at opening have the shape (n_products,), those of each tick of the last hour (1, n_products), the newest last.
    """

    at_opening: Floats
    lately: tuple[Floats, ...]


class QuotedBook:
    """Answers questions about stores that have the same policies, each for one product at a time.

    Parameters
    ----------
    orders
        What people ordered for the date that is asked about.
    ticks_left
        Ticks until closing where a question does not say; None is as many as there are prices for.
    stores
        The stores that it answers for.
    beside
        The prices that stand in stores next, EUR, shape (n_products,), by store, where some limit others.
    shown
        The prices of a store that is being sold, where a question does not say them; None at opening.
    """

    def __init__(
        self,
        catalog: Catalog,
        policies: PriceBook | PresentShelf,
        curves: DemandCurves,
        orders: Orders | None = None,
        ticks_left: int | None = None,
        stores: tuple[str, ...] = (),
        beside: Mapping[str, Floats] | None = None,
        shown: "ShownPrices | None" = None,
    ) -> None:
        self.stores, self._catalog, self._beside, self._shown = stores, catalog, beside, shown
        self._policies, self._curves, self._until_closing = policies, curves, ticks_left or policies.n_ticks
        self._limits, self._unit_costs = limits_of(catalog, orders), costs_that_count(catalog)
        self._fronts = LRUCache[int, Storefront](_KEPT_PRODUCTS)

    def answer(self, question: PriceQuestion, store: str | None = None) -> PriceQuote:
        """Decide as the store would, without exploration, and ignoring other products.

        Parameters
        ----------
        store
            The store that is asked about; None is any store without orders of its own.

        Raises
        ------
        CatalogError
            When the shelf does not have the product.
        DataError
            When the ticks left exceed a day, the stock is negative, or no price of the product is known.
        """
        self._catalog.product(question.sku)
        product, stores = self._catalog.positions[question.sku], None if store is None else (store,)
        shelf = self._shelf_of(question, stores)
        front = self._front_of(product, stores)
        decision = front.decide(shelf)
        price, p_sale, left = float(decision.prices[0, 0]), _or_none(decision.p_sale[0, 0]), shelf.ticks_left
        if math.isnan(price):
            raise DataError(unknown_price(question.sku, store))
        move = PriceMove(
            product=product,
            old_price=float(shelf.shown_prices[0, 0]),
            new_price=price,
            unconstrained=float(decision.unconstrained[0, 0]),
            explored=False,
            rule=int(decision.rule[0, 0]),
            stock=question.stock,
            minutes_left=left * self._catalog.store.opening.tick_minutes,
            p_sale=float(decision.p_sale[0, 0]),
            unit_value=float(decision.unit_value[0, 0]),
        )
        curves = zip(self._curves.prices[product].tolist(), self._curves.p_sale[product].tolist(), strict=True)
        return PriceQuote(
            sku=question.sku,
            stock=question.stock,
            priced_as_stock=min(question.stock, int(self._catalog.most_stock[product])),
            ticks_left=left,
            price=price,
            p_sale=p_sale,
            expected_revenue=None if p_sale is None else price * p_sale,
            unit_value=_or_none(move.unit_value),
            binding_rule=front.rules[move.rule],
            model_version=front.model_version or WITHOUT_CHAMPION,
            policy=front.name,
            made_for=f"{self._policies.published_at.date()}",
            unconstrained_price=move.unconstrained,
            clamps=[
                {"rule": front.rules[rule], "before": before, "after": after}
                for _, rule, before, after in decision.clamps.tolist()
            ],
            clamp_cost=_or_none(decision.clamp_cost[0, 0]),
            reason=reason(self._catalog, front.rules, move) + self._elsewhere(product, price, left),
            currency=self._catalog.store.currency,
            holds_in=store or EVERY_STORE,
            candidates=[
                {"price": price, "p_sale": chance, "expected_revenue": price * chance} for price, chance in curves
            ],
        )

    def distinct(self, question: PriceQuestion) -> dict[tuple[float, str], list[str]]:
        """Return the stores of each price, EUR, and its rule; the price is infinite where none is known."""
        front = self._front_of(self._catalog.positions[question.sku], self.stores)
        decision, prices = front.decide(self._shelf_of(question, self.stores)), dict[tuple[float, str], list[str]]()
        for row, store in enumerate(self.stores):
            key = float(np.nan_to_num(decision.prices[row, 0], nan=math.inf)), front.rules[decision.rule[row, 0]]
            prices.setdefault(key, []).append(store)
        return prices

    def worths(self, answer: PriceQuote) -> list[float | None]:
        """Return what the policy of an answer maximises, by candidate, EUR per visit; None where it may not choose.

        That is the gain of a visit at the candidate, now and by the remaining units, above keeping all units. Of a
        policy that does not value stock it is the gain of a sale times the chance of sale.
        """
        product = self._catalog.positions[answer.sku]
        solved = self._policies.solved(product) if isinstance(self._policies, PresentShelf) else None
        if solved and isinstance(solved.policy, StockAwarePolicy):
            question = PriceQuestion(answer.sku, answer.priced_as_stock, answer.ticks_left)
            worths = solved.policy.worths(solved.on(self._shelf_of(question, None)), 0)
        else:
            forgone = (answer.unit_value or 0.0) + self._unit_costs[product]
            worths = (self._curves.prices[product] - forgone) * self._curves.p_sale[product]
        return [_or_none(worth) for worth in worths.tolist()]

    def _shelf_of(self, question: PriceQuestion, stores: tuple[str, ...] | None) -> Shelf:
        """Return the shelf of a question in each of some stores, or in no particular store."""
        left = self._until_closing if question.ticks_left is None else question.ticks_left
        if not 1 <= left <= self._policies.n_ticks:
            raise DataError(
                f"expected 1 to {self._policies.n_ticks} ticks left, as many as a day has, found {left}; nothing was "
                "priced: give one of these, or leave it out for the whole day"
            )
        if question.stock < 0:
            raise DataError(
                f"expected a stock of 0 or more units, found {question.stock}; nothing was priced: give another"
            )
        shape, shown, lately = (1 if stores is None else len(stores), 1), question.shown or math.nan, list[Floats]()
        opening = math.nan if question.shown is None else question.opening or shown
        if question.shown is None and self._shown is not None and left == self._until_closing:
            product = self._catalog.positions[question.sku]
            shown, opening = self._shown.lately[-1][0, product], self._shown.at_opening[product]
            lately = [np.full(shape, prices[0, product]) for prices in self._shown.lately]
        stock, shown_prices, dice, opened = (np.full(shape, value) for value in (question.stock, shown, 0.0, opening))
        return Shelf(stock, shown_prices, left, dice, opened, stores, lately=tuple(lately))

    def _front_of(self, product: int, stores: tuple[str, ...] | None) -> Storefront:
        """Return how a product is priced in stores, with the caps by other prices that stand there."""
        if product not in self._fronts:
            curves, part = self._curves, slice(product, product + 1)
            self._fronts[product] = Storefront(
                self._policies.policy_of(product),
                DemandCurves(curves.skus[part], curves.prices[part], curves.p_sale[part], curves.model_version),
                limits=self._limits.only(product, curves.skus[product]),
                unit_costs=self._unit_costs[part],
            )
        front = self._fronts[product]
        if front.limits is None or not front.limits.caps or stores is None or self._beside is None:
            return front
        caps = caps_beside(self._limits, np.array([self._beside[store] for store in stores]))
        caps = {rule: caps[rule][:, [product]] for rule in front.limits.caps}
        return replace(front, limits=replace(front.limits, caps=caps))

    def _elsewhere(self, product: int, price: float, left: int) -> str:
        """Say what a shopper brings on average who finds a price too dear: what substitutes earn beyond a unit's value.

        Substitutes stand at their prices for a full shelf.
        """
        switching, catalog = self._curves.switching, self._catalog
        if switching is None or not switching.substitutes[product].any():
            return ""
        beyond, ratios, limits = np.zeros(len(catalog.skus)), np.ones(len(catalog.skus)), limits_of(catalog)
        for other in np.flatnonzero(switching.substitutes[product]).tolist():
            sku = catalog.skus[other]
            full = self._shelf_of(PriceQuestion(sku, int(catalog.most_stock[other]), left), None)
            wanted = self._front_of(other, None).policy.ask(full)
            stands = float(ShelfLimits(limits.only(other, sku), full).apply(wanted.prices)[0, 0])
            beyond[other] = stands - self._unit_costs[other] - np.nan_to_num(wanted.unit_value[0, 0])
            ratios[other] = stands / catalog.base_prices[other]
        ratio = np.array([price / catalog.base_prices[product]])
        brought = float((switching.chances(product, ratio, ratios[None]) @ beyond)[0])
        money = catalog.store.money.format_money(brought)
        return f" Who finds it too dear brings {money} on average by taking a substitute."


def text_of(answer: PriceQuote, more: Mapping[str, Any] | None = None, *, candidates: bool = True) -> str:
    """Return an answer as one line of JSON, with its `candidates` or without, and `more` fields at the end."""
    fields = {name: value for name, value in vars(answer).items() if name != "candidates"}
    weighed = {"candidates": answer.candidates} if candidates else {}
    return f"{json_text({**fields, **weighed, **(more or {})})}\n"


def _or_none(value: float) -> float | None:
    """Return a number, or None for NaN."""
    return None if math.isnan(value) else float(value)


class QuoteDesk:
    """Answers questions from the books that were in force when it was opened.

    A store's book is opened when the store first asks, and kept. Stores that share their prices share it.

    Attributes
    ----------
    catalog
        The shelf on which prices are made.
    tag
        Version tag of its answers: of books and draws, catalog, orders, each store's tick, and the code.
    book
        The book in force; None without one.
    passed_over
        Damaged books that are newer than the one in force; None where there are none.
    opened
        The stores whose books are at hand; None is all of them.
    """

    def __init__(
        self, lake: Lake, catalog: Catalog, catalog_dir: Path | None = None, now: dt.datetime | None = None
    ) -> None:
        self.catalog, self.opened = catalog, set[str | None]()
        self._lake, self._catalog_dir, self._seller = lake, catalog_dir, seller_of(lake.store, catalog.store)
        self._stores = stores_now(lake, catalog, catalog.store.stores, now)
        self._seller_quotes = self._seller and self._seller.quotes(lake, catalog, self._stores)
        self.book = None if self._seller else book_in_force(lake)
        self.passed_over = None if self._seller else books_passed_over(lake)
        made_from = (
            version("shelfprice"),
            catalog.fingerprint,
            self.book and self.book.sha256,
            self.passed_over,
            sorted(orders_stamp(lake).items()),
            self._seller and self._seller.changes_of_shelves(lake),
            sorted((now.store, now.date, now.tick) for now in self._stores.values()),
            self._seller_quotes and self._seller_quotes.tag,
        )
        self.tag = hashlib.sha256(repr(made_from).encode()).hexdigest()
        self._book_before = cache(partial(book_in_force, lake))
        self._open_books, self._quoted = dict[tuple[str, str], OpenBook](), dict[str, QuotedBook]()

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
        self.catalog.product(question.sku)
        quotes, first = self.open_for(store), self.catalog.store.stores[0]
        if not quotes:
            raise self._no_book(question.sku, store or first)
        if store is not None:
            return quotes[0].answer(question, store)
        prices = dict[tuple[float, str], list[str]]()
        for part in quotes:
            for key, stores in part.distinct(question).items():
                prices.setdefault(key, []).extend(stores)
        if len(prices) > 1:
            several = "; ".join(f"{self._amount(price)} in {named(stores)}" for (price, _), stores in prices.items())
            raise StoresDifferError(
                f"expected a store, for {question.sku} has several prices ({several}), found none; nothing was quoted: "
                f"name one, such as {first}"
            )
        return replace(quotes[0].answer(question, first), holds_in=EVERY_STORE)

    def said(self, sku: str) -> list[str]:
        """Return what the champion behind the book in force said of a product before a sale, a sentence each."""
        if self.book is None:
            return []
        date, money = self.book.book.published_at.date(), self.catalog.store.money
        at, receipts = said_beforehand_at(date), [self._lake.receipt(part) for part in parts_of_book(date)]
        receipt = self._lake.receipt(at)
        if receipt is None or any(own is None or own.inputs != receipt.inputs for own in receipts):
            return []
        tables = (self._lake.read(at), self.book.belief)
        rows = (table.filter(pc.field("sku") == sku).to_pylist() for table in tables)
        return [
            sentence
            for said, believed in zip(*rows, strict=True)
            for sentence in said_in_words(said, believed, self.catalog.product(sku), date, money)
        ]

    def text(self, question: PriceQuestion, store: str | None = None, *, candidates: bool = True) -> str:
        """Return an answer as one line of JSON, with the dates of damaged newer books; raises as `answer`."""
        return text_of(self.answer(question, store), self.warning, candidates=candidates)

    def worths(self, answer: PriceQuote, store: str | None = None) -> list[float | None]:
        """Return what the policy of an answer maximises, as `QuotedBook.worths`; nothing where prices are drawn."""
        quotes = self.open_for(store)[0]
        return quotes.worths(answer) if isinstance(quotes, QuotedBook) else []

    @property
    def warning(self) -> dict[str, Any] | None:
        """Dates of the damaged newer books, as an answer names them; None without any."""
        return {"passed_over": [str(date) for date in self.passed_over.dates]} if self.passed_over else None

    def open_for(self, store: str | None) -> Sequence[ShelfQuotes | QuotedBook]:
        """Return what answers a store, or without one what answers the stores together; nothing without a book.

        Raises
        ------
        UnknownStoreError
            When the catalog does not have the store.
        """
        stores = self.catalog.store.stores if store is None else (store,)
        if stores[0] not in self._stores:
            raise UnknownStoreError(
                f"expected a store of this catalog, such as {self.catalog.store.stores[0]}, found {store!r}; nothing "
                "was quoted"
            )
        quotes: list[ShelfQuotes | QuotedBook] = []
        if self._seller_quotes:
            self._seller_quotes.open_for(stores)
            quotes = [self._seller_quotes]
        elif all(self._book_on(self._stores[name].date) for name in stores):
            for name in stores:
                if name not in self._quoted:
                    self._open(self._stores[name])
            quotes = list(dict.fromkeys(self._quoted[name] for name in stores))
        self.opened.add(store)
        return quotes

    def _open(self, now: StoreNow) -> None:
        """Open the book of a store and of all that share its prices.

        A store that is being sold, counts its units or is of another kind has prices of its own.
        """
        book, catalog, sold = self._book_on(now.date), self.catalog, None
        assert book is not None  # noqa: S101 - looked for before
        apart = {store for kind in kinds_in(catalog, book) for store in kind}
        is_alone = now.day is not None or catalog.counts_evenings or now.store in apart
        if now.day is not None:
            catalog, sold = catalog_of_the_day(self._lake, catalog, now.day), sold_so_far(self._lake, now.day, now.tick)
        resting = (other for other in self._stores.values() if other.day is None and other.date == now.date)
        alike = {now.store: now} if is_alone else {each.store: each for each in resting if each.store not in apart}
        names = tuple(alike)
        units = opens_with(self._lake, catalog, names, now.date).opened_with if is_alone else None
        is_printed = catalog_of(self._lake, book.book.published_at.date()) == catalog.fingerprint and not is_alone
        opened = self._open_books.setdefault((catalog.fingerprint, book.sha256), OpenBook(catalog, book))
        start = partial(opened.day_start, now.store if is_alone else None)
        shelf = PresentShelf(catalog, book, start, now.date, units, sold, is_printed)
        at_once, beside = at_once_now(self._lake, {name: other.moment for name, other in alike.items()}), None
        if price_links(catalog.products, catalog.store):
            standings = STANDING.needed("families and own_brands in store.yaml")
            beside = {name: stands.prices for name, stands in standings(self._lake, self.catalog, alike).items()}
        orders, left = orders_on(self._lake, catalog, now.date, names, at_once), catalog.store.opening.ticks - now.tick
        shown = None
        if sold is not None and now.tick:
            changes = sold.rows.repricings
            shown = ShownPrices(newest_prices(changes, catalog, 0), prices_lately(changes, catalog, now.tick))
        quoted = QuotedBook(catalog, shelf, shelf.curves, orders, left, names, beside, shown)
        self._quoted |= dict.fromkeys(names, quoted)

    def _book_on(self, date: dt.date) -> BookInForce | None:
        if self.book is None or self.book.book.published_at.date() <= date:
            return self.book
        return self._book_before(date)

    def _amount(self, price: float) -> str:
        return self.catalog.store.money.format_money(price) if math.isfinite(price) else "none known"

    def _no_book(self, sku: str, store: str) -> NoBookError:
        """Return the refusal where no book is in force: it names the price that stands all the same."""
        standings, which = STANDING.only(), unknown_price(sku, store)
        stands = standings and standings(self._lake, self.catalog, {store: self._stores[store]})[store].of(sku)
        if stands:
            which = f"{sku} stands at {self._amount(stands.price)} in {store}, {RULES[stands.rule]}"
        if self.passed_over is not None:
            return NoBookError(f"{self.passed_over.sentence}: {which}; run {self.passed_over.remedy}")
        command = next_command(situation_of(self._lake.settings, self._catalog_dir))
        remedy = f"run `{command}`" if command else "earlier days have books of their own"
        if command is None and self._seller is not None:
            remedy = "name products under `drawn_prices` in store.yaml to let prices move"
        return NoBookError(f"expected a price book, found none; {which}: {remedy}")
