"""Prove the lake: every file has a receipt, every receipt its file, and every byte is as it was published.

What was committed together is held against the record of its commit. A commit that a kill interrupted is finished
first, as by anyone who opens the lake.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.contracts import TABLES
from catalog.errors import LakeError
from warehouse.aside import put_aside
from warehouse.files import sha256_of
from warehouse.finding import Finding
from warehouse.lake import Lake, Partition
from warehouse.locks import is_held
from warehouse.mixed import what_does_not_belong
from warehouse.parquet import is_readable_as
from warehouse.receipts import final_path, pending_path, read_receipt


@dataclass(frozen=True)
class Inspection:
    """What was checked and what was found; the lake is sound when `findings` is empty.

    `finished` names the commits that a kill had interrupted and that were finished before.
    """

    files: int
    rows: int
    being_written: int
    findings: tuple[Finding, ...]
    finished: tuple[str, ...] = ()


def verify(lake: Lake, on_file: Callable[[int, int], None] = lambda _done, _total: None) -> Inspection:
    """Finish the commits that a kill interrupted, then check every file of the lake: see `inspect`."""
    finished = tuple(lake.finish_interrupted())
    return replace(inspect(lake, on_file), finished=finished)


def inspect(lake: Lake, on_file: Callable[[int, int], None] = lambda _done, _total: None) -> Inspection:
    """Check every file of the lake against its receipt, and change nothing.

    Partitions being written right now are left out and counted.

    Parameters
    ----------
    on_file
        Called with (files done, files in all) for progress.
    """
    files = sorted({*lake.root.rglob("*.parquet"), *(_data_of(path) for path in lake.root.rglob("*.receipt.json"))})
    findings: list[Finding] = []
    rows = busy = 0
    for done, data in enumerate(files, start=1):
        if is_held(lake.locks, _lock_name(lake, data)):
            busy += 1
        else:
            found, counted = _check(lake, data)
            if found:  # a writer may have replaced it between receipt and bytes: check once more
                found, counted = _check(lake, data)
            findings.extend(found)
            rows += counted
        on_file(done, len(files))
    known = {finding.path for finding in findings}
    findings.extend(found for found in what_does_not_belong(lake) if found.path not in known)
    return Inspection(len(files), rows, busy, tuple(findings))


def set_aside(lake: Lake, inspection: Inspection) -> list[Path]:
    """Move damaged and orphaned files, and receipts without a file, out of the lake; readers go on with the others.

    What is mixed or unfinished stays: those are whole files, which are made again together with what they belong to.

    Returns
    -------
    list of Path
        Where each file went, under `set-aside/` beside the lake. Nothing is deleted.
    """
    wrong = [one.path for one in inspection.findings if one.kind not in {"mixed", "unfinished"}]
    return put_aside(lake.root, (file for data in wrong for file in (data, final_path(data), pending_path(data))))


def _check(lake: Lake, data: Path) -> tuple[list[Finding], int]:
    try:
        receipts = [receipt for path in (final_path(data), pending_path(data)) if (receipt := read_receipt(path))]
    except LakeError as error:
        return [Finding(data, "damaged", str(error))], 0
    if not data.exists():
        return [Finding(data, "missing", "its receipt is there, the file is not: make the partition again")], 0
    if not receipts:
        return [Finding(data, "orphaned", "it has no receipt to prove it: make the partition again")], 0
    actual = sha256_of(data)
    receipt = next((receipt for receipt in receipts if receipt.sha256 == actual), None)
    if receipt is None:
        size, expected = data.stat().st_size, receipts[0].bytes
        detail = f"{size} bytes instead of {expected}" if size != expected else "its bytes differ from its receipt"
        return [Finding(data, "damaged", f"{detail}: set it aside and make the partition again")], 0
    return list(_contract_findings(lake, data, receipt.rows)), receipt.rows


def _contract_findings(lake: Lake, data: Path, rows: int) -> Iterator[Finding]:
    table = TABLES.get(data.relative_to(lake.root).parts[0])
    if table is None:
        yield Finding(data, "orphaned", "no table of the catalog has this name")
        return
    try:
        described = pq.read_metadata(data)
    except (OSError, pa.ArrowException) as error:
        yield Finding(data, "damaged", f"not readable as Parquet ({error}): make the partition again")
        return
    if described.num_rows != rows:
        yield Finding(
            data, "damaged", f"it holds {described.num_rows} rows, its receipt says {rows}: make the partition again"
        )
    if not is_readable_as(described.schema.to_arrow_schema(), table):
        yield Finding(data, "damaged", "its columns are not those of the contract: make the partition again")


def _data_of(receipt: Path) -> Path:
    return receipt.with_name(receipt.name.removesuffix(".receipt.json") + ".parquet")


def partition_at(lake: Lake, path: Path) -> Partition | None:
    """Return the partition whose file or receipt has a path; None for what is no partition."""
    table, *day, file = path.relative_to(lake.root).parts
    if table not in TABLES or not file.startswith("part-"):
        return None
    date = dt.date.fromisoformat(day[0].removeprefix("business_date=")) if day else None
    return Partition(table, date, file.removeprefix("part-").removesuffix(".parquet"))


def _lock_name(lake: Lake, data: Path) -> str:
    table, *day, file = data.relative_to(lake.root).parts
    date = [part.removeprefix("business_date=") for part in day]
    return "-".join([table, *date, file.removeprefix("part-").removesuffix(".parquet")])
