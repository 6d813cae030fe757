"""Where price changes are recorded: the table `price_changes`, to which actions are added and nothing else is done.

An action is one partition for each business date on which its changes begin. What people ask for, what a policy
proposes for a date, and what passes of that by rule, are named apart, so that the orders of a date are found without
opening the proposals of other dates. What passes is a set of rows, see `desk.price_changes.passed`: it is never read
change by change but by those who ask for changes by name, or for all of them.
The name of what people did says besides until which date any change that begins on its date can bind, so that what is
over is never opened again, however long a store has been selling.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import Catalog
from catalog.table import MOMENT
from catalog.tables.operations import PREDICTED, PRICE_CHANGES
from desk.price_changes.change import Event, PriceChange, Terms, folded
from warehouse.lake import Lake, Partition
from warehouse.parquet import in_one_piece
from warehouse.partition import Within

TABLE = PRICE_CHANGES.name
LOCK, PATIENCE = "price-changes", 10.0
"""Held while an action is checked and recorded: two people never decide on the same state. An action takes a moment, so
the next one waits up to so many seconds."""

_GROUP = re.compile(r"(?P<of>proposals|people|passed)-(?P<number>\d{8})(-(?P<last>\d{8})|-\d{4})?")
_ONE_DAY = dt.timedelta(days=1)
MOST_LISTED = 10_000
"""Prices of sets that are listed one by one."""
_NAME = re.compile(r"[hp](?P<number>\d{1,8})(\..+)?")


def changes_on(lake: Lake, date: dt.date) -> list[PriceChange]:
    """Return what bears on a date: proposals for it, and what people asked for that may hold on it.

    Of what passes by rule, only that about which something was decided since.
    """
    events = [event for part in parts_on(lake, date, "proposals") for event in _events_in(lake, part)]
    events += _beginnings(lake, events, parts_on(lake, date, "passed"))
    return folded([*events, *_by_people(lake, lambda day: day <= date, date)])


def changes_by_people_on(lake: Lake, date: dt.date) -> list[PriceChange]:
    """Return what people asked for that may hold on a date; no proposal of it is opened."""
    return folded(_by_people(lake, lambda day: day <= date, date))


def changes_by_people(lake: Lake, binding_since: dt.datetime | None = None) -> list[PriceChange]:
    """Return what people asked for, on whatever date it begins.

    Parameters
    ----------
    binding_since
        Leaves out dates of which nothing holds at this moment or later, or can come to hold.
    """
    since = None if binding_since is None else binding_since.date() - _ONE_DAY  # a store's date may still be that
    return folded(_by_people(lake, None, since))


def changes_named(lake: Lake, names: Collection[str]) -> list[PriceChange]:
    """Return the price changes with these ids, in the order in which they were asked for; others are left out.

    Everything that happened to a change lies with the business date on which it begins, so those dates alone are read.
    """
    found = (_NAME.fullmatch(name) for name in names)
    numbers = {int(match["number"]) for match in found if match}
    parts = [(part, match) for part in lake.partitions(TABLE) if (match := _GROUP.fullmatch(part.group))]
    wanted = {(part.business_date, match["of"] == "people") for part, match in parts if int(match["number"]) in numbers}
    read = (part for part, match in parts if (part.business_date, match["of"] == "people") in wanted)
    return folded(event for part in read for event in _events_in(lake, part, change=names))


def all_changes(lake: Lake, within: Within | None = None) -> list[PriceChange]:
    """Return every price change, or those that begin on the business dates asked for."""
    return folded(event for part in lake.partitions(TABLE, within) for event in _events_in(lake, part))


def listed_changes(
    lake: Lake, sku: str | None, store: str | None, since: dt.date | None = None
) -> tuple[list[PriceChange], int]:
    """Return the changes of a product, a store, or of all, and how many prices that passed are left out: too many.

    Parameters
    ----------
    since
        Leaves out what passed on earlier dates, whose sets are over; None leaves out nothing.
    """
    wanted = {name: [own] for name, own in (("sku", sku), ("store_id", store)) if own is not None}
    parts = list(lake.partitions(TABLE))
    sets = [part for part in parts if part.group.startswith("passed")]
    now = [part for part in sets if since is None or (part.business_date or since) >= since]
    passed = [_rows_in(lake, part, ("event", "sku", "store_id"), **wanted)["event"] for part in now]
    count = sum(pc.sum(pc.equal(own, "approved")).as_py() or 0 for own in passed)
    read = [part for part in parts if part not in sets or (count <= MOST_LISTED and part in now)]
    events = [event for part in read for event in _events_in(lake, part, **wanted)]
    events += _beginnings(lake, events, sets)
    return folded(events), count if count > MOST_LISTED else 0


def next_number(lake: Lake) -> int:
    """Return the number of the next action; precondition: the lock is held."""
    found = (_GROUP.fullmatch(part.group) for part in lake.partitions(TABLE))
    return 1 + max((int(match["number"]) for match in found if match), default=0)


def record(
    lake: Lake,
    catalog: Catalog,
    number: int,
    events: Sequence[Event],
    passed: Iterable[tuple[Partition, pa.Table]] = (),
) -> None:
    """Record the events of one action, all or none, and what passes in it; precondition: the lock is held."""
    parts, kept_on = dict[Partition, list[Event]](), _dates_of_earlier(lake, events)
    for event in events:
        parts.setdefault(_partition_of(catalog, event, kept_on.get(event.change)), []).append(event)
    with lake.commit(f"price-changes-{number:08d}", inputs=f"action {number}") as commit:
        for part, own in parts.items():
            commit.publish(_named_by_its_end(lake, catalog, part, own), rows_of_events(own))
        for part, rows in passed:
            commit.publish(part, rows)


def parts_on(lake: Lake, date: dt.date, of: str) -> list[Partition]:
    """Return the partitions of a date that hold `proposals`, or what `passed`, in the order of their actions."""
    return [part for part in lake.partitions_on(TABLE, date) if part.group.startswith(of)]


def number_of(part: Partition) -> int:
    """Return the number of the action that a partition is of, which is that of each of its rows."""
    match = _GROUP.fullmatch(part.group)
    assert match is not None  # noqa: S101 - every group of price changes is named so
    return int(match["number"])


def _parts(lake: Lake, within: Within | None, of: str) -> Iterator[Partition]:
    return (part for part in lake.partitions(TABLE, within) if part.group.startswith(of))


def _by_people(lake: Lake, within: Within | None, binding_since: dt.date | None) -> Iterator[Event]:
    """Yield what people did, date by date; dates that are over before one are not opened."""
    by_date: dict[dt.date | None, list[Partition]] = {}
    for part in _parts(lake, within, "people"):
        by_date.setdefault(part.business_date, []).append(part)
    for parts in by_date.values():
        last = _last_date(max(parts, key=lambda part: part.group))  # numbers have leading zeros: the newest action
        if binding_since is None or last is None or last >= binding_since:
            for part in parts:
                yield from _events_in(lake, part)


def _last_date(part: Partition) -> dt.date | None:
    """Return the last date on which a change that begins on this partition's date can hold; None where it is open."""
    match = _GROUP.fullmatch(part.group)
    return dt.datetime.strptime(match["last"], "%Y%m%d").date() if match and match["last"] else None  # noqa: DTZ007 - a date


def _named_by_its_end(lake: Lake, catalog: Catalog, part: Partition, events: Sequence[Event]) -> Partition:
    """Return the partition of new events with the last date on which any change that begins on its date can hold."""
    if not part.group.startswith("people"):
        return part
    known = [
        event
        for one in _parts(lake, lambda day: day == part.business_date, "people")
        for event in _events_in(lake, one)
    ]
    changes = folded([*known, *events])
    lasts = [max(_dates_of(catalog, change.terms.store, end)) for change in changes if (end := _end_of(change))]
    return part if len(lasts) < len(changes) else replace(part, group=f"{part.group}-{max(lasts):%Y%m%d}")


def _end_of(change: PriceChange) -> dt.datetime | None:
    """Return the moment after which a change can no longer hold, whatever anybody decides; None without one."""
    if change.last != "withdrawn":
        return change.terms.valid_until
    span = change.span()
    return change.terms.valid_from if span is None else span[1]


def _dates_of(catalog: Catalog, store: str | None, moment: dt.datetime) -> set[dt.date]:
    """Return the local dates of a moment: in a store, or in all of them."""
    clocks = catalog.store.clocks if store is None else (catalog.store.clock_of(store),)
    return {clock.date_of(moment) for clock in clocks}


def _dates_of_earlier(lake: Lake, events: Sequence[Event]) -> dict[str, dt.date]:
    """Return on which date the changes are kept that events of an earlier action asked for.

    It may be another one than their terms would have now: a store may have left the catalog, or be in another zone.
    """
    asked_in = {event.change: match for event in events if (match := _NAME.fullmatch(event.change))}
    number_of = {change: int(match["number"]) for change, match in asked_in.items()}
    earlier = {event.change for event in events if number_of.get(event.change, event.number) != event.number}
    numbers, found = {number_of[change] for change in earlier}, dict[str, dt.date]()
    for part in lake.partitions(TABLE) if earlier else ():
        match = _GROUP.fullmatch(part.group)
        if match and int(match["number"]) in numbers and part.business_date is not None:
            names = {event.change for event in _events_in(lake, part, change=earlier)}
            found |= {name: part.business_date for name in names if name not in found}
    return found


def _partition_of(catalog: Catalog, event: Event, kept_on: dt.date | None) -> Partition:
    """Return where an event is kept: with its change, on the first local date on which that holds in some store."""
    of = "proposals" if event.terms.kind == "price" else "people"
    first = kept_on or min(_dates_of(catalog, event.terms.store, event.terms.valid_from))
    return Partition(TABLE, first, f"{of}-{event.number:08d}")


def rows_of_events(events: Sequence[Event]) -> pa.Table:
    """Return events as rows of the table."""
    rows = []
    for event in events:
        terms = vars(event.terms)
        own = {name: value for name, value in vars(event).items() if name not in {"terms", "by", "effective_in"}}
        moments = [{"store_id": store, "effective_at": moment} for store, moment in event.effective_in.items()]
        rows.append({**own, **terms, "done_by": event.by, "store_id": terms["store"], "effective_in": moments or None})
    return pa.Table.from_pylist(rows, schema=PRICE_CHANGES.schema)


def _beginnings(lake: Lake, events: Sequence[Event], sets: Sequence[Partition]) -> Iterator[Event]:
    """Yield from sets what came before the events of changes that passed, and about which something was decided."""
    missing = {event.change for event in events} - {event.change for event in events if event.event == "proposed"}
    numbers = {f"passed-{int(match['number']):08d}" for name in missing if (match := _NAME.fullmatch(name))}
    for part in sets:
        if part.group[: len("passed-00000000")] in numbers:
            yield from _events_in(lake, part, change=missing)


def _rows_in(lake: Lake, part: Partition, columns: Sequence[str] | None, **chosen: Collection[str]) -> pa.Table:
    """Return the rows of a partition that have, in some columns, one of the values chosen there."""
    rows = lake.read(part, columns)
    for name, values in chosen.items():
        rows = rows.filter(pc.is_in(rows[name], value_set=pa.array(list(values), pa.string())))
    return rows


def _listed(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column; a moment is made once, however many rows have it: that takes most of the time."""
    if column.type != MOMENT:
        return column.to_pylist()
    own = in_one_piece(column).dictionary_encode()
    moments = own.dictionary.to_pylist()
    return [None if code is None else moments[code] for code in own.indices.to_pylist()]


def _events_in(lake: Lake, part: Partition, **chosen: Collection[str]) -> Iterator[Event]:
    """Yield the events of a partition, or those that are chosen by values of columns."""
    rows = _rows_in(lake, part, None, **chosen)
    names = rows.column_names
    for values in zip(*map(_listed, rows.columns), strict=True):
        row = dict(zip(names, values, strict=True))
        terms = Terms(
            kind=row["kind"],
            sku=row["sku"],
            store=row["store_id"],
            old_price=row["old_price"],
            new_price=row["new_price"],
            valid_from=row["valid_from"],
            valid_until=row["valid_until"],
            reason=row["reason"],
            expected_cost=row["expected_cost"],
            announced=row["announced"],
            prior_price=row["prior_price"],
            accepted_cost=row["accepted_cost"],
            **{name: row[name] for name in PREDICTED},
        )
        moments = row["recorded_at"], row["effective_at"]
        in_stores = {own["store_id"]: own["effective_at"] for own in row["effective_in"] or ()}
        yield Event(row["number"], row["change"], row["event"], *moments, row["done_by"], terms, in_stores)
