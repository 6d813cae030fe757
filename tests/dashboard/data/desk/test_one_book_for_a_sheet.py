"""The desk works out a new price book before anybody asks for it."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from price_shop import Shop


def test_a_new_book_is_opened_before_anybody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.data.desk.price_desk._LOOK_EVERY", 0.01)
    shop, stop = Shop(tmp_path).opened(), Event()
    desk = shop.desk()
    looked, real = list[object](), desk.sheet

    def noted() -> object:
        looked.append(real())
        return looked[-1]

    monkeypatch.setattr(desk, "sheet", noted)
    looking = Thread(target=desk.open_new_books, args=(stop,))
    looking.start()
    try:
        wait_for(lambda: bool(looked))
        shop.publish(visits=500.0)
        wait_for(lambda: looked[-1] is not looked[0])
    finally:
        stop.set()
        looking.join()


def wait_for(happens: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < limit
        time.sleep(0.01)
