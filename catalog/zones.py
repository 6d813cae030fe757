"""Time zones: when their clocks change, and moments in local time and back, whole columns at once.

Zones are those of the package tzdata, which is locked: what a machine has installed decides nothing.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Ints

UTC = "UTC"
US_PER_DAY = 86_400_000_000
_US_PER_SECOND = 1_000_000
_DAY = 86_400  # s
_FIRST, _LAST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2101, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class ClockChange:
    """A change of a zone's clocks: the local times, without a zone, just before and just after it."""

    before: dt.datetime
    after: dt.datetime


@dataclass(frozen=True)
class Zone:
    """A time zone with the offsets of its clocks from 1970 to 2100; before and after, the nearest of them holds."""

    name: str
    info: dt.tzinfo

    @cached_property
    def changes(self) -> tuple[ClockChange, ...]:
        """Every change of its clocks, in order of time."""
        starts, offsets = self._offsets
        moments = zip(starts[1:].tolist(), offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
        return tuple(ClockChange(_naive(at + before), _naive(at + after)) for at, before, after in moments)

    def local_us(self, moments: Ints) -> Ints:
        """Return the local times of moments: microseconds since 1970, local for UTC, shape (n,)."""
        starts, offsets = self._offsets
        if len(offsets) == 1:
            return moments + offsets[0] * _US_PER_SECOND
        found = np.searchsorted(starts, moments // _US_PER_SECOND, side="right") - 1
        return np.asarray(moments + offsets[np.maximum(found, 0)] * _US_PER_SECOND)

    def moments_us(self, local: Ints) -> tuple[Ints, Flags]:
        """Return the moments of local times, and flag those that a change of clocks skips or has twice.

        A time that is there twice is the first of the two; one that is skipped counts by the clock before the change.

        Parameters
        ----------
        local
            Microseconds since 1970 on local clocks, shape (n,).
        """
        starts, offsets = self._offsets
        if len(offsets) == 1:
            return local - offsets[0] * _US_PER_SECOND, np.zeros(len(local), dtype=bool)
        seconds = local // _US_PER_SECOND
        ends, begins = starts[1:] + offsets[:-1], starts[1:] + offsets[1:]  # of each change, on local clocks
        early = np.searchsorted(np.maximum(ends, begins), seconds, side="right")
        late = np.searchsorted(np.minimum(ends, begins), seconds, side="right")
        return np.asarray(local - offsets[early] * _US_PER_SECOND), np.asarray(early != late)

    @cached_property
    def _offsets(self) -> tuple[Ints, Ints]:
        """Seconds since 1970 from which each offset holds, ascending, and the offsets, s."""
        if self.info is dt.UTC:
            return np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        days = np.arange(0, int((_LAST - _FIRST).total_seconds()), _DAY)
        offsets = [self._offset_at(int(day)) for day in days]
        starts, found = [0], [offsets[0]]
        for day, before, after in zip(days[1:].tolist(), offsets, offsets[1:], strict=False):
            if before != after:
                starts.append(self._first_at(day - _DAY, day, before))
                found.append(after)
        return np.array(starts, dtype=np.int64), np.array(found, dtype=np.int64)

    def _first_at(self, low: int, high: int, before: int) -> int:
        """Return the second in (low, high] from which an offset no longer holds."""
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._offset_at(middle) == before else (low, middle)
        return high

    def _offset_at(self, second: int) -> int:
        offset = dt.datetime.fromtimestamp(second, self.info).utcoffset()
        assert offset is not None  # noqa: S101 - every zone has one
        return round(offset.total_seconds())


@lru_cache
def zone_of(name: str) -> Zone:
    """Return a time zone by its IANA name, such as Europe/Berlin.

    Raises
    ------
    ValueError
        When there is none of that name.
    """
    if name == UTC:
        return Zone(UTC, dt.UTC)
    if name not in _names():
        raise ValueError(f"expected a time zone such as Europe/Berlin or UTC, found {name!r}")
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return Zone(name, ZoneInfo.from_file(data, key=name))


@lru_cache
def _names() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text().split())


def local_us(names: Sequence[str], of_row: NDArray[np.integer], moments: Ints) -> Ints:
    """Return the local times of moments in several zones, microseconds since 1970, shape (n,).

    Parameters
    ----------
    names
        Names of zones; `of_row` are positions in them, below 0 for the first, shape (n,).
    """
    distinct = list(dict.fromkeys(names)) or [UTC]
    if len(distinct) == 1:
        return zone_of(distinct[0]).local_us(moments)
    place = np.array([distinct.index(name) for name in names])[np.maximum(of_row, 0)]
    local = moments.copy()
    for number, name in enumerate(distinct):
        own = place == number
        local[own] = zone_of(name).local_us(moments[own])
    return local


def _naive(second: int) -> dt.datetime:
    return (_FIRST + dt.timedelta(seconds=second)).replace(tzinfo=None)
