"""What other engines do to the tables of a lake, and what they read there."""

import pyarrow as pa
import pytest
from delta_parts import CELLS, DAY, published, rows_of
from deltalake import DeltaTable, write_deltalake

from catalog.settings import Settings
from plugins.operations.checks.doctor import Home, mend
from plugins.operations.checks.proving import inspect, verify
from plugins.operations.delta.address import log_options
from plugins.operations.delta.naming import object_name, receipt_name
from plugins.operations.delta.store import DeltaStore
from warehouse.lake import Lake, empty_partition
from warehouse.partition import Partition


@pytest.fixture
def store(bucket_settings: Settings) -> DeltaStore:
    opened = DeltaStore(bucket_settings)
    for table in ("demand_cells", "unit_sales"):
        opened.tables[table].ensure()
    return opened


def as_others_see(settings: Settings, table: str = "demand_cells") -> DeltaTable:
    return DeltaTable(DeltaStore(settings).objects.address.of(table), storage_options=log_options(settings))


def appended(settings: Settings, count: int = 3) -> None:
    rows = rows_of("demand_cells", count)
    rows = rows.append_column(pa.field("business_date", pa.date32(), nullable=False), pa.array([DAY] * count))
    write_deltalake(as_others_see(settings), rows, mode="append")


def test_a_full_vacuum_of_another_engine_leaves_every_receipt(bucket_settings: Settings, store: DeltaStore) -> None:
    receipt = published(store, CELLS)
    gone = as_others_see(bucket_settings).vacuum(
        retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True
    )
    assert gone == []
    opened = DeltaStore(bucket_settings)
    assert opened.receipt(CELLS) == receipt
    assert inspect_of(opened) == []


def inspect_of(store: DeltaStore) -> list[str]:
    return [said.message for name in store.names() for said in store.check(name)[0]]


def test_rows_that_another_engine_appended_are_named_and_go_with_a_repair(
    bucket_settings: Settings, store: DeltaStore
) -> None:
    receipt = published(store, CELLS)
    appended(bucket_settings)
    assert store.receipt(CELLS) == receipt
    for opened in (store, DeltaStore(bucket_settings)):
        (said,) = inspect_of(opened)
        assert "another program added it" in said
    lake = Lake(bucket_settings)
    assert [verify(lake, only_changed=True).findings for _ in range(2)] == [inspect(lake).findings] * 2
    (name,) = store.foreign_names()
    published(store, Partition("demand_cells", DAY, "g001"))
    assert as_others_see(bucket_settings).to_pyarrow_table().num_rows == 23
    content = store.objects.read(name)
    (moved,) = store.set_aside(name)
    assert store.objects.read(f"set-aside/{name}") == content
    assert moved.endswith(f"set-aside/{name}")
    assert as_others_see(bucket_settings).to_pyarrow_table().num_rows == 20
    assert inspect_of(store) == inspect_of(DeltaStore(bucket_settings)) == []


def test_the_doctor_mends_an_append_and_the_lost_receipt_of_an_empty_table(
    bucket_settings: Settings,
) -> None:
    lake = Lake(bucket_settings)
    lake.prepare()
    assert isinstance(lake.store, DeltaStore)
    appended(bucket_settings)
    empty = empty_partition("ingested_files")
    receipt = lake.receipt(empty)
    assert receipt is not None
    lake.store.objects.remove([receipt_name(object_name(empty, receipt.fingerprint))])
    lake.store._receipts.clear()  # as in another process
    found = {one.fault.what.partition(" part-")[0]: (one.done, one.remains) for one in mend(Home(bucket_settings))}
    assert found == {
        "orphaned: the file": ("set aside", None),
        "damaged: the columns of ingested_files": ("made anew", None),
    }
    assert inspect(Lake(bucket_settings)).findings == ()
