"""Commit records: which partitions belong together, and that all of them are in force.

A record lists its parts with their receipts. It is pending, in a folder of its own, while its parts are put in force,
and final after. From the moment it is pending the commit counts: whoever comes next puts the rest in force. A final
record stays until the next commit of the same name, so that a batch can be held against it at any time. It loses a part
that a commit of another name takes out of the lake, and ends with its last part.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from catalog.errors import ContractError, LakeError
from warehouse.commits.notes import Notes
from warehouse.partition import Partition
from warehouse.receipts import Receipt, receipt_from, sealed_text, unsealed

FOLDER = "commits"
PENDING = f"{FOLDER}/pending"
RECORD_ENDING = ".commit.json"
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
        Fingerprint of the receipt that was in force when the part was staged, empty where there was none. None in a
        store that only those write to who see each other's locks: nobody can have replaced it meanwhile.
    taken_from
        Of a part that is removed, the commit of another name that it was a part of.
    """

    partition: Partition
    receipt: Receipt | None
    before: str | None = field(default=None, compare=False)
    taken_from: str | None = field(default=None, compare=False)


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
    remarks
        What whoever made the commit wants to be known with it, as plain values of JSON.
    """

    name: str
    inputs: str
    parts: tuple[CommittedPart, ...]
    remarks: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def holds(self, partition: Partition) -> bool:
        """Return whether a partition is among the parts."""
        return any(part.partition == partition for part in self.parts)

    def without(self, *partitions: Partition) -> "CommitRecord":
        """Return the record without some partitions."""
        return replace(self, parts=tuple(part for part in self.parts if part.partition not in partitions))

    def repeats(self, earlier: "CommitRecord | None") -> bool:
        """Return whether an earlier commit was made from the same inputs and had every part of this one.

        It may have had more: what a commit removes, or keeps of what it replaces, is not there to be staged again.
        """
        if earlier is None or (self.inputs, self.remarks) != (earlier.inputs, earlier.remarks):
            return False
        return set(self.parts) <= set(earlier.parts)

    def to_json(self) -> str:
        """Return the record as sealed JSON text."""
        parts = [
            {
                "table": part.partition.table,
                "business_date": part.partition.business_date and part.partition.business_date.isoformat(),
                "group": part.partition.group,
                "receipt": part.receipt and asdict(part.receipt),
                **({} if part.before is None else {"before": part.before}),
                **({} if part.taken_from is None else {"taken_from": part.taken_from}),
            }
            for part in self.parts
        ]
        remarks = {"remarks": dict(self.remarks)} if self.remarks else {}
        return sealed_text({"name": self.name, "inputs": self.inputs, "parts": parts} | remarks)


def record_name(name: str) -> str:
    """Return the name of the note that is the final record of a commit.

    Raises
    ------
    ContractError
        When it is not a plain name, which could lead out of the lake.
    """
    if not _NAME.fullmatch(name):
        raise ContractError(f"expected a commit's name of letters, digits, dot, dash and underscore, found {name!r}")
    return f"{FOLDER}/{name}{RECORD_ENDING}"


def pending_record_name(name: str) -> str:
    """Return the name of the note that is the record while its parts are put in force."""
    return record_name(name).replace(FOLDER, PENDING, 1)


def read_record(notes: Notes, note: str) -> CommitRecord | None:
    """Read a record by the name of its note; None when there is none.

    Raises
    ------
    LakeError
        When the note is there and is not a record, or not as it was written.
    """
    try:
        text = notes.read(note)
        return None if text is None else record_from(text)
    except (ValueError, TypeError, KeyError) as error:
        raise LakeError(
            f"{notes.where(note)}: expected a commit record as it was written, found something else ({error}); "
            f"{_REMEDY}"
        ) from error


def record_from(text: str) -> CommitRecord:
    """Return the record that a sealed text is.

    Raises
    ------
    ValueError, TypeError, KeyError
        When it is none, or not as it was written.
    """
    fields = unsealed(text)
    if fields.keys() - {"remarks"} != {"name", "inputs", "parts"}:
        raise ValueError(f"its fields are {', '.join(fields)}")
    parts = tuple(_part(part) for part in fields["parts"])
    return CommitRecord(fields["name"], fields["inputs"], parts, fields.get("remarks", {}))


def final_record(notes: Notes, name: str) -> CommitRecord | None:
    """Return the final record of a commit; None when there is none, or when it is damaged and proves nothing."""
    try:
        return read_record(notes, record_name(name))
    except LakeError:
        return None


def final_names(notes: Notes) -> list[str]:
    """Return the names of the commits that have a final record, ascending."""
    return _commits_in(notes, FOLDER)


def pending_names(notes: Notes) -> list[str]:
    """Return the names of the commits that are pending: being put in force right now, or left by a kill."""
    return _commits_in(notes, PENDING)


def write_pending(notes: Notes, record: CommitRecord) -> bool:
    """Write a record as pending: from here on the commit counts. False when another of its name is pending."""
    return notes.create(pending_record_name(record.name), record.to_json())


def make_final(notes: Notes, name: str) -> None:
    """Make a pending record final: all of its parts are in force. Nothing happens when another did so meanwhile."""
    notes.move(pending_record_name(name), record_name(name))


def amend(notes: Notes, record: CommitRecord) -> None:
    """Write a final record anew; one that brought nothing that is still a part of it is removed."""
    note = record_name(record.name)
    if any(part.receipt is not None for part in record.parts):
        notes.write(note, record.to_json())
    else:
        notes.remove(note)


def supersede(notes: Notes, record: CommitRecord) -> None:
    """Leave what a commit has removed out of the records that it was a part of; twice does no harm."""
    taken: dict[str, set[Partition]] = {}
    for part in record.parts:
        if part.taken_from is not None:
            taken.setdefault(part.taken_from, set()).add(part.partition)
    for name, partitions in taken.items():
        before = final_record(notes, name)
        after = None if before is None else before.without(*partitions)
        if after is not None and after != before:
            amend(notes, after)


def _commits_in(notes: Notes, folder: str) -> list[str]:
    names = (note.removeprefix(f"{folder}/") for note in notes.names(folder))
    return sorted(name.removesuffix(RECORD_ENDING) for name in names if name.endswith(RECORD_ENDING))


def _part(fields: dict[str, Any]) -> CommittedPart:
    date = fields["business_date"]
    partition = Partition(fields["table"], date and dt.date.fromisoformat(date), fields["group"])
    receipt = None if fields["receipt"] is None else receipt_from(fields["receipt"])
    return CommittedPart(partition, receipt, fields.get("before"), fields.get("taken_from"))
