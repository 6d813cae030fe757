"""The rows of the desk, or some of them in an order: counted, chosen and sorted by column, and made one by one."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.records.product import Product
from dashboard.data.desk.comparisons import Comparisons, Found, Positions
from dashboard.data.desk.rows import Row
from dashboard.data.desk.store_rows import PASSES, STATES, Codes, StoreRows

Distinct = tuple[NDArray[Any], Ints]
"""Values, each once and ascending, and which of them each row has, shape (n_rows,)."""


@dataclass(frozen=True)
class _Columns:
    """Every price that is known. Arrays have shape (n_rows,), prices in EUR, NaN where nothing is known."""

    stores: Sequence[StoreRows]
    store: Positions
    position: Positions
    now: Floats
    proposed: Floats
    decision: Codes
    state: Codes
    is_recorded: Flags

    @cached_property
    def stands(self) -> Floats:
        """What holds at the next tick, worked out for every store."""
        return self._each(lambda own: own.stands)

    @cached_property
    def rival(self) -> Floats:
        """The cheapest price of a rival that counts."""
        return self._each(lambda own: own.rival)

    def _each(self, prices: Callable[[StoreRows], Floats]) -> Floats:
        known = np.full((len(self.stores), max(len(own.products) for own in self.stores)), np.nan)
        for row, own in enumerate(self.stores):
            known[row, : len(own.products)] = prices(own)
        return known[self.store, self.position]

    @cached_property
    def comparisons(self) -> Comparisons:
        """What each plan brings, and the price now."""
        return Comparisons(self.stores, self.store, self.position)


class Rows(Sequence[Row]):
    """Some rows of the desk. Arrays have shape (n_rows,), prices in EUR, NaN where nothing is known."""

    def __init__(self, columns: _Columns, at: Positions | None = None) -> None:
        """Take some rows, or all of them, of which nothing is copied."""
        self._columns, self._is_all = columns, at is None
        self._at = np.arange(len(columns.store), dtype=np.int32) if at is None else at

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
        own = self._at[index]
        return self._columns.stores[self._columns.store[own]].row(int(self._columns.position[own]))

    def take(self, which: Flags | Ints | slice) -> "Rows":
        """Return those that are chosen: by flags, by their positions in an order, or from one to another."""
        return Rows(self._columns, self._at[which])

    def those(self, ids: Collection[str]) -> "Rows":
        """Return those with some ids, see `Row.id`; what is not there is left out."""
        numbers, wanted = {own.store: number for number, own in enumerate(self._columns.stores)}, list[int]()
        for name in ids:
            store_name, _, sku = name.partition("|")
            number = numbers.get(store_name)
            if number is not None and sku in (positions := self._columns.stores[number].positions):
                wanted.append(number * self._width + positions[sku])
        store, position = self._places
        return self.take(np.isin(store * self._width + position, wanted))

    @property
    def ids(self) -> list[str]:
        """Store and product of each in one text, see `Row.id`."""
        stores, places = self._columns.stores, zip(*(own.tolist() for own in self._places), strict=True)
        return [f"{stores[store].store}|{stores[store].products[position].sku}" for store, position in places]

    @property
    def now(self) -> Floats:
        """What each store shows, or showed on its newest day: the middle price of that day."""
        return self._of(self._columns.now)

    @property
    def proposed(self) -> Floats:
        """What waits, was decided, or is wanted."""
        return self._of(self._columns.proposed)

    @property
    def stands(self) -> Floats:
        """What holds at the next tick."""
        return self._of(self._columns.stands)

    @property
    def rival(self) -> Floats:
        """The cheapest price of a rival that counts on the date."""
        return self._of(self._columns.rival)

    @property
    def are_dearer(self) -> Flags:
        """Which will stand above the cheapest rival."""
        return self.stands > self.rival

    @property
    def gain(self) -> Floats:
        """What each plan brings more than the price now."""
        found, which = self.compared
        return np.array([np.nan if own is None else own.gain for own in found])[which]

    @property
    def compared(self) -> Found:
        """What each plan brings, and the price now."""
        return self._columns.comparisons.of(self._at)

    @property
    def are_waiting(self) -> Flags:
        """Which proposals wait for a person, also where somebody set another price meanwhile."""
        return self._of(self._columns.decision) == STATES.index("waits")

    @property
    def are_recorded(self) -> Flags:
        """Of which a proposal was recorded."""
        return self._of(self._columns.is_recorded)

    @property
    def are_unchanged(self) -> Flags:
        """Which stay as they are by themselves: nobody set them, and nothing about them is to be decided."""
        return (self._of(self._columns.state) == PASSES) & (self.proposed == self.now)

    def are(self, state: str) -> Flags:
        """Tell which are in a state."""
        return self._of(self._columns.state) == [*STATES, state].index(state)

    @property
    def told(self) -> list[str]:
        """What became of each, in words."""
        stores, is_plain = self._columns.stores, self.are("passes").tolist()
        places = zip(*(own.tolist() for own in self._places), is_plain, strict=True)
        return ["passes" if plain else stores[store].told(position) for store, position, plain in places]

    @property
    def stores(self) -> list[StoreRows]:
        """The stores that have a row."""
        return [self._columns.stores[own] for own in np.unique(self._places[0])]

    def by_store(self, value: Callable[[StoreRows], Any]) -> Distinct:
        """Return what is so of stores, and what of that of each row."""
        found, which = np.unique([value(own) for own in self._columns.stores], return_inverse=True)
        return found, which[self._places[0]]

    def by_product(self, value: Callable[[Product], Any]) -> Distinct:
        """Return what is so of products, asked once for each of a shelf, and what of that of each row."""
        shelves = {id(own.products): own.products for own in self._columns.stores}
        begins = dict(zip(shelves, np.cumsum([0, *map(len, shelves.values())]).tolist(), strict=False))
        values = [value(product) for shelf in shelves.values() for product in shelf]
        found, which = np.unique(values, return_inverse=True)
        first = np.array([begins[id(own.products)] for own in self._columns.stores])
        store, position = self._places
        return found, which[first[store] + position]

    def _of(self, values: NDArray[Any]) -> NDArray[Any]:
        return values if self._is_all else values[self._at]

    @property
    def _width(self) -> int:
        return max(len(own.products) for own in self._columns.stores)

    @property
    def _places(self) -> tuple[Positions, Positions]:
        return self._columns.store[self._at], self._columns.position[self._at]


def listed(stores: Sequence[StoreRows]) -> Rows:
    """Return the rows of stores: of each product whose price there is known, in the order of both."""
    known = [np.flatnonzero(own.are_known).astype(np.int32) for own in stores]

    def column(name: str) -> NDArray[Any]:
        return np.concatenate(
            [
                values if len(at) == len(values) else values[at]
                for own, at in zip(stores, known, strict=True)
                for values in (getattr(own, name),)
            ]
        )

    names = ("now", "proposed", "decision", "state", "is_recorded")
    store = np.repeat(np.arange(len(stores), dtype=np.int32), [len(at) for at in known])
    return Rows(_Columns(stores, store, np.concatenate(known), *map(column, names)))
