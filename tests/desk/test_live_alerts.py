"""A store that sells is not held up by whoever looks for alerts."""

from pathlib import Path
from threading import Event

import pytest
from price_shop import DATE, SEED, SHORT_DAY, Shop, open_in_the_morning

from catalog.watched import WatchedCatalog
from desk.alerts.rules import Alert
from etl.live.day import LiveDay
from flows.live import _sell


class _Controls:
    """Let a day be sold without a pause, and say when its last tick is sold."""

    def __init__(self, sold: Event) -> None:
        self._sold, self._ticks = sold, 0

    def rest(self) -> bool:
        self._ticks += 1
        if self._ticks == SHORT_DAY:
            self._sold.set()
        return True


def test_a_store_sells_its_day_while_a_look_for_alerts_takes_long_and_tells_at_closing_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish()
    sold, went_on, said = Event(), list[bool](), list[str]()

    def slow(*_: object) -> list[Alert]:
        went_on.append(sold.wait(15))
        sold.set()  # so that a store that waits does so once
        return [Alert("drift", "MILK", "MILK sells less")]

    monkeypatch.setattr("desk.alerts.watch.found_now", slow)
    monkeypatch.setattr("flows.live._announce", lambda *sentences: said.extend(sentences))
    monkeypatch.setattr("flows.live.tag_run", lambda *_, **__: None)
    day = LiveDay("S01", DATE)
    assert _sell(shop.workspace, WatchedCatalog(shop.folder), day, SEED, _Controls(sold)) is not None  # type: ignore[arg-type]
    assert went_on[0]
    assert said.count("MILK sells less") == 1
