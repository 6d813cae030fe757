"""A quote and why it is what it is: the decision of the policy in force under the guardrails, for one product."""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalog.errors import DataError
from catalog.load import Catalog
from catalog.pricing import RULES, PriceDecision, Shelf
from catalog.reasons import Changes, reasons
from serving.cold_start import match_to_shelf
from serving.curves import DemandCurves
from serving.price_book.book import PriceBook
from serving.small_steps import keepers
from serving.storefront import storefront_without_exploration


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
class Answer:
    """A price with everything that led to it. Money in EUR; None where no model or policy knows.

    `priced_as_stock` is the stock whose price this is: a book knows none above a product's par. `clamps` holds each
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
    candidates: list[dict[str, float | None]]


def explained(
    catalog: Catalog, book: PriceBook, curves: DemandCurves, question: PriceQuestion, store: str | None = None
) -> Answer:
    """Decide as the store would, without exploration, and ignoring other products.

    With a store, a product that it keeps at its old price this week is answered with that price.

    Raises
    ------
    DataError
        When there are not so many ticks in a day.
    """
    known, known_curves = match_to_shelf(catalog, book, curves)
    n_ticks = known.prices.shape[2]
    left = n_ticks if question.ticks_left is None else question.ticks_left
    if not 1 <= left <= n_ticks:
        raise DataError(
            f"expected 1 to {n_ticks} ticks left, as many as a day has, found {left}; nothing was priced: give one of "
            "these, or leave it out for the whole day"
        )
    if question.stock < 0:
        raise DataError(
            f"expected a stock of 0 or more units, found {question.stock}; nothing was priced: give another"
        )
    storefront = storefront_without_exploration(catalog, known, known_curves)
    shelf = _shelf_of(catalog, question, left)
    decision = storefront.decide(shelf)
    own = catalog.skus.index(question.sku)
    if store is not None and is_kept(catalog, known_curves, store, question.sku, book.published_at.date()):
        return _kept(catalog, book, known_curves, shelf, own)
    price, p_sale = float(decision.prices[0, own]), _known(decision.p_sale[0, own])
    return Answer(
        sku=question.sku,
        stock=question.stock,
        priced_as_stock=min(question.stock, int(known.par_stock[own])),
        ticks_left=left,
        price=price,
        p_sale=p_sale,
        expected_revenue=None if p_sale is None else price * p_sale,
        unit_value=_known(decision.unit_value[0, own]),
        binding_rule=storefront.rules[decision.rule[0, own]],
        model_version=book.model_version,
        policy=book.policy,
        made_for=f"{book.published_at:%Y-%m-%d}",
        unconstrained_price=float(decision.unconstrained[0, own]),
        clamps=_clamps_of(decision, storefront.rules, own),
        clamp_cost=_known(decision.clamp_cost[0, own]),
        reason=_sentence(catalog, storefront.rules, decision, shelf, own),
        candidates=_candidates(known_curves, own),
    )


def is_kept(catalog: Catalog, curves: DemandCurves, store: str, sku: str, date: dt.date) -> bool:
    """Tell whether a store keeps the old price of a product that moves on exported sales alone."""
    if curves.kept is None or np.isnan(curves.kept[curves.skus.index(sku)]):
        return False
    return store in keepers(catalog, sku, date)


def _kept(catalog: Catalog, book: PriceBook, curves: DemandCurves, shelf: Shelf, own: int) -> Answer:
    """Answer with the old price of a product."""
    assert curves.kept is not None  # noqa: S101 - asked by the caller
    price, stock = float(curves.kept[own]), int(shelf.stock[0, own])
    p_sale = float(curves.p_sale_at(np.array([own]), np.array([price]))[0])
    return Answer(
        sku=catalog.skus[own],
        stock=stock,
        priced_as_stock=stock,
        ticks_left=shelf.ticks_left,
        price=price,
        p_sale=p_sale,
        expected_revenue=price * p_sale,
        unit_value=None,
        binding_rule="kept_price",
        model_version=book.model_version,
        policy=book.policy,
        made_for=f"{book.published_at:%Y-%m-%d}",
        unconstrained_price=price,
        clamps=[],
        clamp_cost=None,
        reason=f"Opened {catalog.products[own].name} at {price:.2f}: {RULES['kept_price']}",
        candidates=_candidates(curves, own),
    )


def _candidates(curves: DemandCurves, own: int) -> list[dict[str, float | None]]:
    return [
        {"price": float(one), "p_sale": _known(chance), "expected_revenue": _known(one * chance)}
        for one, chance in zip(curves.prices[own], curves.p_sale[own], strict=True)
    ]


def _shelf_of(catalog: Catalog, question: PriceQuestion, ticks_left: int) -> Shelf:
    """Return a shelf of one replica on which every product has the stock that is asked about."""
    shape = (1, len(catalog.skus))
    shown, opening = np.full(shape, np.nan), np.full(shape, np.nan)
    if question.shown is not None:
        own = catalog.skus.index(question.sku)
        shown[0, own], opening[0, own] = question.shown, question.opening or question.shown
    return Shelf(np.full(shape, question.stock), shown, ticks_left, np.zeros(shape), opening)


def _clamps_of(decision: PriceDecision, rules: tuple[str, ...], own: int) -> list[dict[str, Any]]:
    return [
        {"rule": rules[clamp["rule"]], "before": _known(clamp["before"]), "after": float(clamp["after"])}
        for clamp in decision.clamps[decision.clamps["decision"] == own]
    ]


def _sentence(catalog: Catalog, rules: tuple[str, ...], decision: PriceDecision, shelf: Shelf, own: int) -> str:
    minutes_left = shelf.ticks_left * catalog.store.opening.tick_minutes
    changes = Changes(
        product=np.array([own]),
        old_price=shelf.shown_prices[0, [own]],
        new_price=decision.prices[0, [own]],
        unconstrained=decision.unconstrained[0, [own]],
        explored=np.array([False]),
        rule=decision.rule[0, [own]],
        stock=shelf.stock[0, [own]],
        minutes_left=np.array([minutes_left]),
        p_sale=decision.p_sale[0, [own]],
        unit_value=decision.unit_value[0, [own]],
    )
    return str(reasons(catalog, rules, changes)[0])


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
