"""A mirror is a plain folder of one moment of a lake, and whoever reads it neither errs nor sees a mixture."""

import hashlib
import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import duckdb
import pytest
from delta_parts import CELLS, DAY, published, rows_of, staged

from catalog.errors import DamagedError, DataError, Declined, LakeError
from catalog.past_one_machine import LockPlace
from catalog.settings import Settings, read_settings
from cluster.delta.mirrored import DeltaSource
from cluster.delta.naming import object_name
from cluster.delta.store import DeltaStore
from cluster.mirror.source import FolderSource
from cluster.mirror.write import mirror
from warehouse.commit_record import CommitRecord, CommittedPart
from warehouse.lake import Lake
from warehouse.locks import held
from warehouse.partition import Partition, file_of
from warehouse.receipts import Receipt, final_path, read_receipt

SOLD = Partition("unit_sales", DAY, "g000")


@pytest.fixture
def store(delta_settings: Settings) -> DeltaStore:
    opened = DeltaStore(delta_settings)
    for table in ("demand_cells", "unit_sales"):
        opened.tables[table].ensure()
    return opened


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


def shown(copy: Path, partition: Partition) -> Receipt | None:
    """Return the receipt of a mirrored partition; its bytes are those of it."""
    data = file_of((copy / "current").resolve(), partition)
    receipt = read_receipt(final_path(data))
    assert receipt is None or hashlib.sha256(data.read_bytes()).hexdigest() == receipt.sha256
    return receipt


def test_a_mirror_holds_what_is_in_force(store: DeltaStore, copy: Path) -> None:
    receipts = {one: published(store, one) for one in (CELLS, SOLD)}
    staged(store, CELLS, 11)
    done = mirror(DeltaSource(store), copy)
    assert (done.version, done.partitions, done.copied) == (1, 2, 2)
    assert done.bytes == sum(receipt.bytes for receipt in receipts.values())
    assert {one: shown(copy, one) for one in receipts} == receipts
    files = sorted(path.name for path in (copy / "current" / "demand_cells").rglob("*.parquet"))
    assert files == ["part-g000.parquet"]


def test_what_has_not_changed_is_not_copied_again(store: DeltaStore, copy: Path) -> None:
    published(store, CELLS)
    published(store, SOLD)
    mirror(DeltaSource(store), copy)
    inode = file_of(copy / "current", SOLD).stat().st_ino
    newest = published(store, CELLS, 11)
    done = mirror(DeltaSource(store), copy)
    assert (done.version, done.partitions, done.copied, done.bytes) == (2, 2, 1, newest.bytes)
    assert file_of(copy / "current", SOLD).stat().st_ino == inode
    assert shown(copy, CELLS) == newest
    store.put_in_force([CommittedPart(SOLD, None)])
    assert mirror(DeltaSource(store), copy).partitions == 1
    assert sorted(path.name for path in (copy / "versions").iterdir()) == ["2", "3"]
    assert not file_of(copy / "current", SOLD).exists()


def test_a_pending_commit_is_mirrored_whole(store: DeltaStore, copy: Path) -> None:
    first = published(store, CELLS)
    parts = (
        CommittedPart(SOLD, staged(store, SOLD), ""),
        CommittedPart(CELLS, staged(store, CELLS, 11), first.fingerprint),
    )
    store.notes.write("commits/pending/batch.commit.json", CommitRecord("batch", "inputs", parts).to_json())
    store.put_in_force(parts[:1])
    mirror(DeltaSource(store), copy)
    assert {part.partition: shown(copy, part.partition) for part in parts} == {
        part.partition: part.receipt for part in parts
    }


def test_damaged_bytes_are_not_mirrored(store: DeltaStore, copy: Path) -> None:
    published(store, SOLD)
    mirror(DeltaSource(store), copy)
    receipt = published(store, CELLS)
    store.objects.write(object_name(CELLS, receipt.fingerprint), b"x" * receipt.bytes)
    with pytest.raises(DamagedError, match="the mirror is as it was"):
        mirror(DeltaSource(store), copy)
    assert (copy / "current").resolve().name == "1"
    store.objects.remove([object_name(CELLS, receipt.fingerprint)])
    with pytest.raises(LakeError, match="the mirror is as it was"):
        mirror(DeltaSource(store), copy)
    assert (copy / "current").resolve().name == "1"


def commit_both(store: DeltaStore, count: int) -> None:
    """Commit two tables with the same number of rows, as `warehouse.commit` does."""
    before = {one: receipt.fingerprint if (receipt := store.receipt(one)) else "" for one in (SOLD, CELLS)}
    parts = [CommittedPart(one, staged(store, one, count, "batch"), before[one]) for one in (SOLD, CELLS)]
    name = "commits/pending/batch.commit.json"
    store.notes.write(name, CommitRecord("batch", "inputs", tuple(parts)).to_json())
    store.put_in_force(parts)
    store.notes.move(name, "commits/batch.commit.json")


def keep_committing(store: DeltaStore, over: Event) -> None:
    for count in itertools.cycle(range(1, 60)):
        if over.is_set():
            return
        commit_both(store, count)


def keep_counting(copy: Path, over: Event) -> list[tuple[int, int]]:
    """Return how many rows each query found in both tables of the version it was led to."""
    connection, seen = duckdb.connect(), []
    while not over.is_set():
        version = (copy / "current").resolve()
        files = [f"{version}/{table}/*/*.parquet" for table in ("demand_cells", "unit_sales")]
        (cells,), (sold,) = (
            connection.execute("select count(*) from read_parquet(?)", [one]).fetchone() for one in files
        )
        seen.append((cells, sold))
    return seen


def test_readers_of_a_mirror_see_whole_commits_while_the_lake_is_replaced(
    delta_settings: Settings, store: DeltaStore, copy: Path
) -> None:
    over = Event()
    store.prepare()
    commit_both(store, 60)
    mirror(DeltaSource(store), copy)
    with ThreadPoolExecutor(2) as others:
        writing = others.submit(keep_committing, DeltaStore(delta_settings), over)
        reading = others.submit(keep_counting, copy, over)
        try:
            for _ in range(8):
                mirror(DeltaSource(store), copy)
        finally:
            over.set()
    writing.result()
    seen = reading.result()
    assert {cells == sold for cells, sold in seen} == {True}
    assert len(set(seen)) > 1


def test_a_plain_folder_is_mirrored_as_well(tmp_path: Path, copy: Path) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path / "home")}))
    lake.prepare()
    with lake.commit("batch", inputs="inputs", seed=7) as commit:
        for one in (CELLS, SOLD):
            commit.publish(one, rows_of(one.table))
    done = mirror(FolderSource(lake.root), copy)
    assert {one: shown(copy, one) for one in (CELLS, SOLD)} == {one: lake.receipt(one) for one in (CELLS, SOLD)}
    again = mirror(FolderSource(lake.root), copy)
    assert (again.partitions, again.copied) == (done.partitions, 0)
    lake.path(CELLS).write_bytes(b"x" * lake.path(CELLS).stat().st_size)
    assert mirror(FolderSource(lake.root), copy).copied == 0  # an undamaged copy is there already
    with pytest.raises(DamagedError):
        mirror(FolderSource(lake.root), tmp_path / "another")


def test_a_partition_without_a_receipt_that_fits_stops_a_mirror(tmp_path: Path, copy: Path) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path / "home")}))
    lake.publish(CELLS, rows_of("demand_cells"), inputs="inputs", seed=7)
    lake.path(CELLS).write_bytes(b"cut short")
    with pytest.raises(LakeError, match="replaced or damaged"):
        mirror(FolderSource(lake.root), copy)
    assert not (copy / "current").exists()


def test_what_a_kill_left_unfinished_is_written_anew(store: DeltaStore, copy: Path) -> None:
    receipt = published(store, CELLS)
    mirror(DeltaSource(store), copy)
    left = file_of(copy / "versions" / "2", CELLS)
    left.parent.mkdir(parents=True)
    left.write_bytes(b"cut short")
    (copy / "current.new").symlink_to("versions/2")
    assert mirror(DeltaSource(store), copy).version == 2
    assert shown(copy, CELLS) == receipt


def test_one_mirror_of_a_folder_is_written_at_a_time(store: DeltaStore, copy: Path) -> None:
    copy.mkdir()
    with held(LockPlace(copy), "mirror"), pytest.raises(Declined):
        mirror(DeltaSource(store), copy)


def test_a_folder_of_other_files_is_left_alone(store: DeltaStore, copy: Path) -> None:
    copy.mkdir()
    (copy / "letter.txt").write_text("dear")
    with pytest.raises(DataError, match="found other files"):
        mirror(DeltaSource(store), copy)
    assert [path.name for path in copy.iterdir()] == ["letter.txt"]


def test_the_commands_tell_what_they_did(
    store: DeltaStore,
    delta_settings: Settings,
    copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from cluster.commands import mirror, vacuum

    monkeypatch.setattr("cluster.commands.read_settings", lambda: delta_settings)
    published(store, CELLS)
    mirror(copy, as_json=True)
    assert json.loads(capsys.readouterr().out)["partitions"] == 1
    vacuum("1h", as_json=True)
    assert json.loads(capsys.readouterr().out) == {"lake": store.address, "objects": 0, "bytes": 0}
    with pytest.raises(DataError, match="expected a folder outside"):
        mirror(delta_settings.home / "mirror")
