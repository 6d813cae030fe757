"""Hold partitions against their receipts before anything is computed from them.

Rows count only when the bytes that they are read from are those of their receipts. DuckDB reads whatever stands under a
table's folder, and a flipped bit in a Parquet file gives other rows more often than an error. A damaged partition is
named. Where it can be made again it is set aside as well, so that the next run goes on with the others; where its
absence would change in silence what the others say, it stays until a person moves it.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from catalog.errors import DamagedError
from warehouse.commits.locks import held
from warehouse.lake import Lake, Partition
from warehouse.origin import GROUPED, SOLD
from warehouse.partition import between, name_of
from warehouse.query.advice import on_shelf, situation_of

_MADE_AGAIN = (*GROUPED, *SOLD, "repricings", "products")
"""Tables of which a damaged partition is set aside at once: what it is made from, or by, can make it again."""


@dataclass(frozen=True)
class Span:
    """Partitions that will be read: all of a table, or those from one business date through another."""

    table: str
    first: dt.date = dt.date.min
    last: dt.date = dt.date.max

    def partitions(self, lake: Lake) -> Iterator[Partition]:
        """Yield the partitions that are there, in order of date and group."""
        return lake.partitions(self.table, between(self.first, self.last))


class Unproven:
    """The partitions whose bytes are not those of their receipts, and where those that were set aside went."""

    def __init__(self, lake: Lake, *, sets_aside: bool = True) -> None:
        """Begin with none; `sets_aside` moves what can be made again out of the lake."""
        self._lake, self._sets_aside = lake, sets_aside
        self.partitions: list[Partition] = []
        self.moved: list[str] = []

    def holds(self, partition: Partition) -> bool:
        """Return whether a partition is proven; a damaged one is noted, and set aside if it may be.

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

    @property
    def sentence(self) -> str | None:
        """All damaged partitions with their remedy; None without any."""
        if not self.partitions:
            return None
        moved = [part for part in self.partitions if self._sets_aside and part.table in _MADE_AGAIN]
        where = f"; {len(moved)} set aside, such as {self.moved[0]}" if self.moved else ""
        kept = "" if len(moved) == len(self.partitions) else "move it out with `shelfprice doctor --fix`, then "
        return (
            f"{', '.join(map(name_of, self.partitions))}: expected the bytes of the receipt, found others; nothing was "
            f"read from there{where}: {kept}{_made_again_by(self._lake, self.partitions)}"
        )

    def refuse(self) -> None:
        """Raise DamagedError, which names all damaged partitions, when there are any."""
        if sentence := self.sentence:
            raise DamagedError(sentence)


def prove(lake: Lake, spans: Iterable[Span], *, sets_aside: bool = True) -> None:
    """Hold every partition that is about to be read against its receipt.

    Raises
    ------
    DamagedError
        When the bytes of some are not those of their receipts; it names all of them and how to make them again.
    Declined
        When another process is writing one of them.
    """
    prove_all(lake, (part for span in spans for part in span.partitions(lake)), sets_aside=sets_aside)


def prove_all(lake: Lake, partitions: Iterable[Partition], *, sets_aside: bool = True) -> None:
    """Hold some partitions against their receipts, as `prove` does."""
    unproven = Unproven(lake, sets_aside=sets_aside)
    for partition in partitions:
        unproven.holds(partition)
    unproven.refuse()


def is_proven(lake: Lake, partition: Partition) -> bool:
    """Return whether the bytes of a partition are those of its receipt; an unchanged file is read once."""
    try:
        return lake.store.proves(partition, lake.sha256(partition)) or lake.is_proven(partition)
    except FileNotFoundError:
        return False


def _made_again_by(lake: Lake, partitions: Collection[Partition]) -> str:
    """Return how partitions that are gone or damaged are made again, as the end of an error."""
    now, steps = situation_of(lake.settings), list[str]()
    sold = [part for part in partitions if part.table not in (*GROUPED, "products")]
    dates = [part.business_date for part in sold if part.business_date is not None]
    if sold and now.is_a_retailers:
        steps.append("`shelfprice doctor --fix`, and send again what it names")
    elif dates:
        steps.append(f"`shelfprice backfill --start {min(dates)} --end {max(dates)}`")
    if any(part.table in GROUPED for part in partitions):
        steps.append(f"`{on_shelf('shelfprice transform', now)}`")
    return "run " + ", then ".join(steps) if steps else "run the same command again"
