"""Bring a retailer's own export into the lake: read, estimate the shelf, validate, publish, profile."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from catalog.currency import EUR, Currency
from catalog.errors import DataError, Declined
from catalog.load import Catalog, load
from catalog.settings import Settings
from catalog.spread import Progress, silent
from features.cells import ALL_VIEWS
from flows.workspace import prepared
from plugins.own_store.files.block import shown
from plugins.own_store.history.admission import CHANGES, EPOCH, Admitting, FileAdmission, Replaced, admit_dates
from plugins.own_store.history.columns import Reading, StoreZones, zones_of
from plugins.own_store.history.corrections import NOTHING_ASKED, CorrectionRequest, refuse_another_grain, replacement
from plugins.own_store.history.file_row import GivenFile, is_done, publish_row, reasons_of, row_of
from plugins.own_store.history.grain import settled
from plugins.own_store.history.read import open_export
from plugins.own_store.history.rows import query
from plugins.own_store.history.sales import AdmittingSales, AdmittingVisits
from plugins.own_store.history.shelf import (
    fit_stores,
    is_untouched,
    refuse_likely_cents,
    refuse_other_money,
    write_shelf,
)
from plugins.own_store.history.stage import StagedExport, sku_of, stage_export, store_id_of
from warehouse.commits.locks import held
from warehouse.files import sha256_of
from warehouse.lake import CODE_VERSION, Lake, Partition
from warehouse.origin import claim, refuse_other_side, sold_partitions
from warehouse.query.connection import build_file
from warehouse.workspace import Workspace

_LINES_SHOWN = 10
_STEPS = 100  # of the progress while a file is read


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


def ingest(
    settings: Settings,
    file: Path,
    reading: Reading,
    shelf: Path | None,
    now: dt.datetime,
    progress: Progress = silent,
    asked: CorrectionRequest = NOTHING_ASKED,
) -> Ingested:
    """Ingest one file of visits, receipts or units; the same file read in the same way again changes nothing.

    Parameters
    ----------
    reading
        What its columns mean and how its values are written.
    shelf
        Folder of the shelf to look its products up on; by default the one under `SHELFPRICE_HOME`, estimated from the
        first file.
    now
        Time of ingestion, UTC: no decision can be later.
    progress
        Is told how far it is.
    asked
        Dates to replace, and whether stores that are new may be added.

    Raises
    ------
    DataError
        When the file cannot be read, or none of its rows can be used; the lake is as it was.
    Declined
        When the lake holds the twin's decisions or belongs to another shelf, or another file is being ingested.
    """
    lake, export = Lake(settings), settled(open_export(file, reading))
    refuse_other_side(lake.store, "retailer")
    with held(settings.locks, "ingest"):
        own = GivenFile(export, sha256_of(file), shelf or settings.shelf, now)
        is_there = (own.shelf / "products.yaml").exists()
        may_estimate = shelf is None and (not is_there or _is_of_this_file_alone(lake, own))
        if is_there and not asked.replace and is_done(lake, own.part, _fingerprint(own, load(own.shelf))):
            return Ingested("unchanged", own.shelf, is_estimated=False, row=row_of(lake, own.part))
        units = _units_of(own, reading, is_estimated=may_estimate)
        with stage_export(
            export, settings.scratch, lambda share: progress("reading the file", round(share * _STEPS), _STEPS), *units
        ) as staged:
            replaces = _accepted(lake, own, staged, asked)
            claim(lake.store, "retailer")  # of two first writers, one loses before it writes anything
            _settle_shelf(lake, own, staged, is_estimated=may_estimate)
            workspace = _admit_all(lake, own, staged, replaces, asked, progress)
        build_file(settings, ALL_VIEWS)
    return Ingested("ingested", own.shelf, is_estimated=may_estimate, row=row_of(workspace.lake, own.part))


def _is_of_this_file_alone(lake: Lake, own: GivenFile) -> bool:
    """Tell whether the shelf is as it was estimated, and nothing else was ingested since."""
    return is_untouched(own.shelf) and not _other_parts(lake, own.part)


def _units_of(own: GivenFile, reading: Reading, *, is_estimated: bool) -> tuple[StoreZones, Currency]:
    """Return the zones of the stores and the currency of the shelf; one that is estimated has UTC and euros."""
    store = None if is_estimated else load(own.shelf).store
    return zones_of(reading, store), EUR if store is None else store.money


def _accepted(lake: Lake, own: GivenFile, staged: StagedExport, asked: CorrectionRequest) -> dict[dt.date, Replaced]:
    """Refuse a file that may not enter this lake, and return what it replaces."""
    _refuse_without_rows(staged, own.export.where)
    dates = [EPOCH + dt.timedelta(days=day) for day in staged.spans]
    refuse_another_grain(lake, own.part, staged.grain)
    stores = [store_id_of(word) for word in staged.stores]
    return replacement(lake, own.part, own.export.path.name, dates, stores, asked)


def _settle_shelf(lake: Lake, own: GivenFile, staged: StagedExport, *, is_estimated: bool) -> None:
    """Write the shelf that is estimated from this file, or hold its prices against those of the shelf that is there."""
    if is_estimated:
        _refuse_another_shelf(lake, own.part, [sku_of(product["word"]) for product in staged.products])
        if own.export.reading.price_unit is None:
            refuse_likely_cents(staged, own.export.where)
        write_shelf(own.shelf, staged, own.export.path.name)
    elif own.export.reading.price_unit is None:
        refuse_other_money(load(own.shelf), staged)


def _admit_all(
    lake: Lake,
    own: GivenFile,
    staged: StagedExport,
    replaces: Mapping[dt.date, Replaced],
    asked: CorrectionRequest,
    progress: Progress,
) -> Workspace:
    """Validate and publish every date of an export, then its row, which says that all of it is there."""
    catalog = load(own.shelf)
    _refuse_another_shelf(lake, own.part, catalog.skus)
    if fit_stores(own.shelf, catalog, staged, add_stores=asked.add_stores):
        catalog = load(own.shelf)
    inputs = _fingerprint(own, catalog)
    admission = FileAdmission(lake, catalog, staged, own.export.path.name, own.part, inputs, own.now, replaces)
    admitting = AdmittingVisits(admission) if staged.grain == "visits" else AdmittingSales(admission)
    _refuse_without_a_valid_row(own, admitting)
    workspace = prepared(lake.settings, catalog)
    days = admit_dates(admitting, progress)
    publish_row(workspace, own, inputs, days)
    return workspace


def _refuse_without_a_valid_row(own: GivenFile, admitting: Admitting) -> None:
    """Refuse a file whose rows are all rejected, before anything is published.

    Raises
    ------
    DataError
        With the commonest reason and its first line.
    """
    admission, reasons = admitting.given, dict[str, tuple[int, int]]()
    changed: dict[dt.date, list[int]] = {}
    admitting.begin()
    for date in admission.dates():
        checked = admitting.check(date)
        if checked.valid:
            return
        reasons = reasons_of([reasons, checked.reasons])
        if lines := checked.lines_of(CHANGES):
            changed[checked.business_date] = lines
    if changed:
        raise DataError(_said_of_changes(own, reasons, changed))
    reason, (rows, line) = max(reasons.items(), key=lambda item: item[1][0])
    row = "decision" if admission.staged.grain == "visits" else "sale"
    total = sum(count for count, _ in reasons.values())
    raise DataError(
        f"{own.export.where}: none of its {total:,} rows is a {row} that can be used; {rows:,} because {reason}, first "
        f"in line {line}; nothing was published: correct the file, say what its columns mean, or correct the shelf in "
        f"{own.shelf}"
    )


def _said_of_changes(
    own: GivenFile, reasons: Mapping[str, tuple[int, int]], changed: Mapping[dt.date, Sequence[int]]
) -> str:
    """Say which rows of a file without a new one change what is in the lake, and how to let them count."""
    lines = [line for day in changed for line in changed[day]]
    listed = ", ".join(map(str, lines[:_LINES_SHOWN])) + (" ..." if len(lines) > _LINES_SHOWN else "")
    others = sum(count for count, _ in reasons.values()) - len(lines)
    days = [str(min(changed)), str(max(changed))]
    dates = days[0] if days[0] == days[1] else "..".join(days)
    between = "" if len(changed) in (1, (max(changed) - min(changed)).days + 1) else ", or one command for each of them"
    days_in_words = "the day that it changes" if len(changed) == 1 else f"the {len(changed)} days that it changes"
    return (
        f"{own.export.where}: expected new rows, found {len(lines):,} that change rows in the lake, in line {listed}, "
        f"and {others:,} others that cannot be used or are in the lake already; nothing was published: if the file is "
        f"right, replace {days_in_words} whole, with --replace {dates}{between}"
    )


def _fingerprint(own: GivenFile, catalog: Catalog) -> str:
    """Return the fingerprint of everything that decides the bytes of an export's partitions."""
    facts = (own.digest, own.export.path.name, own.export.reading.model_dump_json(), catalog.fingerprint, CODE_VERSION)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _other_parts(lake: Lake, part: str) -> bool:
    """Tell whether the lake holds sales that are not of this file."""
    return any(own.group != part for own in sold_partitions(lake))


def _refuse_without_rows(staged: StagedExport, where: str) -> None:
    if staged.spans:
        return
    first = staged.connection.execute(query("first_aside")).fetchone()
    if first is None:
        raise DataError(f"{where} line 1: expected rows below the header, found none; nothing was published")
    line, reason, text, count = first
    raise DataError(
        f"{where}: none of its {count:,} rows can be read; line {line}: {reason}, found {shown(text)}; nothing was "
        "published: say what its columns mean and how values are written"
    )


def _refuse_another_shelf(lake: Lake, part: str, skus: Sequence[str]) -> None:
    """Refuse to mix two shelves: other decisions in the lake must be of products on this one."""
    products = Partition("products", None, "all")
    if not _other_parts(lake, part) or lake.receipt(products) is None:
        return
    strangers = set(lake.read(products)["sku"].to_pylist()) - set(skus)
    if strangers:
        raise Declined(
            f"the lake in {lake.address} holds decisions about another shelf, such as {shown(min(strangers))}; "
            "nothing was published: set SHELFPRICE_HOME to a folder of its own, or name that shelf with --catalog"
        )
