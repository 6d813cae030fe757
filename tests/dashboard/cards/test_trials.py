import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from catalog.contracts import TABLES
from dashboard.figures import trials as figures
from dashboard.monitor import Monitor
from dashboard.pages import policies as page
from warehouse.lake import Lake, Partition

AT = dt.datetime(2026, 1, 20, 9, 30, tzinfo=dt.UTC)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def add_trial(lake: Lake) -> Callable[..., None]:
    """Publish one trial; its name is its partition."""

    def add(
        name: str, *, verdict: str, effect: float, unit: str = "day", at: dt.datetime = AT, b: str = "rule"
    ) -> None:
        row = {
            "trial": name,
            "a": "static",
            "b": b,
            "unit": unit,
            "block_ticks": 48,
            "washout_ticks": 0,
            "start_date": dt.date(2026, 1, 5),
            "days": 14,
            "count_stores": 3,
            "count_pairs": 21,
            "seed": 7,
            "catalog": "c",
            "objective": "revenue",
            "variation": 0.1,
            "variation_source": "stated",
            "detectable": 0.09,
            "days_for_three_percent": 118,
            "a_eur": 700.0,
            "effect_eur": effect,
            "low_eur": effect - 20,
            "high_eur": effect + 20,
            "p_value": 0.01,
            "verdict": verdict,
            "played_at": at,
        }
        table = pa.Table.from_pylist([row], schema=TABLES["trials"].schema)
        lake.publish(Partition("trials", None, name), table, inputs=name)

    return add


def test_a_trial_is_shown_with_its_interval_and_what_it_could_detect_also_before_any_comparison(
    add_trial: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    assert "Trials in the stores" not in words(page.content(monitor, "light"))
    add_trial("one", verdict="b", effect=35.0, b="stock_aware")
    said = words(page.content(monitor, "light"))
    assert "€35.00 €15.00 to €55.00 5.0 % 9.0 % stock-aware earns more" in said
    assert "whole days" in said
    assert "shelfprice compare" in said


def test_trials_stand_in_order_the_newest_first_and_names_are_literal(
    add_trial: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_trial("old", verdict="a", effect=-40.0, at=AT - dt.timedelta(days=1))
    add_trial("new", verdict="undecided", effect=3.0, unit="hours", b=HOSTILE)
    rows = monitor.reader.ask("newest_trials", ("trials",))
    assert list(rows["trial"]) == ["new", "old"]
    figure = figures.effects(rows, "dark")
    assert [one.x[0] for one in figure.data] == [3.0, -40.0]
    assert figure.layout.xaxis.title.text == "B minus A, EUR a store day"
    assert "<script" not in figure.layout.yaxis.ticktext[0]
    said = words(page.content(monitor, "light"))
    assert said.index("undecided") < said.index("static earns more")
    assert "−€40.00" in said
