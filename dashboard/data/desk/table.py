"""The rows of the desk by column: counted, filtered, sorted and summed there, and made one by one where people look.

Prices of a whole chain lie behind it. What is costly to know, such as what stands next or what a plan brings, is worked
out of the rows that somebody asks about, and kept for all who look at the same sheet.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.records.product import Product
from dashboard.data.desk.rows import Row
from dashboard.data.desk.store_rows import PASSES, STATES, StoreRows
from dashboard.formats import euros, store_name
from plugins.desk.price_changes.planned_day import Proceeds


class Rows(Sequence[Row]):
    """Some rows of the desk, in an order. Arrays have shape (n_rows,), prices in EUR, NaN where nothing is known."""

    def __init__(
        self, stores: Sequence[StoreRows], places: Ints | None = None, kept: dict[str, Any] | None = None
    ) -> None:
        """Take the prices that are known, or those at some places among all products of one store after another."""
        self._all, self._kept = stores, {} if kept is None else kept
        self._begins = np.cumsum([0, *(len(store.products) for store in stores)])
        self._at = np.arange(self._begins[-1]) if places is None else places
        if places is None:
            self._at = np.flatnonzero(self._each("are_known"))

    def __len__(self) -> int:
        """Return how many they are."""
        return len(self._at)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> "Rows": ...
    def __getitem__(self, index: int | slice) -> "Row | Rows":
        """Make a row; some of them stay columns."""
        if isinstance(index, slice):
            return self.take(index)
        store, position = self._place(self._at[index])
        return store.row(position)

    def take(self, which: Flags | Ints | slice) -> "Rows":
        """Return those that are chosen: by flags, by their positions in an order, or from one to another."""
        return Rows(self._all, self._at[which], self._kept)

    def those(self, ids: Collection[str]) -> "Rows":
        """Return those with some ids, see `Row.id`; what is not there is left out."""
        begins, wanted = {rows_of_store.store: number for number, rows_of_store in enumerate(self._all)}, list[int]()
        for name in ids:
            store, _, sku = name.partition("|")
            if store in begins and sku in (positions := self._all[begins[store]].positions):
                wanted.append(int(self._begins[begins[store]]) + positions[sku])
        return self.take(np.isin(self._at, wanted))

    @property
    def ids(self) -> list[str]:
        """Store and product of each in one text, see `Row.id`."""
        places = map(self._place, self._at.tolist())
        return [f"{store.store}|{store.products[position].sku}" for store, position in places]

    @property
    def now(self) -> Floats:
        """What each store shows, or showed on its newest day: the middle price of that day."""
        return self._each("now")

    @property
    def proposed(self) -> Floats:
        """What waits, was decided, or is wanted."""
        return self._each("proposed")

    @property
    def stands(self) -> Floats:
        """What holds at the next tick, worked out for every store."""
        return self._each("stands")

    @property
    def rival(self) -> Floats:
        """The cheapest price of a rival that counts on the date."""
        return self._each("rival")

    @property
    def compared(self) -> NDArray[np.object_]:
        """What each plan brings, and the price now; None where no model knows."""
        total = int(self._begins[-1])
        compared = self._kept.setdefault("compared", np.full(total, None, dtype=object))
        if any(rows_of_store.forecast is not None for rows_of_store in self._all):
            is_known = self._kept.setdefault("is compared", np.zeros(total, dtype=bool))
            for index in self._at[~is_known[self._at]].tolist():
                store, position = self._place(index)
                compared[index] = store.compared(position)
            is_known[self._at] = True
        return np.asarray(compared[self._at])

    @property
    def gain(self) -> Floats:
        """What each plan brings more than the price now."""
        return np.array(
            [np.nan if comparison is None else comparison.gain for comparison in self.compared], dtype=float
        )

    @property
    def are_waiting(self) -> Flags:
        """Which proposals wait for a person, also where somebody set another price meanwhile."""
        return self._each("decision") == STATES.index("waits")

    @property
    def are_recorded(self) -> Flags:
        """Of which a proposal was recorded."""
        return self._each("is_recorded")

    @property
    def are_unchanged(self) -> Flags:
        """Which stay as they are by themselves: nobody set them, and nothing about them is to be decided."""
        return np.asarray((self._each("state") == PASSES) & (self.proposed == self.now))

    def are(self, state: str) -> Flags:
        """Tell which are in a state."""
        return self._each("state") == [*STATES, state].index(state)

    @property
    def told(self) -> list[str]:
        """What became of each, in words."""
        places = zip(self._at.tolist(), self.are("passes").tolist(), strict=True)
        return ["passes" if plain else (place := self._place(index))[0].told(place[1]) for index, plain in places]

    @property
    def stores(self) -> list[StoreRows]:
        """The stores that have a row."""
        return [self._all[index] for index in np.unique(self._store_of(self._at))]

    def by_store(self, value: Callable[[StoreRows], Any]) -> NDArray[Any]:
        """Return what is so of the store of each."""
        return np.array([value(store) for store in self._all])[self._store_of(self._at)]

    def by_product(self, value: Callable[[Product], Any]) -> NDArray[Any]:
        """Return what is so of the product of each, asked once for each of a shelf."""
        shelves = {id(store.products): store.products for store in self._all}
        values = {name: np.array([value(product) for product in shelf]) for name, shelf in shelves.items()}
        return np.concatenate([values[id(store.products)] for store in self._all])[self._at]

    def _each(self, name: str) -> NDArray[Any]:
        """Return a column of the stores, of these rows."""
        if name not in self._kept:
            self._kept[name] = np.concatenate([getattr(store, name) for store in self._all])
        return np.asarray(self._kept[name][self._at])

    def _store_of(self, index: Any) -> Any:
        return np.searchsorted(self._begins, index, side="right") - 1

    def _place(self, index: int) -> tuple[StoreRows, int]:
        """Return the store of a row, and its position on the shelf."""
        store = int(self._store_of(index))
        return self._all[store], int(index - self._begins[store])


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
        if self.store:
            rows = rows.take(rows.by_store(lambda own: own.store == self.store))
        if self.category:
            rows = rows.take(rows.by_product(lambda product: product.category == self.category))
        if self.state:
            rows = rows.take(rows.are(self.state))
        if self.dearer:
            rows = rows.take(rows.stands > rows.rival)
        for word in (self.text or "").casefold().split():
            rows = rows.take(_have(rows, word))
        return rows


def _have(rows: Rows, word: str) -> Flags:
    of_store = rows.by_store(lambda store: word in f"{store.store} {store_name(store.store)}".casefold())
    return np.asarray(
        of_store
        | rows.by_product(lambda product: word in f"{product.name} {product.sku} {product.category}".casefold())
    )


_ORDERS: dict[str, Callable[[Rows], NDArray[Any]]] = {
    "store": lambda rows: rows.by_store(lambda store: store.store),
    "name": lambda rows: rows.by_product(lambda product: product.name.casefold()),
    "now": lambda rows: rows.now,
    "proposed": lambda rows: rows.proposed,
    "moved": lambda rows: rows.proposed / np.where(rows.now > 0, rows.now, np.nan),
    "gain": lambda rows: rows.gain,
    "stands": lambda rows: rows.stands,
    "rival": lambda rows: rows.rival,
    "state": lambda rows: np.array(rows.told),
}


def in_order(rows: Rows, wanted: Sequence[dict[str, Any]]) -> Rows:
    """Sort rows as a grid asks: columns with `colId` and `sort`, the first one counts most; what is unknown is last.

    Where two are alike, or nothing is asked for, those that move most euros come first.
    """
    if not len(rows):
        return rows
    order: Ints = np.argsort(np.nan_to_num(-np.abs(rows.gain), nan=np.inf), kind="stable")
    for column in reversed(wanted):
        if column["colId"] in _ORDERS:
            keys = pd.Series(_ORDERS[column["colId"]](rows)[order])
            by = keys.sort_values(ascending=column["sort"] != "desc", kind="stable", na_position="last")
            order = order[by.index.to_numpy()]
    return rows.take(order)


def waiting_first(rows: Rows) -> Rows:
    """Return the prices that wait for a person, those that move most euros first."""
    return in_order(rows.take(rows.are_waiting), ())


def rivals_in_words(row: Row) -> str:
    """Name the prices of rivals that count, the cheapest first; empty where there is none."""
    return ", ".join(f"{rival.rival} {euros(rival.price)}" for rival in row.rivals)


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


@dataclass(frozen=True)
class Totals:
    """What rows are expected to bring in all: of one category, or of all.

    Attributes
    ----------
    category
        None for all of them.
    labels
        Prices that change from the one now.
    plan, kept
        What the plans bring until closing, and what the old prices would, of the rows that a model knows.
    unknown
        Rows of which nobody knows what they bring.
    """

    category: str | None
    labels: int
    plan: Proceeds
    kept: Proceeds
    unknown: int

    @property
    def gain(self) -> float:
        """What the plans bring more, EUR, in revenue or in profit, whichever the catalog maximises."""
        return self.plan.worth - self.kept.worth


def totals_of(rows: Rows) -> list[Totals]:
    """Return the totals of rows: of all first, then of each category, by name."""
    categories = rows.by_product(lambda product: product.category)
    return [
        _total(None, rows),
        *(_total(str(category), rows.take(categories == category)) for category in np.unique(categories)),
    ]


def _total(category: str | None, rows: Rows) -> Totals:
    comparisons = [comparison for comparison in rows.compared if comparison is not None]
    labels = int((~np.isnan(rows.now) & (rows.proposed != rows.now)).sum())
    plan, kept = _sum([outcome.plan for outcome in comparisons]), _sum([outcome.kept for outcome in comparisons])
    return Totals(category, labels, plan, kept, len(rows) - len(comparisons))


def _sum(amounts: Sequence[Proceeds]) -> Proceeds:
    """Return the sum of amounts, added one after another."""
    names = ("units", "revenue", "profit", "worth")
    each = np.array([[getattr(amount, name) for name in names] for amount in amounts]).reshape(-1, len(names))
    return Proceeds(*(float(euros_) for euros_ in (np.cumsum(each, axis=0)[-1] if len(each) else each.sum(axis=0))))
