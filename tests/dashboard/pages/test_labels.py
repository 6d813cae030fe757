"""The monitor says which labels follow, and names those that do not, the worst store first."""

import datetime as dt
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from plotly.io.json import to_json_plotly
from price_shop import DATE, Shop

from dashboard.pages.overview_cards import label_cards, told_of
from plugins.connect.labels.acknowledge import acknowledge
from plugins.connect.labels.export import export
from plugins.connect.labels.status import StoreStatus, status
from plugins.connect.labels.targets import PullTarget

COUNTS = st.integers(0, 200)
NOW = dt.datetime(2026, 1, 19, 9, tzinfo=dt.UTC)


def text_of(statuses: list[StoreStatus]) -> str:
    return str(to_json_plotly(label_cards(statuses)))


def test_there_is_no_card_before_anything_was_sent(tmp_path: Path) -> None:
    assert label_cards(status(Shop(tmp_path).workspace)) == []


def test_a_label_that_does_not_follow_is_named_until_it_does(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(DATE)
    player = shop.sell(1)
    (batch,) = export(shop.workspace, PullTarget(), ["S01"]).made
    said = {"batch": batch.id, "store": "S01", "at": "2026-01-19T09:00:00Z"}
    others = [price.sku for price in batch.prices if price.sku != "MILK"]
    acks = [{**said, "sku": sku, "device": device} for sku in others for device in ("till", "label")]
    acknowledge(shop.workspace, acks, "till-1")
    assert told_of(status(shop.workspace)) == "4 of 5 prices in 1 store are shown by till and label; none is late."
    shop.sell(6, player)
    assert "1 is late, in 1 of 1 store." in told_of(status(shop.workspace))
    assert "MILK shows nothing known, sent €" in text_of(status(shop.workspace))
    acknowledge(shop.workspace, [{**said, "device": device} for device in ("till", "label")], "till-1")
    assert "none is late" in told_of(status(shop.workspace))
    assert "MILK" not in text_of(status(shop.workspace))


@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS), min_size=1, max_size=30))
def test_the_worst_ten_stores_are_listed_and_a_store_that_follows_never(found: list[tuple[int, int, int]]) -> None:
    statuses = [
        StoreStatus(f"S{n:02d}", sent, 0, late, different, "b", NOW, ())
        for n, (sent, late, different) in enumerate(found)
    ]
    text = text_of(statuses)
    listed = {one.store for one in statuses if f'"{one.store}"' in text}
    behind = [one for one in statuses if one.late or one.different]
    assert len(listed) == min(len(behind), 10)
    left = [one.late + one.different for one in behind if one.store not in listed]
    assert all(one.late + one.different >= max(left, default=1) for one in behind if one.store in listed)
