"""One product's part of a price book: what a quote is made from, cut out of the book, the curves and the limits.

A part is a few kilobytes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from catalog.arrays import Floats
from catalog.json_text import json_text
from serving.book_policy import BookPolicy
from serving.curves import DemandCurves
from serving.side_by_side import caps_beside
from serving.storefront import Storefront


class OwnPart(NamedTuple):
    """Where a product stands on the shelf, how it is priced, and its candidates, also as JSON.

    `n_stocks` counts the stocks that the book has prices for, 0 among them.
    """

    position: int
    storefront: Storefront
    curves: DemandCurves
    candidates: list[dict[str, float | None]]
    candidates_json: str
    n_stocks: int

    @property
    def is_the_same_in_every_store(self) -> bool:
        """Whether neither store nor the price shown before matters for its price."""
        limits = self.storefront.limits
        return limits is None or limits.are_static

    @property
    def last_row(self) -> int:
        """The stock from which on more changes nothing: an empty shelf sells nothing, and a book ends."""
        return max(1, self.n_stocks - 1)

    def front_beside(
        self, whole: Storefront, beside: Mapping[str, Floats] | None, stores: Sequence[str] | None
    ) -> Storefront:
        """Return how it is priced in stores, with what the other prices that stand there allow it.

        Parameters
        ----------
        beside
            Prices of the whole shelf, EUR, shape (n_products,), by store.
        """
        limits = self.storefront.limits
        if whole.limits is None or limits is None or not limits.caps or stores is None or beside is None:
            return self.storefront
        caps = caps_beside(whole.limits, np.array([beside[store] for store in stores]))
        own_caps = {rule: caps[rule][:, [self.position]] for rule in limits.caps}
        return replace(self.storefront, limits=replace(limits, caps=own_caps))


def own_part(storefront: Storefront, curves: DemandCurves, sku: str) -> OwnPart:
    """Cut a product's own part out of the storefront and the curves of a whole shelf."""
    assert isinstance(storefront.policy, BookPolicy)  # noqa: S101 - made from a book
    position = storefront.policy.book.positions[sku]
    own = _curves_of(curves, position)
    candidates = _candidates(own)
    one, text = _storefront_of(storefront, own, position), json_text(candidates)
    assert isinstance(one.policy, BookPolicy)  # noqa: S101 - made from a book
    return OwnPart(position, one, own, candidates, text, one.policy.book.n_levels)


def _storefront_of(whole: Storefront, curves: DemandCurves, own: int) -> Storefront:
    """Return the storefront of one product: other products neither move nor hold it back."""
    assert isinstance(whole.policy, BookPolicy)  # noqa: S101 - made from a book
    assert whole.limits is not None  # noqa: S101 - a store has guardrails
    book, part = whole.policy.book, slice(own, own + 1)
    return replace(
        whole,
        policy=BookPolicy(book.take(np.array([own]))),
        curves=curves,
        limits=whole.limits.only(own, book.skus[own]),
        unit_costs=np.broadcast_to(whole.unit_costs, len(book.skus))[part],
    )


def _curves_of(curves: DemandCurves, own: int) -> DemandCurves:
    part = slice(own, own + 1)
    return DemandCurves(curves.skus[part], curves.prices[part], curves.p_sale[part], curves.model_version)


def _candidates(curves: DemandCurves) -> list[dict[str, float | None]]:
    return [
        {"price": float(one), "p_sale": known(chance), "expected_revenue": known(one * chance)}
        for one, chance in zip(curves.prices[0], curves.p_sale[0], strict=True)
    ]


def known(value: float) -> float | None:
    """Return a number, or None for NaN."""
    return None if math.isnan(value) else float(value)
