"""The desk is kept: who asks waits for no look, and yet no price is old for long."""

import asyncio
import datetime as dt
import time

import pytest

from catalog.load import CLASSIC, load
from catalog.settings import Settings
from etl.batches import Batch, play_batch
from plugins.connect.api.kept_desk import KeptDesk
from plugins.desk.price_changes.request import PriceRequest, ask
from serving.quote import PriceQuestion, QuoteDesk
from serving.store.in_force import pricing_on
from tests.support.believing import price_alike
from warehouse.checks.whole import parts_of_book
from warehouse.lake import Lake
from warehouse.workspace import Workspace

TUESDAY, WEDNESDAY = dt.date(2026, 1, 6), dt.date(2026, 1, 7)


def damage(settings: Settings) -> None:
    """Put a damaged book in force for another day: the prices stay, and what is told of them changes."""
    lake = Lake(settings)
    price_alike(lake, load(CLASSIC), WEDNESDAY, TUESDAY)
    file = lake.path(parts_of_book(WEDNESDAY)[0])
    file.write_bytes(file.read_bytes()[:-1] + b"?")


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
    assert after.tag != before.tag


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
    assert kept._kept.answer(question, None).decode() == QuoteDesk(lake, catalog).text(question)
    assert '"override"' not in kept._kept.answer(question, None).decode()
