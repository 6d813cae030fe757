"""Prove the lake: every file has a receipt, every receipt its file, and every byte and note is as it was published.

What was committed together is held against the record of its commit. A commit that a kill interrupted is finished
first, as by anyone who opens the lake.

Rows count only when the bytes that they are read from are those of their receipts. DuckDB reads whatever stands under a
table's folder, and a flipped bit in a Parquet file gives other rows more often than an error. So who computes from the
lake holds the partitions that it will read against their receipts first, before anything parses them. A damaged one is
named. Where it can be made again it is set aside as well, so that the next run goes on with the others; where its
absence would change in silence what the others say, it stays until a person moves it.
"""

import datetime as dt
import re
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import accumulate

from catalog.errors import DamagedError, LakeError
from catalog.names import EXPORT_GROUP, INTAKE_GROUP
from catalog.tables.contracts import TABLES
from warehouse.checks.finding import Finding, Strays
from warehouse.checks.whole import what_does_not_belong
from warehouse.commits.locks import held, is_held
from warehouse.commits.notes import PROVEN, read_sealed, unproven_notes, write_sealed
from warehouse.commits.record import final_names, record_name
from warehouse.files import sha256_of_text
from warehouse.lake import Lake, Partition
from warehouse.origin import OF_A_RETAILER
from warehouse.partition import name_of, partition_named, table_called
from warehouse.query.advice import Situation, on_shelf, situation_of
from warehouse.receipts import Receipt
from warehouse.sold import GROUPED, SOLD

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


_FEW_DATES = 100
_MADE_AGAIN = (*GROUPED, *SOLD, "repricings", "products")
"""Tables of which a damaged partition is set aside at once: what it is made from, or by, can make it again."""


@dataclass(frozen=True)
class Span:
    """Partitions that will be read: all of a table, or those from one business date through another."""

    table: str
    first: dt.date = dt.date.min
    last: dt.date = dt.date.max

    def partitions(self, lake: Lake) -> Iterator[Partition]:
        """Yield the partitions that are there, in order of date and group; of few dates, no other folder is opened."""
        n_dates = (self.last - self.first).days + 1
        if n_dates <= _FEW_DATES and table_called(self.table).by == "day":
            for day in range(n_dates):
                yield from lake.partitions_on(self.table, self.first + dt.timedelta(days=day))
            return
        for partition in lake.partitions(self.table):
            if partition.business_date is None or self.first <= partition.business_date <= self.last:
                yield partition


class Unproven:
    """Partitions whose bytes are not those of their receipts, as they are found."""

    def __init__(self, lake: Lake, *, sets_aside: bool = True) -> None:
        """Begin with none; `sets_aside` says whether what can be made again is moved out of the lake."""
        self._lake, self._sets_aside = lake, sets_aside
        self.partitions: list[Partition] = []
        self.moved: list[str] = []

    def holds(self, partition: Partition) -> bool:
        """Tell whether a partition is proven; one that is there and is not is noted, and set aside if it may be.

        Raises
        ------
        Declined
            When another process is writing it.
        """
        if is_proven(self._lake, partition):
            return True
        with held(self._lake.locks, partition.lock_name):
            if is_proven(self._lake, partition):
                return True
            if self._lake.holds(partition):
                self.partitions.append(partition)
                if self._sets_aside and partition.table in _MADE_AGAIN:
                    self.moved += self._lake.store.set_aside(name_of(partition))
        return False

    def said(self) -> str | None:
        """Name everything that was found, with its remedy; None when nothing was."""
        if not self.partitions:
            return None
        names = ", ".join(map(name_of, self.partitions))
        moved = [own for own in self.partitions if self._sets_aside and own.table in _MADE_AGAIN]
        where = f"; {len(moved)} set aside, such as {self.moved[0]}" if self.moved else ""
        kept = "" if len(moved) == len(self.partitions) else "move it out with `shelfprice doctor --fix`, then "
        return (
            f"{names}: expected the bytes of the receipt, found others; nothing was read from there{where}: {kept}"
            f"{made_again_by(self._lake, self.partitions)}"
        )

    def refuse(self) -> None:
        """Raise DamagedError when anything was found; it names all of it."""
        if said := self.said():
            raise DamagedError(said)


def prove(lake: Lake, spans: Iterable[Span], *, sets_aside: bool = True) -> None:
    """Hold every partition that is about to be read against its receipt.

    Raises
    ------
    DamagedError
        When the bytes of some are not those of their receipts; it names all of them and how to make them again.
    Declined
        When another process is writing one of them.
    """
    prove_all(lake, (own for span in spans for own in span.partitions(lake)), sets_aside=sets_aside)


def prove_all(lake: Lake, partitions: Iterable[Partition], *, sets_aside: bool = True) -> None:
    """Hold some partitions against their receipts, as `prove` does."""
    unproven = Unproven(lake, sets_aside=sets_aside)
    for partition in partitions:
        unproven.holds(partition)
    unproven.refuse()


def is_proven(lake: Lake, partition: Partition) -> bool:
    """Tell whether the bytes of a partition are those of its receipt; a file that stands as it did is read once."""
    try:
        return lake.store.proves(partition, lake.sha256(partition)) or lake.is_proven(partition)
    except FileNotFoundError:
        return False


def made_again_by(lake: Lake, partitions: Collection[Partition]) -> str:
    """Say how partitions that are gone or damaged are made again, as the end of an error."""
    now = situation_of(lake.settings)
    exported = [own for own in partitions if _is_a_retailers(own, now)]
    cells = [own for own in partitions if own.table in GROUPED]
    shelf = [own for own in partitions if own.table == "products"]
    rest = [own for own in partitions if own not in exported and own not in cells and own not in shelf]
    played = [own.business_date for own in rest if own.business_date is not None]
    steps = [f"`shelfprice backfill --start {first} --end {last}`" for first, last in _ranges(played)]
    if any(own.group.startswith(INTAKE_GROUP) for own in exported):
        exported = [own for own in exported if not own.group.startswith(INTAKE_GROUP)]
        steps.append("`shelfprice doctor --fix`, and let the store send its sales again")
    if exported:
        steps.append(f"`{on_shelf('shelfprice ingest', now)}` the retailer's files again")
    if len(rest) > len(played):
        steps.append("train again")
    if cells:
        steps.append(f"`{on_shelf('shelfprice transform', now)}`")
    return "run " + ", then ".join(steps) if steps else "run the same command again"


def _is_a_retailers(partition: Partition, now: Situation) -> bool:
    if partition.table in (*GROUPED, "products"):
        return False
    own = partition.table in OF_A_RETAILER or partition.group.startswith(EXPORT_GROUP)
    return own or (now.is_a_retailers and partition.table in SOLD)


def _ranges(dates: Iterable[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """Return dates as ranges without gaps, ascending."""
    ranges: list[tuple[dt.date, dt.date]] = []
    for date in sorted(set(dates)):
        if ranges and date == ranges[-1][1] + dt.timedelta(days=1):
            ranges[-1] = ranges[-1][0], date
        else:
            ranges.append((date, date))
    return ranges


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
        names = lake.store.names()
    else:
        within = {dt.date.fromisoformat(name) for name in due if "/" not in name}
        names = [name for name in lake.store.names({None, *within}) if name in due or proven_with(name) in due]
        commits = {name for name in final_names(lake.notes) if record_name(name) in due}
        commits |= {receipt.commit for name in names if (receipt := _receipt_of(lake, name)) and receipt.commit}
    findings: list[Finding] = []
    rows = busy = 0
    for done, name in enumerate(names, start=1):
        if is_held(lake.locks, _lock_name(name)):
            busy += 1
        else:
            found, counted = lake.store.check(name)
            if found:  # a writer may have replaced it between receipt and bytes: check once more
                found, counted = lake.store.check(name)
            findings.extend(found)
            rows += counted
        on_file(done, len(names))
    known = {finding.name for finding in findings}
    findings.extend(unproven_notes(lake.notes))
    mixed = what_does_not_belong(lake, None if within is None else within.__contains__, commits)
    findings.extend(found for found in mixed if found.name not in known)
    strays = lake.store.strays() if due is None else Strays()
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
