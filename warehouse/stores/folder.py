"""The store of a lake in a plain folder.

`<table>/business_date=YYYY-MM-DD/part-<group>.parquet`, tables without dates `<table>/part-<key>.parquet`. The folder
of a table holds nothing else. Receipts and staged files stand under `receipts/`; putting a file in force renames it.

A receipt is written as pending before the data is renamed into place and becomes final after, so that at every moment,
also right after a kill, each partition has a receipt that matches its bytes. What is moved out of the lake stands
beside it: nothing that may still be looked at is deleted.
"""

import datetime as dt
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import duckdb
import pyarrow as pa

from catalog.errors import LakeError
from catalog.hooks import STORE
from catalog.names import EMPTY_GROUP
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from warehouse.commits.notes import FolderNotes
from warehouse.commits.record import CommittedPart
from warehouse.files import modified_at, sha256_of, sha256_while_unchanged, sync_file, sync_folder, write_durably
from warehouse.parquet import write_parquet
from warehouse.partition import Partition, Within, file_of, folder_of, partition_of, table_called
from warehouse.receipts import (
    RECEIPT_ENDING,
    RECEIPTS,
    Receipt,
    data_path,
    draft_path,
    final_path,
    pending_path,
    proves,
    read_receipt,
    receipt_in_force,
)
from warehouse.stores.protocol import LakeStore

FOLDER = "set-aside"


def put_aside(root: Path, files: Iterable[Path]) -> list[Path]:
    """Move those of the files that are there out of the lake under `root`, and return where each went."""
    moved = []
    for path in files:
        if path.exists():
            target = _free_name(root.parent / FOLDER / path.relative_to(root))
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            moved.append(target)
    return moved


def _free_name(path: Path) -> Path:
    """Return the path, or the path with the first number that is free."""
    numbered = (path.with_name(f"{path.name}.{number}") for number in itertools.count(1))
    return path if not path.exists() else next(name for name in numbered if not name.exists())


def put_part_in_force(root: Path, part: CommittedPart) -> None:
    """Rename a staged part into place, or take away one that is removed; doing it twice does no harm."""
    data = file_of(root, part.partition)
    if part.receipt is None:
        remove_files(data)
        return
    before = receipt_in_force(data)
    if before == part.receipt:
        settle_interrupted(data, before)
        draft_path(data).unlink(missing_ok=True)
        return
    is_staged = holds_receipt(pending_path(data), part.receipt)
    if is_staged and draft_path(data).exists():
        draft_path(data).replace(data)
        sync_folder(data.parent)
    elif not is_staged or not data.exists() or sha256_of(data) != part.receipt.sha256:
        raise LakeError(
            f"{data}: expected the bytes that were committed, found neither them nor their draft; the commit is "
            "unfinished, run `shelfprice doctor`"
        )
    pending_path(data).replace(final_path(data))
    sync_folder(final_path(data).parent)


def remove_files(data: Path) -> None:
    """Remove a partition's file and receipt.

    The receipt is pending while the data is removed: after a kill the partition is as it was, or as after an
    interrupted first publication, which no reader sees.
    """
    if final_path(data).exists():
        final_path(data).replace(pending_path(data))
    data.unlink(missing_ok=True)
    pending_path(data).unlink(missing_ok=True)
    for folder in (data.parent, final_path(data).parent):
        if folder.exists():
            sync_folder(folder)


def settle_interrupted(data: Path, in_force: Receipt | None) -> None:
    """Finish what a kill interrupted: a pending receipt that matches the data becomes final, any other is removed."""
    pending = pending_path(data)
    if pending.exists():
        if in_force is not None and holds_receipt(pending, in_force):
            pending.replace(final_path(data))
        else:
            pending.unlink()


def holds_receipt(path: Path, receipt: Receipt) -> bool:
    """Return whether a file is this receipt."""
    try:
        return read_receipt(path) == receipt
    except LakeError:
        return False


_DAY_FOLDER = re.compile(r"business_date=(\d{4}-\d{2}-\d{2})")


class LocalStore:
    """A lake under one folder; see `warehouse.stores.protocol.LakeStore`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notes = FolderNotes(root)

    @property
    def address(self) -> str:
        """The folder."""
        return str(self.root)

    @property
    def is_shared(self) -> bool:
        """No: the kernel's locks are seen by whoever sees the folder."""
        return False

    @property
    def views(self) -> Path:
        """The views over files by pattern."""
        return Path(__file__).parent / "views"

    def exists(self) -> bool:
        """Return whether the folder is there."""
        return self.root.is_dir()

    def prepare(self) -> None:
        """Do nothing: a folder of the kernel's needs no proof that it can be relied on."""

    def path(self, partition: Partition) -> Path:
        """Return the file of a partition, whether it is there or not."""
        return file_of(self.root, partition)

    def where(self, partition: Partition) -> str:
        """Return the path of a partition's file, for messages."""
        return str(self.path(partition))

    def partitions(self, table: str, within: Within | None = None) -> Iterator[Partition]:
        """Yield the partitions of a table, in order of date and group; folders of other dates are not looked into."""
        if table_called(table).by == "key":
            yield from self.partitions_on(table, None)
            return
        for date, folder in sorted(self._day_folders(table).items()):
            if within is None or within(date):
                yield from _partitions_in(folder, table, date)

    def partitions_on(self, table: str, date: dt.date | None) -> Iterator[Partition]:
        """Yield the partitions of one business date, or of a table without dates, in order of group."""
        yield from _partitions_in(folder_of(self.root, table, date), table, date)

    def traces(self, table: str) -> Iterator[Partition]:
        """Yield the partitions of a table, and those of which the receipt alone is left; the empty one is left out."""
        receipts = (self.root / RECEIPTS / table).glob(f"**/part-*{RECEIPT_ENDING}")
        for data in sorted({*(self.root / table).glob("**/part-*.parquet"), *map(data_path, receipts)}):
            partition = partition_of(self.root, data)
            if partition is not None and partition.group != EMPTY_GROUP:
                yield partition

    def dates(self, table: str) -> list[dt.date]:
        """Return the business dates that a table by day may hold partitions of, ascending; some may hold none."""
        return sorted(self._day_folders(table))

    def receipt(self, partition: Partition) -> Receipt | None:
        """Return the receipt in force; None when the partition is missing or its receipt is damaged."""
        return receipt_in_force(self.path(partition))

    def holds(self, partition: Partition) -> bool:
        """Return whether a partition's file is there, proven or not."""
        return self.path(partition).exists()

    def content(self, partition: Partition) -> bytes:
        """Return the bytes in force, as they stand."""
        return self.path(partition).read_bytes()

    def sha256(self, partition: Partition) -> str:
        """Return the SHA-256 of the bytes in force; while the file stands as it did, it is read once in a process."""
        return sha256_while_unchanged(self.path(partition))

    def sha256_anew(self, partition: Partition) -> str:
        """Return the SHA-256 of the bytes in force, every one of which is read."""
        return sha256_of(self.path(partition))

    def proves(self, partition: Partition, sha256: str) -> bool:
        """Return whether a receipt of the partition is of these bytes."""
        return proves(self.path(partition), sha256)

    def places(self, partitions: Iterable[Partition]) -> list[str]:
        """Return the files of those partitions that are there."""
        return [str(path) for path in map(self.path, partitions) if path.exists()]

    def snapshot(self) -> dict[Partition, str]:
        """Return the file of every partition that is there, the empty ones among them."""
        return {partition: str(self.path(partition)) for name in TABLES for partition in self.partitions(name)}

    def let_open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Do nothing: DuckDB opens files."""

    @property
    def folders(self) -> list[str]:
        """The folder by its names; views name its files from the home, DuckDB looks from where we are."""
        return sorted(f"{folder}/" for folder in {"lake", str(self.root), str(self.root.resolve())})

    def changes(self, table: str) -> dict[dt.date, int]:
        """Return when a partition or receipt of each date of a table by day changed last, nanoseconds since 1970."""
        return {date: self._changed_in(folder) for date, folder in self._day_folders(table).items()}

    def changed_at(self, table: str, date: dt.date | None = None) -> int:
        """Return when a table changed last, on one business date if given: nanoseconds since 1970, 0 for never.

        Publishing and removing rename files, which changes their folder's time of modification, so no file is opened.
        """
        changed_at = self._changed_in(str(folder_of(self.root, table, date)))
        return changed_at if date is not None else max(changed_at, *self.changes(table).values(), 0)

    def published_at(self, partition: Partition) -> dt.datetime | None:
        """Return when the receipt of a partition became final (UTC), or None without one."""
        moment = modified_at(final_path(self.path(partition)))
        return dt.datetime.fromtimestamp(moment / 1e9, dt.UTC) if moment else None

    def stage(self, partition: Partition, rows: pa.Table, receipt_of: Callable[[int, str], Receipt]) -> Receipt:
        """Write a draft and its pending receipt; nothing is left of a draft that is in force."""
        data = self.path(partition)
        for folder in (data.parent, final_path(data).parent):
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True)
                sync_folder(folder.parent)  # else a lost disk would lose the date with all that is durable in it
        before = receipt_in_force(data)
        settle_interrupted(data, before)
        draft = draft_path(data)
        table = table_called(partition.table)
        write_parquet(rows, draft, table.key, table.varied)
        receipt = receipt_of(draft.stat().st_size, sha256_of(draft))
        if before == receipt and sha256_of(data) == receipt.sha256:
            draft.unlink()
            return receipt
        sync_file(draft)
        write_durably(pending_path(data), receipt.to_json())
        return receipt

    def put_in_force(self, parts: Sequence[CommittedPart]) -> None:
        """Rename staged parts into place, and take away those that are removed; doing it twice does no harm."""
        for part in parts:
            put_part_in_force(self.root, part)

    def unstage(self, parts: Iterable[Partition]) -> None:
        """Take away drafts and pending receipts."""
        for partition in parts:
            data = self.path(partition)
            draft_path(data).unlink(missing_ok=True)
            pending_path(data).unlink(missing_ok=True)

    def set_aside(self, name: str) -> list[str]:
        """Move a file, and the receipts of one with rows, out of the lake, and return where each went."""
        data = self.root / name
        receipts = (final_path(data), pending_path(data)) if data.suffix == ".parquet" else ()
        return [str(path) for path in put_aside(self.root, (data, *receipts))]

    def _day_folders(self, table: str) -> dict[dt.date, str]:
        """Return the folder of each date of a table by day; none of them is looked into, and some may hold nothing."""
        folder = str(folder_of(self.root, table, None))
        dates = ((_date_of(name), name) for name in _names_in(folder))
        return {date: f"{folder}/{name}" for date, name in dates if date is not None}

    def _changed_in(self, folder: str) -> int:
        apart = f"{self.root}/{RECEIPTS}{folder.removeprefix(str(self.root))}"
        return max(modified_at(folder), modified_at(apart))


def _partitions_in(folder: Path | str, table: str, date: dt.date | None) -> Iterator[Partition]:
    """Yield the partitions in a folder, in order of group."""
    for name in sorted(_names_in(folder)):
        if name.startswith("part-") and name.endswith(".parquet"):
            yield Partition(table, date, name[len("part-") : -len(".parquet")])


def _names_in(folder: Path | str) -> list[str]:
    """Return the names of what is in a folder; none when it is not there."""
    try:
        return os.listdir(folder)  # noqa: PTH208 - names alone: a lake has thousands of folders
    except (FileNotFoundError, NotADirectoryError):
        return []


@lru_cache(maxsize=100_000)
def _date_of(name: str) -> dt.date | None:
    """Return the business date that a folder is named after; a lake has some thousands, the same for most tables."""
    match = _DAY_FOLDER.fullmatch(name)
    return dt.date.fromisoformat(match[1]) if match else None


def open_store(settings: Settings) -> LakeStore:
    """Return the store of a lake: a plain folder, unless the settings name another.

    Raises
    ------
    LakeError
        When the packages for another one are missing, or it cannot be opened.
    SettingError
        When another one is named and no plugin provides it.
    """
    if settings.lake_address is None:
        return LocalStore(settings.lake)
    store: LakeStore = STORE.needed("SHELFPRICE_LAKE")(settings)
    return store
