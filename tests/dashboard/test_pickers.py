"""The Prices page also offers the date that has a price book and has not begun."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard.components import days_and_next

FIRST, SECOND, THIRD = (dt.date(2026, 1, day) for day in (5, 6, 7))


@pytest.mark.parametrize(
    ("sold", "priced", "offered"),
    [
        ([FIRST, SECOND], [FIRST, SECOND, THIRD], ["newest", str(THIRD), str(SECOND), str(FIRST)]),
        ([FIRST, SECOND], [FIRST, SECOND], ["newest", str(SECOND), str(FIRST)]),
        ([], [FIRST], ["newest"]),
    ],
)
def test_the_date_that_opens_next_is_offered_first(sold: Any, priced: Any, offered: list[str]) -> None:
    reader = SimpleNamespace(dates=lambda *tables: priced if "booked_prices" in tables else sold)
    monitor: Any = SimpleNamespace(reader=reader)
    assert [one["value"] for one in days_and_next(monitor)] == offered
