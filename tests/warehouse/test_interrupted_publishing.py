import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from catalog.errors import LakeError
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from plugins.operations.checks.proving import verify
from warehouse.lake import Lake, Partition
from warehouse.receipts import final_path
from warehouse.stores import folder as local_store
from warehouse.stores import folder as store_module

pytestmark = pytest.mark.server

STEPS = (
    "write the draft",
    "sync it",
    "pending receipt",
    "its name",
    "name",
    "sync folder",
    "final receipt",
    "sync folder again",
)

DIE = """
import os, sys
from pathlib import Path
from catalog.settings import read_settings
from warehouse.lake import Lake, Partition
import pyarrow.parquet as pq
from catalog.tables.contracts import TABLES
home, step = sys.argv[1], int(sys.argv[2])
lake = Lake(read_settings({"SHELFPRICE_HOME": home}))
source = Partition("shoppers", None, "source")
rows = pq.read_table(lake.path(source)).cast(TABLES["shoppers"].schema)
replace, calls = Path.replace, []
def dying(self, target):
    calls.append(1)
    if len(calls) == step:
        os._exit(9)
    return replace(self, target)
Path.replace = dying
lake.publish(Partition("shoppers", None, "all"), rows, inputs="new")
"""


def die_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let publishing be interrupted right before its step number `step`, from 0."""
    calls = 0

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == step + 1:
                raise KeyboardInterrupt
            return act(*arguments)

        return call

    for module, name in (
        (store_module, "write_parquet"),
        (store_module, "sync_file"),
        (store_module, "write_durably"),
        (local_store, "sync_folder"),
    ):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))


@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
@pytest.mark.parametrize("there_before", [False, True], ids=["first time", "replacing"])
def test_a_kill_before_any_step_leaves_old_or_new_rows_and_a_rerun_gives_the_same_bytes(
    lake: Lake,
    partition: Partition,
    cells: Callable[..., pa.Table],
    monkeypatch: pytest.MonkeyPatch,
    there_before: bool,
    step: int,
) -> None:
    lake.publish(partition, cells(9, offered=5), inputs="new")
    undisturbed = lake.path(partition).read_bytes()
    for path in (lake.path(partition), final_path(lake.path(partition))):
        path.unlink()
    if there_before:
        lake.publish(partition, cells(), inputs="old")

    with monkeypatch.context() as patched:
        die_at(patched, step)
        with pytest.raises(KeyboardInterrupt):
            lake.publish(partition, cells(9, offered=5), inputs="new")

    assert verify(lake).findings == ()
    receipt = lake.receipt(partition)
    named = step > STEPS.index("name")
    assert (receipt.inputs if receipt else None) == ("new" if named else "old" if there_before else None)
    if receipt:
        assert lake.read(partition).num_rows == receipt.rows

    lake.publish(partition, cells(9, offered=5), inputs="new")
    assert lake.path(partition).read_bytes() == undisturbed
    assert lake.is_current(partition, "new")
    assert not list(lake.root.rglob("*.parquet.new"))
    assert verify(lake).findings == ()


@pytest.mark.parametrize("step", [2, 3])
def test_a_process_that_dies_at_once_between_the_renames_leaves_a_sound_lake(
    lake: Lake, settings: Settings, step: int
) -> None:
    def people(n_shoppers: int) -> pa.Table:
        names = [f"Shopper {number}" for number in range(n_shoppers)]
        schema = TABLES["shoppers"].schema
        return pa.table({"shopper_id": range(n_shoppers), "shopper_name": names}, schema=schema)

    lake.publish(Partition("shoppers", None, "source"), people(20), inputs="")
    target = Partition("shoppers", None, "all")
    lake.publish(target, people(10), inputs="old")

    died = subprocess.run([sys.executable, "-c", DIE, str(settings.home), str(step)], check=False)

    assert died.returncode == 9
    assert verify(lake).findings == ()
    assert verify(lake).being_written == 0
    assert lake.read(target).num_rows == (10 if step == 2 else 20)
    lake.publish(target, people(20), inputs="new")
    assert lake.path(target).read_bytes() == lake.path(Partition("shoppers", None, "source")).read_bytes()
    assert verify(lake).findings == ()


def test_a_kill_between_the_renames_and_then_a_full_disk_leave_the_newer_rows_proven(
    lake: Lake, partition: Partition, cells: Callable[..., pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.publish(partition, cells(), inputs="first")
    with monkeypatch.context() as patched:
        die_at(patched, STEPS.index("final receipt"))
        with pytest.raises(KeyboardInterrupt):
            lake.publish(partition, cells(9), inputs="second")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(store_module, "write_parquet", full)
        with pytest.raises(LakeError):
            lake.publish(partition, cells(12), inputs="third")
    assert verify(lake).findings == ()
    assert lake.is_current(partition, "second")


@pytest.mark.parametrize("refuses", ["write_parquet", "sync_file", "write_durably"])
def test_a_full_disk_leaves_the_old_partition_intact_and_no_draft(
    lake: Lake, partition: Partition, cells: Callable[..., pa.Table], monkeypatch: pytest.MonkeyPatch, refuses: str
) -> None:
    lake.publish(partition, cells(), inputs="old")
    before = {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()}

    def full(*arguments: object) -> None:
        for argument in arguments:
            if isinstance(argument, Path):
                argument.write_bytes(b"PAR1 half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(store_module, refuses, full)
        with pytest.raises(LakeError, match=r"No space left on device.*is unchanged"):
            lake.publish(partition, cells(9), inputs="new")

    assert {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()} == before
    assert lake.is_current(partition, "old")
    assert verify(lake).findings == ()


def test_a_home_that_is_no_folder_is_refused_in_one_line(
    lake: Lake, settings: Settings, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    settings.lake.write_text("not a folder")
    with pytest.raises(LakeError, match="cannot be written"):
        lake.publish(partition, cells(), inputs="a")
    assert settings.lake.read_text() == "not a folder"


@pytest.mark.parametrize("step", range(4), ids=["pending receipt", "data", "receipt", "sync folder"])
def test_a_kill_before_any_step_of_removing_leaves_the_partition_or_nothing(
    lake: Lake, partition: Partition, cells: Callable[..., pa.Table], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    lake.publish(partition, cells(), inputs="old")
    calls = 0

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == step + 1:
                raise KeyboardInterrupt
            return act(*arguments, **options)

        return call

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", counted(Path.replace))
        patched.setattr(Path, "unlink", counted(Path.unlink))
        patched.setattr(local_store, "sync_folder", counted(local_store.sync_folder))
        with pytest.raises(KeyboardInterrupt):
            lake.remove(partition)
    assert verify(lake).findings == ()
    assert (lake.receipt(partition) is not None) == (step < 2)
    lake.remove(partition)
    assert lake.receipt(partition) is None
    data = lake.path(partition)
    assert [*data.parent.iterdir(), *final_path(data).parent.iterdir()] == []
    lake.publish(partition, cells(), inputs="new")
    assert verify(lake).findings == ()


def test_removing_what_is_not_there_changes_nothing(lake: Lake, partition: Partition) -> None:
    lake.remove(partition)
    assert lake.receipt(partition) is None
