"""What a check of all files finds, sorted by what is made again whole: a batch, a price book, a partition alone."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Literal

from catalog.errors import LakeError
from catalog.names import EMPTY_GROUP, EXPORT_GROUP, INTAKE_GROUP, LIVE_GROUP
from etl.transform import transform
from plugins.operations.checks.belonging import BATCH, LEDGER
from plugins.operations.checks.lake_files import Finding
from plugins.operations.repair.kills import Fault, parts_of_pending
from plugins.own_store.history.file_row import row_of
from warehouse.commits.locks import held
from warehouse.commits.record import amend, final_names, final_record
from warehouse.lake import Lake
from warehouse.origin import GROUPED, OF_A_RETAILER
from warehouse.partition import Partition
from warehouse.workspace import Workspace

Kind = Literal["played", "live", "ingested", "book", "cells", "record", "other"]

_OF_A_DAY = {*BATCH, LEDGER, "interactions"}
_OF_A_LIVE_DAY = {"live_interactions", "live_repricings"}
_OF_A_BOOK = {"booked_prices", "demand_curves", "beliefs"}
_MADE_BY_INTAKE = "the next `shelfprice take-in DIR`, or the next sales over HTTP, make it anew"
_SENT_AGAIN = "let the store send what it sent for this date again: what is known counts once"
_BY_HAND = {
    "nights": "do the night again with `shelfprice nightly`, or go on without its record",
    "model_versions": "take it from a backup; without it the version is history in MLflow alone",
    "champions": "take it from a backup; without it this change of champion is forgotten",
    "receipt_lines": _SENT_AGAIN,
    "stock_events": _SENT_AGAIN,
    "traffic": _SENT_AGAIN,
    "product_visits": _SENT_AGAIN,
    "competitor_prices": "take the file with these prices in again: what is known counts once",
    "unit_sales": _MADE_BY_INTAKE,
    "exposures": _MADE_BY_INTAKE,
    "stock_movements": _MADE_BY_INTAKE,
    "hourly_draws": "take it from a backup; without it what sold at these prices teaches nothing",
}
"""What is lost with a partition that nothing makes again."""


@dataclass(frozen=True)
class Damage:
    """Findings that one thing made again puts right.

    Attributes
    ----------
    kind
        What it is made again by: a batch of the twin is `played`, one that was sold `live` is not; what
        was `ingested` is read from its file; a price `book` is worked out; demand `cells` and visit counts are
        grouped; the `record` of a commit and all `other` partitions are not made again here.
    date, group
        Of its partitions; None for a record, and the date of tables without days.
    """

    kind: Kind
    date: dt.date | None
    group: str | None
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> str:
        """What is wrong, such as `damaged, mixed`."""
        return ", ".join(sorted({finding.kind for finding in self.findings}))

    @property
    def where(self) -> str:
        """Name the first file, and how many more there are."""
        first, more = f"lake/{self.findings[0].name}", len(self.findings) - 1
        return f"{first} and {more} more" if more else first


def damages(lake: Lake, findings: Iterable[Finding]) -> list[Damage]:
    """Sort findings; those about a pending commit and its parts are left out, for they end with it."""
    pending, sorted_out = parts_of_pending(lake), dict[tuple[Kind, dt.date | None, str | None], list[Finding]]()
    for finding in findings:
        partition = finding.partition
        if finding.kind == "unfinished" or partition in pending:
            continue
        if partition is None:
            key: tuple[Kind, dt.date | None, str | None] = ("record", None, PurePosixPath(finding.name).name)
        else:
            kind = _kind_of(partition)
            group = partition.group if kind != "other" else f"{partition.table} {partition.group}"
            key = kind, partition.business_date, group
        sorted_out.setdefault(key, []).append(finding)
    return [Damage(*key, tuple(names)) for key, names in sorted_out.items()]


def set_findings_aside(lake: Lake, findings: Sequence[Finding]) -> list[str]:
    """Move the files of findings out of the lake; what is mixed stays, for it is whole and made again in its place."""
    wrong = [finding.name for finding in findings if finding.kind != "mixed"]
    return [place for name in wrong for place in lake.store.set_aside(name)]


def damaged_files(lake: Lake, damages: Iterable[Damage]) -> Iterator[Fault]:
    """Yield the damage that is mended by setting files aside, with what a person has to do then."""
    for damage in damages:
        if damage.kind in {"record", "other"}:
            table, _, group = (damage.group or "").partition(" ")
            what = f"{damage.faults}: {_named(damage)}"
            if group == EMPTY_GROUP:
                yield Fault(what, damage.where, "make it anew", partial(_make_columns_anew, lake, damage))
                continue
            mend = partial(set_damage_aside, lake, damage)
            afterwards = _BY_HAND.get(table) if damage.kind == "other" else None
            yield Fault(what, damage.where, "set it aside", mend, afterwards=afterwards)
        elif damage.kind == "live":
            yield _of_a_day_not_played_again(lake, damage)


def _of_a_day_not_played_again(lake: Lake, damage: Damage) -> Fault:
    """Say what becomes of a day that was sold live: an open one is sold again when asked for."""
    what, where = f"{damage.faults}: decisions of {damage.date}, {damage.group}", damage.where
    group = damage.group or ""
    if not lake.holds(Partition("interactions", damage.date, group)):
        store = group.removeprefix(LIVE_GROUP)
        return Fault(what, where, f"`shelfprice live --store {store} --date {damage.date} --again` sells it again")
    lost = "it was sold live, and nothing plays it again"
    if {finding.kind for finding in damage.findings} == {"mixed"}:
        return Fault(what, where, f"{lost}: its tables stay as they are")
    return Fault(what, where, "set it aside", partial(set_damage_aside, lake, damage), afterwards=lost)


def _named(damage: Damage) -> str:
    if damage.kind == "record":
        return f"the {'file' if 'orphaned' in damage.faults else 'record'} {damage.group}"
    table, _, group = (damage.group or "").partition(" ")
    return f"the columns of {table}" if group == EMPTY_GROUP else f"{table} {damage.date or group}"


def set_damage_aside(lake: Lake, damage: Damage) -> str:
    """Set files aside, and let no commit name the partitions any more."""
    set_findings_aside(lake, damage.findings)
    for partition in filter(None, (finding.partition for finding in damage.findings)):
        if not lake.holds(partition):
            _strike_from_records(lake, partition)
    return "set aside"


def _make_columns_anew(lake: Lake, damage: Damage) -> str:
    """Publish the empty partition of a table anew, which carries its columns."""
    set_findings_aside(lake, damage.findings)
    lake.prepare()
    return "made anew"


def _strike_from_records(lake: Lake, partition: Partition) -> None:
    for name in final_names(lake.notes):
        record = final_record(lake.notes, name)
        if record is not None and record.holds(partition):
            with held(lake.locks, name):
                amend(lake.notes, record.without(partition))


def _kind_of(partition: Partition) -> Kind:
    table, group = partition.table, partition.group
    is_of_intake = table in {*OF_A_RETAILER, "stock_movements"} and group.startswith(INTAKE_GROUP)
    if is_of_intake or group == EMPTY_GROUP:
        return "other"
    if table in OF_A_RETAILER or group.startswith(EXPORT_GROUP):
        return "ingested"
    if table in _OF_A_LIVE_DAY or (table in _OF_A_DAY and group.startswith(LIVE_GROUP)):
        return "live"
    if table in _OF_A_DAY:
        return "played"
    if table in _OF_A_BOOK:
        return "book"
    return "cells" if table in GROUPED else "other"


def damaged_exports(lake: Lake, damages: Iterable[Damage]) -> Iterator[Fault]:
    """Yield damaged days of exported files: nobody but their files can bring them back."""
    for damage in damages:
        if damage.kind == "ingested":
            what = f"{damage.faults}: rows of an export, {damage.date or damage.group}"
            again = f"ingest {_file_of(lake, damage.group or '')} again"
            if {finding.kind for finding in damage.findings} == {"mixed"}:
                yield Fault(what, damage.where, again)
            else:
                mend = partial(_set_export_aside, lake, damage)
                yield Fault(what, damage.where, f"set it aside; then {again}", mend, afterwards=again)


def damaged_cells(damages: Iterable[Damage], opened: Callable[[], Workspace]) -> Iterator[Fault]:
    """Yield damaged demand cells, which are grouped again from their decisions."""
    for damage in damages:
        if damage.kind == "cells":
            what = f"{damage.faults}: demand cells of {damage.date}, {damage.group}"
            yield Fault(
                what, damage.where, "set them aside and group them again", partial(_group_again, damage, opened)
            )


def _set_export_aside(lake: Lake, damage: Damage) -> str:
    set_findings_aside(lake, damage.findings)  # its commit goes on naming it, so that it is found to be missing
    return "set aside"


def _file_of(lake: Lake, part: str) -> str:
    """Name the file that a partition came from, as far as it is on record."""
    try:
        named = lake.receipt(Partition("ingested_files", None, part)) is not None
        return f"the file {row_of(lake, part)['file']}" if named else "its file"
    except LakeError:
        return "its file"


def _group_again(damage: Damage, opened: Callable[[], Workspace]) -> str:
    workspace = opened()
    set_findings_aside(workspace.lake, damage.findings)
    transform(workspace)
    return "grouped again"
