"""Take in what else a store knows while it sells: counts, deliveries and losses of stock, and who came in each hour.

All are few, so a business date of a table is one part, which is published anew with what came. An event of stock is
told from others by its event id, or by store, product, kind, time and last date of sale; of an hour's visitors, and of
its visits to a product, what was said last holds.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import pyarrow as pa
from pydantic import AwareDatetime, Field

from catalog.load import Catalog
from catalog.names import INTAKE_GROUP
from catalog.tables.contracts import TABLES
from catalog.tables.table import Table
from plugins.connect.intake.sale_lines import (
    Id,
    IntakeResult,
    Key,
    LineCheck,
    LineOfStore,
    LineRefusal,
    RefusedLine,
    Row,
    checked,
    new_among,
    parsed,
)
from plugins.connect.intake.take_sales import LOCK
from warehouse.commits.locks import waited_for
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace


class StockEvent(LineOfStore):
    """Something that changed the stock of a product in a store, or told it."""

    sku: Id = Field(description="the product, as products.yaml names it")
    happened_at: AwareDatetime = Field(description="when, ISO 8601 in UTC or with an offset")
    kind: Literal["count", "delivery", "spoiled"] = Field(
        description="count: the units that are there; delivery: units that came; spoiled: units thrown away"
    )
    units: float = Field(ge=0, lt=1e6, description="units, at least 0; whole ones where stock lives over days")
    expires_on: dt.date | None = Field(
        default=None,
        description="last date on which the units of a count or a delivery may be sold, where stock lives over days",
    )
    event_id: Id | None = Field(default=None, description="an id that no other event of the store has")


class _HourCount(LineOfStore):
    hour_at: AwareDatetime = Field(description="when the hour begins, ISO 8601 in UTC or with an offset")


class VisitorCount(_HourCount):
    """The visitors of a store in one hour."""

    visitors: float = Field(ge=0, lt=1e7, description="visitors who came in that hour")


class ProductVisits(_HourCount):
    """The visits to a product of a store in one hour."""

    sku: Id = Field(description="the product, as products.yaml names it")
    visits: float = Field(ge=0, lt=1e7, description="shoppers who looked at the product in that hour, 0 for nobody")


def take_stock(workspace: Workspace, events: Sequence[Any], by: str, now: dt.datetime) -> IntakeResult:
    """Take events of stock in; when it returns, those that were taken are durable. See `take_sales`."""
    check = LineCheck(workspace.catalog, now)

    def row_of(given: Any) -> Row:
        event = parsed(StockEvent, given)
        check.refuse_unknown(event.store_id, event.sku)
        check.refuse_time("happened_at", event.happened_at)
        _refuse_what_tells_nothing(workspace.catalog, event)
        return {**dict(event), "happened_at": event.happened_at.astimezone(dt.UTC), "taken_at": now, "taken_from": by}

    return _take(workspace, TABLES["stock_events"], "happened_at", events, row_of, _id_of_event, replaces=False)


def _refuse_what_tells_nothing(catalog: Catalog, event: StockEvent) -> None:
    """Refuse a date that tells nothing, and parts of a unit where each unit is followed."""
    lives_on = catalog.product(event.sku).lives_on
    if lives_on and not event.units.is_integer():
        raise LineRefusal("units", f"units: a whole number, for each unit of {event.sku} is followed", event.units)
    if event.expires_on is None:
        return
    date = catalog.store.clock_of(event.store_id).date_of(event.happened_at)
    if not lives_on:
        expected = f"expires_on: none, for the shelf of {event.sku} is simply full at each opening"
    elif event.kind == "spoiled":
        expected = "expires_on: none with spoiled; the oldest units are thrown away first"
    elif event.expires_on < date:
        expected = f"expires_on: {date}, the date of the event, or later"
    else:
        return
    raise LineRefusal("not_valid", expected, event.expires_on)


def take_traffic(workspace: Workspace, counts: Sequence[Any], by: str, now: dt.datetime) -> IntakeResult:
    """Take counts of visitors, and of visits to products, in; when it returns, those that were taken are durable.

    A count with a `sku` is one of visits. See `take_sales`.
    """
    of_product = [isinstance(given, Mapping) and "sku" in given for given in counts]
    taken = repeated = 0
    refused = list[RefusedLine]()
    for table, model, has_sku in (
        (TABLES["traffic"], VisitorCount, False),
        (TABLES["product_visits"], ProductVisits, True),
    ):
        places = [place for place, is_of_product in enumerate(of_product) if is_of_product is has_sku]
        if places:
            result = _take_hours(workspace, table, model, [counts[place] for place in places], (by, now))
            taken, repeated = taken + result.taken, repeated + result.known
            refused += [replace(line, index=places[line.index]) for line in result.refused]
    return IntakeResult(taken, repeated, tuple(sorted(refused, key=lambda line: line.index)))


def _take_hours(
    workspace: Workspace,
    table: Table,
    model: type[VisitorCount | ProductVisits],
    counts: Sequence[Any],
    sent: tuple[str, dt.datetime],
) -> IntakeResult:
    """Take what was counted in hours of a store."""
    by, now = sent
    check = LineCheck(workspace.catalog, now)

    def row_of(given: Any) -> Row:
        count = parsed(model, given)
        check.refuse_unknown(count.store_id, getattr(count, "sku", None))
        check.refuse_time("hour_at", count.hour_at)
        local = workspace.catalog.store.clock_of(count.store_id).local(count.hour_at)
        if (local.minute, local.second, local.microsecond) != (0, 0, 0):
            raise LineRefusal("not_valid", "hour_at: the beginning of an hour in the store", count.hour_at.isoformat())
        return {**dict(count), "hour_at": count.hour_at.astimezone(dt.UTC), "taken_at": now, "taken_from": by}

    def id_of(row: Row) -> Key:
        return tuple(row[name] for name in table.key)

    return _take(workspace, table, "hour_at", counts, row_of, id_of, replaces=True)


def _take(
    workspace: Workspace,
    table: Table,
    moment: str,
    lines: Sequence[Any],
    row_of: Callable[[Any], Row],
    id_of: Callable[[Row], Key],
    *,
    replaces: bool,
) -> IntakeResult:
    """Check lines, and merge those that are new into the part of their date."""
    refused, by_date, taken, repeated = list[RefusedLine](), dict[dt.date, list[tuple[int, Row]]](), 0, 0
    for index, row in checked(lines, row_of, refused):
        date = workspace.catalog.store.clock_of(row["store_id"]).date_of(row[moment])
        by_date.setdefault(date, []).append((index, row))
    if by_date:
        with waited_for(workspace.settings.locks, LOCK):
            workspace.lake.finish_interrupted()
            for date, rows in sorted(by_date.items()):
                there = {id_of(row): row for row in _rows_on(workspace.lake, table, date)}
                contradicts = None if replaces else _contradiction
                new, count = new_among(rows, there, lambda row: [id_of(row)], _said, contradicts, refused)
                taken, repeated = taken + len(new), repeated + count
                if new:
                    _publish(workspace.lake, table, date, list(there.values()))
    return IntakeResult(taken, repeated, tuple(sorted(refused, key=lambda line: line.index)))


def _contradiction(before: Row, now: Row) -> LineRefusal:
    sentence = f"{before['kind']} of {before['units']:g} of {before['sku']} as this event said before"
    return LineRefusal("says_otherwise", sentence, f"{now['units']:g}")


def _rows_on(lake: Lake, table: Table, date: dt.date) -> list[Row]:
    part = Partition(table.name, date, INTAKE_GROUP)
    return lake.read(part).to_pylist() if lake.holds(part) else []


def _publish(lake: Lake, table: Table, date: dt.date, rows: Sequence[Row]) -> None:
    columns = {name: [row[name] for row in rows] for name in table.schema.names}
    part = Partition(table.name, date, INTAKE_GROUP)
    lake.publish(part, pa.table(columns, schema=table.schema), inputs=f"{len(rows)} as of {rows[-1]['taken_at']}")


def _said(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"taken_at", "taken_from", "event_id"}}


def _id_of_event(row: Row) -> Key:
    if row["event_id"] is not None:
        return row["store_id"], row["event_id"]
    return row["store_id"], row["sku"], row["kind"], row["happened_at"], row["expires_on"]
