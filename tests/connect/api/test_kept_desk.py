"""The desk is kept: who asks waits for no look, and yet no price is old for long."""

import asyncio
import datetime as dt
import time

import pytest

from catalog.load import CLASSIC, load
from catalog.settings import Settings
from connect.api.kept_desk import KeptDesk
from desk.price_changes.request import PriceRequest, ask
from etl.batches import Batch, play_batch
from serving.in_force import pricing_on
from serving.quote import PriceQuestion
from serving.quote_desk import QuoteDesk, open_desk
from tests.plugins.believing import price_alike
from warehouse.lake import Lake
from warehouse.mixed import parts_of_book
from warehouse.workspace import Workspace

TUESDAY, WEDNESDAY = dt.date(2026, 1, 6), dt.date(2026, 1, 7)


def damage(settings: Settings) -> None:
    """Put a damaged book in force for another day: the prices stay, and what is told of them changes."""
    lake = Lake(settings)
    price_alike(lake, load(CLASSIC), WEDNESDAY, TUESDAY)
    file = lake.path(parts_of_book(WEDNESDAY)[0])
    file.write_bytes(file.read_bytes()[:-1] + b"?")


def test_the_book_is_read_once_while_nothing_changes(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, reads = KeptDesk(home, look_every=0), []
    monkeypatch.setattr("connect.api.kept_desk._SETTLED", 1e9)
    real = QuoteDesk.text
    monkeypatch.setattr(QuoteDesk, "text", lambda *given: reads.append(given) or real(*given))

    async def ask() -> list[object]:
        found = [await kept.current() for _ in range(3)]
        for one in found:
            one.answer(PriceQuestion("MILK", 8), None)
        return [one.desk for one in found]

    first, second, third = asyncio.run(ask())
    assert first is second is third
    assert len(reads) == 1


def test_a_book_is_confirmed_once_after_a_change_and_stays_the_same_desk(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connect.api.kept_desk._SETTLED", 0.0)
    kept = KeptDesk(home, look_every=0)
    kept.look()
    first = kept._kept
    time.sleep(0.01)
    for _ in range(3):
        kept.look()
        assert kept._kept is first
    assert kept._settles_at == float("inf")


def test_who_asks_soon_after_another_gets_the_known_prices_and_the_next_one_the_new(home: Settings) -> None:
    kept = KeptDesk(home, look_every=0.01)

    async def ask() -> tuple[QuoteDesk, QuoteDesk]:
        before = (await kept.current()).desk
        await asyncio.to_thread(damage, home)
        limit = time.monotonic() + 120
        while (after := (await kept.current()).desk) is before:
            assert time.monotonic() < limit
            await asyncio.sleep(0.02)
        return before, after

    before, after = asyncio.run(ask())
    assert before.passed_over is None
    assert after.passed_over is not None
    assert after.tag_of(None) != before.tag_of(None)


def test_prices_that_can_no_longer_be_read_anew_stand_and_it_is_said(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptDesk(home, look_every=0)
    kept.look()

    def refuse(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("warehouse.lake.Lake.changes", refuse)
    assert asyncio.run(kept.current()) is kept._kept
    assert kept.problem == "the disk is gone"


def test_what_was_asked_before_a_book_was_replaced_is_at_hand_after_it(home: Settings) -> None:
    kept = KeptDesk(home, look_every=0)
    kept.look()
    for store in (None, "S01"):
        kept._kept.answer(PriceQuestion("MILK", 8), store)
    damage(home)
    kept.look()
    desk = kept._kept.desk
    assert [desk.has_opened_for(store) for store in (None, "S01", "S02")] == [True, True, False]


def test_a_price_that_was_set_for_a_day_is_quoted_no_more_when_the_day_is_over(home: Settings) -> None:
    kept, lake, question = KeptDesk(home, look_every=0), Lake(home), PriceQuestion("MILK", 50)
    catalog = kept.catalog_in_force()
    workspace = Workspace(home, catalog, lake)
    closing = catalog.store.clock_of(None).closing_of(WEDNESDAY)
    ask(workspace, PriceRequest("override", "for a day", "MILK", price=1.29, valid_until=closing), "anna")
    kept.look()
    assert '"override"' in kept._kept.answer(question, None).decode()
    play_batch(workspace, Batch(WEDNESDAY, "g000", catalog.store.stores), pricing_on(lake, catalog, WEDNESDAY), 7)
    kept.look()
    assert kept._kept.answer(question, None).decode() == open_desk(lake, catalog).text(question)
    assert '"override"' not in kept._kept.answer(question, None).decode()
