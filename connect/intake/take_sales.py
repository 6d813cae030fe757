"""Take in lines of receipts: each line is checked, compared with the lake, and published once or refused with a reason.

What must hold: a process that publishes lines holds the lock from its look at what is known until they are in force. So
when several processes get the same lines, one of them takes them in, and a sender who is unsure can send them again.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.load import Catalog
from catalog.names import INTAKE_GROUP
from catalog.tables.intake import RECEIPT_LINES
from connect.intake.known_lines import KnownLines, table_of
from connect.intake.sale_lines import (
    ACCEPTED_DAYS,
    IntakeResult,
    LineCheck,
    LineReference,
    LineRefusal,
    RefusedLine,
    SaleLine,
)
from warehouse.lake import Partition
from warehouse.locks import waited_for
from warehouse.workspace import Workspace

LOCK = "intake"
"""Held while lines are held against the lake and published."""

_SAID = (
    "sku",
    "sold_at",
    "units",
    "price",
    "offer",
    "voids_event_id",
    "voids_receipt",
    "voids_line",
    "corrects_event_id",
    "corrects_receipt",
    "corrects_line",
)
"""What a line that is sent again has to say as it did."""
_AS_SAID = ("store_id", "event_id", "receipt", "line", "sku", "units", "price", "offer")
_Row = dict[str, Any]


def take_sales(
    workspace: Workspace, lines: Sequence[Any], by: str, now: dt.datetime, known: KnownLines | None = None
) -> IntakeResult:
    """Take lines in; when it returns, those that were taken are durable.

    Parameters
    ----------
    lines
        Objects with the fields of `SaleLine`.
    by
        Who sends them.
    now
        The time, UTC.
    known
        What the lake holds; one that was used before reads new parts alone.
    """
    known = known or KnownLines(workspace.lake)
    refused, by_date = list[RefusedLine](), dict[dt.date, list[tuple[int, _Row]]]()
    check = LineCheck(workspace.catalog, now)
    for index, given in enumerate(lines):
        try:
            line = check.sale(given)
        except LineRefusal as refusal:
            refused.append(refusal.at(index))
            continue
        date = workspace.catalog.store.clock_of(line.store_id).date_of(line.sold_at)
        by_date.setdefault(date, []).append((index, _row_of(line, workspace.catalog, by, now)))
    taken = repeated = 0
    if by_date:
        with waited_for(workspace.settings.locks, LOCK):
            workspace.lake.finish_interrupted()
            known.look(first_date(now))
            for date, rows in sorted(by_date.items()):
                new, count = _new_among(rows, date, known, refused)
                taken, repeated = taken + len(new), repeated + count
                if new:
                    _publish(workspace, date, new, known)
    return IntakeResult(taken, repeated, tuple(sorted(refused, key=lambda one: one.index)))


def first_date(now: dt.datetime) -> dt.date:
    """Return the first business date that lines may be of, in any zone."""
    return (now - dt.timedelta(days=ACCEPTED_DAYS + 2)).date()


def _row_of(line: SaleLine, catalog: Catalog, by: str, now: dt.datetime) -> _Row:
    return {
        **{name: getattr(line, name) for name in _AS_SAID},
        "sold_at": line.sold_at.astimezone(dt.UTC),
        "currency": catalog.store.currency,
        **_reference("voids", line.voids),
        **_reference("corrects", line.corrects),
        "taken_at": now,
        "taken_from": by,
    }


def _reference(what: str, other: str | LineReference | None) -> _Row:
    event, receipt = (other, None) if other is None or isinstance(other, str) else (None, other)
    return {
        f"{what}_event_id": event,
        f"{what}_receipt": receipt and receipt.receipt,
        f"{what}_line": None if receipt is None else receipt.line,
    }


def _new_among(
    rows: Sequence[tuple[int, _Row]], date: dt.date, known: KnownLines, refused: list[RefusedLine]
) -> tuple[list[_Row], int]:
    """Return the rows of a date that are new, and the number of those that are known; others are refused."""
    by_id: dict[tuple[object, ...], Mapping[str, Any]] = {}
    for row in known.rows_like(table_of([row for _, row in rows]), date):
        by_id |= dict.fromkeys(_ids(row), row)
    new, count = list[_Row](), 0
    for index, row in rows:
        before = [by_id[own] for own in _ids(row) if own in by_id]
        other = next((one for one in before if _said(one) != _said(row)), None)
        if other is not None:
            refused.append(_contradiction(index, other, row))
        elif before:
            count += 1
        else:
            new.append(row)
            by_id |= dict.fromkeys(_ids(row), row)
    return new, count


def _ids(row: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Return what a line is told from others by: its event id, and its receipt and number."""
    ids: list[tuple[object, ...]] = []
    if row["event_id"] is not None:
        ids.append((row["store_id"], row["event_id"]))
    if row["receipt"] is not None and row["line"] is not None:
        ids.append((row["store_id"], row["receipt"], row["line"]))
    return ids


def _said(row: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(row[name] for name in _SAID)


def _contradiction(index: int, before: Mapping[str, Any], now: Mapping[str, Any]) -> RefusedLine:
    named = next(name for name in _SAID if before[name] != now[name])
    expected = f"{named}: {before[named]} as this line said before, or another id and `corrects`"
    return LineRefusal("says_otherwise", expected, now[named]).at(index)


def _publish(workspace: Workspace, date: dt.date, rows: Sequence[_Row], known: KnownLines) -> None:
    digest = hashlib.sha256(repr(sorted(map(repr, map(_ids, rows)))).encode()).hexdigest()
    part = Partition(RECEIPT_LINES.name, date, f"{INTAKE_GROUP}-{digest[:20]}")
    table = table_of(rows)
    workspace.lake.publish(part, table, inputs=digest)
    known.add(part, table)
