"""What the Models page and the feed show of drift, from the lake alone."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from catalog.load import CLASSIC, load
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from dashboard.components import SOLD
from dashboard.data.reader import Reader
from dashboard.monitor import Monitor
from dashboard.pages import models as page
from dashboard.pages import models_cards
from dashboard.pages.overview_cards import drift_alarm
from dashboard.pages.store_cards import event_list
from etl.load import load_dimensions
from warehouse.lake import Lake, Partition

FIRST = dt.date(2026, 1, 12)
SEEN = FIRST + dt.timedelta(days=2)


@pytest.fixture
def add_checks(lake: Lake) -> Callable[..., None]:
    """Publish one day's checks of two products under a champion; milk may be seen to drift."""
    load_dimensions(lake, load(CLASSIC), ["Ann Lee"])

    def add(date: dt.date, version: str, *, drifted: bool = False) -> None:
        rows = [
            {
                "sku": sku,
                "model_version": version,
                "decisions": 300,
                "mean_residual": -0.3 if found else 0.01,
                "standard_error": 0.03,
                "detected": found,
                "since": date if found else None,
                "direction": "less" if found else None,
                "residual_before": 0.0 if found else None,
                "residual_after": -0.3 if found else None,
            }
            for sku, found in (("BREAD", False), ("MILK", drifted))
        ]
        table = pa.Table.from_pylist(rows, schema=TABLES["drift_checks"].schema)
        lake.publish(Partition("drift_checks", date, f"v{version}"), table, inputs=str(date))

    return add


@pytest.fixture
def add_book(lake: Lake) -> Callable[..., None]:
    """Publish one cell of a price book."""

    def add(date: dt.date, version: str) -> None:
        row = {
            "sku": "MILK",
            "ticks_left": 1,
            "ladder": [1.5],
            "chances": [0.5],
            "price_position": [0],
            "unconstrained_position": [0],
            "unit_value": [0.0],
            "binding_rule": ["stock_value"],
            "policy_rule": ["stock_value"],
            "policy": "stock_aware",
            "model_version": version,
            "published_at": dt.datetime.combine(date, dt.time(), dt.UTC),
        }
        table = pa.Table.from_pylist([row], schema=TABLES["booked_prices"].schema)
        lake.publish(Partition("booked_prices", date, "all"), table, inputs=str(date))

    return add


def ask(monitor: Monitor) -> Any:
    return monitor.reader.ask("drift_by_day", ("drift_checks", "products"), n_days=60)


def test_each_step_from_drift_to_new_prices_is_told_newest_first(
    lake: Lake,
    add_checks: Callable[..., None],
    add_version: Callable[..., None],
    add_book: Callable[..., None],
    monitor: Monitor,
    words: Callable[..., str],
) -> None:
    add_checks(FIRST, "1")
    add_checks(SEEN, "1", drifted=True)
    add_version(1)
    add_version(2, judged=SEEN + dt.timedelta(days=1), since=SEEN, promoted=False)
    add_version(3, judged=SEEN + dt.timedelta(days=2), since=SEEN)
    add_book(SEEN + dt.timedelta(days=3), "3")
    add_book(SEEN + dt.timedelta(days=4), "3")
    said = words(models_cards.drift_fold(monitor))
    steps = [
        "Sat 17 Jan 2026 : first prices of version 3",
        "Fri 16 Jan 2026 : version 3 was trained on the days since Wed 14 Jan 2026 and became champion",
        "Thu 15 Jan 2026 : version 2 was trained on the days since Wed 14 Jan 2026 and was not promoted",
        "Wed 14 Jan 2026 : drift in MILK since Wed 14 Jan 2026; version 1 no longer holds, and a new model is",
    ]
    places = [said.index(step) for step in steps]
    assert places == sorted(places)
    assert "18 Jan" not in said
    assert "Is demand still as predicted?" in words(page.content(monitor, "dark"))


def test_a_day_that_two_champions_looked_at_is_shown_as_the_one_that_priced_it(
    add_checks: Callable[..., None], monitor: Monitor
) -> None:
    add_checks(SEEN, "9", drifted=True)
    add_checks(SEEN, "10")
    days = ask(monitor)
    assert set(days["model_version"]) == {"9"}
    assert days["detected"].sum() == 1


def test_the_feed_ends_with_the_drift_that_was_seen_when_the_day_was_over(
    sell_two_days: Callable[[Path], Settings], tmp_path: Path, words: Callable[..., str]
) -> None:
    settings = sell_two_days(tmp_path)
    date = dt.date(2026, 1, 6)
    row = {
        "sku": "MILK",
        "model_version": "7",
        "decisions": 300,
        "mean_residual": -0.3,
        "standard_error": 0.03,
        "detected": True,
        "since": date,
        "direction": "less",
        "residual_before": 0.0,
        "residual_after": -0.3,
    }
    table = pa.Table.from_pylist([row], schema=TABLES["drift_checks"].schema)
    Lake(settings).publish(Partition("drift_checks", date, "v7"), table, inputs="1")
    reader, asked = Reader(settings), {"date": date, "store": "S01", "most_visits": 5, "most_decisions": 5}
    closed = reader.ask("newest_events", (*SOLD, "drift_checks"), on=date, through=47, **asked)
    told = words(event_list(closed, {"MILK": "Milk"})[0])
    assert "Since 6 Jan, Milk is bought less than version 7 predicts at the same prices: a new model" in told
    noon = reader.ask("newest_events", (*SOLD, "drift_checks"), on=date, through=16, **asked)
    assert "drift" not in set(noon["kind"])


def test_the_overview_names_what_drifted_on_the_newest_day_and_is_silent_otherwise(
    add_checks: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    assert drift_alarm(monitor) == []
    add_checks(FIRST, "1", drifted=True)
    assert "Milk: bought otherwise" in words(drift_alarm(monitor))
    add_checks(SEEN, "1")
    assert drift_alarm(monitor) == []
