"""A lake of Delta tables, in a folder and in a bucket: what is staged, what counts, and who wins."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import duckdb
import pytest
from delta_parts import CELLS, DAY, ended, in_process, published, rows_of, staged
from deltalake import DeltaTable

from catalog.errors import Declined, LakeError
from catalog.settings import Settings, read_settings
from plugins.operations.delta import reading
from plugins.operations.delta import snapshot as snapshots
from plugins.operations.delta.address import log_options
from plugins.operations.delta.log import CHECKPOINT_EVERY, Look, TableLog
from plugins.operations.delta.naming import object_name, receipt_name
from plugins.operations.delta.reading import duckdb_filesystem
from plugins.operations.delta.store import DeltaStore
from warehouse.commits.record import CommitRecord, CommittedPart
from warehouse.lake import Lake
from warehouse.partition import Partition, name_of

LIVE = Partition("live_interactions", DAY, "live-S001")


@pytest.fixture
def store(bucket_settings: Settings) -> DeltaStore:
    opened = DeltaStore(bucket_settings)
    for table in ("demand_cells", "unit_sales", "products"):
        opened.tables[table].ensure()
    return opened


def version_of(store: DeltaStore, table: str = "demand_cells") -> int:
    return store.tables[table].look().version


@pytest.mark.parametrize("partition", [CELLS, LIVE], ids=["by log", "by pointer"])
def test_what_is_staged_counts_once_it_is_put_in_force(store: DeltaStore, partition: Partition) -> None:
    receipt = staged(store, partition)
    assert not store.holds(partition)
    assert store.receipt(partition) is None
    assert store.published_at(partition) is None
    store.put_in_force([CommittedPart(partition, receipt, "")])
    assert store.receipt(partition) == receipt
    assert hashlib.sha256(store.content(partition)).hexdigest() == receipt.sha256
    assert list(store.partitions(partition.table)) == [partition]
    assert list(store.partitions(partition.table, lambda date: date > DAY)) == []
    age = dt.datetime.now(dt.UTC) - (store.published_at(partition) or dt.datetime.min.replace(tzinfo=dt.UTC))
    assert abs(age) < dt.timedelta(minutes=1)


def test_a_partition_has_the_same_bytes_and_sha256_as_in_a_plain_folder(store: DeltaStore, tmp_path: Path) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path / "plain")}))
    shelf = Partition("products", None, "shelf")
    for partition in (CELLS, shelf):
        plain = lake.publish(partition, rows_of(partition.table), inputs="inputs", seed=7).receipt
        receipt = published(store, partition)
        assert (receipt.sha256, receipt.bytes, receipt.rows) == (plain.sha256, plain.bytes, plain.rows)
        assert store.content(partition) == lake.path(partition).read_bytes()


@pytest.mark.parametrize("partition", [CELLS, LIVE], ids=["by log", "by pointer"])
def test_putting_in_force_again_changes_nothing(store: DeltaStore, partition: Partition) -> None:
    first = published(store, partition)
    part = CommittedPart(partition, staged(store, partition, 11), first.fingerprint)
    store.put_in_force([part])
    version = version_of(store, partition.table)
    store.put_in_force([part])
    store.put_in_force([part])
    assert version_of(store, partition.table) == version
    gone = CommittedPart(partition, None, None)
    store.put_in_force([gone])
    store.put_in_force([gone])
    assert not store.holds(partition)
    with pytest.raises(FileNotFoundError):
        store.content(partition)


@pytest.mark.parametrize("partition", [CELLS, LIVE], ids=["by log", "by pointer"])
def test_what_was_made_from_a_replaced_partition_is_declined(store: DeltaStore, partition: Partition) -> None:
    late = staged(store, partition, 11)
    first = published(store, partition)
    for before in ("", "0" * 64):
        with pytest.raises(Declined, match="another has published it meanwhile"):
            store.put_in_force([CommittedPart(partition, late, before)])
    with pytest.raises(Declined):
        store.put_in_force([CommittedPart(partition, None, late.fingerprint)])
    assert store.receipt(partition) == first


def test_of_a_commit_that_is_declined_nothing_is_put_in_force(store: DeltaStore) -> None:
    sold = Partition("unit_sales", DAY, "g000")
    published(store, CELLS)
    parts = [CommittedPart(sold, staged(store, sold), ""), CommittedPart(CELLS, staged(store, CELLS, 12), "")]
    with pytest.raises(Declined):
        store.put_in_force(parts)
    assert not store.holds(sold)


def test_parts_of_one_table_are_one_version_of_it(store: DeltaStore) -> None:
    parts = [Partition("demand_cells", DAY, f"g{number:03}") for number in range(5)]
    before = version_of(store)
    store.put_in_force([CommittedPart(part, staged(store, part), "") for part in parts])
    assert version_of(store) == before + 1
    assert list(store.partitions("demand_cells")) == parts


@pytest.mark.parametrize("partition", [CELLS, LIVE], ids=["by log", "by pointer"])
def test_of_two_drivers_on_one_partition_one_commits(
    bucket_settings: Settings, store: DeltaStore, partition: Partition
) -> None:
    for turn in range(4):
        before = store.receipt(partition)
        gate = Barrier(2)

        def drive(count: int, before: str, gate: Barrier) -> str:
            own = DeltaStore(bucket_settings)
            part = CommittedPart(partition, staged(own, partition, count), before)
            own.holds(partition)
            gate.wait()
            try:
                own.put_in_force([part])
            except Declined:
                return "declined"
            return "committed"

        with ThreadPoolExecutor(2) as drivers:
            counts = (20 + 2 * turn, 21 + 2 * turn)
            said = list(drivers.map(drive, counts, [before.fingerprint if before else ""] * 2, [gate] * 2))
        assert sorted(said) == ["committed", "declined"]
        receipt = store.receipt(partition)
        assert receipt is not None
        assert receipt.rows == counts[said.index("committed")]


def test_after_a_kill_before_the_commit_nothing_has_changed_and_another_can_finish_it(
    bucket_settings: Settings, store: DeltaStore
) -> None:
    first = published(store, CELLS)
    assert ended(in_process(bucket_settings, "die", CELLS, count=12))[0] == -9
    assert store.receipt(CELLS) == first
    receipt = staged(DeltaStore(bucket_settings), CELLS, 12)  # as its pending record would say
    other = DeltaStore(bucket_settings)
    other.put_in_force([CommittedPart(CELLS, receipt, first.fingerprint)])
    assert store.receipt(CELLS) == receipt


def test_a_commit_whose_bytes_are_gone_is_refused(bucket_settings: Settings, store: DeltaStore) -> None:
    receipt = staged(store, CELLS)
    store.objects.remove([object_name(CELLS, receipt.fingerprint)])
    with pytest.raises(LakeError, match="found none; the commit is unfinished"):
        DeltaStore(bucket_settings).put_in_force([CommittedPart(CELLS, receipt, "")])
    assert not store.holds(CELLS)


def test_a_table_stays_whole_over_checkpoints_and_other_engines_read_it(
    bucket_settings: Settings, store: DeltaStore
) -> None:
    parts = [Partition("demand_cells", DAY, f"g{number:03}") for number in range(5)]
    for turn in range(CHECKPOINT_EVERY // 5 + 2):
        for part in parts:
            published(store, part, 10 + turn)
    names = {one.name for one in store.objects.under("demand_cells/_delta_log")}
    assert any(name.endswith(".checkpoint.parquet") for name in names)
    opened = DeltaStore(bucket_settings)
    assert list(opened.partitions("demand_cells")) == parts
    assert [opened.receipt(part) for part in parts] == [store.receipt(part) for part in parts]
    delta = DeltaTable(opened.objects.address.of("demand_cells"), storage_options=log_options(bucket_settings))
    assert delta.to_pyarrow_table().num_rows == 5 * (10 + turn)
    assert set(delta.to_pyarrow_table()["business_date"].to_pylist()) == {DAY}


def test_two_who_create_the_tables_at_once_both_find_them(bucket_settings: Settings) -> None:
    for table in ("demand_cells", "unit_sales", "products", "demand_curves"):
        stores = [DeltaStore(bucket_settings) for _ in range(4)]
        with ThreadPoolExecutor(4) as drivers:
            list(drivers.map(lambda one, name: one.tables[name].ensure(), stores, [table] * 4))
        assert {version_of(one, table) for one in stores} == {0}


def test_a_table_that_another_program_has_upgraded_is_not_changed(bucket_settings: Settings, store: DeltaStore) -> None:
    receipt = published(store, CELLS)
    protocol = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 4}}
    store.objects.create(f"demand_cells/_delta_log/{version_of(store) + 1:020d}.json", json.dumps(protocol).encode())
    other = Partition("demand_cells", DAY, "g001")
    for opened in (store, DeltaStore(bucket_settings)):
        with pytest.raises(LakeError, match="another program has upgraded it"):
            opened.put_in_force([CommittedPart(other, receipt, "")])


def test_the_number_of_a_table_changes_with_each_change_of_it(store: DeltaStore) -> None:
    other_day = Partition("demand_cells", DAY + dt.timedelta(days=1), "g000")
    seen = [store.changed_at("demand_cells", DAY)]
    for count in (10, 11):
        published(store, CELLS, count)
        seen.append(store.changed_at("demand_cells", DAY))
    published(store, other_day)
    assert store.changed_at("demand_cells", DAY) == seen[-1]
    whole = store.changed_at("demand_cells")
    store.put_in_force([CommittedPart(CELLS, None)])
    seen.append(store.changed_at("demand_cells", DAY))
    assert seen[0] == seen[3] == 0
    assert 0 < seen[1] < seen[2]
    assert store.changed_at("demand_cells") != whole


def test_damaged_bytes_are_written_anew_when_they_are_staged_again(store: DeltaStore) -> None:
    receipt = published(store, CELLS)
    name = object_name(CELLS, receipt.fingerprint)
    store.objects.write(name, b"PAR1 but not ours")
    assert store.content(CELLS) == b"PAR1 but not ours"
    staged(store, CELLS)
    assert hashlib.sha256(store.content(CELLS)).hexdigest() == receipt.sha256


def test_a_receipt_that_is_damaged_proves_nothing(bucket_settings: Settings, store: DeltaStore) -> None:
    receipt = published(store, CELLS)
    text = receipt.to_json().replace('"rows": 10', '"rows": 11')
    store.objects.write(receipt_name(object_name(CELLS, receipt.fingerprint)), text.encode())
    other = DeltaStore(bucket_settings)
    assert other.receipt(CELLS) is None
    assert other.holds(CELLS)


def test_a_partition_that_is_set_aside_keeps_every_byte(store: DeltaStore) -> None:
    published(store, CELLS)
    content = store.content(CELLS)
    moved = store.set_aside(name_of(CELLS))
    assert not store.holds(CELLS)
    assert len(moved) == 2
    names = {one.name: one for one in store.objects.under("set-aside")}
    kept = [store.objects.read(name) for name in names if name.endswith(".parquet")]
    assert kept == [content]


@pytest.mark.parametrize("read_whole", [8 << 20, 100], ids=["whole", "in ranges"])
def test_duckdb_reads_objects_of_any_size_and_finds_nothing_by_a_pattern(
    bucket_settings: Settings, monkeypatch: pytest.MonkeyPatch, read_whole: int
) -> None:
    monkeypatch.setattr(reading, "_READ_WHOLE", read_whole)
    store = DeltaStore(bucket_settings)
    store.tables["demand_cells"].ensure()
    receipt = published(store, CELLS, 5000)
    connection = duckdb.connect()
    connection.register_filesystem(duckdb_filesystem(bucket_settings))
    (place,) = store.places([CELLS])
    for _ in range(2):
        found = connection.execute("select count(*), count(distinct n_offered) from read_parquet(?)", [[place]])
        assert found.fetchone() == (5000, 100)
    for nowhere in (place.replace(receipt.fingerprint[:24], "0" * 24), place.rpartition("/")[0] + "/*.parquet"):
        with pytest.raises(duckdb.IOException, match="No files found"):
            connection.execute("select count(*) from read_parquet(?)", [[nowhere]])
    with pytest.raises(duckdb.Error, match="published by the lake alone"):
        connection.execute(f"copy (select 1) to '{place}'")


def test_of_many_who_create_one_note_one_does(store: DeltaStore) -> None:
    with ThreadPoolExecutor(8) as writers:
        said = list(writers.map(lambda number: store.notes.create("origin.json", f"{number}"), range(8)))
    assert sorted(said) == [False] * 7 + [True]
    assert store.notes.read("origin.json") == str(said.index(True))


def test_notes_are_moved_listed_and_removed(store: DeltaStore) -> None:
    notes = store.notes
    assert notes.read("commits/a.json") is None
    assert notes.changed_at("commits/a.json") == 0
    notes.write("commits/pending/a.json", "first")
    notes.write("commits/pending/b.json", "second")
    assert notes.names("commits/pending") == ["commits/pending/a.json", "commits/pending/b.json"]
    assert notes.names("commits") == []
    assert notes.move("commits/pending/a.json", "commits/a.json")
    assert not notes.move("commits/pending/a.json", "commits/a.json")
    assert (notes.read("commits/a.json"), notes.names("commits")) == ("first", ["commits/a.json"])
    assert notes.changed_at("commits/a.json") > 0
    notes.remove("commits/pending/b.json")
    notes.remove("commits/pending/b.json")
    assert notes.names("commits/pending") == []


def test_a_snapshot_shows_a_pending_commit_whole(store: DeltaStore) -> None:
    sold = Partition("unit_sales", DAY, "g000")
    first, gone = published(store, CELLS), Partition("demand_cells", DAY, "g001")
    published(store, gone)
    parts = (
        CommittedPart(sold, staged(store, sold), ""),
        CommittedPart(CELLS, staged(store, CELLS, 11), first.fingerprint),
        CommittedPart(gone, None),
    )
    store.notes.write("commits/pending/batch.commit.json", CommitRecord("batch", "inputs", parts).to_json())
    store.put_in_force(parts[:1])  # and then it was killed
    found = {partition: standing.fingerprint for partition, standing in store.moment().items()}
    expected = {part.partition: part.receipt.fingerprint[:24] for part in parts if part.receipt}
    assert found == expected
    assert store.receipt(CELLS) == first


class _Meanwhile:
    """Lets commits happen while a snapshot looks at the tables: some tables are looked at before, some after."""

    def __init__(self, *happenings: Callable[[], object], looked_at_before: str = "") -> None:
        self.happenings, self.before, self.looks = list(happenings), looked_at_before, 0
        self._original = snapshots._looks

    def __call__(self, store: DeltaStore) -> dict[str, Look]:
        self.looks += 1
        earlier = self._original(store)
        if self.looks == 1 or not self.happenings:
            return earlier
        self.happenings.pop(0)()
        return self._original(store) | ({self.before: earlier[self.before]} if self.before else {})


def both_to(store: DeltaStore, count: int) -> tuple[CommittedPart, ...]:
    """Stage a commit of two tables."""
    parts = (Partition("unit_sales", DAY, "g000"), CELLS)
    before = {part: receipt.fingerprint if (receipt := store.receipt(part)) else "" for part in parts}
    return tuple(CommittedPart(part, staged(store, part, count, "batch"), before[part]) for part in parts)


def commit(store: DeltaStore, parts: tuple[CommittedPart, ...], *, in_force: int = 2) -> None:
    """Make a commit, or begin it and put some of its parts in force."""
    pending = "commits/pending/batch.commit.json"
    store.notes.write(pending, CommitRecord("batch", "inputs", parts).to_json())
    store.put_in_force(parts[:in_force])
    if in_force == len(parts):
        store.notes.move(pending, "commits/batch.commit.json")


def shown_rows(store: DeltaStore) -> set[int]:
    return {standing.rows for standing in snapshots.snapshot(store).values()}


@pytest.mark.parametrize("in_force", [1, 2], ids=["goes on", "has ended"])
def test_a_snapshot_shows_a_commit_whole_that_began_while_it_looked(
    store: DeltaStore, monkeypatch: pytest.MonkeyPatch, in_force: int
) -> None:
    commit(store, both_to(store, 10))
    late = both_to(store, 11)
    meanwhile = _Meanwhile(lambda: commit(store, late, in_force=in_force), looked_at_before="demand_cells")
    monkeypatch.setattr(snapshots, "_looks", meanwhile)
    assert shown_rows(store) == {11}
    assert meanwhile.looks > 2


def test_what_another_commit_has_replaced_is_not_laid_over(store: DeltaStore) -> None:
    first = published(store, CELLS)
    part = CommittedPart(CELLS, staged(store, CELLS, 11), first.fingerprint)
    store.notes.write("commits/pending/old.commit.json", CommitRecord("old", "inputs", (part,)).to_json())
    newest = published(store, CELLS, 12)
    assert store.moment()[CELLS].is_of(newest.fingerprint)


def test_every_table_is_there_once_the_store_is_prepared(bucket_settings: Settings) -> None:
    from catalog.tables.contracts import TABLES

    store = DeltaStore(bucket_settings)
    store.prepare()
    store.prepare()
    logs = {name for name, table in store.tables.items() if isinstance(table, TableLog)}
    assert {name for name in logs if version_of(store, name) == 0} == logs
    assert TABLES.keys() - logs == {"live_interactions", "live_repricings"}
    assert list(store.objects.under("probes")) == []
