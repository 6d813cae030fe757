"""A quote and why it is what it is: the decision of the policy in force under the guardrails, for one product.

What does not depend on the question, a product's part of the book and of the curves, is cut out once and kept: so a
question costs the same however long the shelf is.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from catalog.arrays import Floats
from catalog.errors import DataError
from catalog.json_text import json_text
from catalog.load import Catalog
from catalog.pricing import PriceDecision, Shelf
from catalog.reasons import PriceMove, reason
from serving.curves import DemandCurves
from serving.evidence import unknown_price
from serving.matching import match_to_shelf
from serving.orders import Orders
from serving.own_part import OwnPart, known, own_part
from serving.policies import brought_elsewhere
from serving.price_book import PriceBook
from serving.storefront import storefront_without_exploration

EVERY_STORE = "every store"
_KEPT_ROWS = 1_024  # of a product in a tick, for every stock; about 5 kB each


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
        Price on the shelf now and at opening, EUR; without them this is an opening.
    """

    sku: str
    stock: int
    ticks_left: int | None = None
    shown: float | None = None
    opening: float | None = None


@dataclass(frozen=True)
class PriceQuote:
    """A price with everything that led to it. Money in EUR; None where no model or policy knows.

    `priced_as_stock` is the stock whose price this is: a book knows none above a product's par. `holds_in` is the store
    that the answer holds for, or "every store". `clamps` holds each
    limit that changed the price with the prices before and after, in order; `clamp_cost` and `expected_revenue` are
    per visit.
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


class QuotedBook:
    """A price book and its curves on the shelf of a catalog, from which many questions are answered.

    Parameters
    ----------
    orders
        What people ordered for the date that is asked about.
    ticks_left
        Ticks until closing where a question does not say; None is as many as the book has prices for.
    beside
        The prices that stand in stores next, EUR, shape (n_products,), by store, where some limit others.
    """

    def __init__(
        self,
        catalog: Catalog,
        book: PriceBook,
        curves: DemandCurves,
        orders: Orders | None = None,
        ticks_left: int | None = None,
        beside: Mapping[str, Floats] | None = None,
    ) -> None:
        self._catalog, self._beside = catalog, beside
        self._book, self._curves = match_to_shelf(catalog, book, curves)
        self._made_for = f"{book.published_at.date()}"
        self._until_closing = ticks_left or self._book.n_ticks
        self._storefront = storefront_without_exploration(catalog, self._book, self._curves, orders)
        self._own_parts: dict[str, OwnPart] = {}
        self._row = lru_cache(_KEPT_ROWS)(partial(_decided_at_every_stock, self._own_parts))

    @property
    def n_ticks(self) -> int:
        """Ticks that the book has prices for."""
        return self._book.n_ticks

    @property
    def asked_for(self) -> tuple[str, ...]:
        """Products that somebody has asked for."""
        return tuple(self._own_parts)

    def cut_out(self, skus: Iterable[str]) -> None:
        """Cut out the parts of products, as the first question for each would; those not on the shelf are left out."""
        for sku in set(skus).intersection(self._catalog.skus):
            self._own_part(sku)

    def answer(self, question: PriceQuestion, store: str | None = None) -> PriceQuote:
        """Decide as the store would, without exploration, and ignoring other products.

        Parameters
        ----------
        store
            The store that is asked about; None is any that nothing tells from the others.

        Raises
        ------
        CatalogError
            When the shelf does not have the product.
        DataError
            When there are not so many ticks in a day, or the stock cannot be; and where no price of the product is
            known in the store.
        """
        own, left = self._own_part(question.sku), self._ticks_left(question)
        decision, row = self._decided(own, question, left, store)
        price, p_sale = float(decision.prices[row, 0]), known(decision.p_sale[row, 0])
        if math.isnan(price):
            raise DataError(unknown_price(question.sku, store))
        return PriceQuote(
            sku=question.sku,
            stock=question.stock,
            priced_as_stock=min(question.stock, int(self._book.par_stock[own.position])),
            ticks_left=left,
            price=price,
            p_sale=p_sale,
            expected_revenue=None if p_sale is None else price * p_sale,
            unit_value=known(decision.unit_value[row, 0]),
            binding_rule=own.storefront.rules[decision.rule[row, 0]],
            model_version=self._book.model_version,
            policy=self._book.policy,
            made_for=self._made_for,
            unconstrained_price=float(decision.unconstrained[row, 0]),
            clamps=_clamps_of(decision, row, own.storefront.rules),
            clamp_cost=known(decision.clamp_cost[row, 0]),
            reason=self._sentence(own, decision, row, question, left) + self._elsewhere(own.position, price, left),
            currency=self._catalog.store.currency,
            holds_in=store or EVERY_STORE,
            candidates=own.candidates,
        )

    def distinct(self, question: PriceQuestion, stores: Sequence[str]) -> dict[tuple[float, str], list[str]]:
        """Return the prices of a question, EUR, each with the rule behind it and the stores that it is the price of.

        The price is infinite where none is known.
        """
        own, left = self._own_part(question.sku), self._ticks_left(question)
        shelf, found = _shelf_of(question, left, tuple(stores)), dict[tuple[float, str], list[str]]()
        decision = own.front_beside(self._storefront, self._beside, stores).decide(shelf)
        for row, store in enumerate(stores):
            key = (
                float(np.nan_to_num(decision.prices[row, 0], nan=math.inf)),
                own.storefront.rules[decision.rule[row, 0]],
            )
            found.setdefault(key, []).append(store)
        return found

    def text(self, answer: PriceQuote, more: dict[str, Any] | None = None, *, candidates: bool = True) -> str:
        """Return an answer as one line of JSON: what `shelfprice quote --json` prints and the quote API sends.

        Parameters
        ----------
        more
            Further fields, for the end.
        candidates
            Whether the prices that were weighed are in it.
        """
        said = vars(answer).copy()
        del said["candidates"]  # the last field, and most of the text: it is the same for every question
        weighed = f', "candidates": {self._own_part(answer.sku).candidates_json}' if candidates else ""
        ending = "" if not more else f", {json_text(more)[1:-1]}"
        return f"{json_text(said)[:-1]}{weighed}{ending}}}\n"

    def _ticks_left(self, question: PriceQuestion) -> int:
        left = self._until_closing if question.ticks_left is None else question.ticks_left
        if not 1 <= left <= self.n_ticks:
            raise DataError(
                f"expected 1 to {self.n_ticks} ticks left, as many as a day has, found {left}; nothing was priced: "
                "give one of these, or leave it out for the whole day"
            )
        if question.stock < 0:
            raise DataError(
                f"expected a stock of 0 or more units, found {question.stock}; nothing was priced: give another"
            )
        return left

    def _own_part(self, sku: str) -> OwnPart:
        """Return a product's own part; two threads that make it at once make the same one."""
        part = self._own_parts.get(sku)
        if part is None:
            self._catalog.product(sku)
            part = self._own_parts[sku] = own_part(self._storefront, self._curves, sku)
        return part

    def _decided(
        self, own: OwnPart, question: PriceQuestion, left: int, store: str | None
    ) -> tuple[PriceDecision, int]:
        """Return what the store decides, and the row of it; where no limit looks at what is shown, every stock's."""
        keeps_label = question.stock == 0 and question.shown is not None
        if own.is_the_same_in_every_store and not keeps_label:
            return self._row(question.sku, left), min(question.stock, own.last_row)
        stores = None if store is None else (store,)
        front = own.front_beside(self._storefront, self._beside, stores)
        return front.decide(_shelf_of(question, left, stores)), 0

    def _elsewhere(self, product: int, price: float, left: int) -> str:
        """Say what a shopper brings who finds a price too dear; nothing where nobody is known to take a substitute."""
        brought = brought_elsewhere(self._catalog, self._book, self._curves.switching, product, price, left)
        money = "" if brought is None else self._catalog.store.money.format_money(brought)
        return money and f" Who finds it too dear brings {money} on average by taking a substitute."

    def _sentence(self, own: OwnPart, decision: PriceDecision, row: int, question: PriceQuestion, left: int) -> str:
        change = PriceMove(
            product=own.position,
            old_price=math.nan if question.shown is None else question.shown,
            new_price=float(decision.prices[row, 0]),
            unconstrained=float(decision.unconstrained[row, 0]),
            explored=False,
            rule=int(decision.rule[row, 0]),
            stock=question.stock,
            minutes_left=left * self._catalog.store.opening.tick_minutes,
            p_sale=float(decision.p_sale[row, 0]),
            unit_value=float(decision.unit_value[row, 0]),
        )
        return reason(self._catalog, own.storefront.rules, change)


def explained(
    catalog: Catalog, book: PriceBook, curves: DemandCurves, question: PriceQuestion, store: str | None = None
) -> PriceQuote:
    """Answer one question from a price book; see `QuotedBook`."""
    return QuotedBook(catalog, book, curves).answer(question, store)


def _shelf_of(question: PriceQuestion, ticks_left: int, stores: tuple[str, ...] | None) -> Shelf:
    """Return shelves of one product, each as the question says: of some stores, or one of none in particular."""
    shown, opening = question.shown, question.opening or question.shown
    shape = (1 if stores is None else len(stores), 1)
    return Shelf(
        np.full(shape, question.stock),
        np.full(shape, math.nan if shown is None else shown),
        ticks_left,
        np.zeros(shape),
        np.full(shape, math.nan if shown is None or opening is None else opening),
        stores,
    )


def _decided_at_every_stock(own_parts: dict[str, OwnPart], sku: str, ticks_left: int) -> PriceDecision:
    """Decide for every stock that the book knows, one a row, under limits that do not look at the price shown."""
    own = own_parts[sku]
    stock = np.arange(own.last_row + 1)[:, None]
    return own.storefront.decide(Shelf(stock, np.full(stock.shape, math.nan), ticks_left, np.zeros(stock.shape)))


def _clamps_of(decision: PriceDecision, row: int, rules: tuple[str, ...]) -> list[dict[str, Any]]:
    if not len(decision.clamps):
        return []
    return [
        {"rule": rules[clamp["rule"]], "before": known(clamp["before"]), "after": float(clamp["after"])}
        for clamp in decision.clamps[decision.clamps["decision"] == row]
    ]
