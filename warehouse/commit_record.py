"""Commit records: which partitions belong together, and that all of them are in force.

A record lists its parts with their receipts. It is pending, in a folder of its own, while its parts are put in force,
and final after. From the moment it is pending the commit counts: whoever comes next puts the rest in force. A final
record stays until the next commit of the same name, so that a batch can be held against it at any time.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from catalog.errors import ContractError, LakeError
from warehouse.files import sync_folder, write_durably
from warehouse.partition import Partition
from warehouse.receipts import Receipt, receipt_from, sealed_text, unsealed

FOLDER = "commits"
_PENDING = "pending"
_ENDING = ".commit.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_REMEDY = "run `shelfprice doctor`"


@dataclass(frozen=True)
class CommittedPart:
    """A partition of a commit.

    Attributes
    ----------
    receipt
        Its receipt; None says that the commit removes the partition.
    before
        Fingerprint of the receipt that was in force when the part was staged, empty where there was none. None where
        that is not known, as in records of an earlier version.
    """

    partition: Partition
    receipt: Receipt | None
    before: str | None = None


@dataclass(frozen=True)
class CommitRecord:
    """What was committed together.

    Attributes
    ----------
    name
        What the commit is of, such as `batch-2026-01-05-g000`.
    inputs
        Fingerprint of everything the commit was made from.
    parts
        Its partitions in the order in which they are put in force.
    """

    name: str
    inputs: str
    parts: tuple[CommittedPart, ...]

    def holds(self, partition: Partition) -> bool:
        """Tell whether a partition is among the parts."""
        return any(part.partition == partition for part in self.parts)

    def without(self, partition: Partition) -> "CommitRecord":
        """Return the record without a partition."""
        return replace(self, parts=tuple(part for part in self.parts if part.partition != partition))

    def to_json(self) -> str:
        """Return the record as sealed JSON text."""
        parts = [
            {
                "table": part.partition.table,
                "business_date": part.partition.business_date and part.partition.business_date.isoformat(),
                "group": part.partition.group,
                "receipt": part.receipt and asdict(part.receipt),
                "before": part.before,
            }
            for part in self.parts
        ]
        return sealed_text({"name": self.name, "inputs": self.inputs, "parts": parts})


def record_path(root: Path, name: str) -> Path:
    """Return the path of a final record; its name can never lead out of the lake.

    Raises
    ------
    ContractError
        When it is not a plain name.
    """
    if not _NAME.fullmatch(name):
        raise ContractError(f"expected a commit's name of letters, digits, dot, dash and underscore, found {name!r}")
    return root / FOLDER / f"{name}{_ENDING}"


def pending_record_path(root: Path, name: str) -> Path:
    """Return the path of a record while its parts are put in force."""
    final = record_path(root, name)
    return final.parent / _PENDING / final.name


def read_record(path: Path) -> CommitRecord | None:
    """Read a record; None when there is none.

    Raises
    ------
    LakeError
        When the file is there and is not a record, or not as it was written.
    """
    try:
        return record_from(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise LakeError(
            f"{path}: expected a commit record as it was written, found something else ({error}); {_REMEDY}"
        ) from error


def record_from(text: str) -> CommitRecord:
    """Return the record that a sealed text is.

    Raises
    ------
    ValueError, TypeError, KeyError
        When it is none, or not as it was written.
    """
    return _record(unsealed(text))


def final_record(root: Path, name: str) -> CommitRecord | None:
    """Return the final record of a commit; None when there is none, or when it is damaged and proves nothing."""
    try:
        return read_record(record_path(root, name))
    except LakeError:
        return None


def final_records(root: Path) -> Iterator[Path]:
    """Yield the paths of all final records, in order of name."""
    yield from sorted((root / FOLDER).glob(f"*{_ENDING}"))


def pending_names(root: Path) -> list[str]:
    """Return the names of the commits that are pending: being put in force right now, or left by a kill."""
    try:
        found = [path.name for path in (root / FOLDER / _PENDING).iterdir()]
    except FileNotFoundError:
        return []
    return sorted(name.removesuffix(_ENDING) for name in found if name.endswith(_ENDING))


def write_pending(root: Path, record: CommitRecord) -> None:
    """Write a record as pending: from here on the commit counts."""
    path = pending_record_path(root, record.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, record.to_json())
    sync_folder(path.parent)


def make_final(root: Path, name: str) -> None:
    """Make a pending record final: all of its parts are in force."""
    final = record_path(root, name)
    pending_record_path(root, name).replace(final)
    sync_folder(final.parent)


def amend(root: Path, record: CommitRecord) -> None:
    """Write a final record anew; one without parts is removed."""
    path = record_path(root, record.name)
    if record.parts:
        write_durably(path, record.to_json())
    else:
        path.unlink(missing_ok=True)


def _record(said: dict[str, Any]) -> CommitRecord:
    if said.keys() != {"name", "inputs", "parts"}:
        raise ValueError(f"its fields are {', '.join(said)}")
    return CommitRecord(said["name"], said["inputs"], tuple(_part(part) for part in said["parts"]))


def _part(said: dict[str, Any]) -> CommittedPart:
    date = said["business_date"]
    partition = Partition(said["table"], date and dt.date.fromisoformat(date), said["group"])
    receipt = None if said["receipt"] is None else receipt_from(said["receipt"])
    return CommittedPart(partition, receipt, said.get("before"))
