"""What the plans of a desk's prices bring: of the rows that somebody asks about, and once for all that are alike.

Most stores share their stock and their prices, so that of millions of rows few differ.
"""

from collections.abc import Iterable, Sequence
from threading import Lock

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from dashboard.data.desk.store_rows import StoreRows
from desk.price_changes.consequence import Comparison

Positions = NDArray[np.int32]
"""Of stores, products and rows: a chain has millions of them."""

Found = tuple[list[Comparison | None], Positions]
"""Comparisons, None where no model knows, and which of them each row has, shape (n_rows,)."""

_NOT_ASKED, _UNKNOWN = -1, 0


class Comparisons:
    """Shared by all who look at the same rows.

    Parameters
    ----------
    store, position
        The store and the product of each row, as positions, shape (n_rows,).
    """

    def __init__(self, stores: Sequence[StoreRows], store: Positions, position: Positions) -> None:
        self._stores, self._store, self._position = stores, store, position
        self._found: list[Comparison | None] = [None]  # of every row of which nobody knows anything
        self._is_forecast = any(own.forecast is not None for own in stores)
        self._which = np.full(len(store), _NOT_ASKED, dtype=np.int32)
        self._lock = Lock()

    def of(self, rows: Positions) -> Found:
        """Return the comparisons of rows."""
        if not self._is_forecast:
            return self._found, np.full(len(rows), _UNKNOWN, dtype=np.int32)
        with self._lock:
            missing = rows[self._which[rows] == _NOT_ASKED]
            if len(missing):
                self._which[missing] = _UNKNOWN
                self._work_out(missing[np.argsort(self._store[missing], kind="stable")])
            return self._found, self._which[rows]

    def _work_out(self, rows: Positions) -> None:
        """Compare rows, which are in the order of their stores: those that stand alike by one forecast together."""
        begins = np.flatnonzero(np.diff(self._store[rows], prepend=-1))
        together: dict[int, list[Positions]] = {}
        for own in np.split(rows, begins[1:]):
            forecast = self._stores[self._store[own[0]]].forecast
            if forecast is not None:
                together.setdefault(id(forecast), []).append(own)
        for parts in together.values():
            kinds = [self._stores[self._store[own[0]]].kinds[:, self._position[own]] for own in parts]
            first, which = _alike(np.concatenate(kinds, axis=1))
            own = np.concatenate(parts)
            self._which[own] = len(self._found) + which
            places = zip(self._store[own[first]].tolist(), self._position[own[first]].tolist(), strict=True)
            self._found += [self._stores[store].compared(position) for store, position in places]


def _alike(columns: Iterable[Floats]) -> tuple[Ints, Ints]:
    """Return the first place of each column of numbers that differs, and which of these each place has."""
    code: Ints = np.zeros(0, dtype=np.int64)
    for column in columns:
        own, values = pd.factorize(column, use_na_sentinel=False)
        code = pd.factorize(code * len(values) + own)[0] if len(code) else own
    first = np.empty(code.max() + 1, dtype=np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]
    return first, code
