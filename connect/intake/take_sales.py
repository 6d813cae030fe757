"""Take in lines of receipts: each line is checked, compared with the lake, and published once or refused with a reason.

What must hold: a process that publishes lines holds the lock from its look at what is known until they are in force. So
when several processes get the same lines, one of them takes them in, and a sender who is unsure can send them again.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

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
from connect.intake.sales_files import objects_of
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
_AT_ONCE = 50_000  # lines that are held as objects


def take_sales(
    workspace: Workspace,
    lines: pa.Table | Sequence[Any],
    by: str,
    now: dt.datetime,
    known: KnownLines | None = None,
) -> IntakeResult:
    """Take lines in; when it returns, those that were taken are durable.

    Parameters
    ----------
    lines
        Objects with the fields of `SaleLine`, or a table with a column for each field of a file.
    by
        Who sends them.
    now
        The time, UTC.
    known
        What the lake holds; one that was used before reads new parts alone.
    """
    known, refused = known or KnownLines(workspace.lake), list[RefusedLine]()
    taken = repeated = 0
    for begin in range(0, len(lines), _AT_ONCE):
        of_now = objects_of(lines.slice(begin, _AT_ONCE)) if isinstance(lines, pa.Table) else lines[begin:][:_AT_ONCE]
        by_date = _checked(workspace.catalog, enumerate(of_now, start=begin), (by, now), refused)
        if by_date:
            with waited_for(workspace.settings.locks, LOCK):
                workspace.lake.finish_interrupted()
                known.look(first_date(now))
                for date, rows in sorted(by_date.items()):
                    new, count = _new_among(rows, date, known, refused)
                    taken, repeated = taken + len(new), repeated + count
                    if new:
                        _publish(workspace, date, table_of(new), known)
    return IntakeResult(taken, repeated, tuple(sorted(refused, key=lambda one: one.index)))


def _checked(
    catalog: Catalog, lines: Iterable[tuple[int, Any]], sent: tuple[str, dt.datetime], refused: list[RefusedLine]
) -> dict[dt.date, list[tuple[int, _Row]]]:
    """Return the rows of the lines that can be taken, with their places, by business date; others are refused."""
    check, found = LineCheck(catalog, sent[1]), dict[dt.date, list[tuple[int, _Row]]]()
    for place, given in lines:
        try:
            line = check.sale(given)
        except LineRefusal as refusal:
            refused.append(refusal.at(place))
            continue
        date = catalog.store.clock_of(line.store_id).date_of(line.sold_at)
        found.setdefault(date, []).append((place, _row_of(line, catalog, sent)))
    return found


def first_date(now: dt.datetime) -> dt.date:
    """Return the first business date that lines may be of, in any zone."""
    return (now - dt.timedelta(days=ACCEPTED_DAYS + 2)).date()


def _row_of(line: SaleLine, catalog: Catalog, sent: tuple[str, dt.datetime]) -> _Row:
    return {
        **{name: getattr(line, name) for name in _AS_SAID},
        "sold_at": line.sold_at.astimezone(dt.UTC),
        "currency": catalog.store.currency,
        **_reference("voids", line.voids),
        **_reference("corrects", line.corrects),
        "taken_at": sent[1],
        "taken_from": sent[0],
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
    by_id, new, count = dict[tuple[object, ...], Mapping[str, Any]](), list[_Row](), 0
    for row, is_of_date in known.rows_like(table_of([row for _, row in rows]), date):
        by_id |= dict.fromkeys(_ids(row if is_of_date else row | {"receipt": None}), row)
    for place, row in rows:
        before = [by_id[own] for own in _ids(row) if own in by_id]
        other = next((one for one in before if _said(one) != _said(row)), None)
        if other is not None:
            refused.append(_contradiction(place, other, row))
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


def _publish(workspace: Workspace, date: dt.date, rows: pa.Table, known: KnownLines) -> None:
    ids = rows.select(["store_id", "event_id", "receipt", "line"])
    digest = hashlib.sha256(ids.to_pandas().to_csv(index=False).encode()).hexdigest()
    part = Partition(RECEIPT_LINES.name, date, f"{INTAKE_GROUP}-{digest[:20]}")
    workspace.lake.publish(part, rows, inputs=digest)
    known.add(part, rows)
