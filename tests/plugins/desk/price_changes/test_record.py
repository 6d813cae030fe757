"""What is read of the price changes ever recorded: what can still bind, and nothing less."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import Declined
from catalog.load import CLASSIC, load
from catalog.settings import read_settings
from plugins.desk.price_changes.change import Event, PriceChange, Terms, may_follow
from plugins.desk.price_changes.conflicts import conflicts
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.record import (
    all_changes,
    changes_by_people,
    changes_by_people_on,
    changes_named,
    changes_on,
    next_number,
    record,
)
from plugins.desk.price_changes.request import PriceRequest, ask
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

SHELF = load(CLASSIC)
DAY = dt.date(2026, 3, 2)
CLOCK = SHELF.store.clock_of(None)
SKUS = st.sampled_from([None, *SHELF.skus[:2]])
STORES = st.sampled_from([None, *SHELF.store.stores[:2]])
MOMENTS = st.tuples(st.integers(0, 6), st.integers(0, 12)).map(
    lambda at: CLOCK.opening_of(DAY + dt.timedelta(days=at[0])) + dt.timedelta(hours=at[1])
)
ASKED = st.tuples(
    st.sampled_from(["override", "freeze", "kill_switch", "price"]),
    SKUS,
    STORES,
    MOMENTS,
    st.one_of(st.none(), st.integers(1, 80)),  # hours
)
DECIDED = st.tuples(st.integers(0, 9), st.sampled_from(["approved", "rejected", "withdrawn"]), MOMENTS)
HISTORY = st.lists(st.one_of(ASKED, DECIDED), min_size=1, max_size=12)


def terms_of(kind: Any, sku: str | None, store: str | None, start: dt.datetime, hours: int | None) -> Terms:
    if kind == "price":
        return Terms(kind, SHELF.skus[0], SHELF.store.stores[0], 1.0, 1.2, start, start + dt.timedelta(hours=8), "book")
    end = None if hours is None else start + dt.timedelta(hours=hours)
    price = None if kind == "kill_switch" else 1.2
    return Terms(kind, sku or SHELF.skus[0] if price else sku, store, 1.0, price, start, end, "a reason")


def live(lake: Lake, history: list[tuple[Any, ...]]) -> None:
    """Record a history, action by action; what may not follow is left out."""
    for action in history:
        number, known = next_number(lake), all_changes(lake)
        if len(action) == 5:
            terms = terms_of(*action)
            name = f"p{number}.{terms.store}.{terms.sku}" if terms.kind == "price" else f"h{number}"
            moment = terms.valid_from
            events = [Event(number, name, what, moment, moment, "anna", terms) for what in ("proposed", "approved")]
            record(lake, SHELF, number, events[: 1 + number % 2])
        elif known:
            place, event, moment = action
            own = known[place % len(known)]
            if may_follow(own.last, event):
                record(lake, SHELF, number, [Event(number, own.id, event, moment, moment, "ben", own.terms)])


@pytest.fixture(scope="module")
def lakes() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder)


def holds_on(change: PriceChange, date: dt.date) -> bool:
    span = change.span()
    return span is not None and span[0].date() <= date and (span[1] is None or span[1] > CLOCK.opening_of(date))


@given(history=HISTORY, asked=ASKED)
@settings(max_examples=25, deadline=None)
def test_what_can_still_bind_gives_the_answers_of_the_whole_history(
    lakes: Path, history: list[tuple[Any, ...]], asked: tuple[Any, ...]
) -> None:
    with TemporaryDirectory(dir=lakes) as folder:
        lake = Lake(read_settings({"SHELFPRICE_HOME": folder}))
        lake.prepare()
        live(lake, history)
        everything = all_changes(lake)
        assert changes_by_people(lake) == [change for change in everything if change.terms.kind != "price"]
        terms = terms_of(*asked)
        binding = changes_by_people(lake, terms.valid_from)
        assert list(conflicts(SHELF, terms, binding)) == list(conflicts(SHELF, terms, everything))
        for change in everything:
            assert changes_named(lake, [change.id]) == [change]
        for date in (DAY + dt.timedelta(days=day) for day in range(9)):
            people = [change for change in everything if change.terms.kind != "price" and holds_on(change, date)]
            assert [change for change in changes_on(lake, date) if change in people] == people
            binding = changes_by_people_on(lake, date)
            assert [change for change in people if change not in binding] == []


def test_orders_that_are_over_are_never_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    lake.prepare()
    start = CLOCK.opening_of(DAY)
    live(lake, [("override", "MILK", "S01", start, 3)] * 5)
    live(lake, [(place, "withdrawn", start + dt.timedelta(hours=2)) for place in range(5)])
    read: list[Partition] = []
    real = Lake.read
    monkeypatch.setattr(Lake, "read", lambda self, part, *of: read.append(part) or real(self, part, *of))
    assert changes_on(lake, DAY + dt.timedelta(days=1)) == []
    assert changes_by_people(lake, CLOCK.opening_of(DAY + dt.timedelta(days=400))) == []
    assert read == []
    assert len(changes_on(lake, DAY)) == 5


def test_what_happens_to_a_change_is_kept_with_it_when_its_store_has_left_the_catalog(tmp_path: Path) -> None:
    store = SHELF.store.model_copy(update={"timezone": "America/Los_Angeles", "timezones": {"S02": "Asia/Tokyo"}})
    left = replace(SHELF, store=store.model_copy(update={"stores": ("S01",), "timezones": {}}))
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    lake.prepare()
    workspace = Workspace(lake.settings, replace(SHELF, store=store), lake)
    change = ask(workspace, PriceRequest("freeze", "a test", "MILK", "S02"), "anna").changes[0]
    decide(replace(workspace, catalog=left), [change.id], "withdrawn", "anna")
    assert len({part.business_date for part in lake.partitions("price_changes")}) == 1
    assert [own.last for own in changes_named(lake, [change.id])] == ["withdrawn"]
    with pytest.raises(Declined, match="one that is withdrawn"):
        decide(workspace, [change.id], "withdrawn", "anna")
