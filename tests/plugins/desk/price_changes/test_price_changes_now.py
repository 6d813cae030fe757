"""What SQL says of price changes as they stand is what the desk says."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from price_shop import DATE, SHORT_DAY, Shop, open_in_the_morning

from features.cells import ALL_VIEWS
from plugins.desk.price_changes.change import Event, EventName, PriceChange, Terms, folded, may_follow
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.listing import rows_of
from plugins.desk.price_changes.propose import propose
from plugins.desk.price_changes.record import all_changes, rows_of_events
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.tables import VIEWS
from serving.limits.orders import Kind
from warehouse.query.connection import build_file, read_only, run_script

OPENING = dt.datetime(2026, 1, 19, 8, tzinfo=dt.UTC)
STATES = "select change, state from price_changes_now"
OVERRIDE = PriceRequest(
    "override", "a competitor is cheaper", sku="MILK", store="S01", price=1.29, ignore_conflicts=True
)
_KINDS: tuple[Kind, ...] = ("price", "override", "freeze", "kill_switch")
_SOON = st.integers(0, 4)
_Step = tuple[int, EventName, int, int, int, int, int]
_STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(("proposed", "approved", "approved", "approved", "rejected", "withdrawn")),
        *(_SOON, _SOON, st.integers(3, 8), _SOON, st.integers(0, 11)),
    ),
    min_size=4,
    max_size=20,
)


def moment(hour: int) -> dt.datetime:
    return OPENING + dt.timedelta(hours=hour)


def played(steps: list[_Step]) -> list[Event]:
    """Take the steps that the machine allows, and first those that go before; some count at another moment in S02."""
    last: dict[int, EventName] = {}
    terms: dict[int, Terms] = {}
    events = []
    for number, (own, wanted, at, start, hours, later, place) in enumerate(steps, start=1):
        event: EventName = wanted if own in last else "proposed"
        if not may_follow(last.get(own), event):
            continue
        sku, store = (None, "MILK", "MILK")[own % 3], (None, "S01", "S02")[place // 4]
        end = None if hours == 8 else moment(start + hours)
        terms.setdefault(own, Terms(_KINDS[place % 4], sku, store, 1.0, 1.2, moment(start), end, "because"))
        last[own] = event
        elsewhere = {"S02": moment(later)} if terms[own].store is None and later != at else {}
        events.append(Event(number, f"h{own}", event, OPENING, moment(at), "somebody", terms[own], elsewhere))
    return events


def state_at_once(change: PriceChange, now: dt.datetime, others: list[PriceChange]) -> str:
    """What the list of price changes says: `plugins.desk.price_changes.listing`."""
    state = change.state(now, others, change.terms.store)
    return "in_force" if state == "scheduled" and change.is_at_once else state


@pytest.fixture(scope="module")
def warehouse() -> duckdb.DuckDBPyConnection:
    """Price changes in memory, in a warehouse that knows of no store."""
    connection = duckdb.connect()
    connection.execute("create table next_ticks (store_id varchar, next_tick_at timestamptz)")
    connection.execute("create table catalogs (store varchar)")
    return connection


@bounded(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS, st.integers(0, 11))
def test_whatever_people_did_sql_tells_the_states_and_spans_that_the_desk_does(
    warehouse: duckdb.DuckDBPyConnection, steps: list[_Step], hour: int
) -> None:
    events = played(steps)
    changes, now = folded(events), moment(hour)
    warehouse.register("recorded", rows_of_events(events))
    warehouse.execute("create or replace table price_changes as from recorded")
    run_script(warehouse, VIEWS / "price_changes_now.sql")
    found = warehouse.execute(
        "select change, state, holds_from, holds_until, approved_by from price_changes_at(?)", [now]
    ).fetchall()
    assert {row[0]: row[1] for row in found} == {own.id: state_at_once(own, now, changes) for own in changes}
    assert {row[0]: row[2:4] for row in found} == {own.id: own.span() or (None, None) for own in changes}
    assert {row[0]: row[4] for row in found} == {own.id: own.approver for own in changes}


def test_the_view_sees_each_change_at_the_next_tick_of_its_store_while_it_sells_and_after(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "{within_of_base: 0.0}", changed=open_in_the_morning)
    shop.publish()
    assert_says_the_same(shop)
    player = shop.sell(4)
    noon = shop.catalog.store.clock_of("S01").moment_of(DATE, 8)
    ask(shop.workspace, OVERRIDE, "anna")
    ask(shop.workspace, replace(OVERRIDE, sku="EGGS", price=2.9, valid_from=noon), "anna")
    ask(shop.workspace, replace(OVERRIDE, sku="BREAD", price=2.4, valid_until=noon), "anna")
    assert set(assert_says_the_same(shop)) == {"in_force", "scheduled"}
    shop.sell(9, player)
    ask(shop.workspace, PriceRequest("kill_switch", "prices look wrong", store="S01"), "ben")
    decide(shop.workspace, [all_changes(shop.lake)[0].id], "withdrawn", "anna")
    assert set(assert_says_the_same(shop)) == {"withdrawn", "superseded", "expired", "in_force"}
    shop.sell(SHORT_DAY, player)
    player.close()
    propose(shop.workspace, shop.publish(DATE + dt.timedelta(days=1)), DATE + dt.timedelta(days=1))
    assert "proposed" in assert_says_the_same(shop)


def assert_says_the_same(shop: Shop) -> list[str]:
    """Compare the view with the desk's list, and return the states."""
    expected = {row["change"]: row["state"] for row in rows_of(shop.workspace, all_changes(shop.lake))}
    build_file(shop.settings, ALL_VIEWS)
    with read_only(shop.settings) as warehouse:
        found = dict(warehouse.execute(STATES).fetchall())
    assert found == expected
    return list(found.values())


def test_daily_sales_mark_a_day_that_is_still_being_sold(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish()
    player = shop.sell(4)
    build_file(shop.settings, ALL_VIEWS)
    asked = "select distinct store_id, is_finished from daily_sales"
    with read_only(shop.settings) as warehouse:
        assert warehouse.execute(asked).fetchall() == [("S01", False)]
    shop.sell(SHORT_DAY, player)
    player.close()
    with read_only(shop.settings) as warehouse:
        assert warehouse.execute(asked).fetchall() == [("S01", True)]
