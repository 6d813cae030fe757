"""Which rows of the desk are asked for: what needs a person first, filters and order, answered where the rows are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.arrays import Flags
from catalog.records.product import Product
from dashboard.data.desk.listed import Distinct, Rows
from dashboard.data.desk.rows import Row
from dashboard.data.desk.store_rows import StoreRows
from dashboard.formats import euros, store_name

_ORDERS: dict[str, Callable[[Rows], NDArray[Any]]] = {
    "store": lambda rows: rows.by_store(lambda own: own.store)[1],
    "name": lambda rows: rows.by_product(lambda product: product.name.casefold())[1],
    "now": lambda rows: rows.now,
    "proposed": lambda rows: rows.proposed,
    "moved": lambda rows: rows.proposed / np.where(rows.now > 0, rows.now, np.nan),
    "gain": lambda rows: rows.gain,
    "stands": lambda rows: rows.stands,
    "rival": lambda rows: rows.rival,
    "state": lambda rows: pd.factorize(np.array(rows.told, dtype=object), sort=True)[0],
}


@dataclass(frozen=True)
class DeskQuestion:
    """What a person looks for; None and the empty text are everything.

    Prices that do not change are left out unless they are `unchanged`, or a search names a text or prices
    that are `dearer` than the cheapest rival's.
    """

    text: str | None = None
    store: str | None = None
    category: str | None = None
    state: str | None = None
    unchanged: bool = False
    dearer: bool = False

    def found_in(self, rows: Rows) -> Rows:
        """Return the rows that are meant; every word of the text is in name, sku, store or category."""
        matching = self.matching(rows)
        return matching if self.unchanged or self.text or self.dearer else matching.take(~matching.are_unchanged)

    def matching(self, rows: Rows) -> Rows:
        """Return the rows that are meant, with those that do not change."""
        if not (self.text or self.store or self.category or self.state or self.dearer):
            return rows
        found = np.ones(len(rows), dtype=bool)
        if self.store:
            found &= _flags(rows.by_store(lambda own: own.store == self.store))
        if self.category:
            found &= _flags(rows.by_product(lambda product: product.category == self.category))
        if self.state:
            found &= rows.are(self.state)
        if self.dearer:
            found &= rows.are_dearer
        for word in (self.text or "").casefold().split():
            found &= _flags(rows.by_store(partial(_is_in_store, word))) | _flags(
                rows.by_product(partial(_is_in_product, word))
            )
        return rows.take(found)


def _flags(found: Distinct) -> Flags:
    return found[0][found[1]]


def _is_in_store(word: str, own: StoreRows) -> bool:
    return word in f"{own.store} {store_name(own.store)}".casefold()


def _is_in_product(word: str, product: Product) -> bool:
    return word in f"{product.name} {product.sku} {product.category}".casefold()


def waiting_first(rows: Rows) -> Rows:
    """Return the prices that wait for a person, those that move most euros first."""
    return in_order(rows.take(rows.are_waiting), ())


def in_order(rows: Rows, wanted: Sequence[dict[str, Any]]) -> Rows:
    """Sort rows as a grid asks: columns with `colId` and `sort`, the first one counts most; what is unknown is last.

    Where two are alike, or nothing is asked for, those that move most euros come first.
    """
    gain = rows.gain
    order = np.arange(len(gain)) if np.isnan(gain).all() else np.argsort(-np.abs(gain), kind="stable")
    for column in reversed(wanted):
        if column["colId"] in _ORDERS:
            keys = _ORDERS[column["colId"]](rows)[order]
            order = order[np.argsort(-keys if column["sort"] == "desc" else keys, kind="stable")]
    return rows.take(order)


def rivals_in_words(row: Row) -> str:
    """Name the prices of rivals that count, the cheapest first; empty where there is none."""
    return ", ".join(f"{one.rival} {euros(one.price)}" for one in row.rivals)


def as_sent(row: Row, course: Sequence[float]) -> dict[str, Any]:
    """Return a row as the grid takes it, with its opening prices of the last days, EUR, the oldest first."""
    return {
        "id": row.id,
        "store": store_name(row.store),
        "sku": row.sku,
        "name": row.name,
        "now": row.now,
        "proposed": row.proposed,
        "moved": row.moved,
        "gain": row.gain,
        "stands": row.stands,
        "why": row.why,
        "limit": row.limit,
        "rival": row.rivals[0].price if row.rivals else None,
        "rivals": rivals_in_words(row),
        "course": course,
        "state": row.told,
        "look": row.state,
        "waits": row.decision == "waits",
    }
