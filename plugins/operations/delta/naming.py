"""What objects are called: by what they hold, so that one name never means two contents."""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from catalog.tables.contracts import TABLES
from warehouse.partition import Partition, file_of
from warehouse.receipts import RECEIPT_ENDING, RECEIPTS, Receipt

_SHORT = 24  # hexadecimal digits: two of a billion receipts share them once in 10^11 lakes

_OBJECT = re.compile(
    rf"(?:{RECEIPTS}/)?"
    r"(?P<table>\w+)(?:/business_date=(?P<date>\d{4}-\d{2}-\d{2}))?/part-(?P<group>.+)\.(?P<short>[0-9a-f]{24})"
    r"(?:\.parquet|\.receipt\.json)"
)
_POINTER = re.compile(
    r"pointers/(?P<table>\w+)(?:/business_date=(?P<date>\d{4}-\d{2}-\d{2}))?/part-(?P<group>.+)\.json"
)


@dataclass(frozen=True)
class PartInForce:
    """What stands in force of a partition.

    Attributes
    ----------
    fingerprint
        The first 24 digits of the fingerprint of its receipt.
    rows, bytes
        Of its file.
    since
        When it was put in force, milliseconds since 1970.
    """

    fingerprint: str
    rows: int
    bytes: int
    since: int

    def is_of(self, fingerprint: str) -> bool:
        """Return whether a receipt of this fingerprint, short or whole, is the one in force."""
        return fingerprint[:_SHORT] == self.fingerprint


def short(receipt: Receipt) -> str:
    """Return what the name of an object says of its receipt."""
    return receipt.fingerprint[:_SHORT]


def object_name(partition: Partition, fingerprint: str) -> str:
    """Return the name of the Parquet object of a partition.

    Raises
    ------
    ContractError
        When the table is unknown or the group is not a plain name.
    """
    place = file_of(Path(), partition)
    return place.with_name(f"{place.stem}.{fingerprint[:_SHORT]}.parquet").as_posix()


def receipt_name(data: str) -> str:
    """Return the name of the receipt of a Parquet object; vacuums of other engines look into a table's folder alone."""
    return f"{RECEIPTS}/{data.removesuffix('.parquet')}{RECEIPT_ENDING}"


def in_table(name: str) -> str:
    """Return the name of an object as the log of its table knows it."""
    return name.partition("/")[2]


@lru_cache(100_000)
def of_object(name: str) -> tuple[Partition, str] | None:
    """Return the partition and the short fingerprint of a Parquet object or receipt; None for any other object."""
    match = _OBJECT.fullmatch(name)
    partition = match and _partition(match)
    return (partition, match["short"]) if match and partition else None


def pointer_name(partition: Partition) -> str:
    """Return the name of the pointer of a partition that changes too often for a log."""
    return f"pointers/{file_of(Path(), partition).with_suffix('.json').as_posix()}"


def of_pointer(name: str) -> Partition | None:
    """Return the partition of a pointer; None for any other object."""
    match = _POINTER.fullmatch(name)
    return match and _partition(match)


def _partition(match: re.Match[str]) -> Partition | None:
    if match["table"] not in TABLES:
        return None
    return Partition(match["table"], dt.date.fromisoformat(match["date"]) if match["date"] else None, match["group"])
