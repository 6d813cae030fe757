"""Events and the weather of dates to come, from a file: all of it is taken in or nothing."""

import datetime as dt
from pathlib import Path

import pytest

from catalog.errors import DataError
from catalog.load import CLASSIC, load
from catalog.settings import Settings
from flows.workspace import prepared
from plugins.connect.intake.announced import Announced, take_in
from warehouse.lake import Partition
from warehouse.workspace import Workspace

CHRISTMAS, NEXT = dt.date(2026, 12, 24), dt.date(2026, 12, 25)


@pytest.fixture
def workspace(settings: Settings) -> Workspace:
    return prepared(settings, load(CLASSIC))


def take(workspace: Workspace, text: str) -> Announced:
    file = workspace.settings.home / "announced.csv"
    file.write_bytes(text.encode("latin-1"))
    return take_in(workspace.lake, workspace.catalog, file)


def rows(workspace: Workspace, table: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in workspace.lake.read(Partition(table, None, "all")).to_pylist()]


def test_a_file_says_all_there_is_of_its_dates_and_leaves_others_alone(workspace: Workspace) -> None:
    found = take(workspace, "date,store,event\n2026-12-24,,market\n2026-12-24,S01,choir\n2026-12-25,,market\n")
    assert found == Announced(dates=2, events=3, weather=0)
    take(workspace, "date,store,event\n2026-12-24,S02,market\n")
    assert rows(workspace, "events") == [(CHRISTMAS, "S02", "market"), (NEXT, None, "market")]
    take(workspace, "date,event\n2026-12-24,\n")
    assert rows(workspace, "events") == [(NEXT, None, "market")]


def test_a_file_of_the_weather_leaves_events_alone(workspace: Workspace) -> None:
    take(workspace, "date,event\n2026-12-24,market\n")
    take(workspace, "date,temperature\n2026-12-24,-3.5\n")
    take(workspace, "date,temperature\n2026-12-24,0\n")
    assert rows(workspace, "events") == [(CHRISTMAS, None, "market")]
    assert rows(workspace, "weather") == [(CHRISTMAS, None, 0.0)]


def test_the_same_file_again_changes_nothing(workspace: Workspace) -> None:
    text = "date,event\n2026-12-24,market\n2026-12-24,market\n"
    take(workspace, text)
    part = Partition("events", None, "all")
    before = workspace.lake.receipt(part)
    take(workspace, text)
    assert workspace.lake.receipt(part) == before
    assert len(rows(workspace, "events")) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("datum,event\n", "found the columns datum, event"),
        ("date,store\n2026-12-24,S01\n", "found the columns date, store"),
        ("date,event,event\n", "found the columns date, event, event"),
        ("date,event\n24.12.2026,x\n", "line 2: expected a date such as 2026-12-24, found '24.12.2026'"),
        ("date,store,event\n2026-12-24,S99,x\n", "line 2: expected a store of the catalog or none, found 'S99'"),
        ("date,event\n2026-12-24,a b\n", "line 2: expected an event of 32 letters, digits, _ . or - at most"),
        ("date,temperature\n2026-12-24,warm\n", "line 2: expected -90 to 60 degrees Celsius, found 'warm'"),
        ("date,temperature\n2026-12-24,nan\n", "line 2: expected -90 to 60 degrees Celsius, found 'nan'"),
        ("date,event\n2026-12-24,a,b\n", "line 2: expected as many values as columns, found more"),
        ("date,temperature\n2026-12-24,1\n2026-12-24,2\n", "expected one temperature of 2026-12-24 in all stores"),
        ("date,event\n2026-12-24,\xff\n", "can't decode byte 0xff"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_and_nothing_of_it_is_taken(
    workspace: Workspace, text: str, why: str
) -> None:
    take(workspace, "date,event\n2026-12-24,market\n")
    with pytest.raises(DataError, match="nothing was taken in") as refused:
        take(workspace, text)
    assert why in str(refused.value)
    assert rows(workspace, "events") == [(CHRISTMAS, None, "market")]


def test_a_file_that_is_not_there_is_told_in_words(workspace: Workspace) -> None:
    with pytest.raises(DataError, match="found No such file or directory; nothing was taken in"):
        take_in(workspace.lake, workspace.catalog, Path("nowhere.csv"))
