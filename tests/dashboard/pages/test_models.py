import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from catalog.tables.contracts import TABLES
from dashboard.data.versions import Version, champion_of
from dashboard.monitor import Monitor
from dashboard.pages import models as page
from warehouse.lake import Partition

FIRST = dt.date(2026, 1, 12)


def test_without_a_promotion_there_is_no_champion_and_the_page_says_that_base_prices_stand(
    add_version: Callable[..., None], monitor: Monitor, words: Callable[[Any], str]
) -> None:
    add_version(1, promoted=False)
    assert champion_of(monitor.versions()) is None
    said = words(page.content(monitor, "light"))
    assert "No champion" in said
    assert "base prices stand" in said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_tells_champion_verdict_metrics_and_curves(
    three: tuple[Version, ...],
    add_priced_day: Callable[..., None],
    monitor: Monitor,
    words: Callable[[Any], str],
    scheme: Any,
) -> None:
    add_priced_day(FIRST, "2")
    said = words(page.content(monitor, scheme))
    assert "Version 2" in said
    assert "version 10: 1 of 2 conditions met" in said
    assert "0.0 points on the days it priced" in said
    assert "Own metric" in said
    assert "Milk" in said


def test_an_empty_home_and_a_lake_without_models_name_the_command_that_helps(
    monitor: Monitor, words: Callable[[Any], str], request: pytest.FixtureRequest
) -> None:
    assert "shelfprice demo" in words(page.content(monitor, "light"))
    lake = request.getfixturevalue("lake")
    rows = TABLES["interactions"].schema.empty_table()
    lake.publish(Partition("interactions", dt.date(2026, 1, 5), "g000"), rows, inputs="x", seed=7)
    assert "shelfprice nightly" in words(page.content(monitor, "light"))
