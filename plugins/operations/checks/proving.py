"""Prove the lake: every file has a receipt, every receipt its file, and every byte and note is as it was published.

What was committed together is held against the record of its commit. A commit that a kill interrupted is finished
first, as by every run that opens the lake. A note keeps what was proven and how it stood then, so that a check may look
at what changed since, and at some of what was proven longest ago.
"""

import datetime as dt
import re
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import accumulate

from catalog.errors import LakeError
from catalog.tables.contracts import TABLES
from plugins.operations.checks.belonging import what_does_not_belong
from plugins.operations.checks.lake_files import Finding, files_of
from warehouse.commits.locks import is_held
from warehouse.commits.notes import (
    ASKED,
    EXPORTS,
    KEYS,
    ORIGIN,
    PROVEN,
    UNSENT_ALERTS,
    Notes,
    read_sealed,
    write_sealed,
)
from warehouse.commits.record import final_names, record_name
from warehouse.files import sha256_of_text
from warehouse.lake import Lake
from warehouse.partition import partition_named
from warehouse.receipts import Receipt


@dataclass(frozen=True)
class Strays:
    """Objects of partitions that are not in force: replaced, being written, or left by a kill. They do no harm."""

    objects: int = 0
    bytes: int = 0


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
    for name in files_of(lake.store).names({None}):
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


@dataclass(frozen=True)
class Inspection:
    """What was checked and what was found; the lake is sound when `findings` is empty.

    `finished` names the commits that a kill had interrupted and that were finished before. `strays` are no fault.
    """

    files: int
    rows: int
    being_written: int
    findings: tuple[Finding, ...]
    finished: tuple[str, ...] = ()
    strays: Strays = field(default_factory=Strays)


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


def verify(lake: Lake, on_file: Callable[[int, int], None] = _silent, *, only_changed: bool = False) -> Inspection:
    """Finish the commits that a kill interrupted, then check the files of the lake, and note what was proven.

    Parameters
    ----------
    on_file
        As in `inspect`.
    only_changed
        Whether to check only what changed since it was proven, and some of what was proven longest ago.
    """
    finished = tuple(lake.finish_interrupted())
    look = look_at(lake)
    due = look.due if only_changed else None
    found = inspect(lake, on_file, due)
    wrong = {proven_with(one.name) for one in found.findings}
    if wrong:  # a part that does not belong to its commit is told by the record of either
        wrong |= set(map(record_name, final_names(lake.notes)))
    settle(lake, look, (look.stands.keys() if due is None else due) - wrong)
    return replace(found, finished=finished)


def inspect(
    lake: Lake, on_file: Callable[[int, int], None] = _silent, due: Collection[str] | None = None
) -> Inspection:
    """Check the files of the lake against their receipts, and change nothing.

    Partitions being written right now are left out and counted.

    Parameters
    ----------
    on_file
        Called with (files done, files in all) for progress.
    due
        What is checked, as in `warehouse.checks.proof`; by default everything.
    """
    within, commits, names = None, None, []
    if due is None:
        names = files_of(lake.store).names()
    else:
        within = {dt.date.fromisoformat(name) for name in due if "/" not in name}
        names = [
            name for name in files_of(lake.store).names({None, *within}) if name in due or proven_with(name) in due
        ]
        commits = {name for name in final_names(lake.notes) if record_name(name) in due}
        commits |= {receipt.commit for name in names if (receipt := _receipt_of(lake, name)) and receipt.commit}
    findings: list[Finding] = []
    rows = busy = 0
    for done, name in enumerate(names, start=1):
        if is_held(lake.locks, _lock_name(name)):
            busy += 1
        else:
            found, counted = files_of(lake.store).check(name)
            if found:  # a writer may have replaced it between receipt and bytes: check once more
                found, counted = files_of(lake.store).check(name)
            findings.extend(found)
            rows += counted
        on_file(done, len(names))
    known = {finding.name for finding in findings}
    findings.extend(unproven_notes(lake.notes))
    mixed = what_does_not_belong(lake, None if within is None else within.__contains__, commits)
    findings.extend(found for found in mixed if found.name not in known)
    strays = getattr(lake.store, "strays", Strays)() if due is None else Strays()
    return Inspection(len(names), rows, busy, tuple(findings), strays=strays)


def set_aside(lake: Lake, inspection: Inspection) -> list[str]:
    """Take damaged and orphaned files, and receipts without a file, out of the lake; readers go on with the others.

    What is mixed or unfinished stays: those are whole files, which are made again together with what they belong to.

    Returns
    -------
    list of str
        Where each file went; in a folder, under `set-aside/` beside the lake. Nothing is deleted.
    """
    wrong = [one for one in inspection.findings if one.kind not in {"mixed", "unfinished"}]
    return [place for one in wrong for place in lake.store.set_aside(one.name)]


def _receipt_of(lake: Lake, name: str) -> Receipt | None:
    partition = partition_named(name)
    return None if partition is None else lake.receipt(partition)


def _lock_name(name: str) -> str:
    table, *day, file = name.split("/")
    date = [part.removeprefix("business_date=") for part in day]
    return "-".join([table, *date, file.removeprefix("part-").removesuffix(".parquet")])


_THEN = {
    ORIGIN: "the lake is recognised by its partitions then",
    PROVEN: "the next check looks at every file then",
    UNSENT_ALERTS: "`shelfprice alerts` lists what needs a person, and the alerts in it are not sent",
    EXPORTS: "the next export to that target sends it all batches once more then, under their ids",
    ASKED: "the command that was killed begins anew then",
    KEYS: "the next check reads every key then",
}


def unproven_notes(notes: Notes) -> Iterator[Finding]:
    """Yield the notes that are not as they were written, each with what becomes of it when it is set aside."""
    many = {name: folder for folder in (EXPORTS, ASKED, KEYS) for name in notes.names(folder) if name.endswith(".json")}
    for name, kind in {**{one: one for one in (ORIGIN, PROVEN, UNSENT_ALERTS)}, **many}.items():
        try:
            read_sealed(notes, name)
        except ValueError as error:
            yield Finding(name, "damaged", f"it is not as it was written ({error}): set it aside; {_THEN[kind]}")
