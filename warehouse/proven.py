"""What of the lake was proven before and has not changed since, so that a daily check looks at the rest alone.

What is proven at once is a business date of all tables, a partition of a table without dates, or the record of a
commit. Publishing or removing a partition changes the time of its folder. Of what stands alone, its own time is asked.

Bytes that rot where they lie change no time. So each check also proves what was proven longest ago, as much of it
however old the lake is, and a whole `verify` proves everything. The record only saves work: without it, everything is
looked at.
"""

import datetime as dt
import re
import time
import zlib
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate

from catalog.contracts import TABLES
from catalog.errors import LakeError
from warehouse.commit_record import final_names, record_name
from warehouse.files import sha256_of_text
from warehouse.lake import Lake
from warehouse.notes import PROVEN, read_sealed, write_sealed
from warehouse.partition import partition_named

_AGAIN = 150  # folders of dates and what stands alone; of some 18,000 after a thousand nights
_AN_INSTANT = 2_000_000_000  # nanoseconds; coarser than the clock of any file system
_DATE = re.compile(r"\w+/business_date=([\d-]+)/")
_UNSETTLED = ""
_A_RECORD = "made"  # it is held against its parts again whenever a date of theirs changes


@dataclass(frozen=True)
class ProofLook:
    """What a look at the lake found; no partition was opened.

    Attributes
    ----------
    stands
        A text for each thing that can be proven, another one whenever it changed; empty where it changed this instant.
    before
        The same as it was when it was proven, what was proven longest ago first.
    folders
        How many each business date has.
    """

    stands: Mapping[str, str]
    before: Mapping[str, str]
    folders: Mapping[str, int]

    @property
    def due(self) -> frozenset[str]:
        """What changed since it was proven, and some of what was proven longest ago."""
        changed = (name for name, now in self.stands.items() if now == _UNSETTLED or self.before.get(name) != now)
        known = [name for name in self.before if name in self.stands]
        passed = accumulate((self.folders.get(name, 1) for name in known), initial=0)
        return frozenset((*changed, *(name for name, so_far in zip(known, passed, strict=False) if so_far < _AGAIN)))


def look_at(lake: Lake) -> ProofLook:
    """Compare what stands in a lake with the record of what was proven."""
    limit, stands = time.time_ns() - _AN_INSTANT, dict[str, str]()
    of_dates: dict[dt.date, list[str]] = {}
    unsettled = set[dt.date]()
    for table in (name for name, own in TABLES.items() if own.by == "day"):
        for date, changed_at in lake.changes(table).items():
            of_dates.setdefault(date, []).append(f"{table}:{changed_at}")
            if changed_at >= limit:
                unsettled.add(date)
    for date, changed in of_dates.items():
        stands[date.isoformat()] = _UNSETTLED if date in unsettled else sha256_of_text(" ".join(changed))[:16]
    for name in lake.store.names({None}):
        partition = partition_named(name)
        stands[name] = str(partition and lake.published_at(partition)).replace(" ", "T")
    stands |= dict.fromkeys(map(record_name, final_names(lake.notes)), _A_RECORD)
    folders = {date.isoformat(): len(changed) for date, changed in of_dates.items()}
    return ProofLook(stands, _before(lake), folders)


def settle(lake: Lake, look: ProofLook, proven: Collection[str]) -> None:
    """Write down what was proven as it stood when it was looked at; a lake that cannot be written keeps its record."""
    now = {name: look.stands[name] for name in sorted(proven, key=_mixed) if look.stands[name] != _UNSETTLED}
    kept = {name: text for name, text in look.before.items() if name in look.stands and name not in now}
    with suppress(OSError, LakeError):
        write_sealed(lake.notes, PROVEN, {"proven": "\n".join(f"{name} {text}" for name, text in (kept | now).items())})


def proven_with(name: str) -> str:
    """Return what a file of the lake is proven with: its business date, or itself."""
    found = _DATE.match(name)
    return found[1] if found else name


def _mixed(name: str) -> int:
    """Return a number to sort by, so that of what is proven again each kind has its share."""
    return zlib.crc32(name.encode())


def _before(lake: Lake) -> dict[str, str]:
    try:
        lines = str((read_sealed(lake.notes, PROVEN) or {})["proven"]).splitlines()
        return dict(line.split(" ") for line in lines)
    except (OSError, ValueError, KeyError):
        return {}
