"""A commit is made whole or not at all, whenever it is killed, and whoever comes next finishes it."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ContractError, Declined, LakeError
from plugins.operations.checks.proving import verify
from warehouse.commits import commit as commit_module
from warehouse.commits import notes as notes_module
from warehouse.commits.notes import FolderNotes
from warehouse.commits.record import (
    CommitRecord,
    CommittedPart,
    final_record,
    pending_names,
    pending_record_name,
    read_record,
    record_name,
)
from warehouse.lake import Lake, Partition
from warehouse.receipts import Receipt
from warehouse.stores import folder as local_store
from warehouse.stores import folder as store_module

Cells = Callable[..., pa.Table]

HOLD = """
import sys, time
from catalog.settings import read_settings
from warehouse.lake import Lake
with Lake(read_settings({"SHELFPRICE_HOME": sys.argv[1]})).commit("batch-1", inputs="x"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def parts(partition: Partition) -> list[Partition]:
    """Name three partitions that belong together, and a fourth that goes when they change."""
    return [Partition("demand_cells", partition.business_date, group) for group in ("a", "b", "c", "gone")]


def make(lake: Lake, parts: list[Partition], cells: Cells, offered: int) -> None:
    """Commit three partitions of some rows, and remove the fourth."""
    with lake.commit("batch-1", inputs=f"inputs {offered}") as commit:
        for number, part in enumerate(parts[:3]):
            commit.publish(part, cells(5 + number, offered=offered))
        commit.remove(parts[3])


def begin_and_fail(lake: Lake, parts: list[Partition], cells: Cells) -> None:
    """Stage two partitions, the second with a column too few."""
    with lake.commit("batch-1", inputs="new") as commit:
        commit.publish(parts[0], cells(9))
        commit.publish(parts[1], cells(9).drop_columns(["sku"]))


def state(lake: Lake, parts: list[Partition]) -> list[bytes | None]:
    return [lake.path(part).read_bytes() if lake.receipt(part) else None for part in parts]


class Killed(KeyboardInterrupt):
    """Stands for a kill: nothing that handles errors sees it."""


def dying_at(monkeypatch: pytest.MonkeyPatch, step: int) -> Callable[[], int]:
    """Die right before the file operation number `step`, from 1; return how many there were."""
    calls = 0

    def counted(act: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls == step:
                raise Killed
            return act(*arguments, **options)

        return call

    for name in ("write_parquet", "sync_file"):
        monkeypatch.setattr(store_module, name, counted(getattr(store_module, name)))
    for name in ("sync_file", "sync_folder"):
        monkeypatch.setattr(notes_module, name, counted(getattr(notes_module, name)))
    monkeypatch.setattr(local_store, "sync_folder", counted(local_store.sync_folder))
    monkeypatch.setattr(os, "link", counted(os.link))
    for name in ("replace", "unlink", "write_text"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))
    return lambda: calls


def kills(lake: Lake, parts: list[Partition], cells: Cells, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Kill a commit over an earlier one before each of its steps; yield after each kill."""
    step = 0
    while True:
        step += 1
        for part in parts[:3]:
            lake.remove(part)
        make(lake, parts, cells, 1)
        lake.publish(parts[3], cells(4), inputs="old")
        with monkeypatch.context() as patched:
            dying_at(patched, step)
            try:
                make(lake, parts, cells, 2)
            except Killed:
                pass
            else:
                return
        yield step


def test_a_commit_killed_before_any_step_is_whole_or_not_there_and_a_rerun_gives_the_same_bytes(
    lake: Lake, parts: list[Partition], cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(lake, parts, cells, 1)
    lake.publish(parts[3], cells(4), inputs="old")
    before = state(lake, parts)
    make(lake, parts, cells, 2)
    after, record = state(lake, parts), lake.notes.read(record_name("batch-1"))
    steps = 0
    for steps in kills(lake, parts, cells, monkeypatch):
        lake.finish_interrupted()
        assert state(lake, parts) in (before, after), f"mixed after a kill before step {steps}"
        assert verify(lake).findings == ()
        make(lake, parts, cells, 2)
        assert state(lake, parts) == after
        assert lake.notes.read(record_name("batch-1")) == record
        assert lake.committed("batch-1") is not None
        assert not list(lake.root.rglob("*.new"))
        assert pending_names(lake.notes) == []
    assert steps > 20


def test_who_comes_next_finishes_a_commit_before_it_writes_one_of_its_parts(
    lake: Lake, parts: list[Partition], cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(lake, parts, cells, 2)
    after = state(lake, parts)
    seen = set()
    for _ in kills(lake, parts, cells, monkeypatch):
        was_pending = bool(pending_names(lake.notes))
        lake.publish(parts[0], cells(9, offered=7), inputs="another")
        seen.add(was_pending)
        assert pending_names(lake.notes) == []
        if was_pending:
            assert state(lake, parts)[1:] == after[1:]
        lake.remove(parts[0])
    assert seen == {True, False}


@pytest.mark.parametrize("refuses", ["write_parquet", "sync_file", "write_durably", "write_pending"])
def test_a_full_disk_leaves_everything_as_it_was(
    lake: Lake, parts: list[Partition], cells: Cells, monkeypatch: pytest.MonkeyPatch, refuses: str
) -> None:
    make(lake, parts, cells, 1)
    before = {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()}
    module = commit_module if refuses == "write_pending" else store_module
    act, calls = getattr(module, refuses), 0

    def full(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls < (1 if refuses == "write_pending" else 3):
            return act(*arguments)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(module, refuses, full)
        with pytest.raises(LakeError, match=r"batch-1 cannot be written .No space left.*is unchanged"):
            make(lake, parts, cells, 2)
    assert {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()} == before


def test_a_disk_that_refuses_behind_the_record_leaves_a_commit_that_counts_and_says_so(
    lake: Lake, parts: list[Partition], cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(lake, parts, cells, 2)
    after = state(lake, parts)
    make(lake, parts, cells, 1)

    def refuses(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(local_store, "sync_folder", refuses)
        with pytest.raises(LakeError, match=r"batch-1 cannot be written .Input/output error. to its end; it counts"):
            make(lake, parts, cells, 2)
    assert lake.finish_interrupted() == ["batch-1"]
    assert state(lake, parts) == after
    assert verify(lake).findings == ()


def test_an_error_in_the_block_changes_nothing(lake: Lake, parts: list[Partition], cells: Cells) -> None:
    make(lake, parts, cells, 1)
    before = {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()}
    with pytest.raises(ContractError):
        begin_and_fail(lake, parts, cells)
    assert {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()} == before


@pytest.mark.server
def test_two_commits_of_one_name_do_not_wait_for_each_other_one_is_declined(lake: Lake) -> None:
    command = [sys.executable, "-c", HOLD, str(lake.root.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(Declined, match=f"the decisions of 1 are being written by process {other.pid}"),
            lake.commit("batch-1", inputs="y"),
        ):
            pass
        other.kill()


def test_a_part_that_another_commit_takes_over_is_no_mixture_and_one_published_alone_is(
    lake: Lake, parts: list[Partition], cells: Cells
) -> None:
    make(lake, parts, cells, 1)
    with lake.commit("other", inputs="other") as commit:
        commit.publish(parts[1], cells(9))
    assert verify(lake).findings == ()
    lake.publish(parts[2], cells(9), inputs="alone")
    assert [(lake.root / finding.name, finding.kind) for finding in verify(lake).findings] == [
        (lake.path(parts[2]), "mixed")
    ]
    assert lake.committed("batch-1") is None


def test_a_commit_that_amends_keeps_its_other_parts(lake: Lake, parts: list[Partition], cells: Cells) -> None:
    make(lake, parts, cells, 1)
    with lake.commit("batch-1", inputs="amended", amends=True) as commit:
        commit.publish(parts[0], cells(9))
    record = lake.committed("batch-1")
    assert record is not None
    assert {part.partition for part in record.parts} == set(parts[:3])
    assert verify(lake).findings == ()


def test_a_part_that_is_removed_is_no_part_any_more(lake: Lake, parts: list[Partition], cells: Cells) -> None:
    make(lake, parts, cells, 1)
    lake.remove(parts[0])
    assert verify(lake).findings == ()
    lake.path(parts[1]).unlink()
    assert [finding.kind for finding in verify(lake).findings] == ["missing"]
    for part in parts[1:3]:
        lake.remove(part)


def test_a_flipped_bit_anywhere_in_a_record_is_found(lake: Lake, parts: list[Partition], cells: Cells) -> None:
    make(lake, parts, cells, 1)
    path = lake.root / record_name("batch-1")
    content = path.read_bytes()
    for place in range(0, len(content), 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        assert [(lake.root / finding.name, finding.kind) for finding in verify(lake).findings] == [(path, "damaged")]
        assert lake.committed("batch-1") is None


def test_a_pending_record_that_is_damaged_is_named_and_stops_nobody(
    lake: Lake, parts: list[Partition], cells: Cells
) -> None:
    make(lake, parts, cells, 1)
    path = lake.root / pending_record_name("batch-2")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{half")
    assert [(lake.root / finding.name, finding.kind) for finding in verify(lake).findings] == [(path, "unfinished")]
    make(lake, parts, cells, 2)


@given(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.lists(st.tuples(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 2**31))), max_size=4),
)
def test_a_record_read_again_is_the_record(
    tmp_path_factory: pytest.TempPathFactory, inputs: str, said: list[tuple[int, int | None]]
) -> None:
    parts = tuple(
        CommittedPart(
            Partition("nights", None, f"p{number}"),
            None if seed is None else Receipt(number, number, "a" * 64, inputs, seed, "1"),
        )
        for number, seed in said
    )
    record = CommitRecord("night-2026-01-05", inputs, parts)
    notes = FolderNotes(tmp_path_factory.mktemp("records"))
    notes.write("one.json", record.to_json())
    assert read_record(notes, "one.json") == record


@pytest.mark.parametrize("name", ["", "../out", "a/b", ".hidden", "a" * 201, "a\n"])
def test_a_name_that_could_lead_out_of_the_lake_is_refused(lake: Lake, name: str) -> None:
    with pytest.raises(ContractError, match="expected a commit's name"):
        record_name(name)


def test_what_a_commit_takes_out_is_a_part_of_no_other_commit_wherever_it_is_killed(
    monkeypatch: pytest.MonkeyPatch, lake: Lake, parts: list[Partition], cells: Cells
) -> None:
    step = 0
    is_over = False
    while not is_over:
        step += 1
        with lake.commit("earlier", inputs="x") as commit:
            commit.publish(parts[0], cells(5))
            commit.publish(parts[3], cells(6))
        with monkeypatch.context() as patch:
            dying_at(patch, step)
            try:
                with lake.commit("later", inputs="y") as commit:
                    commit.publish(parts[1], cells(7))
                    commit.remove(parts[3])
                is_over = True
            except Killed:
                pass
        assert verify(lake).findings == (), step
        if lake.receipt(parts[3]) is None:
            record = final_record(lake.notes, "earlier")
            assert record is not None
            assert not record.holds(parts[3])
            assert record.holds(parts[0])
    assert step > 8, "it was killed in every step of the removal"
