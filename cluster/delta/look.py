"""What is in force of one table, as of one look at it."""

import datetime as dt
import zlib
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from catalog.errors import Declined
from cluster.delta.naming import PartInForce, object_name
from warehouse.commit_record import CommittedPart
from warehouse.partition import Partition, Within

_MILLION = 1_000_000  # nanoseconds in a millisecond

OfOneDate = Mapping[Partition, PartInForce]


@dataclass(frozen=True)
class Look:
    """What is in force of a table.

    Attributes
    ----------
    version
        Another one after each change of the table.
    dates
        What is in force on each business date; under None where the table has no dates.
    commits
        Recent commits that changed the table: their names, keyed by a unique number.
    complete_since
        The version after which no commit is missing in `commits`.
    foreign
        Files that other programs have added, as the log names them: they have no receipt, and are read by nobody here.
    """

    version: int = -1
    dates: Mapping[dt.date | None, OfOneDate] = field(default_factory=dict)
    commits: Mapping[Hashable, str] = field(default_factory=dict)
    complete_since: int = -1
    foreign: frozenset[str] = frozenset()

    def commits_since(self, earlier: "Look") -> set[str] | None:
        """Return the names of the commits that changed the table since an earlier look; None where some are missing."""
        if earlier.version < self.complete_since:
            return None
        return {name for number, name in self.commits.items() if number not in earlier.commits}

    def standing(self, partition: Partition) -> PartInForce | None:
        """Return what stands in force of a partition; None when nothing does."""
        return self.dates.get(partition.business_date, {}).get(partition)

    def standings(self, within: Within | None = None) -> Iterator[tuple[Partition, PartInForce]]:
        """Yield what is in force, in order of date and group."""
        for date in sorted(self.dates, key=lambda one: one or dt.date.min):
            if date is None or within is None or within(date):
                yield from sorted(self.dates[date].items())

    def changed_at(self, date: dt.date | None = None) -> int:
        """Return a number that grows when a part is added, and is another one when a part is taken away; 0 for never.

        It is the time of the newest part in nanoseconds; below the millisecond stands what tells two sets of parts
        apart that have the same newest one.
        """
        if date is None:
            return self._changed_at
        return _changed_at(self.dates.get(date, {}))

    @cached_property
    def _changed_at(self) -> int:
        newest = max((one.since for parts in self.dates.values() for one in parts.values()), default=0)
        return newest * _MILLION + self.version % _MILLION if newest else 0

    def newest_since(self, date: dt.date | None) -> int:
        """Return when the newest part of a date was put in force, milliseconds since 1970; 0 when there is none."""
        return max((one.since for one in self.dates.get(date, {}).values()), default=0)


class TableState(Protocol):
    """What is in force of one table, and how it is changed."""

    def ensure(self) -> None:
        """Make sure that the table is there, in the columns of its contract."""

    def look(self, within: Within | None = None) -> Look:
        """Return what is in force right now; of some business dates, if asked."""

    def standing(self, partition: Partition) -> PartInForce | None:
        """Return what stands in force of a partition right now."""

    def commit(self, parts: list[CommittedPart], commit: str | None) -> None:
        """Put staged parts in force together; what is in force already is left as it is.

        Parameters
        ----------
        commit
            The commit they are parts of; None where they are of none.

        Raises
        ------
        Declined
            When something else is in force than there was when a part was staged.
        """


def is_due(part: CommittedPart, found: PartInForce | None) -> bool:
    """Tell whether a part has yet to be put in force.

    Raises
    ------
    Declined
        When something else is in force than there was when it was staged.
    """
    if part.receipt is None and found is None:
        return False
    if part.receipt is not None and found is not None and found.is_of(part.receipt.fingerprint):
        return False
    is_as_before = part.before is None or (found.is_of(part.before) if found else not part.before)
    if not is_as_before:
        stands = _said(found.fingerprint if found else None)
        raise Declined(
            f"{part.partition.lock_name}: expected {_said(part.before)} in force, as when this part was made, found "
            f"{stands}: another has published it meanwhile; nothing was changed, run again"
        )
    return True


def _changed_at(parts: OfOneDate) -> int:
    if not parts:
        return 0
    names = "\n".join(sorted(object_name(partition, one.fingerprint) for partition, one in parts.items()))
    return max(one.since for one in parts.values()) * _MILLION + zlib.crc32(names.encode()) % _MILLION


def _said(fingerprint: str | None) -> str:
    return f"receipt {fingerprint[:12]}" if fingerprint else "nothing"
