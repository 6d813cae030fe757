"""A store's own time: its opening hours are local, every moment is UTC, and a tick is as long as any other.

A business date is the local date on which a store opens. Ticks count from opening, so a date has the same ticks in
every zone; the moments differ, and in Tokyo 08:00 is 23:00 UTC of the day before. Precondition: clocks do not change
while the store is open, see `refuse_change_while_open`.

Time zones are those of the package tzdata, which is locked: what a machine has installed decides nothing.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Ints
from catalog.errors import DataError
from catalog.records.shoppers import Opening

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
        return tuple(ClockChange(_naive(start + before), _naive(start + after)) for start, before, after in moments)

    def local_us(self, moments: Ints) -> Ints:
        """Return the local times of moments: microseconds since 1970, local for UTC, shape (n,)."""
        starts, offsets = self._offsets
        if len(offsets) == 1:
            return moments + offsets[0] * _US_PER_SECOND
        offset_of = np.searchsorted(starts, moments // _US_PER_SECOND, side="right") - 1
        return np.asarray(moments + offsets[np.maximum(offset_of, 0)] * _US_PER_SECOND)

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
        starts, held = [0], [offsets[0]]
        for day, before, after in zip(days[1:].tolist(), offsets, offsets[1:], strict=False):
            if before != after:
                starts.append(self._first_at(day - _DAY, day, before))
                held.append(after)
        return np.array(starts, dtype=np.int64), np.array(held, dtype=np.int64)

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
        is_there = place == number
        local[is_there] = zone_of(name).local_us(moments[is_there])
    return local


def _naive(second: int) -> dt.datetime:
    return (_FIRST + dt.timedelta(seconds=second)).replace(tzinfo=None)


_FIRST_YEAR, _LAST_YEAR = 1970, 2100  # of what a person means; beyond, zones are unknown and dates end
_YEARS = range(2005, 2101)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_US = dt.timedelta(microseconds=1)
_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class WallClock:
    """The clock on a store's wall: turns business dates and ticks into moments, UTC, and back."""

    opening: Opening
    time_zone: str = UTC

    @property
    def zone(self) -> Zone:
        """The zone of the store."""
        return zone_of(self.time_zone)

    def moment_of(self, date: dt.date, tick: int) -> dt.datetime:
        """Return when a tick of a date begins, UTC; the one after the last is closing."""
        return self.opening_of(date) + tick * self._tick

    def opening_of(self, date: dt.date) -> dt.datetime:
        """Return when the store opens on a date, UTC."""
        return self.at(dt.datetime.combine(date, dt.time()) + dt.timedelta(minutes=self.opening.opens_minute))

    def closing_of(self, date: dt.date) -> dt.datetime:
        """Return when the store closes on a date, UTC."""
        return self.moment_of(date, self.opening.ticks)

    def opening_us(self, date: dt.date) -> int:
        """Return when the store opens on a date, microseconds since 1970, UTC."""
        return (self.opening_of(date) - _EPOCH) // _US

    def midnight_after(self, date: dt.date) -> dt.datetime:
        """Return when a date ends, UTC."""
        return max(self.at(dt.datetime.combine(date + _ONE_DAY, dt.time())), self.closing_of(date))

    def at(self, local: dt.datetime) -> dt.datetime:
        """Return the moment, UTC, of a local time without a zone.

        Of a time that is there twice it is the first; one that is skipped counts by the clock before the change.
        """
        return local.replace(tzinfo=self.zone.info, fold=0).astimezone(dt.UTC)

    def moment_of_person(self, given: dt.datetime) -> dt.datetime:
        """Return the moment, UTC, that a person means: a time without a zone is the store's local time.

        Raises
        ------
        DataError
            When it is of no year that clocks are known of.
        """
        if not _FIRST_YEAR <= given.year <= _LAST_YEAR:
            raise DataError(
                f"expected a time of the years {_FIRST_YEAR} to {_LAST_YEAR}, found {given.isoformat()}; nothing was "
                "recorded: leave the end out where there is none"
            )
        return self.at(given) if given.tzinfo is None else given.astimezone(dt.UTC)

    def local(self, moment: dt.datetime) -> dt.datetime:
        """Return a moment as the store's clock shows it, with its zone."""
        return moment.astimezone(self.zone.info)

    def date_of(self, moment: dt.datetime) -> dt.date:
        """Return the local date of a moment."""
        return self.local(moment).date()

    def tick_of(self, moment: dt.datetime) -> tuple[dt.date, int]:
        """Return the local date of a moment, and the tick that it lies in: below 0 before opening."""
        date = self.date_of(moment)
        return date, (moment - self.opening_of(date)) // self._tick

    def ticks_within(self, date: dt.date, start: dt.datetime, end: dt.datetime | None) -> tuple[int, int] | None:
        """Return the first tick of a date that begins within a span, and the first one after; None where none does."""
        first = max(0, self._first_tick_from(date, start))
        after = self.opening.ticks if end is None else min(self.opening.ticks, self._first_tick_from(date, end))
        return (first, after) if first < after else None

    def _first_tick_from(self, date: dt.date, moment: dt.datetime) -> int:
        """Return the first tick that begins at a moment or later; it may lie before opening or after closing."""
        since = (moment - self.opening_of(date)) / self._tick
        return math.ceil(max(-1.0, min(since, self.opening.ticks + 1.0)))

    @property
    def _tick(self) -> dt.timedelta:
        return dt.timedelta(minutes=self.opening.tick_minutes)


def refuse_change_while_open(opening: Opening, time_zone: str) -> None:
    """Refuse opening hours during which the clocks of a zone change on some date of the years 2005 to 2100.

    Raises
    ------
    ValueError
        With the zone, the date and the hour of the first such change.
    """
    if time_zone == UTC:
        return
    changes = [change for change in zone_of(time_zone).changes if change.before.year in _YEARS]
    for change in changes:
        date = _date_while_open(opening, change)
        if date is not None:
            raise ValueError(
                f"opening: expected hours without a change of clocks, found {opening.opens} to {opening.closes}, while "
                f"clocks in {time_zone} go from {change.before:%H:%M} to {change.after:%H:%M} on {date}: a business "
                "date would not have the same ticks as any other; choose hours that do not contain it"
            )


def _date_while_open(opening: Opening, change: ClockChange) -> dt.date | None:
    """Return the date on which a change touches the opening hours; a zone that skips a whole date has no such date."""
    begins, ends = min(change.before, change.after), max(change.before, change.after)
    if ends - begins >= _ONE_DAY:
        return None
    for date in sorted({begins.date(), ends.date()}):
        midnight = dt.datetime.combine(date, dt.time())
        opens = midnight + dt.timedelta(minutes=opening.opens_minute)
        if opens < ends and begins < opens + dt.timedelta(minutes=opening.minutes):
            return date
    return None
