"""The card that says what drawn prices brought: it is there once something is known, and says what is not."""

import datetime as dt

import pyarrow as pa

from catalog.tables.contracts import TABLES
from dashboard.formats import UNKNOWN
from dashboard.monitor import Monitor
from dashboard.pages.overview_cards import earned_card
from warehouse.lake import Lake, Partition

HOSTILE = "<script>alert(1)</script>"


def publish(lake: Lake, date: dt.date, *rows: dict[str, object]) -> None:
    known = {"first": dt.date(2026, 1, 5), "euros": None, "n_held": 3, "n_treated": 27}
    schema = TABLES["earned"].schema
    lake.publish(
        Partition("earned", date, "all"), pa.Table.from_pylist([known | row for row in rows], schema), inputs="x"
    )


def test_without_drawn_prices_there_is_no_card(monitor: Monitor) -> None:
    assert earned_card(monitor) == []


def test_the_newest_night_is_told_with_intervals_and_what_is_not_known_is_said(monitor: Monitor, lake: Lake) -> None:
    chain = {"scope": "chain", "name": "", "euros": 1234.5, "euros_low": 200.0, "euros_high": 2300.0}
    chain |= {"share": 0.021, "share_low": 0.003, "share_high": 0.04}
    publish(lake, dt.date(2026, 1, 11), chain | {"euros": 1.0})
    publish(
        lake,
        dt.date(2026, 1, 18),
        chain,
        {"scope": "week", "name": "2026-01-12"},
        {"scope": "store", "name": HOSTILE},
        {"scope": "category", "name": "dairy"},
    )
    text = str(earned_card(monitor))
    assert "1,234.50" in text
    assert "2.1" in text
    assert "week from 2026-01-12" in text
    assert UNKNOWN in text
    assert "1.00" not in text
    assert HOSTILE in text
    assert "dairy" in text
