"""Alerts: each injected fault is told once, within a tick, is over when it is mended, and quiet days are quiet."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pyarrow as pa
import pytest
from price_shop import DATE, SEED, SHORT_DAY, Shop, open_in_the_morning

from catalog.errors import LakeError
from catalog.load import WatchedCatalog
from catalog.tables.contracts import TABLES
from etl.batches import Batch, play_batch
from etl.calendar import ONE_DAY
from etl.open_days import LiveDay
from plugins.desk.alerts.rules import Alert
from plugins.desk.alerts.watch import open_alerts, watch, watch_and_tell
from plugins.desk.notify.outbox import unsent
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.live.flow import _sell
from serving.store.in_force import pricing_on
from warehouse.commits.locks import is_held
from warehouse.lake import Partition
from warehouse.workspace import Workspace

BELOW_COST = PriceRequest(
    "override", "clearance", sku="MILK", store="S01", price=0.85, ignore_conflicts=True, below_cost=True
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish()
    return shop


def kinds(alerts: list[Alert]) -> list[str]:
    return [alert.kind for alert in alerts]


def with_rules(shop: Shop, **changes: object) -> Workspace:
    store = shop.catalog.store
    rules = store.alerts.model_copy(update=changes)
    return replace(shop.workspace, catalog=replace(shop.catalog, store=store.model_copy(update={"alerts": rules})))


def sell_whole_day(shop: Shop, date: dt.date, stores: tuple[str, ...] = ("S01",)) -> None:
    priced_by = pricing_on(shop.lake, shop.catalog, date)
    play_batch(shop.workspace, Batch(date, "g000", stores), priced_by, 7)


def test_a_price_below_cost_is_told_once_at_the_tick_and_is_over_when_it_is_undone(shop: Shop) -> None:
    player = shop.sell(4)
    assert watch(shop.workspace) == []
    change = ask(shop.workspace, BELOW_COST, "anna").changes[0]
    heard = []
    for tick in range(5, 10):
        shop.sell(tick, player)
        heard += watch(shop.workspace)
    assert kinds(heard) == ["below_cost"]
    assert "MILK is shown at 0.85 EUR in S01, below its cost of 0.90 EUR" in heard[0].sentence
    assert [own.alert.kind for own in open_alerts(shop.lake)] == ["below_cost"]
    decide(shop.workspace, [change.id], "withdrawn", "anna")
    shop.sell(10, player)
    assert watch(shop.workspace) == []
    assert open_alerts(shop.lake) == []


def test_a_fault_that_comes_again_is_told_again(shop: Shop) -> None:
    player, heard = shop.sell(1), []
    for tick in (2, 6):
        change = ask(shop.workspace, BELOW_COST, "anna").changes[0]
        shop.sell(tick, player)
        heard += watch(shop.workspace)
        decide(shop.workspace, [change.id], "withdrawn", "anna")
        shop.sell(tick + 2, player)
        heard += watch(shop.workspace)
    assert kinds(heard) == ["below_cost", "below_cost"]


def test_drift_that_a_check_detected_is_told(shop: Shop) -> None:
    sell_whole_day(shop, DATE)
    row = {
        "sku": "EGGS", "model_version": "3", "decisions": 900, "mean_residual": 0.1, "standard_error": 0.01,
        "detected": True, "since": DATE, "direction": "more", "residual_before": 0.0, "residual_after": 0.1,
    }  # fmt: skip
    checked = pa.Table.from_pylist([row], schema=TABLES["drift_checks"].schema)
    shop.lake.publish(Partition("drift_checks", DATE, "all"), checked, inputs="a check")
    assert [(alert.kind, alert.subject) for alert in watch(shop.workspace)] == [("drift", "EGGS")]


def test_a_night_that_is_not_done_when_the_store_opens_is_told(shop: Shop) -> None:
    night = {"prices_for": DATE, "outcome": "priced", "judged_version": None, "promoted": False, "priced_by": None}
    done = pa.Table.from_pylist([{**night, "said": None}], schema=TABLES["nights"].schema)
    shop.lake.publish(Partition("nights", DATE, "all"), done, inputs="a night")
    shop.sell(SHORT_DAY).close()
    assert watch(shop.workspace) == []
    shop.sell(1, date=DATE + ONE_DAY)
    assert kinds(watch(shop.workspace)) == ["late_night"]


def test_three_dates_in_a_row_from_older_prices_are_told_once(shop: Shop) -> None:
    heard = []
    for number in range(6):
        sell_whole_day(shop, DATE + number * ONE_DAY)
        heard.append(kinds(watch(shop.workspace)))
    assert heard == [[], [], [], ["nights_refused"], [], []]


def test_an_override_that_is_older_than_the_days_allowed_is_told(shop: Shop) -> None:
    workspace = with_rules(shop, override_days=2, nights_refused=None)
    sell_whole_day(shop, DATE)
    ask(shop.workspace, PriceRequest("override", "because", sku="MILK", price=1.4), "anna")
    heard = []
    for number in range(1, 5):
        sell_whole_day(shop, DATE + number * ONE_DAY)
        heard.append(kinds(watch(workspace)))
    assert heard == [[], [], ["override_days"], []]


def test_stock_that_is_left_is_told_where_a_share_is_set(shop: Shop) -> None:
    sell_whole_day(shop, DATE)
    assert watch(shop.workspace) == []
    found = watch(with_rules(shop, waste_above=0.0))
    assert set(kinds(found)) == {"waste_above"}
    opened, sold = (
        shop.lake.read(Partition("repricings", DATE, "g000")),
        shop.lake.read(Partition("interactions", DATE, "g000")),
    )
    stock = sum(row["inventory_level"] for row in opened.to_pylist() if row["tick"] == 0)
    left = 1 - sum(row["purchased"] for row in sold.to_pylist()) / stock
    assert found[0].sentence.startswith(f"{left:.0%} of the stock of S01 was left at closing on {DATE}")
    play_batch(shop.workspace, Batch(DATE, "g001", ("S02",)), pricing_on(shop.lake, shop.catalog, DATE), 7)
    assert [alert.subject for alert in watch(with_rules(shop, waste_above=0.0))] == ["S02"]


@pytest.mark.parametrize(
    ("error", "said"),
    [(LakeError("alerts: cannot be read"), "alerts: cannot be read"), (RuntimeError("odd"), "the log says why")],
)
def test_a_store_goes_on_selling_when_nobody_can_look_for_alerts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fails(*_: object) -> list[Alert]:
        raise error

    monkeypatch.setattr("plugins.desk.alerts.watch.found_now", fails)
    assert watch_and_tell(shop.workspace) == [f"nobody could look for alerts: {said}"]


def test_a_live_store_looks_between_ticks_and_at_closing_and_tells_each_alert_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, said = list[str](), list[str]()

    def looked(*_: object) -> list[Alert]:
        looks.append("look")
        return [Alert("drift", "MILK", "MILK sells less")]

    monkeypatch.setattr("plugins.desk.alerts.watch.found_now", looked)
    monkeypatch.setattr("plugins.live.flow._LOOK_EVERY", 0.0)
    monkeypatch.setattr("plugins.live.flow._announce", lambda *sentences: said.extend(sentences))
    monkeypatch.setattr("plugins.live.flow.tag_run", lambda *_, **__: None)
    controls = SimpleNamespace(rest=lambda: True)
    assert _sell(shop.workspace, WatchedCatalog(shop.folder), LiveDay("S01", DATE), SEED, controls) is not None  # type: ignore[arg-type]
    assert len(looks) == SHORT_DAY + 1
    assert said.count("MILK sells less") == 1


def test_a_webhook_that_hangs_ends_the_look_and_what_it_did_not_take_is_kept(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def hangs(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["subject"])
        raise httpx.ReadTimeout("nothing came", request=request)

    hears_through(monkeypatch, hangs)
    assert len(watch(raised_in(shop, *shop.catalog.skus))) == len(shop.catalog.skus)
    assert len(asked) == 1
    assert len(unsent(shop.lake)["webhook"]) == len(shop.catalog.skus)


@pytest.mark.slow
def test_sixty_quiet_days_raise_nothing(shop: Shop) -> None:
    for number in range(60):
        date = DATE + number * ONE_DAY
        shop.publish(date)
        sell_whole_day(shop, date, shop.catalog.store.stores)
        assert watch(shop.workspace) == [], date
    assert list(shop.lake.partitions("alerts")) == []


def hears_through(monkeypatch: pytest.MonkeyPatch, handler: Callable[[httpx.Request], httpx.Response]) -> None:
    client = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda: client(transport=httpx.MockTransport(handler)))


def raised_in(shop: Shop, *skus: str) -> Workspace:
    """Let prices be shown below cost, and return a workspace with a webhook."""
    player = shop.sell(1)
    for sku in skus:
        ask(shop.workspace, replace(BELOW_COST, sku=sku, price=0.1), "anna")
    shop.sell(2, player)
    return with_rules(shop, webhook="http://127.0.0.1:9/alerts")


def test_an_alert_that_could_not_be_sent_is_sent_by_a_later_look_and_by_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, answers = list[str](), [404, 302, None, 204, 204]

    def hears(request: httpx.Request) -> httpx.Response:
        answer = answers.pop(0)
        if answer is None:
            raise httpx.ConnectError("refused", request=request)
        if answer == 204:
            taken.append(json.loads(request.content)["subject"])
        return httpx.Response(answer)

    hears_through(monkeypatch, hears)
    workspace = raised_in(shop, "MILK")
    for _ in range(5):
        watch(workspace)
    assert taken == ["S01 MILK"]
    assert answers == [204]


def test_nobody_who_looks_waits_for_a_webhook(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    held_meanwhile = list[bool]()

    def hears(_: httpx.Request) -> httpx.Response:
        held_meanwhile.append(is_held(shop.settings.locks, "alerts"))
        return httpx.Response(204)

    hears_through(monkeypatch, hears)
    watch(raised_in(shop, "MILK"))
    assert held_meanwhile == [False]


def test_what_was_not_sent_is_forgotten_when_there_is_no_webhook_any_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    hears_through(monkeypatch, lambda _: httpx.Response(404))
    watch(raised_in(shop, "MILK"))
    assert [message["subject"] for message in unsent(shop.lake)["webhook"]] == ["S01 MILK"]
    watch(shop.workspace)
    assert unsent(shop.lake) == {}


def test_an_alert_that_is_over_stays_over_when_the_stores_are_at_an_earlier_date_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Alert("labels", "S01", "a label is late")]
    monkeypatch.setattr("plugins.desk.alerts.watch.found_now", lambda *_: found)
    monkeypatch.setattr("plugins.desk.alerts.watch.next_date", lambda *_, **__: DATE + ONE_DAY)
    assert watch(shop.workspace) == found
    monkeypatch.setattr("plugins.desk.alerts.watch.next_date", lambda *_, **__: DATE)
    found.clear()
    watch(shop.workspace)
    assert open_alerts(shop.lake) == []
    watch(shop.workspace)
    assert [row["event"] for part in shop.lake.partitions("alerts") for row in shop.lake.read(part).to_pylist()] == [
        "over",
        "raised",
    ]
