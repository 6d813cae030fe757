"""Nights: which comes next, what closing a day does, and that nothing is done twice. Learning stands in its place."""

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from once_a_run import living_in, without_heartbeats
from prefect.client.orchestration import get_client

from catalog.errors import DataError, Declined, ModelError
from catalog.load import CLASSIC, load
from catalog.settings import Settings
from etl.calendar import DEFAULT_START, ONE_DAY
from etl.ledger import commit_of
from etl.open_days import LiveDay
from features.cells import stale_cells
from flows.nightly import backfill, nightly
from flows.workspace import open_workspace
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from serving.belief.table import belief_from_table
from serving.book.make import new_book
from serving.learning.outlook import start_of_day
from tests.support.believing import first_belief
from training.backfill import Filled
from training.evening import Evening
from training.schedule import (
    Night,
    inputs_of_night,
    is_done,
    needs_a_decision,
    night_to_do,
    record,
    recorded,
    refuse_what_cannot_be_closed,
)
from warehouse.commits.locks import held
from warehouse.commits.record import CommittedPart
from warehouse.lake import Lake, Partition
from warehouse.stores import folder as local

FIRST = DEFAULT_START
SEED = 7


def books_and_records(evening: Evening) -> Night:
    """Decide a night without a model: price the day after by what is believed before anybody came."""
    workspace, date, seed = evening.workspace, evening.date, evening.seed
    catalog, tomorrow = workspace.catalog, date + ONE_DAY
    belief = first_belief(catalog)
    outlook = start_of_day(catalog, belief_from_table(belief, catalog)).outlook()
    book = new_book(catalog, outlook.curves, outlook.start.footfall.by_tick, tomorrow, belief)
    night = Night(date, "priced", priced_by="belief")
    record(workspace.lake, night, inputs_of_night(workspace.lake, workspace.catalog, date, seed), book)
    return night


class Town:
    """A home and a small catalog; three stores, a few visits, twelve ticks a day."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.exists():
            self.furnish()
        self.workspace = open_workspace(str(folder))

    def furnish(self) -> None:
        self.folder.mkdir()
        for name in ("products.yaml", "store.yaml"):
            shutil.copy(CLASSIC / name, self.folder / name)
        store = (self.folder / "store.yaml").read_text(encoding="utf-8")
        small = store.replace("visits_per_day: 500", "visits_per_day: 60").replace(
            "tick_minutes: 15", "tick_minutes: 60"
        )
        (self.folder / "store.yaml").write_text(small, encoding="utf-8")

    @property
    def lake(self) -> Lake:
        return self.workspace.lake

    def night(self, date: dt.date | None = None) -> Night:
        return nightly(date, SEED, str(self.folder))

    def fill(self, start: dt.date, end: dt.date, *, force: bool = False) -> list[Filled]:
        return backfill(start, end, force, SEED, str(self.folder))

    def sell_live(self, store: str, date: dt.date, ticks: int) -> None:
        day = LiveDay(store, date)
        player = Player(self.lake, LivePrices(self.lake, lambda: self.workspace.catalog, day, SEED), day, SEED)
        while player.next_tick < ticks:
            player.sell_tick()

    def bytes_of(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.lake.root)): path.read_bytes() for path in self.lake.root.rglob("part-*.parquet")
        }

    def remove(self, table: str, date: dt.date) -> None:
        for part in list(self.lake.partitions(table)):
            if part.business_date == date:
                self.lake.remove(part)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a town before its first day; it is copied."""
    home = tmp_path_factory.mktemp("furnished")
    with living_in(home):
        Town(home / "catalog")
    return home


@pytest.fixture
def town(furnished: Path, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setattr("training.night.decide", books_and_records)
    shutil.copytree(furnished, empty_home, dirs_exist_ok=True)
    return Town(empty_home / "catalog")


@pytest.fixture(scope="module")
def quiet(prefect_server: str, furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return every data file of a town after a night that nothing disturbed."""
    home = shutil.copytree(furnished, tmp_path_factory.mktemp("quiet") / "home")
    with living_in(home), without_heartbeats(), patch("training.night.decide", books_and_records):
        town = Town(home / "catalog")
        town.night()
    return town.bytes_of()


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings)


@pytest.fixture(scope="module")
def two_days(sell_two_days: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return sell_two_days(tmp_path_factory.mktemp("two-days"))


@pytest.fixture
def sold(two_days: Settings, settings: Settings) -> Lake:
    """A lake in which 5 and 6 January were sold, and the first of their nights was priced."""
    shutil.copytree(two_days.lake, settings.lake)
    return Lake(settings)


def newest_run(named: str) -> tuple[str, dict[str, object]]:
    with get_client(sync_client=True) as client:
        found = [run for run in client.read_flow_runs(limit=200) if run.name == named]
    return (found[0].name, found[0].parameters) if found else ("", {})


def test_a_night_comes_after_the_newest_date_until_it_is_done_and_then_the_next_day(sold: Lake) -> None:
    newest = dt.date(2026, 1, 6)
    assert night_to_do(sold) == newest
    assert needs_a_decision(sold, newest)
    assert not needs_a_decision(sold, newest - ONE_DAY)
    record(sold, Night(newest, "base prices stay"), "inputs")
    assert night_to_do(sold) == newest + ONE_DAY
    assert not needs_a_decision(sold, newest)


def test_the_first_night_of_an_empty_lake_is_that_of_the_first_date(lake: Lake) -> None:
    assert night_to_do(lake) == DEFAULT_START


def test_decisions_that_were_ingested_are_waited_for_and_never_simulated(lake: Lake, two_days: Settings) -> None:
    newest = dt.date(2026, 1, 6)
    for part in Lake(two_days).partitions("interactions"):
        lake.publish(replace(part, group="export-1"), Lake(two_days).read(part), inputs="an export")
    record(lake, Night(newest, "base prices stay"), "inputs")
    assert night_to_do(lake) == newest
    with pytest.raises(Declined, match="the last ingested, since none is simulated, found 2026-01-07"):
        refuse_what_cannot_be_closed(lake, newest + ONE_DAY)
    with pytest.raises(Declined, match="ingest its decisions first"):
        refuse_what_cannot_be_closed(lake, newest + 2 * ONE_DAY)


def test_a_date_beyond_tomorrow_is_declined_with_the_command_that_fills_the_gap(sold: Lake) -> None:
    with pytest.raises(Declined, match="backfill --start 2026-01-07 --end 2026-01-09"):
        refuse_what_cannot_be_closed(sold, dt.date(2026, 1, 9))


def test_a_date_before_the_first_is_declined_for_it_would_leave_a_gap(sold: Lake) -> None:
    with pytest.raises(Declined, match=r"on or after 2026-01-05.*backfill --start 1999-01-01 --end 2026-01-04"):
        refuse_what_cannot_be_closed(sold, dt.date(1999, 1, 1))


def test_a_night_is_kept_as_it_was_decided_and_is_not_done_while_its_book_is_missing(lake: Lake) -> None:
    night = Night(FIRST, "priced", "3", promoted=True, priced_by="3")
    record(lake, night, "inputs")
    assert recorded(lake, FIRST) == night
    assert not is_done(lake, FIRST)
    held_on = Night(FIRST + ONE_DAY, "base prices stay")
    record(lake, held_on, "inputs")
    assert is_done(lake, FIRST + ONE_DAY)


def test_what_a_night_is_decided_from_is_the_catalog_the_seed_and_the_cells_up_to_its_date(sold: Lake) -> None:
    catalog = load(CLASSIC)
    first, second = dt.date(2026, 1, 5), dt.date(2026, 1, 6)
    before = inputs_of_night(sold, catalog, first, 7), inputs_of_night(sold, catalog, second, 7)
    assert len({*before, inputs_of_night(sold, catalog, first, 8)}) == 3
    victim = next(part for part in sold.partitions("demand_cells") if part.business_date == second)
    sold.publish(victim, sold.read(victim).slice(1), inputs="others")
    assert inputs_of_night(sold, catalog, first, 7) == before[0]
    assert inputs_of_night(sold, catalog, second, 7) != before[1]


def test_nights_go_on_day_by_day_named_by_their_date_and_a_rerun_changes_nothing(town: Town) -> None:
    assert [town.night().business_date for _ in range(2)] == [FIRST, FIRST + ONE_DAY]
    before = town.bytes_of()
    name, parameters = newest_run(f"nightly-{FIRST}")
    assert name
    assert parameters["date"] == str(FIRST)
    assert town.night(FIRST).outcome == "priced"
    assert town.night(FIRST + ONE_DAY) == recorded(town.lake, FIRST + ONE_DAY)
    assert town.bytes_of() == before
    assert list(stale_cells(town.lake, town.workspace.catalog)) == []


def test_a_live_day_is_sold_to_its_end_and_the_other_stores_are_played(town: Town, empty_home: Path) -> None:
    town.sell_live("S02", FIRST, 5)
    town.night()
    assert LiveDay("S02", FIRST).is_closed(town.lake)
    parts = {part.group: town.lake.read(part) for part in town.lake.partitions("interactions")}
    assert set(parts) == {"g000", "live-S02"}
    assert set(parts["g000"]["store_id"].to_pylist()) == {"S01", "S03"}
    assert max(parts["live-S02"]["tick"].to_pylist()) > 5


def test_a_store_that_someone_is_selling_keeps_the_night_waiting(town: Town) -> None:
    town.sell_live("S02", FIRST, 5)
    with held(town.workspace.settings.locks, "live-S02"), pytest.raises(Declined, match="store S02 is being sold live"):
        town.night()
    assert not list(town.lake.partitions("booked_prices"))


def test_one_night_of_a_lake_at_a_time_and_the_other_one_says_who_is_at_it(town: Town) -> None:
    with held(town.workspace.settings.locks, "night"):
        for start in (town.night, lambda: town.fill(FIRST, FIRST)):
            with pytest.raises(Declined, match="a night, or a backfill, of this lake is being done by process"):
                start()
    assert not list(town.lake.partitions("interactions"))


@pytest.mark.parametrize("part", ["repricings", "interactions", "demand_curves", "booked_prices", "nights"])
def test_killed_before_any_part_is_in_force_and_run_again_a_night_ends_with_the_same_bytes(
    town: Town, quiet: dict[str, bytes], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_force = local.put_part_in_force

    def die_at(root: Path, committed: CommittedPart) -> None:
        if committed.partition.table == part:
            raise KeyboardInterrupt
        put_in_force(root, committed)

    with monkeypatch.context() as patched:
        patched.setattr(local, "put_part_in_force", die_at)
        with pytest.raises(KeyboardInterrupt):
            town.night()
    town.night()
    assert town.bytes_of() == quiet


@pytest.mark.parametrize("command", ["nightly", "backfill"])
def test_when_old_prices_hold_the_night_fails_and_is_still_to_do(
    town: Town, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_on = Night(FIRST, "old prices hold", said="the registry is away")
    monkeypatch.setattr("training.night.decide", lambda *_, **__: held_on)
    with pytest.raises(ModelError, match="old prices hold: the registry is away; run this night again"):
        town.night() if command == "nightly" else town.fill(FIRST, FIRST)
    assert night_to_do(town.lake) == FIRST


def test_backfill_makes_what_is_missing_in_order_and_leaves_the_rest_alone(town: Town) -> None:
    days = [FIRST + n * ONE_DAY for n in range(3)]
    assert [day.decisions for day in town.fill(days[0], days[2])] == ["made"] * 3
    whole = town.bytes_of()
    assert town.fill(days[0], days[2]) == [Filled(day, "unchanged", "unchanged", "unchanged") for day in days]
    town.remove("interactions", days[1])
    town.remove("demand_cells", days[2])
    town.remove("booked_prices", days[1])
    assert town.fill(days[0], days[2]) == [
        Filled(days[0], "unchanged", "unchanged", "made"),
        Filled(days[1], "made", "unchanged", "unchanged"),
        Filled(days[2], "unchanged", "made", "unchanged"),
    ]
    assert town.bytes_of() == whole


def test_forced_it_makes_everything_anew_to_the_same_bytes_and_replaces_what_was_not_so(town: Town) -> None:
    days = [FIRST + n * ONE_DAY for n in range(2)]
    town.fill(days[0], days[1])
    whole = town.bytes_of()
    assert {day.decisions for day in town.fill(days[0], days[1], force=True)} == {"unchanged"}
    assert town.bytes_of() == whole
    wrong = Partition("interactions", days[1], "g000")
    receipt = town.lake.receipt(wrong)
    assert receipt is not None
    name = commit_of(days[1], wrong.group)
    with town.lake.commit(name, inputs=receipt.inputs, seed=receipt.seed, amends=True) as commit:
        commit.publish(wrong, town.lake.read(wrong).slice(7))
    assert town.fill(*days)[1].decisions == "unchanged"
    assert town.fill(*days, force=True)[1].decisions == "replaced"
    assert town.bytes_of() == whole


def test_backfill_refuses_dates_in_the_wrong_order_and_gaps(town: Town) -> None:
    with pytest.raises(DataError, match="expected an end on or after the start 2026-01-09"):
        town.fill(dt.date(2026, 1, 9), dt.date(2026, 1, 8))
    town.night()
    with pytest.raises(Declined, match="backfill --start 2026-01-06 --end 2026-01-09"):
        town.fill(dt.date(2026, 1, 9), dt.date(2026, 1, 12))
