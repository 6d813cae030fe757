"""The twin tells its weather where its shoppers heed it: through the day after the newest sold, and once."""

import datetime as dt

import pytest

from catalog.settings import Settings
from etl.batches import batches_of, play_batch
from etl.transform import transform
from etl.twin.conditions import temperature_on
from flows.workspace import prepared
from plugins.connect.intake.announced import take_in
from plugins.evaluation.worlds import asked_worlds
from serving.store.in_force import pricing_on
from warehouse.lake import Partition
from warehouse.workspace import Workspace

DATES = [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]
WEATHER = Partition("weather", None, "all")


def sold(settings: Settings, world: str) -> Workspace:
    """Return a lake in which some days of a world were sold, which nobody has grouped yet."""
    workspace = prepared(settings, asked_worlds([world])[0].catalog)
    for batch in batches_of(workspace.catalog, DATES, None):
        play_batch(workspace, batch, pricing_on(workspace.lake, workspace.catalog, batch.business_date), seed=1)
    return workspace


def told(workspace: Workspace) -> dict[dt.date, float]:
    return {row["date"]: row["temperature"] for row in workspace.lake.read(WEATHER).to_pylist()}


def test_what_shoppers_heed_is_known_through_the_day_after_the_newest_sold(settings: Settings) -> None:
    workspace = sold(settings, "hot days")
    transform(workspace)
    dates = [*DATES, dt.date(2026, 1, 7)]
    expected = {date: pytest.approx(temperature_on(workspace.catalog, date), abs=0.05) for date in dates}
    assert told(workspace) == expected
    receipt = workspace.lake.receipt(WEATHER)
    transform(workspace)
    assert workspace.lake.receipt(WEATHER) == receipt


def test_what_was_announced_stands(settings: Settings) -> None:
    workspace = sold(settings, "hot days")
    file = settings.home / "announced.csv"
    file.write_text(f"date,temperature\n{DATES[1]},-3.5\n")
    take_in(workspace.lake, workspace.catalog, file)
    transform(workspace)
    assert told(workspace)[DATES[1]] == -3.5
    assert len(told(workspace)) == 3


def test_where_nobody_heeds_the_weather_nothing_is_said_of_it(settings: Settings) -> None:
    workspace = sold(settings, "rich weekends")
    transform(workspace)
    assert workspace.lake.receipt(WEATHER) is None
