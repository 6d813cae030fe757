"""Hold the files of a folder against their receipts."""

from collections.abc import Iterator
from pathlib import Path

from catalog.errors import LakeError
from warehouse.contract_faults import contract_faults
from warehouse.files import sha256_of
from warehouse.finding import Finding, Kind
from warehouse.partition import partition_named
from warehouse.receipts import final_path, pending_path, read_receipt

_RECEIPT = ".receipt.json"


def names_in(root: Path) -> list[str]:
    """Return the names of all Parquet files, and of those of which the receipt alone is left, ascending."""
    receipts = (path.with_name(path.name.removesuffix(_RECEIPT) + ".parquet") for path in root.rglob(f"*{_RECEIPT}"))
    return sorted(path.relative_to(root).as_posix() for path in {*root.rglob("*.parquet"), *receipts})


def check(root: Path, name: str) -> tuple[list[Finding], int]:
    """Return what is wrong with a file, and how many rows its receipt proves."""
    data = root / name
    try:
        receipts = [receipt for path in (final_path(data), pending_path(data)) if (receipt := read_receipt(path))]
    except LakeError as error:
        return [_found(name, "damaged", str(error))], 0
    if not data.exists():
        return [_found(name, "missing", "its receipt is there, the file is not: make the partition again")], 0
    if not receipts:
        return [_found(name, "orphaned", "it has no receipt to prove it: make the partition again")], 0
    actual = sha256_of(data)
    receipt = next((receipt for receipt in receipts if receipt.sha256 == actual), None)
    if receipt is None:
        size, expected = data.stat().st_size, receipts[0].bytes
        detail = f"{size} bytes instead of {expected}" if size != expected else "its bytes differ from its receipt"
        return [_found(name, "damaged", f"{detail}: set it aside and make the partition again")], 0
    return list(_of_contract(data, name, receipt.rows)), receipt.rows


def _of_contract(data: Path, name: str, rows: int) -> Iterator[Finding]:
    partition = partition_named(name)
    if partition is None:
        yield _found(name, "orphaned", "no table of the catalog has this name")
        return
    for said in contract_faults(data, partition.table, rows):
        yield _found(name, "damaged", said)


def _found(name: str, kind: Kind, message: str) -> Finding:
    return Finding(name, kind, message, partition_named(name))
