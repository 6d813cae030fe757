"""What other engines do to the tables of a lake, and what they read there."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from delta_parts import CELLS, DAY, published, rows_of, staged
from deltalake import DeltaTable, write_deltalake

from catalog.settings import Settings
from cluster.delta.address import log_options
from cluster.delta.entries import lines_of
from cluster.delta.naming import object_name, receipt_name
from cluster.delta.statistics import statistics_of
from cluster.delta.store import DeltaStore
from operate.doctor import Home, mend
from warehouse.commit_record import CommittedPart
from warehouse.lake import Lake, empty_partition
from warehouse.partition import Partition
from warehouse.proof import inspect, verify


@pytest.fixture
def store(delta_settings: Settings) -> DeltaStore:
    opened = DeltaStore(delta_settings)
    for table in ("demand_cells", "unit_sales"):
        opened.tables[table].ensure()
    return opened


def as_others_see(settings: Settings, table: str = "demand_cells") -> DeltaTable:
    return DeltaTable(DeltaStore(settings).objects.address.of(table), storage_options=log_options(settings))


def appended(settings: Settings, count: int = 3) -> None:
    rows = rows_of("demand_cells", count)
    rows = rows.append_column(pa.field("business_date", pa.date32(), nullable=False), pa.array([DAY] * count))
    write_deltalake(as_others_see(settings), rows, mode="append")


def last_entry(store: DeltaStore) -> list[dict[str, dict[str, object]]]:
    version = store.tables["demand_cells"].look().version
    return list(lines_of(store.objects.read(f"demand_cells/_delta_log/{version:020d}.json") or b""))


def test_a_full_vacuum_of_another_engine_leaves_every_receipt(delta_settings: Settings, store: DeltaStore) -> None:
    receipt = published(store, CELLS)
    gone = as_others_see(delta_settings).vacuum(
        retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True
    )
    assert gone == []
    opened = DeltaStore(delta_settings)
    assert opened.receipt(CELLS) == receipt
    assert inspect_of(opened) == []


def inspect_of(store: DeltaStore) -> list[str]:
    return [said.message for name in store.names() for said in store.check(name)[0]]


def test_rows_that_another_engine_appended_are_named_with_who_did_it_and_go_with_a_repair(
    delta_settings: Settings, store: DeltaStore
) -> None:
    receipt = published(store, CELLS)
    appended(delta_settings)
    assert store.receipt(CELLS) == receipt
    for opened in (store, DeltaStore(delta_settings)):
        (said,) = inspect_of(opened)
        assert "delta-rs" in said
        assert "(WRITE)" in said
    lake = Lake(delta_settings)
    assert [verify(lake, only_changed=True).findings for _ in range(2)] == [inspect(lake).findings] * 2
    (name,) = store.foreign_names()
    published(store, Partition("demand_cells", DAY, "g001"))
    assert as_others_see(delta_settings).to_pyarrow_table().num_rows == 23
    content = store.objects.read(name)
    (moved,) = store.set_aside(name)
    assert store.objects.read(f"set-aside/{name}") == content
    assert moved.endswith(f"set-aside/{name}")
    assert as_others_see(delta_settings).to_pyarrow_table().num_rows == 20
    assert inspect_of(store) == inspect_of(DeltaStore(delta_settings)) == []


def test_the_doctor_mends_an_append_and_the_lost_receipt_of_an_empty_table(
    folder_settings: Settings,
) -> None:
    lake = Lake(folder_settings)
    lake.prepare()
    assert isinstance(lake.store, DeltaStore)
    appended(folder_settings)
    empty = empty_partition("ingested_files")
    receipt = lake.receipt(empty)
    assert receipt is not None
    lake.store.objects.remove([receipt_name(object_name(empty, receipt.fingerprint))])
    lake.store._receipts.clear()  # as in another process
    found = {one.fault.what.partition(" part-")[0]: (one.done, one.remains) for one in mend(Home(folder_settings))}
    assert found == {
        "orphaned: the file": ("set aside", None),
        "damaged: the columns of ingested_files": ("made anew", None),
    }
    assert inspect(Lake(folder_settings)).findings == ()


@pytest.mark.parametrize(("before", "operation", "mode"), [(None, "WRITE", "Append"), (9, "WRITE", "Overwrite")])
def test_an_entry_says_whether_it_adds_or_replaces(
    store: DeltaStore, before: int | None, operation: str, mode: str
) -> None:
    if before:
        published(store, CELLS, before)
    published(store, CELLS)
    info = last_entry(store)[0]["commitInfo"]
    assert info["operation"] == operation
    assert info["operationParameters"] == {"mode": mode, "partitionBy": '["business_date"]'}
    store.put_in_force([CommittedPart(CELLS, None)])
    assert last_entry(store)[0]["commitInfo"]["operation"] == "DELETE"


def test_other_engines_are_told_the_bounds_of_each_file(delta_settings: Settings, store: DeltaStore) -> None:
    receipt = staged(store, CELLS, 50)
    DeltaStore(delta_settings).put_in_force([CommittedPart(CELLS, receipt)])  # another process finishes the commit
    published(store, Partition("demand_cells", DAY, "g001"), 5)
    columns = ("min.n_offered", "max.n_offered", "null_count.n_offered")
    rows = pa.table(as_others_see(delta_settings).get_add_actions(flatten=True)).to_pylist()
    assert sorted(tuple(row[name] for name in columns) for row in rows) == [(0, 4, 0), (0, 49, 0)]
    again = json.loads(statistics_of(store.content(CELLS)))
    assert again["numRecords"] == receipt.rows
    found = as_others_see(delta_settings).to_pyarrow_dataset().to_table(filter=pc.field("n_offered") > 40)
    assert found.num_rows == 9
