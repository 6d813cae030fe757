"""What is known of the stock on a store's shelf over a business date: counted, delivered, thrown away, sold.

Stock is known from a count on: one between the closing before and a moment of the date. What came and went since then
is added and taken off. Counts of one moment with last dates of sale are parts of one count. Without a count nothing is
known, and a shelf that was empty is not told from one that nobody bought from.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import pyarrow as pa

from catalog.arrays import Flags
from catalog.records.store import Store

_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)
_ORDER = {"delivery": 0, "spoiled": 1, "sold": 2, "count": 3}  # at one moment: a count knows all of it


class _Change(NamedTuple):
    """What changed the stock of a product, or counted it."""

    at: dt.datetime
    kind: str
    units: float
    expires_on: dt.date | None = None


@dataclass(frozen=True)
class _Level:
    """Units on the shelf from a moment on, UTC."""

    since: dt.datetime
    units: float


class ShelfStock:
    """The stock of products in stores over one business date.

    Parameters
    ----------
    events
        Rows of `stock_events` of the date and of the date before.
    lines, counts
        Rows of `receipt_lines` of both dates, and whether each counts, shape (n_lines,).
    """

    def __init__(self, store: Store, date: dt.date, events: pa.Table, lines: pa.Table, counts: Flags) -> None:
        self._store, self._date = store, date
        changes: dict[tuple[str, str], list[_Change]] = {}
        for row in events.to_pylist():
            changes.setdefault(pair_of(row), []).append(
                _Change(row["happened_at"], row["kind"], row["units"], row["expires_on"])
            )
        for row in sold_lines(lines, counts) if changes else ():
            if pair_of(row) in changes:
                changes[pair_of(row)].append(_Change(row["sold_at"], "sold", row["units"]))
        self._levels = {pair: list(self._levels_of(pair[0], own)) for pair, own in changes.items()}

    def at_opening(self, store: str, sku: str) -> float | None:
        """Return the units of a product when the store opens; None where they are not known."""
        opens = self._store.clock_of(store).opening_of(self._date)
        known = [level.units for level in self._levels.get((store, sku), ()) if level.since <= opens]
        return known[-1] if known else None

    def minutes(self, store: str, sku: str, starts_at: dt.datetime, ends_at: dt.datetime) -> float | None:
        """Return for how many minutes of a span there was a unit; None where stock is not known all the time."""
        levels = self._levels.get((store, sku), [])
        if not levels or levels[0].since > starts_at:
            return None
        stocked = dt.timedelta()
        for level, after in pairwise([*levels, _Level(_LATEST, 0.0)]):
            begins, ends = max(level.since, starts_at), min(after.since, ends_at)
            if level.units > 0 and ends > begins:
                stocked += ends - begins
        return stocked.total_seconds() / 60

    def levels(self, store: str, sku: str) -> list[tuple[dt.datetime, float]]:
        """Return from when on there were how many units of a product, in order of time; nothing before the first."""
        return [(level.since, level.units) for level in self._levels.get((store, sku), ())]

    def _levels_of(self, store: str, changes: Sequence[_Change]) -> Iterable[_Level]:
        """Yield the level of a product whenever it changed, from its first count since the closing before."""
        closed = self._store.clock_of(store).closing_of(self._date - dt.timedelta(days=1))
        units: float | None = None
        counted: dict[dt.date | None, float] = {}
        counted_at: dt.datetime | None = None
        for moment, kind, by, expires_on in sorted(changes, key=lambda change: (change.at, _ORDER[change.kind])):
            if moment < closed:
                continue
            if kind == "count":
                counted = {**(counted if counted_at == moment else {}), expires_on: by}
                counted_at, units = moment, sum(counted.values())
            elif units is not None:
                units = units + by if kind == "delivery" else max(0.0, units - by)
            if units is not None:
                yield _Level(moment, units)


def pair_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the store and the product of a row."""
    return row["store_id"], row["sku"]


def sold_lines(lines: pa.Table, counts: Flags) -> Iterable[Mapping[str, Any]]:
    """Yield the lines that count and sold something."""
    rows = lines.select(["store_id", "sku", "sold_at", "units", "voids_event_id", "voids_receipt"])
    for row in rows.filter(pa.array(counts)).to_pylist():
        if row["voids_event_id"] is None and row["voids_receipt"] is None:
            yield row
