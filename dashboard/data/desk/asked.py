"""Which rows of the desk are asked for: what needs a person first, filters and order, answered where the rows are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.data.desk.rows import Row

_ORDERS: dict[str, Callable[[Row], Any]] = {
    "store": lambda row: row.store,
    "name": lambda row: row.name.casefold(),
    "now": lambda row: row.now,
    "proposed": lambda row: row.proposed,
    "moved": lambda row: row.moved,
    "gain": lambda row: row.gain,
    "stands": lambda row: row.stands,
    "limit": lambda row: row.limit or None,
    "state": lambda row: row.told,
}


@dataclass(frozen=True)
class DeskQuestion:
    """What a person looks for; None and the empty text are everything.

    Prices that do not change are left out unless they are `unchanged`, or somebody searches for a text.
    """

    text: str | None = None
    store: str | None = None
    category: str | None = None
    state: str | None = None
    unchanged: bool = False

    def found_in(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that are meant; every word of the text is in name, sku, store or category."""
        matching = self.matching(rows)
        return matching if self.unchanged or self.text else [row for row in matching if not is_unchanged(row)]

    def matching(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that are meant, with those that do not change."""
        words = (self.text or "").casefold().split()
        return [
            row
            for row in rows
            if self.store in {None, row.store}
            and self.category in {None, row.category}
            and self.state in {None, row.state}
            and all(word in f"{row.name} {row.sku} {row.store} {row.category}".casefold() for word in words)
        ]


def is_unchanged(row: Row) -> bool:
    """Tell whether a price stays as it is by itself: nobody set it, and nothing about it is to be decided."""
    return row.state == "passes" and row.proposed == row.now


def waiting_first(rows: Sequence[Row]) -> list[Row]:
    """Return the prices that wait for a person, those that move most euros first."""
    return in_order([row for row in rows if row.decision == "waits"], ())


def in_order(rows: Sequence[Row], wanted: Sequence[dict[str, Any]]) -> list[Row]:
    """Sort rows as a grid asks: columns with `colId` and `sort`, the first one counts most; what is unknown is last.

    Where two are alike, or nothing is asked for, those that move most euros come first.
    """
    result = sorted(rows, key=lambda row: -1.0 if row.gain is None else abs(row.gain), reverse=True)
    for column in reversed(wanted):
        order = _ORDERS.get(column["colId"])
        if order is None:
            continue
        known = [row for row in result if order(row) is not None]
        known.sort(key=order, reverse=column["sort"] == "desc")
        result = [*known, *(row for row in result if order(row) is None)]
    return result


def as_sent(row: Row) -> dict[str, Any]:
    """Return a row as the grid takes it."""
    return {
        "id": row.id,
        "store": row.store,
        "sku": row.sku,
        "name": row.name,
        "now": row.now,
        "proposed": row.proposed,
        "moved": row.moved,
        "gain": row.gain,
        "stands": row.stands,
        "why": row.why,
        "limit": row.limit,
        "course": list(row.course),
        "state": row.told,
        "look": row.state,
        "waits": row.decision == "waits",
    }
