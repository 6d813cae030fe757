import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.errors import Declined
from catalog.settings import Settings
from plugins.operations.checks.proving import verify
from warehouse import receipts
from warehouse.commits.locks import held, is_held
from warehouse.lake import Lake, Partition

HOLD = """
import sys
from pathlib import Path
from catalog.settings import LockPlace
from warehouse.commits.locks import held
with held(LockPlace(Path(sys.argv[1])), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def someone_else_holding(settings: Settings, name: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(settings.locks.folder), name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.server
def test_the_second_writer_of_a_partition_is_declined_and_told_who_holds_it(
    lake: Lake, settings: Settings, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    lake.publish(partition, cells(), inputs="old")
    with someone_else_holding(settings, partition.lock_name) as process:
        with pytest.raises(Declined, match=f"being written by process {process.pid};"):
            lake.publish(partition, cells(9), inputs="new")
        assert lake.is_current(partition, "old")
        assert lake.publish(Partition("demand_cells", partition.business_date, "S02"), cells(), inputs="x")


@pytest.mark.server
def test_a_writer_that_is_killed_frees_its_partition(
    lake: Lake, settings: Settings, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    with someone_else_holding(settings, partition.lock_name):
        assert is_held(settings.locks, partition.lock_name)
    assert not is_held(settings.locks, partition.lock_name)
    assert lake.publish(partition, cells(), inputs="new").action == "written"


@pytest.mark.server
def test_verify_counts_a_partition_that_is_being_written_and_does_not_judge_it(
    lake: Lake, settings: Settings, partition: Partition, cells: Callable[..., pa.Table]
) -> None:
    lake.publish(partition, cells(), inputs="old")
    lake.path(partition).write_bytes(b"half")
    with someone_else_holding(settings, partition.lock_name):
        verdict = verify(lake)
        assert (verdict.files, verdict.being_written, verdict.findings) == (1, 1, ())
    assert [finding.kind for finding in verify(lake).findings] == ["damaged"]


def test_a_lock_is_free_before_and_after_and_held_between(settings: Settings) -> None:
    assert not is_held(settings.locks, "x")
    with held(settings.locks, "x"):
        assert is_held(settings.locks, "x")
        with pytest.raises(Declined), held(settings.locks, "x"):
            pass
        assert is_held(settings.locks, "x")
    assert not is_held(settings.locks, "x")


def test_someone_who_only_looks_does_not_make_a_writer_decline(
    lake: Lake,
    settings: Settings,
    partition: Partition,
    cells: Callable[..., pa.Table],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake.publish(partition, cells(), inputs="old")
    looking = os.open(settings.locks.folder / f"{partition.lock_name}.lock", os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr("time.sleep", lambda _: os.close(looking))
    assert lake.publish(partition, cells(9), inputs="new").action == "replaced"


def test_a_reader_who_meets_a_replacement_finds_the_receipt_of_one_of_both(
    lake: Lake, partition: Partition, cells: Callable[..., pa.Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.publish(partition, cells(), inputs="old")
    look_up, replaced = receipts.pending_path, list[bool]()

    def replaced_meanwhile(data: Path) -> Path:
        if not replaced:  # the reader has read the receipt of the old bytes by now
            replaced.append(True)
            lake.publish(partition, cells(9), inputs="new")
        return look_up(data)

    monkeypatch.setattr(receipts, "pending_path", replaced_meanwhile)
    receipt = lake.receipt(partition)
    assert receipt is not None
    assert receipt.inputs == "new"
