"""Which days a store sells when it is asked to, also after its run was killed."""

import datetime as dt

import pytest

from etl.open_days import LiveDay
from plugins.live import days as live_days
from plugins.live.days import dates_to_sell

FIRST = dt.date(2026, 1, 7)
DAY = dt.timedelta(days=1)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> set[dt.date]:
    """Dates that S01 has sold to their end; the next one is open or comes next."""
    dates: set[dt.date] = set()

    def next_day(_workspace: object, store: str, date: dt.date | None) -> LiveDay:
        return LiveDay(store, date or max(dates, default=FIRST - DAY) + DAY)

    monkeypatch.setattr(live_days, "day_to_sell", next_day)
    monkeypatch.setattr(LiveDay, "is_closed", lambda day, _lake: day.business_date in dates)
    return dates


class Nowhere:
    """A workspace of which nobody asks anything."""

    lake = None


def asked(date: dt.date | None = None, days: int = 1, left: dt.date | None = None) -> tuple[dt.date, dt.date]:
    day, last = dates_to_sell(Nowhere(), "S01", date, days, left)  # type: ignore[arg-type]
    return day.business_date, last


def test_without_a_killed_run_the_days_asked_for_are_sold(closed: set[dt.date]) -> None:
    assert asked(days=3) == (FIRST, FIRST + 2 * DAY)
    closed.add(FIRST)
    assert asked() == (FIRST + DAY, FIRST + DAY)


def test_after_a_kill_in_the_second_of_three_days_two_are_left(closed: set[dt.date]) -> None:
    closed.add(FIRST)
    assert asked(days=3, left=FIRST + 2 * DAY) == (FIRST + DAY, FIRST + 2 * DAY)
    assert asked(date=FIRST, days=3, left=FIRST + 2 * DAY) == (FIRST + DAY, FIRST + 2 * DAY)


def test_after_a_kill_behind_the_last_tick_nothing_is_left(closed: set[dt.date]) -> None:
    closed.add(FIRST)
    first, last = asked(left=FIRST)
    assert first > last == FIRST


def test_a_date_beyond_what_was_left_is_another_request(closed: set[dt.date]) -> None:
    closed.add(FIRST)
    assert asked(date=FIRST + 5 * DAY, days=2, left=FIRST) == (FIRST + 5 * DAY, FIRST + 6 * DAY)


def test_a_store_that_was_sold_further_meanwhile_begins_a_request_of_its_own(closed: set[dt.date]) -> None:
    closed.update({FIRST - DAY, FIRST + 4 * DAY})
    assert asked(days=2, left=FIRST + 2 * DAY) == (FIRST + 5 * DAY, FIRST + 6 * DAY)
