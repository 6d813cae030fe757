"""Receipts: what a partition holds, how it can be proven, and what it was made from.

A receipt stands beside its partition. It is written as pending before the data is renamed into place and becomes
final after, so that at every moment, also right after a kill, each partition has a receipt that matches its bytes.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from catalog.errors import LakeError
from warehouse.files import sha256_of


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
    """

    rows: int
    bytes: int
    sha256: str
    inputs: str
    seed: int | None
    code_version: str

    @property
    def is_of_the_twin(self) -> bool:
        """Whether the twin made the rows: what comes from outside has no seed."""
        return self.seed is not None

    def to_json(self) -> str:
        """Return the receipt as JSON text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def final_path(data: Path) -> Path:
    """Return the path of the receipt of a partition file."""
    return data.with_suffix(".receipt.json")


def pending_path(data: Path) -> Path:
    """Return the path of the receipt while the partition is being replaced."""
    return data.with_suffix(".receipt.json.new")


def read_receipt(path: Path) -> Receipt | None:
    """Read a receipt; None when there is none.

    Raises
    ------
    LakeError
        When the file is there and is not a receipt.
    """
    try:
        receipt = Receipt(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise LakeError(f"{path}: expected a receipt in JSON, found something else; run `shelfprice verify`") from error
    counts, texts = (receipt.rows, receipt.bytes), (receipt.sha256, receipt.inputs)
    if not (all(isinstance(count, int) for count in counts) and all(isinstance(text, str) for text in texts)):
        raise LakeError(
            f"{path}: expected counts and fingerprints, found {counts} and {texts}; run `shelfprice verify`"
        )
    return receipt


def receipt_in_force(data: Path) -> Receipt | None:
    """Return the receipt that matches a partition file: the final one, or the pending one after a kill in between.

    Size decides first and bytes only when both receipts exist, so this is cheap in the usual case.
    """
    if not data.exists():
        return None
    final, pending = read_receipt(final_path(data)), read_receipt(pending_path(data))
    if pending is None:
        return final if final is not None and final.bytes == data.stat().st_size else None
    actual = sha256_of(data)
    return next((receipt for receipt in (pending, final) if receipt and receipt.sha256 == actual), None)
