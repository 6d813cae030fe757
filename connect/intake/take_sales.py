"""Take in lines of receipts: each line is checked, compared with the lake, and published once or refused with a reason.

What must hold: a process that publishes lines holds the lock from its look at what is known until they are in force. So
when several processes get the same lines, one of them takes them in, and a sender who is unsure can send them again.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Ints
from catalog.load import Catalog
from catalog.names import INTAKE_GROUP
from catalog.tables.intake import RECEIPT_LINES
from connect.intake.known_lines import KnownLines, hashes_of, repeats, table_of
from connect.intake.plain_sales import columns_of, dates_of, plain_sales
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
from warehouse.sql_files import queries_beside
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
_EPOCH = dt.date(1970, 1, 1)
_query = queries_beside(__file__)


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
    known = known or KnownLines(workspace.lake)
    refused = list[RefusedLine]()
    places, rows = _checked(workspace.catalog, lines, (by, now), refused)
    taken = repeated = 0
    if len(places):
        days = dates_of(rows, workspace.catalog.store)
        with waited_for(workspace.settings.locks, LOCK):
            workspace.lake.finish_interrupted()
            known.look(first_date(now))
            for day in np.unique(days):
                date, chosen = _EPOCH + dt.timedelta(days=int(day)), np.flatnonzero(days == day)
                new, count = _new_among(places[chosen], rows.take(chosen), date, known, refused)
                taken, repeated = taken + new.num_rows, repeated + count
                if new.num_rows:
                    _publish(workspace, date, new, known)
    return IntakeResult(taken, repeated, tuple(sorted(refused, key=lambda one: one.index)))


def _checked(
    catalog: Catalog, lines: pa.Table | Sequence[Any], sent: tuple[str, dt.datetime], refused: list[RefusedLine]
) -> tuple[Ints, pa.Table]:
    """Return the places of the lines that can be taken, ascending, and their rows; others are refused."""
    able, columns = (np.ones(len(lines), bool), lines) if isinstance(lines, pa.Table) else columns_of(lines)
    found = plain_sales(columns, catalog, sent) if able.any() else None
    plain = np.flatnonzero(able)[found.plain] if found else np.array([], np.int64)
    others = np.setdiff1d(np.arange(len(able)), plain)
    objects = (
        objects_of(lines.take(others)) if isinstance(lines, pa.Table) else [lines[place] for place in others.tolist()]
    )
    check, looked_at = LineCheck(catalog, sent[1]), dict[int, _Row]()
    for place, given in zip(others.tolist(), objects, strict=True):
        try:
            looked_at[place] = _row_of(check.sale(given), catalog, sent)
        except LineRefusal as refusal:
            refused.append(refusal.at(place))
    places = np.r_[plain, np.array([*looked_at], np.int64)]
    rows = pa.concat_tables([*([found.rows] if found else []), table_of([*looked_at.values()])])
    order = np.argsort(places)
    return places[order], rows.unify_dictionaries().take(order)


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
    places: Ints, rows: pa.Table, date: dt.date, known: KnownLines, refused: list[RefusedLine]
) -> tuple[pa.Table, int]:
    """Return the rows of a date that are new, and the number of those that are known; others are refused."""
    hashes = hashes_of(rows)
    seen = known.has(hashes, date) | repeats(hashes)
    doubtful = np.flatnonzero(seen)
    stored = known.rows_like(rows.take(doubtful), date)
    again = _known_again(rows.take(doubtful), stored, date) if stored.num_rows else np.array([], np.int64)
    is_new, left = ~seen, np.delete(doubtful, again)
    by_id: dict[tuple[object, ...], Mapping[str, Any]] = {}
    for row in stored.to_pylist() if len(left) else []:
        by_id |= dict.fromkeys(_ids(row), row)
    count = len(again)
    for place, row in zip(left.tolist(), rows.take(left).to_pylist(), strict=True):
        before = [by_id[own] for own in _ids(row) if own in by_id]
        other = next((one for one in before if _said(one) != _said(row)), None)
        if other is not None:
            refused.append(_contradiction(int(places[place]), other, row))
        elif before:
            count += 1
        else:
            is_new[place] = True
            by_id |= dict.fromkeys(_ids(row), row)
    return rows.filter(pa.array(is_new)), count


def _known_again(rows: pa.Table, stored: pa.Table, date: dt.date) -> Ints:
    """Return the places of rows that the lake has with the same ids, saying the same."""
    arrived = _with_said(rows).append_column("place", pa.array(np.arange(rows.num_rows)))
    before = _with_said(stored).append_column("is_of_date", pc.equal(stored["business_date"], date))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("arrived", arrived)
        connection.register("stored", before)
        return np.asarray(connection.execute(_query("known_again")).fetchnumpy()["place"], np.int64)


def _with_said(rows: pa.Table) -> pa.Table:
    """Return the ids of rows, and as a text what a line that is sent again has to say as it did."""
    texts = [pc.fill_null(rows[name].cast(pa.string()), "\0") for name in _SAID]
    ids = pa.table({name: rows[name].cast(pa.string()) for name in ("store_id", "event_id", "receipt", "line")})
    return ids.append_column("said", pc.binary_join_element_wise(*texts, "\x1f"))


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
