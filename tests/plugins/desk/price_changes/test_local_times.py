"""Times that people give are the store's own: an override until 14:00 ends at 14:00 on its wall, summer and winter."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from price_shop import SEED, SHORT_DAY, Shop, open_in_the_morning

from catalog.errors import DataError
from catalog.load import WatchedCatalog
from etl.calendar import ONE_DAY
from etl.open_days import LiveDay
from plugins.desk.answers import moment_of
from plugins.desk.law.shown import prior_price_of
from plugins.desk.next_ticks import next_date, next_tick, next_ticks
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.listing import rows_of
from plugins.desk.price_changes.orders import orders_on
from plugins.desk.price_changes.record import all_changes
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.live.days import day_to_sell
from plugins.live.player import Player
from plugins.live.prices import LivePrices

LATER = [dt.timedelta(hours=hours) for hours in (0, 1.5, 2.9, 3.1)]
WINTER, SUMMER = dt.date(2026, 1, 19), dt.date(2026, 7, 20)


def at(hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(1900, 1, 1, hour, minute)  # noqa: DTZ001 - a time of day, as typed


@pytest.mark.parametrize("date", [WINTER, SUMMER])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo", "America/New_York", "UTC"])
def test_an_override_until_14_ends_at_14_on_the_wall(tmp_path: Path, zone: str, date: dt.date) -> None:
    shop = Shop(tmp_path, more=f"timezone: {zone}\n")
    clock = shop.catalog.store.clock_of("S01")
    start, end = moment_of(at(12), date, clock), moment_of(at(14), date, clock)
    wish = PriceRequest("override", "a test", "MILK", "S01", 1.29, start, end)
    [change] = ask(shop.workspace, wish, "anna").changes
    assert [(own.first_tick, own.end_tick) for own in orders_on(shop.lake, shop.catalog, date).orders] == [(16, 24)]
    for other in (date - dt.timedelta(days=1), date + dt.timedelta(days=1)):
        assert orders_on(shop.lake, shop.catalog, other).orders == ()
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
    ask(
        shop.workspace, PriceRequest("override", "a test", "MILK", "S01", 1.29, start, clock.closing_of(WINTER)), "anna"
    )
    assert [own.first_tick for own in orders_on(shop.lake, shop.catalog, WINTER).orders] == [46]


def test_a_change_of_the_whole_chain_holds_at_one_moment_in_the_ticks_of_each_zone(tmp_path: Path) -> None:
    shop = Shop(tmp_path, more="timezone: Europe/Berlin\ntimezones: {S02: Europe/Helsinki}\n")
    clock = shop.catalog.store.clock_of(None)
    start, end = (moment_of(at(hour), WINTER, clock) for hour in (12, 14))
    ask(shop.workspace, PriceRequest("override", "a test", "MILK", None, 1.29, start, end), "anna")
    found = {own.store: (own.first_tick, own.end_tick) for own in orders_on(shop.lake, shop.catalog, WINTER).orders}
    assert (found["S01"], found["S02"]) == ((16, 24), (20, 28))
    assert found.keys() == set(shop.catalog.store.stores)


def test_the_30_days_of_the_law_are_local_dates_across_a_change_of_clocks(tmp_path: Path) -> None:
    prices = []
    for zone in ("UTC", "America/New_York"):
        shop = Shop(tmp_path / zone.replace("/", "-"), more=f"timezone: {zone}\n", changed=open_in_the_morning)
        clock = shop.catalog.store.clock_of("S01")
        old = dt.date(2026, 2, 20)  # 30 days before 22 March; in New York clocks change on 8 March
        shop.publish(old)
        shop.sell(SHORT_DAY, date=old).close()
        start = clock.opening_of(dt.date(2026, 3, 22))
        found = [
            prior_price_of(shop.lake, shop.catalog, ("S01", "MILK"), start + late, 0.5, []).price for late in LATER
        ]
        prices.append(found)
    assert prices[0] == prices[1]
    assert prices[0][0] is not None
    assert prices[0][-1] is None


def sold_in(shop: Shop, store: str, date: dt.date, ticks: int) -> Player:
    """Sell some ticks of a store's day, and close it after the last."""
    day = LiveDay(store, date)
    player = Player(shop.lake, LivePrices(shop.lake, WatchedCatalog(shop.folder).current, day, SEED), day, SEED)
    while player.next_tick < ticks:
        player.sell_tick()
    if player.is_over:
        player.close()
    return player


def test_while_one_store_sells_a_date_that_is_over_in_another_zone_each_is_at_its_own_next_tick(tmp_path: Path) -> None:
    zones = "timezone: America/Los_Angeles\ntimezones: {S02: Asia/Tokyo}\n"
    shop = Shop(tmp_path, more=zones, changed=open_in_the_morning)
    american, japanese = (shop.catalog.store.clock_of(store) for store in ("S01", "S02"))
    tomorrow = WINTER + ONE_DAY
    shop.publish(WINTER - ONE_DAY)
    sold_in(shop, "S01", WINTER - ONE_DAY, SHORT_DAY)
    sold_in(shop, "S02", WINTER, SHORT_DAY)  # over before it begins in Los Angeles
    dates = {store: next_date(shop.lake, shop.catalog, store) for store in (None, "S01", "S02")}
    assert dates == {None: WINTER, "S01": WINTER, "S02": tomorrow}
    switch = ask(shop.workspace, PriceRequest("kill_switch", "prices look wrong"), "anna").changes[0]
    assert switch.terms.valid_from == american.opening_of(WINTER)
    for _ in range(2):
        clocks = next_ticks(shop.lake, shop.catalog, ("S01", "S02"))
        assert {store: own.date_of(clocks[store]) for store, own in (("S01", american), ("S02", japanese))} == {
            "S01": WINTER,
            "S02": tomorrow,
        }
        sold_in(shop, "S01", WINTER, 4)
    assert next_tick(shop.lake, shop.catalog, "S01") == american.moment_of(WINTER, 4)
    assert next_date(shop.lake, shop.catalog, "S02") == tomorrow
    wish = PriceRequest("override", "a test", "MILK", "S02", 1.29, None, japanese.closing_of(WINTER))
    with pytest.raises(DataError, match="expected an end after 2026-01-20 08:00"):
        ask(shop.workspace, wish, "anna")


def test_each_store_sells_the_day_after_its_own_newest_next_and_one_that_never_sold_opens_with_the_others(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish(WINTER - ONE_DAY)
    for store, date in (("S02", WINTER - ONE_DAY), ("S01", WINTER - ONE_DAY), ("S01", WINTER)):
        sold_in(shop, store, date, SHORT_DAY)
    dates = {store: next_date(shop.lake, shop.catalog, store) for store in ("S01", "S02", "S03")}
    assert dates == {"S01": WINTER + ONE_DAY, "S02": WINTER, "S03": WINTER + ONE_DAY}
    assert {store: day_to_sell(shop.workspace, store, None).business_date for store in dates} == dates


def test_a_day_that_a_store_left_open_when_it_left_the_catalog_holds_nobody_back(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish(WINTER - ONE_DAY)
    sold_in(shop, "S02", WINTER - ONE_DAY, 4)
    sold_in(shop, "S01", WINTER - ONE_DAY, SHORT_DAY)
    left = replace(shop.catalog, store=shop.catalog.store.model_copy(update={"stores": ("S01",)}))
    assert next_date(shop.lake, shop.catalog) == WINTER - ONE_DAY
    assert next_date(shop.lake, left) == WINTER


def test_a_kill_switch_that_was_withdrawn_before_any_store_opened_supersedes_nothing(tmp_path: Path) -> None:
    shop = Shop(tmp_path, more="timezone: Europe/Berlin\ntimezones: {S03: America/New_York}\n")
    [switch] = ask(shop.workspace, PriceRequest("kill_switch", "wrong"), "anna").changes
    decide(shop.workspace, [switch.id], "withdrawn", "ben")
    [override] = ask(shop.workspace, PriceRequest("override", "a rival", "EGGS", "S02", 1.1), "anna").changes
    assert switch.span() is not None
    [withdrawn, standing] = all_changes(shop.lake)
    assert withdrawn.span() is None
    assert [row["state"] for row in rows_of(shop.workspace, [withdrawn, standing])] == ["withdrawn", "in_force"]
    assert override.id == standing.id


def test_a_store_whose_last_tick_is_sold_opens_next_also_while_its_day_is_not_closed(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(WINTER)
    shop.sell(48, date=WINTER)
    opening = shop.catalog.store.clock_of("S01").opening_of(WINTER + ONE_DAY)
    assert next_tick(shop.lake, shop.catalog, "S01") == opening
    assert next_date(shop.lake, shop.catalog, "S01") == WINTER + ONE_DAY
