"""What the Overview says of alerts: those that are open, and no others."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from catalog.tables.contracts import TABLES
from dashboard.monitor import Monitor
from dashboard.pages.overview_cards import alert_notices
from warehouse.lake import Lake, Partition

NOON = dt.datetime(2026, 1, 19, 12, tzinfo=dt.UTC)


def told(lake: Lake, number: int, event: str, sentence: str, kind: str = "below_cost") -> None:
    row = {
        "number": number,
        "kind": kind,
        "subject": "S01 MILK",
        "event": event,
        "happened_at": NOON,
        "recorded_at": NOON,
    }
    rows = pa.Table.from_pylist([{**row, "sentence": sentence}], schema=TABLES["alerts"].schema)
    lake.publish(Partition("alerts", NOON.date(), f"look-{number:08d}"), rows, inputs=str(number))


def test_the_overview_shows_an_alert_until_it_is_over_and_again_when_it_comes_again(
    lake: Lake, monitor: Monitor, words: Callable[[Any], str]
) -> None:
    assert alert_notices(monitor) == []
    told(lake, 1, "raised", "MILK is shown at 0.85 EUR")
    shown = words(alert_notices(monitor))
    assert "Below cost: S01 MILK" in shown
    assert "MILK is shown at 0.85 EUR" in shown
    told(lake, 2, "over", "MILK is shown at 0.85 EUR")
    assert alert_notices(monitor) == []
    told(lake, 3, "raised", "MILK is shown at 0.80 EUR")
    assert "0.80 EUR" in words(alert_notices(monitor))


def test_drift_is_told_by_its_own_notice_alone(lake: Lake, monitor: Monitor) -> None:
    told(lake, 1, "raised", "MILK sells less", kind="drift")
    assert alert_notices(monitor) == []
