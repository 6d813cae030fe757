"""A store's own time: ticks become moments and moments ticks, whatever clocks do at night."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from catalog.clocks import WallClock, local_us, zone_of
from catalog.errors import DataError
from catalog.load import CLASSIC, load
from catalog.records.shoppers import Opening
from catalog.records.store import Store

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Cairo",
)
OPENING = Opening(opens="08:00", closes="22:00")
MINUTE = dt.timedelta(minutes=1)
DEFAULT = load(CLASSIC).store.model_dump() | {"shocks": ()}
US_PER_HOUR = 3_600_000_000


def naive(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC).replace(tzinfo=None)  # type: ignore[misc,arg-type] # parts in order


zones = st.sampled_from(ZONES)
changes = st.deferred(
    lambda: st.sampled_from([change.after.date() for name in ZONES for change in zone_of(name).changes])
)
dates = st.dates(dt.date(2005, 1, 1), dt.date(2100, 12, 30)) | changes.filter(lambda date: date.year >= 2005)


@given(zones, dates, st.integers(0, OPENING.ticks - 1), st.integers(0, 14))
def test_the_moment_of_a_tick_lies_in_that_tick(zone: str, date: dt.date, tick: int, minutes: int) -> None:
    clock = WallClock(OPENING, zone)
    assert clock.tick_of(clock.moment_of(date, tick) + minutes * MINUTE) == (date, tick)


@given(zones, dates)
def test_every_date_has_the_same_ticks_evenly_spaced_from_local_opening_to_closing(zone: str, date: dt.date) -> None:
    clock = WallClock(OPENING, zone)
    moments = [clock.moment_of(date, tick) for tick in range(OPENING.ticks + 1)]
    assert {after - before for before, after in pairwise(moments)} == {15 * MINUTE}
    assert [f"{clock.local(moment):%Y-%m-%d %H:%M}" for moment in (moments[0], moments[-1])] == [
        f"{date} 08:00",
        f"{date} 22:00",
    ]
    assert clock.ticks_within(date, moments[0], moments[-1]) == (0, OPENING.ticks)
    assert clock.midnight_after(date) >= moments[-1]


@given(zones, st.lists(st.datetimes(naive(1971, 1, 1), naive(2100, 12, 30)), min_size=1, max_size=5))
def test_whole_columns_are_turned_as_the_standard_library_turns_each_time(zone: str, times: list[dt.datetime]) -> None:
    moments = np.array([int(time.replace(tzinfo=dt.UTC).timestamp()) * 1_000_000 for time in times])
    local = zone_of(zone).local_us(moments)
    expected = [dt.datetime.fromtimestamp(own / 1e6, ZoneInfo(zone)).replace(tzinfo=dt.UTC) for own in moments]
    assert local.tolist() == [int(own.timestamp()) * 1_000_000 for own in expected]
    back, doubtful = zone_of(zone).moments_us(local)
    assert (back[~doubtful] == moments[~doubtful]).all()


def test_a_time_that_is_skipped_or_there_twice_is_flagged_and_the_first_moment_counts() -> None:
    berlin = zone_of("Europe/Berlin")
    written = [naive(2026, 3, 29, 1, 59), naive(2026, 3, 29, 2, 30), naive(2026, 10, 25, 2, 30)]
    local = np.array([int(own.replace(tzinfo=dt.UTC).timestamp()) * 1_000_000 for own in written])
    moments, doubtful = berlin.moments_us(local)
    assert doubtful.tolist() == [False, True, True]
    assert ((local - moments) // US_PER_HOUR).tolist() == [1, 1, 2]
    clock = WallClock(OPENING, "Europe/Berlin")
    assert [int(clock.at(own).timestamp()) * 1_000_000 for own in written] == moments.tolist()


def test_each_row_is_turned_by_the_zone_of_its_store() -> None:
    noon = np.full(3, 12 * US_PER_HOUR)
    local = local_us(["Asia/Tokyo", "UTC"], np.array([0, 1, -1]), noon)
    assert (local // US_PER_HOUR).tolist() == [21, 12, 21]


@examples(deadline=None)
@given(st.sampled_from(["Europe/Berlin", "America/New_York"]), st.integers(0, 23), st.integers(1, 24))
def test_only_opening_hours_that_contain_a_change_of_clocks_are_refused(zone: str, opens: int, closes: int) -> None:
    if opens >= closes:
        return
    begins, ends = (2, 3) if zone == "Europe/Berlin" else (1, 3)
    refused = None
    try:
        store_in(zone, opening={"opens": f"{opens:02d}:00", "closes": f"{closes:02d}:00", "tick_minutes": 15})
    except ValueError as error:
        refused = str(error)
    assert (refused is not None) == (opens < ends and closes > begins)
    if refused is not None:
        assert zone in refused
        assert "2005-" in refused


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"timezone": "Mars/Olympus"}, "expected a time zone such as Europe/Berlin or UTC, found 'Mars/Olympus'"),
        ({"timezones": {"S99": "UTC"}}, "expected stores of the list in stores, found 'S99'"),
        ({"timezones": {"S01": "../../etc/passwd"}}, "expected a time zone"),
    ],
)
def test_zones_that_cannot_be_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        store_in("UTC", **changes)


def test_a_store_of_the_chain_may_be_in_another_zone() -> None:
    store = store_in("Europe/Berlin", stores=("S01", "S02", "S03"), timezones={"S02": "Asia/Tokyo"})
    assert [store.clock_of(name).time_zone for name in (*store.stores, None, "gone")] == [
        "Europe/Berlin",
        "Asia/Tokyo",
        "Europe/Berlin",
        "Europe/Berlin",
        "Europe/Berlin",
    ]
    assert [clock.time_zone for clock in store.clocks] == ["Europe/Berlin", "Asia/Tokyo"]


def store_in(zone: str, **changes: object) -> Store:
    return Store.model_validate({**DEFAULT, "timezone": zone, **changes})


@given(zones, st.datetimes(timezones=st.none() | st.just(dt.UTC) | st.just(dt.timezone(dt.timedelta(hours=-12)))))
def test_a_time_that_a_person_names_is_a_moment_that_every_clock_can_show_or_is_refused(
    zone: str, given_time: dt.datetime
) -> None:
    clock = WallClock(OPENING, zone)
    if given_time.year not in range(1970, 2101):
        with pytest.raises(DataError, match="expected a time of the years 1970 to 2100"):
            clock.moment_of_person(given_time)
        return
    moment = clock.moment_of_person(given_time)
    assert moment.tzinfo is dt.UTC
    assert abs(clock.date_of(moment) - given_time.date()) <= dt.timedelta(days=2)
