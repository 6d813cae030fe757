"""Receipts: what a partition holds, how it can be proven, and what it was made from.

Receipts have a folder of their own, `receipts/`, with the names of their partitions. Staged files wait there too. The
folder of a table holds Parquet files only, which pandas, polars and DuckDB read as one table. A receipt is written as
pending before the data is renamed into place and becomes final after. At every moment, also right after a kill, each
partition has a receipt that matches its bytes.
A receipt protects itself: it ends with a seal, the SHA-256 of all that it says.
"""

import json
import re
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from catalog.errors import LakeError
from warehouse.files import read_once, sha256_of, sha256_of_text

CODE_VERSION = version("shelfprice")
RECEIPTS = "receipts"
"""Folder of the lake that holds every receipt, and what is staged."""
RECEIPT_ENDING = ".receipt.json"


@dataclass(frozen=True)
class Receipt:
    """Proof of one partition.

    Attributes
    ----------
    rows
        Rows in the file.
    bytes
        Size of the file.
    sha256
        SHA-256 of the file, hexadecimal.
    inputs
        Fingerprint of everything the partition was made from; equal inputs need not be computed again.
    seed
        Seed of the run that made it, or None.
    code_version
        Version of the project that made it.
    commit
        Name of the commit it was published with, or None when it was published alone.
    """

    rows: int
    bytes: int
    sha256: str
    inputs: str
    seed: int | None
    code_version: str
    commit: str | None = None

    @property
    def is_of_the_twin(self) -> bool:
        """Whether the twin made the rows: what comes from outside has no seed."""
        return self.seed is not None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that the receipt says, hexadecimal."""
        return sha256_of_text(self.to_json())

    def to_json(self) -> str:
        """Return the receipt as sealed JSON text."""
        return sealed_text(asdict(self))


def sealed_text(facts: dict[str, Any]) -> str:
    """Return JSON text that ends with the SHA-256 of all that it says; its keys come before `~` in ASCII."""
    text = json.dumps(facts, indent=1, sort_keys=True)
    return f'{text[:-2]},\n "~seal": "{sha256_of_text(text)}"\n}}\n'


def unsealed(text: str) -> dict[str, Any]:
    """Return what sealed JSON text says; text without a seal proves nothing.

    Raises
    ------
    ValueError
        When it is no JSON object, has no seal, or is not what was sealed.
    """
    seal = _SEAL.search(text)
    if seal is None:
        raise ValueError("it has no seal")
    sealed = f"{text[: seal.start()]}\n}}"
    if sha256_of_text(sealed) != seal[1]:
        raise ValueError("its seal does not fit")
    facts: dict[str, Any] = json.loads(sealed)
    return facts


_SEAL = re.compile(r',\n "~seal": "([0-9a-f]{64})"\n}\n\Z')
"""The end of a sealed text. To hash what is before it takes a tenth of writing it anew to compare."""


def final_path(data: Path) -> Path:
    """Return the path of the receipt of a partition file."""
    return _apart(data, RECEIPT_ENDING)


def pending_path(data: Path) -> Path:
    """Return the path of the receipt while the partition is being replaced."""
    return _apart(data, f"{RECEIPT_ENDING}.new")


def draft_path(data: Path) -> Path:
    """Return the path of a partition file while it is staged."""
    return _apart(data, ".parquet.new")


def data_path(apart: Path) -> Path:
    """Return the path of the partition file that a receipt, pending receipt or draft belongs to."""
    return Path(_APART.sub(r"/\1.parquet", str(apart)))


def _apart(data: Path, ending: str) -> Path:
    return Path(_DATA.sub(rf"/{RECEIPTS}/\1{ending}", str(data)))


_IN_LAKE = r"([^/]+/(?:business_date=[^/]+/)?[^/]+)"
_DATA = re.compile(rf"/{_IN_LAKE}\.parquet\Z")
_APART = re.compile(rf"/{RECEIPTS}/{_IN_LAKE}\.(?:receipt\.json|parquet)(?:\.new)?\Z")


def receipt_from(facts: dict[str, Any]) -> Receipt:
    """Return a receipt from what it says.

    Raises
    ------
    ValueError, TypeError
        When it says something else than a receipt does.
    """
    receipt = Receipt(**facts)
    counts, texts = (receipt.rows, receipt.bytes), (receipt.sha256, receipt.inputs, receipt.code_version)
    if not all(isinstance(count, int) for count in counts):
        raise ValueError(f"expected counts, found {counts}")
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"expected fingerprints, found {texts}")
    return receipt


_read = read_once(lambda path: receipt_from(unsealed(path.read_text(encoding="utf-8"))))


def read_receipt(path: Path) -> Receipt | None:
    """Read a receipt; None when there is none.

    Raises
    ------
    LakeError
        When the file is there and is not a receipt, or not as it was written.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise LakeError(
            f"{path}: expected a receipt in JSON as it was written, found something else ({error}); "
            "run `shelfprice health --files`"
        ) from error


def receipt_in_force(data: Path) -> Receipt | None:
    """Return the receipt that matches a partition file: the final one, or the pending one after a kill in between.

    Size decides first and bytes only when both receipts exist, so this is cheap in the usual case. Where both are of
    the same bytes the final one counts: the other may be of a commit that was never made. A damaged receipt proves
    nothing: there is none then. Where the partition is replaced while it is looked at, it is looked at again.
    """
    receipt, looks, before = _looked_up(data), 1, None
    while receipt is None and looks < _MOST_LOOKS and (now := _stamps(data)) != before:
        receipt, looks, before = _looked_up(data), looks + 1, now
    return receipt


_MOST_LOOKS = 5


def _stamps(data: Path) -> list[tuple[int, int] | None]:
    """Return what tells that a partition or one of its receipts was replaced."""
    return [_stamp(path) for path in (data, final_path(data), pending_path(data))]


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def _looked_up(data: Path) -> Receipt | None:
    if not data.exists():
        return None
    final, pending = _or_none(final_path(data)), _or_none(pending_path(data))
    if pending is None:
        return final if final is not None and final.bytes == data.stat().st_size else None
    actual = sha256_of(data)
    return next((receipt for receipt in (final, pending) if receipt and receipt.sha256 == actual), None)


def proves(data: Path, sha256: str) -> bool:
    """Return whether a receipt of a partition file, final or pending, is of these bytes."""
    receipts = (_or_none(path) for path in (final_path(data), pending_path(data)))
    return any(receipt is not None and receipt.sha256 == sha256 for receipt in receipts)


def _or_none(path: Path) -> Receipt | None:
    try:
        return read_receipt(path)
    except LakeError:
        return None
