"""Dates that are grouped and have not changed are not looked into again; any change brings a date back."""

import datetime as dt
import os
import shutil
import time
from pathlib import Path

import pytest

from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings, read_settings
from etl.batches import batches_of, play_batch
from etl.transform import transform
from features.grouped import RECORD, look_at_folders, settle
from flows.workspace import prepared
from serving.in_force import pricing_on
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

DAYS = [dt.date(2026, 3, 2), dt.date(2026, 3, 3)]
A_MINUTE = 60 * 10**9  # nanoseconds


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a town that sold two days, which were grouped; it is copied."""
    home = tmp_path_factory.mktemp("grouped")
    workspace = prepared(read_settings({"SHELFPRICE_HOME": str(home)}), load(CLASSIC))
    for date in DAYS:
        play(workspace, date, seed=7)
    transform(workspace)
    return home


@pytest.fixture
def town(grouped: Path, settings: Settings) -> Workspace:
    shutil.copytree(grouped, settings.home, dirs_exist_ok=True)
    workspace = Workspace(settings, load(CLASSIC), Lake(settings))
    let_time_pass(workspace.lake)
    return workspace


def play(workspace: Workspace, date: dt.date, seed: int) -> None:
    for batch in batches_of(workspace.catalog, [date], 1):
        play_batch(workspace, batch, pricing_on(workspace.lake, workspace.catalog, date, "static"), seed)


def let_time_pass(lake: Lake) -> None:
    """Make the folders of all dates a minute older than they are."""
    for folder in lake.root.glob("**/business_date=*"):
        changed = folder.stat().st_mtime_ns - A_MINUTE
        os.utime(folder, ns=(changed, changed))


def settled(workspace: Workspace, catalog: Catalog | None = None) -> list[dt.date]:
    return sorted(look_at_folders(workspace.lake, catalog or workspace.catalog).settled)


def empty_date(dates: list[dt.date]) -> list[dt.date]:
    return [date for date in dates if date.year > 1970]


def test_a_date_is_settled_once_a_look_found_it_grouped(town: Workspace) -> None:
    assert empty_date(settled(town)) == []
    assert transform(town).partitions == 0
    assert empty_date(settled(town)) == DAYS


def test_the_receipts_of_a_settled_date_are_not_read(town: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    transform(town)
    read: list[Partition] = []
    receipt = Lake.receipt

    def watched(lake: Lake, partition: Partition) -> object:
        read.append(partition)
        return receipt(lake, partition)

    monkeypatch.setattr(Lake, "receipt", watched)
    transform(town)
    assert [one for one in read if one.table in {"interactions", "demand_cells"}] == []


def test_a_day_that_was_played_anew_is_grouped_again_and_it_alone(town: Workspace) -> None:
    transform(town)
    play(town, DAYS[0], seed=8)
    assert empty_date(settled(town)) == DAYS[1:]
    assert transform(town).dates == (DAYS[0],)


def test_cells_that_are_gone_are_made_again(town: Workspace) -> None:
    transform(town)
    town.lake.remove(Partition("demand_cells", DAYS[1], "g000"))
    assert transform(town).dates == (DAYS[1],)


def test_other_base_prices_bring_every_date_back(town: Workspace) -> None:
    transform(town)
    milk, *others = town.catalog.products
    dearer = milk.model_copy(update={"base_price": round(milk.base_price * 1.01, 2)})
    assert settled(town, Catalog((dearer, *others), town.catalog.store)) == []


def test_a_date_that_changed_an_instant_ago_is_looked_at_once_more(town: Workspace) -> None:
    play(town, DAYS[0], seed=8)
    transform(town)
    an_hour_on = time.time() + 3_600  # an instant ago, however busy the machine is
    os.utime(town.lake.path(Partition("demand_cells", DAYS[0], "g000")).parent, (an_hour_on, an_hour_on))
    assert transform(town).partitions == 0
    assert empty_date(settled(town)) == DAYS[1:]


def test_a_date_with_a_stale_partition_is_not_settled(town: Workspace) -> None:
    look = look_at_folders(town.lake, town.catalog)
    settle(town.lake, look, {DAYS[0]})
    assert empty_date(settled(town)) == DAYS[1:]


@pytest.mark.parametrize("spoiled", ["", "[]", '{"dates": 3}', '{"definition": 1, "dates": {}}', "\0"])
def test_a_record_that_cannot_be_read_costs_time_and_nothing_else(town: Workspace, spoiled: str) -> None:
    transform(town)
    Path(town.lake.root / RECORD).write_text(spoiled, encoding="utf-8")
    assert settled(town) == []
    assert transform(town).partitions == 0
    assert empty_date(settled(town)) == DAYS
