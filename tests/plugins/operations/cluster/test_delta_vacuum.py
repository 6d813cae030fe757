"""Objects that nothing names any more go, and nothing else does."""

import datetime as dt
import json
import signal
from dataclasses import replace
from typing import Self

import pytest
from delta_parts import CELLS, DAY, ended, in_process, published, staged

from catalog.errors import DataError, LakeError
from catalog.settings import Settings
from plugins.operations.checks.proving import Strays, inspect
from plugins.operations.commands.checks import doctor, health
from plugins.operations.delta import store as store_module
from plugins.operations.delta.naming import object_name, of_pointer, receipt_name
from plugins.operations.delta.objects import ObjectState
from plugins.operations.delta.store import DeltaStore
from plugins.operations.delta.vacuum import Removed, strays, vacuum
from warehouse.commits.record import CommitRecord, CommittedPart
from warehouse.lake import Lake
from warehouse.partition import Partition
from warehouse.receipts import RECEIPTS, Receipt

LIVE = Partition("live_interactions", DAY, "live-S001")
LONG = dt.timedelta(days=1)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def store(bucket_settings: Settings) -> DeltaStore:
    opened = DeltaStore(bucket_settings)
    for table in ("demand_cells", "unit_sales"):
        opened.tables[table].ensure()
    return opened


def both(partition: Partition, receipt: Receipt) -> set[str]:
    name = object_name(partition, receipt.fingerprint)
    return {name, receipt_name(name)}


def stands(store: DeltaStore, *tables: str) -> set[str]:
    folders = [f"{folder}{table}" for table in tables for folder in ("", f"{RECEIPTS}/")]
    return {one.name for folder in folders for one in store.objects.under(folder) if "_delta_log" not in one.name}


@pytest.mark.parametrize("partition", [CELLS, LIVE], ids=["by log", "by pointer"])
def test_what_was_replaced_long_ago_goes_and_what_is_in_force_stays(store: DeltaStore, partition: Partition) -> None:
    first, second = published(store, partition, 10), published(store, partition, 11)
    never = staged(store, partition, 12)
    assert {one.name for one in strays(store)} == both(partition, first) | both(partition, never)
    removed = vacuum(store, LONG, now() + 3 * LONG)
    assert removed.objects == 4
    assert removed.bytes > first.bytes + never.bytes
    assert stands(store, partition.table) == both(partition, second)
    assert len(store.content(partition)) == second.bytes
    assert strays(store) == []


def test_what_a_kill_left_before_its_commit_is_noted_and_is_no_fault(
    bucket_settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("plugins.operations.commands.checks.read_settings", lambda: bucket_settings)
    lake = Lake(bucket_settings)
    lake.prepare()
    assert inspect(lake).strays == Strays()
    health(files=True)
    assert "note" not in capsys.readouterr().err
    died = in_process(bucket_settings, "die", CELLS, count=10)
    assert ended(died)[0] == -signal.SIGKILL
    found = inspect(lake)
    assert found.findings == ()
    assert found.strays.objects == 2  # its rows and its receipt
    assert found.strays.bytes == sum(one.bytes for one in strays(DeltaStore(bucket_settings)))
    health(files=True)
    assert "note: 2 objects (0.0 MB) that nothing in force names" in " ".join(capsys.readouterr().err.split())
    health(files=True, as_json=True)
    assert json.loads(capsys.readouterr().out)["strays"] == {"objects": 2, "bytes": found.strays.bytes}


@pytest.mark.parametrize("partition", [CELLS, LIVE], ids=["by log", "by pointer"])
def test_what_is_young_stays(store: DeltaStore, partition: Partition) -> None:
    published(store, partition, 10)
    published(store, partition, 11)
    staged(store, partition, 12)
    before = stands(store, partition.table)
    assert vacuum(store, LONG, now()) == Removed(0, 0)
    assert stands(store, partition.table) == before


def test_what_a_young_version_names_stays_however_old_its_objects_are(
    store: DeltaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The objects are old and were replaced a moment ago: who reads the version before is still at it."""
    first = published(store, CELLS, 10)
    published(store, CELLS, 11)
    later = now() + 3 * LONG
    table = store.tables["demand_cells"]
    named = table.named_since(now() - LONG)  # type: ignore[attr-defined]
    assert (CELLS, first.fingerprint[:24]) in named
    monkeypatch.setattr(type(table), "named_since", lambda _table, _limit: named)
    assert vacuum(store, LONG, later) == Removed(0, 0)
    assert both(CELLS, first) <= stands(store, "demand_cells")


def test_what_a_pointer_named_until_of_late_stays(store: DeltaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The objects are old; the pointer, which keeps no history, was written a moment ago."""
    receipts = [published(store, LIVE, count) for count in (10, 11)]
    limit = now() + 2 * LONG
    under = store.objects.under

    def dated(one: ObjectState) -> ObjectState:
        return replace(one, changed_at=limit + LONG) if of_pointer(one.name) else one

    monkeypatch.setattr(store.objects, "under", lambda folder: map(dated, under(folder)))
    vacuum(store, LONG, limit + LONG)
    monkeypatch.undo()
    assert stands(store, "live_interactions") == both(LIVE, receipts[0]) | both(LIVE, receipts[1])


def test_what_a_pending_commit_names_stays(store: DeltaStore) -> None:
    sold = Partition("unit_sales", DAY, "g000")
    parts = (CommittedPart(sold, staged(store, sold), ""), CommittedPart(CELLS, staged(store, CELLS), ""))
    store.notes.write("commits/pending/batch.commit.json", CommitRecord("batch", "inputs", parts).to_json())
    assert vacuum(store, LONG, now() + 3 * LONG) == Removed(0, 0)
    store.put_in_force(parts)
    assert store.holds(sold)
    assert store.holds(CELLS)


def test_a_damaged_pending_record_stops_it(store: DeltaStore) -> None:
    published(store, CELLS, 10)
    published(store, CELLS, 11)
    store.notes.write("commits/pending/batch.commit.json", "{}")
    before = stands(store, "demand_cells")
    with pytest.raises(LakeError, match="nothing was removed"):
        vacuum(store, LONG, now() + 3 * LONG)
    assert stands(store, "demand_cells") == before


def test_old_bytes_that_are_staged_again_are_young_again(store: DeltaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = published(store, CELLS, 10)
    published(store, CELLS, 11)
    name = object_name(CELLS, first.fingerprint)
    written: list[str] = []
    write = store.objects.write
    monkeypatch.setattr(store.objects, "write", lambda one, content: (written.append(one), write(one, content)))
    staged(store, CELLS, 10)
    assert written == []
    monkeypatch.setattr(store_module, "_YOUNG", dt.timedelta(seconds=-10))
    staged(store, CELLS, 10)
    assert written == [name, receipt_name(name)]


def test_an_object_that_was_written_anew_meanwhile_stays(store: DeltaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = published(store, CELLS, 10)
    published(store, CELLS, 11)
    limit = now() + 2 * LONG
    state = store.objects.state

    def young(name: str) -> ObjectState | None:
        found = state(name)
        return found and replace(found, changed_at=limit + LONG)

    monkeypatch.setattr(store.objects, "state", young)
    assert vacuum(store, LONG, limit + LONG) == Removed(0, 0)
    assert both(CELLS, first) <= stands(store, "demand_cells")


def test_a_machine_whose_clock_is_days_ahead_removes_nothing_young(
    bucket_settings: Settings, store: DeltaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Self:
            return super().now(tz) + 3 * LONG

    receipt = staged(store, CELLS)  # by another machine, a moment ago
    monkeypatch.setattr("plugins.operations.commands.checks.read_settings", lambda: bucket_settings)
    monkeypatch.setattr(dt, "datetime", Ahead)
    doctor(vacuum=1)
    monkeypatch.undo()
    assert both(CELLS, receipt) <= stands(store, "demand_cells")
    assert list(store.objects.under("probes")) == []


@pytest.mark.parametrize("length", [dt.timedelta(hours=23), dt.timedelta(days=31)])
def test_a_limit_that_protects_too_little_or_too_much_is_refused(store: DeltaStore, length: dt.timedelta) -> None:
    with pytest.raises(DataError, match="1 to 30 days"):
        vacuum(store, length, now())


def test_the_lake_is_whole_after_its_logs_are_cleaned_up(bucket_settings: Settings, store: DeltaStore) -> None:
    receipts = [published(store, Partition("demand_cells", DAY, f"g{number:03}")) for number in range(3)]
    vacuum(store, LONG, now() + 3 * LONG)
    opened = DeltaStore(bucket_settings)
    assert [opened.receipt(one) for one in opened.partitions("demand_cells")] == receipts
    published(opened, CELLS, 12)
    assert store.receipt(CELLS) == opened.receipt(CELLS)
