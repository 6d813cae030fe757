"""The files of a lake as checks and repairs see them: a plain folder is looked into, an object store answers itself."""

import datetime as dt
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, cast

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import LakeError
from catalog.tables.contracts import TABLES
from warehouse.commits.record import CommittedPart
from warehouse.files import sha256_of
from warehouse.partition import Partition, file_of, folder_of, name_of, partition_named
from warehouse.receipts import (
    RECEIPT_ENDING,
    RECEIPTS,
    data_path,
    draft_path,
    final_path,
    pending_path,
    read_receipt,
    receipt_in_force,
)
from warehouse.stores.folder import LocalStore, holds_receipt, put_aside, settle_interrupted
from warehouse.stores.protocol import LakeStore

Kind = Literal["damaged", "missing", "orphaned", "mixed", "unfinished"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong in a lake: the name of its file, the kind of fault, and a sentence with the remedy.

    `partition` is None for a record, and for a file of no table.
    """

    name: str
    kind: Kind
    message: str
    partition: Partition | None = None


def about(partition: Partition, kind: Kind, message: str) -> Finding:
    """Return a finding about a partition."""
    return Finding(name_of(partition), kind, message, partition)


class LakeFiles(Protocol):
    """What checks and repairs ask of the store of a lake."""

    def names(self, dates: Collection[dt.date | None] | None = None) -> list[str]:
        """Return the names of all files that are, or should be, in force, ascending; of some dates, if asked."""

    def check(self, name: str) -> tuple[list[Finding], int]:
        """Hold a file against its receipt and contract; return what is wrong, and the rows that it proves."""

    def can_put_in_force(self, part: CommittedPart) -> bool:
        """Return whether a part is in force or staged whole; one that is only removed always is."""

    def set_staged_aside(self, commit: str) -> list[str]:
        """Take what was staged for a commit and is not in force out of the store; return where each part went."""


def files_of(store: LakeStore) -> LakeFiles:
    """Return the files of a store."""
    return FolderFiles(store.root) if isinstance(store, LocalStore) else cast("LakeFiles", store)


class FolderFiles:
    """The files of a lake in a plain folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, dates: Collection[dt.date | None] | None = None) -> list[str]:
        """Return the names of all Parquet files, and of those of which the receipt alone is left, ascending."""
        if dates is None:
            return self._names_in("")
        by = {name: table.by == "key" for name, table in TABLES.items()}
        folders = (folder_of(Path(), name, date) for name in by for date in dates if by[name] == (date is None))
        return sorted(name for folder in folders for name in self._names_in(str(folder)))

    def check(self, name: str) -> tuple[list[Finding], int]:
        """Hold a file against its receipt and contract; return what is wrong, and the rows that it proves."""
        data, partition, rows = self._root / name, partition_named(name), 0
        try:
            receipts = [receipt for path in (final_path(data), pending_path(data)) if (receipt := read_receipt(path))]
        except LakeError as error:
            return [Finding(name, "damaged", str(error), partition)], 0
        kind: Kind = "damaged"
        if not data.exists():
            kind, faults = "missing", ["its receipt is there, the file is not: make the partition again"]
        elif not receipts:
            kind, faults = "orphaned", ["it has no receipt to prove it: make the partition again"]
        elif not (proofs := [receipt for receipt in receipts if receipt.sha256 == sha256_of(data)]):
            size, expected = data.stat().st_size, receipts[0].bytes
            detail = f"{size} bytes instead of {expected}" if size != expected else "its bytes differ from its receipt"
            faults = [f"{detail}: set it aside and make the partition again"]
        elif partition is None:
            kind, faults, rows = "orphaned", ["no table of the catalog has this name"], proofs[0].rows
        else:
            rows = proofs[0].rows
            faults = list(contract_faults(data, partition.table, rows))
        return [Finding(name, kind, fault, partition) for fault in faults], rows

    def can_put_in_force(self, part: CommittedPart) -> bool:
        """Return whether a part is in force or staged whole; one that is only removed always is."""
        data = file_of(self._root, part.partition)
        if part.receipt is None or receipt_in_force(data) == part.receipt:
            return True
        draft = draft_path(data)
        is_staged = holds_receipt(pending_path(data), part.receipt) and draft.exists()
        return is_staged and sha256_of(draft) == part.receipt.sha256

    def set_staged_aside(self, commit: str) -> list[str]:
        """Move the drafts and pending receipts of a commit out of the lake; return where each went."""
        return [str(path) for path in put_aside(self._root, list(self._drafts_of(commit)))]

    def _names_in(self, folder: str) -> list[str]:
        names = set[str]()
        for top, ending in ((self._root / folder, ".parquet"), (self._root / RECEIPTS / folder, RECEIPT_ENDING)):
            for place, _, files in os.walk(str(top)):
                paths = (f"{place}/{file}" for file in files if file.endswith(ending))
                names.update(str(data_path(Path(path))) if ending == RECEIPT_ENDING else path for path in paths)
        return sorted(path.removeprefix(f"{self._root}/") for path in names)

    def _drafts_of(self, commit: str) -> Iterator[Path]:
        """Yield the drafts and pending receipts of a commit; a receipt that proves what stands becomes final."""
        for pending in sorted((self._root / RECEIPTS).rglob(f"part-*{RECEIPT_ENDING}.new")):
            data = data_path(pending)
            in_force = receipt_in_force(data)
            try:
                staged = read_receipt(pending)
            except LakeError:
                continue  # of no commit that can be told: it is cleared away as any draft
            if staged is not None and staged.commit == commit:
                if in_force == staged:
                    settle_interrupted(data, in_force)
                else:
                    yield from (draft_path(data), pending)


def contract_faults(source: Path | pa.NativeFile, table: str, rows: int) -> Iterator[str]:
    """Yield what is wrong with a file, as sentences with the remedy.

    Parameters
    ----------
    rows
        What its receipt says.
    """
    try:
        described = pq.read_metadata(source)
    except (OSError, pa.ArrowException) as error:
        yield f"not readable as Parquet ({error}): make the partition again"
        return
    if described.num_rows != rows:
        yield f"it holds {described.num_rows} rows, its receipt says {rows}: make the partition again"
    if not described.schema.to_arrow_schema().equals(TABLES[table].schema):
        yield "its columns are not those of the contract: make the partition again"
