"""Bring a retailer's own export into the lake: read, estimate the shelf, validate, publish, profile."""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from catalog.errors import DataError, Declined
from catalog.load import Catalog, load
from catalog.names import EXPORT_GROUP
from catalog.progress import Progress, silent
from catalog.settings import Settings
from catalog.tables.exports import INGESTED_FILES
from etl.exports.admit import Admission, Admitted, Admitting
from etl.exports.columns import Reading
from etl.exports.estimate_shelf import is_untouched, sku_of, write_shelf
from etl.exports.profile import as_record, profile_of
from etl.exports.read import Export, open_export
from etl.exports.stage import StagedExport, stage_export
from etl.prepare import prepared
from features.cells import ALL_VIEWS
from warehouse.connection import build_file
from warehouse.files import sha256_of
from warehouse.lake import CODE_VERSION, Lake, Partition
from warehouse.locks import held
from warehouse.origin import publishing, refuse_other_side
from warehouse.workspace import Workspace

_STEPS = 100  # of the progress while a file is read
_WRITERS = 2
_SHOWN = 80  # characters of a value in a message


@dataclass(frozen=True)
class Ingested:
    """The result for one file.

    Attributes
    ----------
    action
        `ingested`, or `unchanged` when it was in the lake already.
    shelf
        Folder of the shelf that its products were looked up on.
    is_estimated
        Whether that shelf was estimated from this file just now.
    row
        Its row of `ingested_files` as plain values, with the JSON decoded.
    """

    action: Literal["ingested", "unchanged"]
    shelf: Path
    is_estimated: bool
    row: dict[str, Any]


@dataclass(frozen=True)
class _File:
    """A file to ingest: how it is read, the SHA-256 of its bytes, the folder of its shelf, and the time, UTC."""

    export: Export
    digest: str
    shelf: Path
    now: dt.datetime

    @property
    def part(self) -> str:
        """Name of its partitions in the lake."""
        return EXPORT_GROUP + self.digest[:16]


def ingest(
    settings: Settings,
    file: Path,
    reading: Reading,
    shelf: Path | None,
    now: dt.datetime,
    progress: Progress = silent,
) -> Ingested:
    """Ingest one CSV, CSV.gz or Parquet; the same file read in the same way again changes nothing.

    Parameters
    ----------
    reading
        What its columns mean and how its values are written.
    shelf
        Folder of the shelf to look its products up on; by default the one under `SHELFPRICE_HOME`, estimated from the
        first file.
    now
        Time of ingestion, UTC: no decision can be later.

    Raises
    ------
    DataError
        When the file cannot be read, or none of its rows can be used.
    Declined
        When the lake holds the twin's decisions or belongs to another shelf, or another file is being ingested.
    """
    lake, export = Lake(settings), open_export(file, reading)
    refuse_other_side(lake.root, "retailer")
    with held(settings.locks, "ingest"):
        own = _File(export, sha256_of(file), shelf or settings.shelf, now)
        is_there = (own.shelf / "products.yaml").exists()
        may_estimate = shelf is None and (
            not is_there or (is_untouched(own.shelf) and not _other_parts(lake, own.part))
        )
        if is_there and _is_done(lake, own.part, _fingerprint(own, load(own.shelf))):
            return Ingested("unchanged", own.shelf, is_estimated=False, row=row_of(lake, own.part))
        with stage_export(export, settings.scratch, lambda share: _tell_share(progress, share)) as staged:
            _refuse_without_rows(staged, file)
            with publishing(lake.root, lake.locks, "retailer"):
                pass  # of two first writers, one loses before it writes anything
            if may_estimate:
                _refuse_another_shelf(lake, own.part, [sku_of(word) for word in staged.products.words])
                write_shelf(own.shelf, staged, file.name)
            workspace = _admit_all(settings, lake, own, staged, progress)
        build_file(settings, ALL_VIEWS)
    return Ingested("ingested", own.shelf, is_estimated=may_estimate, row=row_of(workspace.lake, own.part))


def _admit_all(settings: Settings, lake: Lake, own: _File, staged: StagedExport, progress: Progress) -> Workspace:
    """Validate and publish every date of an export, then its row, which says that all of it is there."""
    catalog = load(own.shelf)
    _refuse_another_shelf(lake, own.part, catalog.skus)
    workspace, inputs = prepared(settings, catalog), _fingerprint(own, catalog)
    admission = Admission(lake, catalog, staged, own.export.path.name, own.part, inputs, own.now)
    _publish_row(workspace, own, _admitted(Admitting(admission), progress), inputs)
    return workspace


def _admitted(admitting: Admitting, progress: Progress) -> list[Admitted]:
    """Admit every date, two at a time: one is validated while the other waits for the disk."""
    dates, days = admitting.dates(), list[Admitted]()
    with ThreadPoolExecutor(_WRITERS) as pool:
        for day in pool.map(admitting.admit, dates):
            days.append(day)
            progress("publishing dates", len(days), len(dates))
    admitting.clear_other_dates()
    return days


def _publish_row(workspace: Workspace, own: _File, days: list[Admitted], inputs: str) -> None:
    """Profile what is in the lake now and publish the file's row.

    Raises
    ------
    DataError
        When none of its rows is a decision.
    """
    reasons = _reasons_of(days)
    valid, rejected = sum(day.valid for day in days), sum(rows for rows, _ in reasons.values())
    if not valid:
        reason, (rows, line) = max(reasons.items(), key=lambda item: item[1][0])
        raise DataError(
            f"{own.export.path}: none of its {rejected:,} rows is a decision that can be used; {rows:,} because "
            f"{reason}, first in line {line}; they are in the table rejected: correct the file, say what its columns "
            f"mean, or correct the shelf in {own.shelf}"
        )
    dates = [day.business_date for day in days if day.valid]
    profiles = [as_record(profile) for profile in profile_of(workspace, own.part)]
    row = {
        "part": own.part,
        "file": own.export.path.name,
        "sha256": own.digest,
        "rows": valid + rejected,
        "valid": valid,
        "rejected": rejected,
        "first_date": min(dates),
        "last_date": max(dates),
        "columns": json.dumps(own.export.columns.theirs, ensure_ascii=False),
        "reasons": json.dumps(reasons, ensure_ascii=False),
        "profile": json.dumps(profiles, ensure_ascii=False),
        "ingested_at": own.now,
    }
    table = pa.Table.from_pylist([row], schema=INGESTED_FILES.schema)
    workspace.lake.publish(Partition("ingested_files", None, own.part), table, inputs=inputs)


def _reasons_of(days: list[Admitted]) -> dict[str, tuple[int, int]]:
    """Return for each reason the rejected rows and the first line."""
    reasons: dict[str, tuple[int, int]] = {}
    for day in days:
        for reason, (rows, line) in day.rejected.items():
            known, first = reasons.get(reason, (0, line))
            reasons[reason] = (known + rows, min(first, line))
    return reasons


def _tell_share(progress: Progress, share: float) -> None:
    progress("reading the file", round(share * _STEPS), _STEPS)


def row_of(lake: Lake, part: str) -> dict[str, Any]:
    """Return a file's row of `ingested_files`."""
    row: dict[str, Any] = lake.read(Partition("ingested_files", None, part)).to_pylist()[0]
    return row | {name: json.loads(row[name]) for name in ("columns", "reasons", "profile")}


def _fingerprint(own: _File, catalog: Catalog) -> str:
    """Return the fingerprint of everything that decides the bytes of an export's partitions."""
    facts = (own.digest, own.export.path.name, own.export.reading.model_dump_json(), catalog.fingerprint, CODE_VERSION)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _is_done(lake: Lake, part: str, inputs: str) -> bool:
    """Tell whether the whole file, read in this way, is in the lake and still complete."""
    if not lake.is_current(Partition("ingested_files", None, part), inputs):
        return False
    receipts = [lake.receipt(own) for own in lake.partitions("interactions") if own.group == part]
    return sum(receipt.rows for receipt in receipts if receipt) == row_of(lake, part)["valid"]


def _other_parts(lake: Lake, part: str) -> bool:
    """Tell whether the lake holds decisions that are not of this file."""
    tables = ("interactions", "live_interactions")
    return any(own.group != part for table in tables for own in lake.partitions(table))


def _refuse_without_rows(staged: StagedExport, file: Path) -> None:
    if staged.rows.num_rows:
        return
    if not staged.aside.num_rows:
        raise DataError(f"{file} line 1: expected rows below the header, found none; nothing was published")
    first = staged.aside.slice(0, 1).to_pylist()[0]
    raise DataError(
        f"{file}: none of its {staged.aside.num_rows:,} rows can be read; line {first['line']}: {first['reason']}, "
        f"found {first['text'][:_SHOWN]}; nothing was published: say what its columns mean and how values are written"
    )


def _refuse_another_shelf(lake: Lake, part: str, skus: Sequence[str]) -> None:
    """Refuse to mix two shelves: other decisions in the lake must be of products on this one."""
    products = Partition("products", None, "all")
    if not _other_parts(lake, part) or lake.receipt(products) is None:
        return
    strangers = set(lake.read(products)["sku"].to_pylist()) - set(skus)
    if strangers:
        raise Declined(
            f"the lake in {lake.root} holds decisions about another shelf, such as {min(strangers)[:_SHOWN]!r}; "
            "nothing was published: set SHELFPRICE_HOME to a folder of its own, or name that shelf with --catalog"
        )
