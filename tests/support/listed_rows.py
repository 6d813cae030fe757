"""Rows of the desk that a test made up, as the columns in which they would lie."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from dashboard.data.desk.rows import Row
from dashboard.data.desk.store_rows import STATES
from dashboard.data.desk.table import Rows


class StoreOfOneRow:
    """Stands for a store with one product, of which everything is known that a row says."""

    forecast = object()

    def __init__(self, row: Row) -> None:
        self._row, self.store, self.positions = row, row.store, {row.sku: 0}
        self.products = (SimpleNamespace(name=row.name, sku=row.sku, category=row.category),)
        self.standing = SimpleNamespace(now=SimpleNamespace(store=row.store, date=row.date, day=row.is_live or None))
        self.stands, self.proposed, self.are_known = np.array([row.stands]), np.array([row.proposed]), np.array([True])
        self.now = np.array([np.nan if row.now is None else row.now])
        self.decision, self.state = np.array([STATES.index(row.decision)]), np.array([STATES.index(row.state)])
        self.rival = np.array([row.rivals[0].price if row.rivals else np.nan])
        self.is_recorded = np.array([row.is_recorded])

    def row(self, _position: int) -> Row:
        """Return the row."""
        return self._row

    def told(self, _position: int) -> str:
        """Return what became of it."""
        return self._row.told

    def compared(self, _position: int) -> Any:
        """Return what its plan brings."""
        own = self._row
        return None if own.gain is None else SimpleNamespace(gain=own.gain, plan=own.plan, kept=own.kept)


def columns_of(rows: Sequence[Row], any_row: Row) -> Rows:
    """Return rows as columns; `any_row` is needed where there are none."""
    stores: Any = [StoreOfOneRow(row) for row in [*rows, any_row]]
    return Rows(stores).take(slice(len(rows)))
