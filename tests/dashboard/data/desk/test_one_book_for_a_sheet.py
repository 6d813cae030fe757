"""A sheet of the desk opens its price book once, whatever asks of it, and the next sheet asks the same one."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from price_shop import Shop

import dashboard.data.desk.price_desk
import serving.in_force
import serving.open_book
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.reader import Reader
from desk.price_changes.request import PriceRequest, ask
from features.cells import ALL_VIEWS
from warehouse.connection import build_file


def test_a_new_book_is_opened_before_anybody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(tmp_path)
    shop.publish()
    build_file(shop.settings, ALL_VIEWS)
    shop.sell(1)
    monkeypatch.setattr(dashboard.data.desk.price_desk, "_LOOK_EVERY", 0.01)
    made, stop = counted(monkeypatch), Event()
    desk = PriceDesk(shop.settings, Reader(shop.settings), lambda: shop.catalog)
    began, sheet = list[object](), desk.sheet

    def noted() -> object:
        stamp = desk.stamp()
        found = sheet()
        began.append(stamp)
        return found

    monkeypatch.setattr(desk, "sheet", noted)
    looking = Thread(target=desk.open_new_books, args=(stop,))
    looking.start()
    try:
        wait_for(lambda: made["belief"] >= 1)
        made.clear()
        shop.publish(visits=500.0)
        wait_for(lambda: desk.stamp() in began)  # it may also have looked while the book was being published
        assert made["belief"] >= 1
    finally:
        stop.set()
        looking.join()
    made.clear()
    assert np.isfinite(sheet().rows.gain).any()
    assert not made


def wait_for(happens: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < limit
        time.sleep(0.01)


def order(shop: Shop, price: float, sku: str = "MILK") -> None:
    ask(shop.workspace, PriceRequest(kind="override", sku=sku, store="S01", price=price, reason="a rival"), "anna")


def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count how often a price book is read, and its belief worked out."""
    made: Counter[str] = Counter()

    def count(module: Any, name: str, what: str) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def wrapped(*given: Any, **named: Any) -> Any:
            made[what] += 1
            return real(*given, **named)

        monkeypatch.setattr(module, name, wrapped)

    for module in (dashboard.data.desk.price_desk, serving.in_force, serving.open_book):
        count(module, "book_in_force", "book")
    count(serving.open_book, "morning_of", "belief")
    return made
