"""Which business dates are grouped into cells and have not changed since, so that a night looks at the others alone.

What must hold: to publish or remove a partition renames a file, which changes the time of its folder. A date
is settled once every partition of it was found grouped, and for as long as the folders of its decisions, cells and
counts keep the times that they had then. A folder that changed an instant before may change again within one tick of
the clock of its file system, so such a date is looked at once more.

The record only saves work. Where it is missing or cannot be read, every date is looked at.
"""

import datetime as dt
import time
from collections.abc import Collection
from dataclasses import dataclass

from catalog.load import Catalog
from features.cells import definition_of
from features.visit_counts import definition_of_counts
from warehouse.lake import Lake
from warehouse.notes import GROUPED_DATES, read_sealed, write_sealed
from warehouse.sold import GROUPED, SOLD

RECORD = GROUPED_DATES
_AN_INSTANT = 2_000_000_000  # nanoseconds; coarser than the clock of any file system

_Times = tuple[int, ...]


@dataclass(frozen=True)
class LakeChange:
    """What a look at the folders of the lake found.

    Attributes
    ----------
    definition
        Fingerprint of what cells and counts are made by.
    at
        When it was, nanoseconds since 1970.
    changed_at
        When the folders of each date changed last: of what was sold, of its counts and of its cells.
    settled
        Dates that were grouped before, by the same definition, and have not changed since.
    """

    definition: str
    at: int
    changed_at: dict[dt.date, _Times]
    settled: frozenset[dt.date]


def look_at_folders(lake: Lake, catalog: Catalog) -> LakeChange:
    """Compare the folders with the record; no partition is opened."""
    definition = ":".join([*(definition_of(catalog, table) for table in SOLD), definition_of_counts()])
    at = time.time_ns()
    tables = [lake.changes(table) for table in (*SOLD, *GROUPED)]
    dates = {date for table in tables for date in table}
    changed_at = {date: tuple(table.get(date, 0) for table in tables) for date in sorted(dates)}
    known = _read(lake, definition)
    settled = frozenset(date for date, times in changed_at.items() if known.get(date.isoformat()) == list(times))
    return LakeChange(definition, at, changed_at, settled)


def settle(lake: Lake, look: LakeChange, stale: Collection[dt.date | None]) -> None:
    """Write down the dates that a look found grouped, but for those with partitions that were stale."""
    grouped = {
        date.isoformat(): list(times)
        for date, times in look.changed_at.items()
        if date not in stale and (date in look.settled or max(times) < look.at - _AN_INSTANT)
    }
    if grouped != _read(lake, look.definition):
        write_sealed(lake.notes, RECORD, {"definition": look.definition, "dates": grouped})


def _read(lake: Lake, definition: str) -> dict[str, list[int]]:
    """Return the times of the folders of each date that is settled; nothing where cells are defined otherwise now."""
    try:
        said = read_sealed(lake.notes, RECORD) or {}
        return dict(said["dates"]) if said["definition"] == definition else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
