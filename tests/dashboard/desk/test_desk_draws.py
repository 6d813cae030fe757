"""The card of drawn prices on the desk: absent without any, and it says what is not known."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from catalog.tables.contracts import TABLES
from dashboard.desk.draws import draws_card
from dashboard.monitor import Monitor
from plugins.own_store.draws.drawn_prices import BACK
from warehouse.lake import Lake, Partition

MONDAY = dt.date(2026, 1, 19)
Words = Callable[[Any], str]


def draw(store: str, sku: str, price: float, **more: Any) -> dict[str, Any]:
    row = {"store_id": store, "sku": sku, "through": MONDAY + dt.timedelta(days=6), "price": price}
    row |= {"shelf_price": 2.0, "step_from": price, "propensity": 0.5, "is_held": False, "is_on_the_way": False}
    return row | {"design": "best price", "block": f"{store}/{MONDAY}", "seed": 7} | more


def experiment(number: int, **more: Any) -> dict[str, Any]:
    row = {"number": number, "starts": MONDAY - dt.timedelta(days=14), "through": MONDAY + dt.timedelta(days=55)}
    row |= {"step": 0.05, "products": ["MILK"], "reason": "<b>why</b>", "asked_by": "anna"}
    return row | {"asked_at": dt.datetime(2026, 1, 4, tzinfo=dt.UTC)} | more


def publish(lake: Lake, table: str, rows: list[dict[str, Any]], date: dt.date | None, group: str = "all") -> None:
    lake.publish(Partition(table, date, group), pa.Table.from_pylist(rows, TABLES[table].schema), inputs=str(rows))


def test_without_draws_and_experiments_there_is_no_card(monitor: Monitor, lake: Lake) -> None:
    assert draws_card(monitor) is None


def test_products_stores_and_holds_are_told_and_the_newest_draw_alone_counts(
    monitor: Monitor, lake: Lake, words: Words
) -> None:
    publish(lake, "price_draws", [draw("S09", "OLD", 9.0)], MONDAY - dt.timedelta(days=7))
    rows = [draw("S01", "MILK", 2.1), draw("S02", "MILK", 1.9), draw("S03", "MILK", 2.0, is_held=True)]
    rows += [draw("S01", "EGGS", 2.0, design=BACK)]
    publish(lake, "price_draws", rows, MONDAY)
    text = words(draws_card(monitor))
    assert "OLD" not in text
    assert "€1.90 to €2.10" in text
    assert "S01, S02" in text
    assert "Held at your own prices 1" in text
    assert "of 3 prices" in text
    assert "goes back to its own price" in text


def test_an_experiment_says_its_week_what_it_told_and_that_it_was_withdrawn(
    monitor: Monitor, lake: Lake, words: Words
) -> None:
    publish(lake, "price_draws", [draw("S01", "MILK", 2.1)], MONDAY)
    publish(lake, "experiments", [experiment(1, products=["MILK", "EGGS"])], None, "e000001")
    told = {"number": 1, "through": MONDAY, "n_blocks": 20, "carry": 0.4}
    milk = {"sku": "MILK", "is_told": True, "slope": -2.1, "low": -2.9, "high": -1.3}
    publish(lake, "experiment_outcomes", [told | milk, told | {"sku": "EGGS", "is_told": False}], None, "e000001")
    text = words(draws_card(monitor))
    assert "week 3 of 10" in text
    assert "MILK −2.1 (−2.9 to −1.3)" in text
    assert "Not told yet: 1 of 2 products" in text
    assert "Last week's price matters, too: EGGS, MILK" in text
    assert "<b>why</b>" in text  # as text, which the page escapes
    gone = {"withdrawn_from": MONDAY, "withdrawn_reason": "a sale", "withdrawn_by": "bert"}
    publish(lake, "experiments", [experiment(1, **gone)], None, "e000001")
    assert "withdrawn from Mon 19 Jan 2026 on by bert: a sale" in words(draws_card(monitor))
    early = {"withdrawn_from": MONDAY - dt.timedelta(days=14)}
    publish(lake, "experiments", [experiment(1, **gone | early)], None, "e000001")
    assert "withdrawn before it began by bert: a sale" in words(draws_card(monitor))


def test_last_week_s_euros_are_told_with_their_interval_and_as_unknown_where_too_few_were_held(
    monitor: Monitor, lake: Lake, words: Words
) -> None:
    publish(lake, "price_draws", [draw("S01", "MILK", 2.1)], MONDAY)
    week = {"scope": "lately", "name": str(MONDAY), "first": MONDAY, "n_held": 1, "n_treated": 7}
    publish(lake, "earned", [week | {"scope": "chain"}], MONDAY + dt.timedelta(days=5))
    assert "Earned lately" not in words(draws_card(monitor))  # no week is over
    publish(lake, "earned", [week], MONDAY + dt.timedelta(days=6))
    assert "1 product week was held, too few to know" in words(draws_card(monitor))
    known = {"euros": 120.0, "euros_low": 20.0, "euros_high": 220.0, "share": 0.031}
    publish(lake, "earned", [week | known], MONDAY + dt.timedelta(days=6))
    assert "€120.00 (3.1 %) from Mon 19 Jan 2026, 95 % interval €20.00 to €220.00" in words(draws_card(monitor))
