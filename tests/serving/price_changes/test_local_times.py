"""Times that people give are the store's own: an override until 14:00 ends at 14:00 on its wall, summer and winter."""

import datetime as dt
from pathlib import Path

import pytest
from price_shop import Shop

from flows.cli.price_changes import moment_of
from serving.price_changes.desk import Wish, ask
from serving.price_changes.listing import rows_of
from serving.price_changes.orders import orders_on
from serving.price_law.shown import prior_price_of

LATER = [dt.timedelta(hours=hours) for hours in (0, 6, 11.9, 12.1)]
WINTER, SUMMER = dt.date(2026, 1, 19), dt.date(2026, 7, 20)


def at(hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(1900, 1, 1, hour, minute)  # noqa: DTZ001 - a time of day, as typed


@pytest.mark.parametrize("date", [WINTER, SUMMER])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo", "America/New_York", "UTC"])
def test_an_override_until_14_ends_at_14_on_the_wall(tmp_path: Path, zone: str, date: dt.date) -> None:
    shop = Shop(tmp_path, more=f"timezone: {zone}\n")
    clock = shop.catalog.store.clock_of("S01")
    start, end = moment_of(at(12), date, clock), moment_of(at(14), date, clock)
    wish = Wish("override", "a test", "MILK", "S01", 1.29, start, end)
    [change] = ask(shop.workspace, wish, "anna").changes
    assert [(own.first_tick, own.end_tick) for own in orders_on(shop.lake, shop.catalog, date)] == [(16, 24)]
    for other in (date - dt.timedelta(days=1), date + dt.timedelta(days=1)):
        assert orders_on(shop.lake, shop.catalog, other) == []
    [row] = rows_of(shop.workspace, [change])
    named = "" if zone == "UTC" else f" ({zone})"
    assert row["when"] == f"from {date} 12:00 to 14:00{named}"
    assert row["valid_until"] == clock.moment_of(date, 24).isoformat()


def test_a_price_of_the_evening_in_new_york_is_one_of_the_local_date(tmp_path: Path) -> None:
    shop = Shop(tmp_path, more="timezone: America/New_York\n")
    clock = shop.catalog.store.clock_of("S01")
    start = moment_of(at(19, 30), WINTER, clock)
    assert start is not None
    assert start.date() == WINTER + dt.timedelta(days=1)
    ask(shop.workspace, Wish("override", "a test", "MILK", "S01", 1.29, start, clock.closing_of(WINTER)), "anna")
    assert [own.first_tick for own in orders_on(shop.lake, shop.catalog, WINTER)] == [46]


def test_a_change_of_the_whole_chain_holds_at_one_moment_in_the_ticks_of_each_zone(tmp_path: Path) -> None:
    shop = Shop(tmp_path, more="timezone: Europe/Berlin\ntimezones: {S02: Europe/Helsinki}\n")
    clock = shop.catalog.store.clock_of(None)
    start, end = (moment_of(at(hour), WINTER, clock) for hour in (12, 14))
    ask(shop.workspace, Wish("override", "a test", "MILK", None, 1.29, start, end), "anna")
    found = {own.store: (own.first_tick, own.end_tick) for own in orders_on(shop.lake, shop.catalog, WINTER)}
    assert (found["S01"], found["S02"]) == ((16, 24), (20, 28))
    assert found.keys() == set(shop.catalog.store.stores)


def test_the_30_days_of_the_law_are_local_dates_across_a_change_of_clocks(tmp_path: Path) -> None:
    prices = []
    for zone in ("UTC", "America/New_York"):
        shop = Shop(tmp_path / zone.replace("/", "-"), more=f"timezone: {zone}\n")
        clock = shop.catalog.store.clock_of("S01")
        old = dt.date(2026, 2, 20)  # 30 days before 22 March; in New York clocks change on 8 March
        shop.publish(old)
        shop.sell(48, date=old).close()
        start = clock.opening_of(dt.date(2026, 3, 22))
        found = [
            prior_price_of(shop.lake, shop.catalog, ("S01", "MILK"), start + late, 0.5, []).price for late in LATER
        ]
        prices.append(found)
    assert prices[0] == prices[1]
    assert prices[0][0] is not None
    assert prices[0][-1] is None
