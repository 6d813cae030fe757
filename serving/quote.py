"""A quote and why it is what it is: the decision of the policy in force under the guardrails, for one product."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from catalog.arrays import Floats
from catalog.decisions.pricing import PriceDecision, Shelf
from catalog.decisions.reasons import PriceMove, json_text, reason
from catalog.errors import DataError
from catalog.load import Catalog
from serving.book.book import BookPolicy, PriceBook
from serving.limits.limits import caps_beside, limits_of
from serving.limits.orders import Orders
from serving.optimise.curves import DemandCurves, Switching
from serving.optimise.policies import costs_that_count
from serving.store.in_force import unknown_price
from serving.store.storefront import Storefront

EVERY_STORE = "every store"


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


class ProductBooks(Protocol):
    """Price books of single products: parts of a printed book, or solved when they are asked for."""

    @property
    def n_ticks(self) -> int:
        """Ticks until closing that have prices."""
        ...

    @property
    def published_at(self) -> dt.datetime:
        """When the book in force was made."""
        ...

    def only(self, product: int) -> PriceBook:
        """Return the book of one product."""
        ...


class QuotedBook:
    """Books of products and their curves on the shelf of a catalog, from which many questions are answered.

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
        book: ProductBooks,
        curves: DemandCurves,
        orders: Orders | None = None,
        ticks_left: int | None = None,
        beside: Mapping[str, Floats] | None = None,
    ) -> None:
        self._catalog, self._beside = catalog, beside
        self._book, self._curves = book, curves
        self._made_for = f"{book.published_at.date()}"
        self._until_closing = ticks_left or self._book.n_ticks
        self._limits, self._unit_costs = limits_of(catalog, orders), costs_that_count(catalog)
        self._fronts = dict[tuple[int, tuple[str, ...] | None], Storefront]()

    @property
    def n_ticks(self) -> int:
        """Ticks that the book has prices for."""
        return self._book.n_ticks

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
        self._catalog.product(question.sku)
        left, own = self._ticks_left(question), self._catalog.positions[question.sku]
        stores, book = None if store is None else (store,), self._book.only(own)
        front = self._front_of(own, stores)
        decision = front.decide(_shelf_of(question, left, stores))
        price, p_sale = float(decision.prices[0, 0]), known(decision.p_sale[0, 0])
        if math.isnan(price):
            raise DataError(unknown_price(question.sku, store))
        return PriceQuote(
            sku=question.sku,
            stock=question.stock,
            priced_as_stock=min(question.stock, int(book.par_stock[0])),
            ticks_left=left,
            price=price,
            p_sale=p_sale,
            expected_revenue=None if p_sale is None else price * p_sale,
            unit_value=known(decision.unit_value[0, 0]),
            binding_rule=front.rules[decision.rule[0, 0]],
            model_version=book.model_version,
            policy=book.policy,
            made_for=self._made_for,
            unconstrained_price=float(decision.unconstrained[0, 0]),
            clamps=_clamps_of(decision, front.rules),
            clamp_cost=known(decision.clamp_cost[0, 0]),
            reason=self._sentence(own, front, decision, question, left) + self._elsewhere(own, price, left),
            currency=self._catalog.store.currency,
            holds_in=store or EVERY_STORE,
            candidates=self._candidates(own),
        )

    def distinct(self, question: PriceQuestion, stores: Sequence[str]) -> dict[tuple[float, str], list[str]]:
        """Return the prices of a question, EUR, each with the rule behind it and the stores that it is the price of.

        The price is infinite where none is known.
        """
        front, found = (
            self._front_of(self._catalog.positions[question.sku], tuple(stores)),
            dict[tuple[float, str], list[str]](),
        )
        decision = front.decide(_shelf_of(question, self._ticks_left(question), tuple(stores)))
        for row, store in enumerate(stores):
            key = float(np.nan_to_num(decision.prices[row, 0], nan=math.inf)), front.rules[decision.rule[row, 0]]
            found.setdefault(key, []).append(store)
        return found

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

    def _front_of(self, own: int, stores: tuple[str, ...] | None) -> Storefront:
        """Return how a product is priced in stores: what other prices stand there may hold it back."""
        key = own, stores if self._limits.links else None
        if key not in self._fronts:
            self._fronts[key] = self._new_front(own, stores)
        return self._fronts[key]

    def _new_front(self, own: int, stores: tuple[str, ...] | None) -> Storefront:
        book, curves, part = self._book.only(own), self._curves, slice(own, own + 1)
        limits = self._limits.only(own, book.skus[0])
        if limits.caps and stores is not None and self._beside is not None:
            caps = caps_beside(self._limits, np.array([self._beside[store] for store in stores]))
            limits = replace(limits, caps={rule: caps[rule][:, [own]] for rule in limits.caps})
        return Storefront(
            BookPolicy(book),
            DemandCurves(curves.skus[part], curves.prices[part], curves.p_sale[part], curves.model_version),
            limits=limits,
            unit_costs=self._unit_costs[part],
        )

    def _candidates(self, own: int) -> list[dict[str, float | None]]:
        return [
            {"price": float(one), "p_sale": known(chance), "expected_revenue": known(one * chance)}
            for one, chance in zip(self._curves.prices[own], self._curves.p_sale[own], strict=True)
        ]

    def _elsewhere(self, product: int, price: float, left: int) -> str:
        """Say what a shopper brings who finds a price too dear; nothing where nobody is known to take a substitute."""
        brought = brought_elsewhere(self._catalog, self._book, self._curves.switching, product, price, left)
        money = "" if brought is None else self._catalog.store.money.format_money(brought)
        return money and f" Who finds it too dear brings {money} on average by taking a substitute."

    def _sentence(
        self, own: int, front: Storefront, decision: PriceDecision, question: PriceQuestion, left: int
    ) -> str:
        change = PriceMove(
            product=own,
            old_price=math.nan if question.shown is None else question.shown,
            new_price=float(decision.prices[0, 0]),
            unconstrained=float(decision.unconstrained[0, 0]),
            explored=False,
            rule=int(decision.rule[0, 0]),
            stock=question.stock,
            minutes_left=left * self._catalog.store.opening.tick_minutes,
            p_sale=float(decision.p_sale[0, 0]),
            unit_value=float(decision.unit_value[0, 0]),
        )
        return reason(self._catalog, front.rules, change)


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


def _clamps_of(decision: PriceDecision, rules: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {"rule": rules[clamp["rule"]], "before": known(clamp["before"]), "after": float(clamp["after"])}
        for clamp in decision.clamps
    ]


def text_of(answer: PriceQuote, more: Mapping[str, Any] | None = None, *, candidates: bool = True) -> str:
    """Return an answer as one line of JSON: what `shelfprice quote --json` prints and the quote API sends.

    Parameters
    ----------
    more
        Further fields, for the end.
    candidates
        Whether the prices that were weighed are in it; they are its last own field.
    """
    said = {name: value for name, value in vars(answer).items() if name != "candidates"}
    weighed = {"candidates": answer.candidates} if candidates else {}
    return f"{json_text({**said, **weighed, **(more or {})})}\n"


def known(value: float) -> float | None:
    """Return a number, or None for NaN."""
    return None if math.isnan(value) else float(value)


def brought_elsewhere(
    catalog: Catalog, book: ProductBooks, switching: Switching | None, product: int, price: float, ticks_left: int
) -> float | None:
    """Return what a shopper brings who finds a price too dear, EUR: what her substitutes earn beyond a unit's value.

    They stand at their prices for a full shelf. None where nobody is known to take a substitute.
    """
    if switching is None or not switching.substitutes[product].any():
        return None
    beyond, ratios, costs = np.zeros(len(catalog.skus)), np.ones(len(catalog.skus)), costs_that_count(catalog)
    for other in np.flatnonzero(switching.substitutes[product]).tolist():
        part = book.only(other)
        full = part.at(0, part.n_levels - 1, ticks_left)
        beyond[other] = full.prices - costs[other] - np.nan_to_num(full.unit_value)
        ratios[other] = full.prices / catalog.base_prices[other]
    own = np.array([price / catalog.base_prices[product]])
    return float((switching.chances(product, own, ratios[None]) @ beyond)[0])
