"""Proof: rows count only when the bytes that they are read from are those of their receipts.

DuckDB reads whatever stands under a table's folder, and a flipped bit in a Parquet file gives other rows more often
than an error. So who computes from the lake holds the partitions that it will read against their receipts first, before
anything parses them. A damaged one is named. Where it can be made again it is set aside as well, so that the next run
goes on with the others; where its absence would change in silence what the others say, it stays until a person moves
it.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from catalog.errors import DamagedError
from catalog.names import EXPORT_GROUP
from warehouse.advice import Situation, on_shelf, situation_of
from warehouse.lake import Lake, Partition
from warehouse.locks import held
from warehouse.origin import OF_A_RETAILER
from warehouse.partition import name_of, table_called
from warehouse.sold import GROUPED, SOLD

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
        kept = "" if len(moved) == len(self.partitions) else "move it out with `shelfprice verify --set-aside`, then "
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
