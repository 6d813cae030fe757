"""Where price changes are recorded: the table `price_changes`, to which actions are added and nothing else is done.

An action is one partition for each business date on which its changes begin. What people ask for, what a policy
proposes for a date, and what passes of that by rule, are named apart, so that the orders of a date are found without
opening the proposals of other dates, and what passes is read change by change only where it is asked for by name. The
name of what people did says besides until which date any of it can hold, so that what is over is not opened again.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from catalog.tables.table import MOMENT
from plugins.desk.price_changes.change import Event, PriceChange, Terms, folded
from plugins.desk.tables import PREDICTED
from warehouse.lake import Lake, Partition
from warehouse.parquet import in_one_piece
from warehouse.partition import Within

TABLE = "price_changes"
LOCK, PATIENCE = "price-changes", 10.0
"""Held while an action is checked and recorded: two people never decide on the same state. An action takes a moment, so
the next one waits up to so many seconds."""
MOST_LISTED = 10_000
"""Prices that pass by rule and are listed one by one."""

_GROUP = re.compile(r"(?P<of>proposals|people|passed)-(?P<number>\d{8})(-(?P<last>\d{8}))?")
_NAME = re.compile(r"[hp](?P<number>\d{1,8})(\..+)?")
_ONE_DAY = dt.timedelta(days=1)


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
        Leaves out actions of which nothing holds at this moment or later, or can come to hold.
    """
    since = None if binding_since is None else binding_since.date() - _ONE_DAY  # a store's date may still be that
    return folded(_by_people(lake, None, since))


def changes_named(lake: Lake, names: Collection[str]) -> list[PriceChange]:
    """Return the price changes with these ids, in the order in which they were asked for; others are left out.

    Everything that happened to a change lies with the business date on which it begins, so those dates alone are read.
    """
    numbers = {int(match["number"]) for name in names if (match := _NAME.fullmatch(name))}
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
        Leaves out what passed on earlier dates, which are over; None leaves out nothing.
    """
    wanted = {name: [value] for name, value in (("sku", sku), ("store_id", store)) if value is not None}
    parts = list(lake.partitions(TABLE))
    passed = [part for part in parts if part.group.startswith("passed")]
    now = [part for part in passed if since is None or (part.business_date or since) >= since]
    columns = [_rows_in(lake, part, ("event", "sku", "store_id"), **wanted)["event"] for part in now]
    count = sum(pc.sum(pc.equal(events, "approved")).as_py() or 0 for events in columns)
    read = [part for part in parts if part not in passed or (count <= MOST_LISTED and part in now)]
    events = [event for part in read for event in _events_in(lake, part, **wanted)]
    events += _beginnings(lake, events, passed)
    return folded(events), count if count > MOST_LISTED else 0


def next_number(lake: Lake) -> int:
    """Return the number of the next action; precondition: the lock is held."""
    matches = (_GROUP.fullmatch(part.group) for part in lake.partitions(TABLE))
    return 1 + max((int(match["number"]) for match in matches if match), default=0)


def record(lake: Lake, catalog: Catalog, number: int, events: Sequence[Event]) -> None:
    """Record the events of one action, all or none; precondition: the lock is held."""
    parts: dict[tuple[dt.date, bool], list[Event]] = {}
    for event in events:
        first = event.kept_on or min(_dates_of(catalog, event.terms.store, event.terms.valid_from))
        parts.setdefault((first, event.terms.kind == "price"), []).append(event)
    tables = dict[Partition, pa.Table]()
    for (date, is_proposal), part in parts.items():
        ends = [(event.terms.store, event.terms.valid_until) for event in part]
        lasts = [max(_dates_of(catalog, store, end)) for store, end in ends if end is not None]
        name = f"{'proposals' if is_proposal else 'people'}-{number:08d}"
        name += "" if is_proposal or len(lasts) < len(part) else f"-{max(lasts):%Y%m%d}"
        tables[Partition(TABLE, date, name)] = rows_of_events(part)
    record_rows(lake, number, tables)


def record_rows(lake: Lake, number: int, tables: Mapping[Partition, pa.Table]) -> None:
    """Record rows of one action as they are, all or none; precondition: the lock is held."""
    with lake.commit(f"price-changes-{number:08d}", inputs=f"action {number}") as commit:
        for part, rows in tables.items():
            commit.publish(part, rows)


def parts_on(lake: Lake, date: dt.date, of: str) -> list[Partition]:
    """Return the partitions of a date that hold `proposals`, or what `passed`, in the order of their actions."""
    return [part for part in lake.partitions_on(TABLE, date) if part.group.startswith(of)]


def _by_people(lake: Lake, within: Within | None, binding_since: dt.date | None) -> Iterator[Event]:
    """Yield what people did; what is over before a date is not opened."""
    for part in lake.partitions(TABLE, within):
        match = _GROUP.fullmatch(part.group)
        if match and match["of"] == "people":
            is_over = match["last"] and binding_since is not None and match["last"] < f"{binding_since:%Y%m%d}"
            yield from () if is_over else _events_in(lake, part)


def _dates_of(catalog: Catalog, store: str | None, moment: dt.datetime) -> set[dt.date]:
    """Return the local dates of a moment: in a store, or in all of them."""
    clocks = catalog.store.clocks if store is None else (catalog.store.clock_of(store),)
    return {clock.date_of(moment) for clock in clocks}


def rows_of_events(events: Iterable[Event]) -> pa.Table:
    """Return events as rows of the table."""
    rows = []
    for event in events:
        terms = vars(event.terms)
        row = {
            name: value for name, value in vars(event).items() if name not in {"terms", "by", "effective_in", "kept_on"}
        }
        moments = [{"store_id": store, "effective_at": moment} for store, moment in event.effective_in.items()]
        rows.append({**row, **terms, "done_by": event.by, "store_id": terms["store"], "effective_in": moments or None})
    return pa.Table.from_pylist(rows, schema=TABLES["price_changes"].schema)


def _beginnings(lake: Lake, events: Sequence[Event], passed: Sequence[Partition]) -> Iterator[Event]:
    """Yield what came before the events of changes that passed by rule, and about which something was decided."""
    missing = {event.change for event in events} - {event.change for event in events if event.event == "proposed"}
    numbers = {f"passed-{int(match['number']):08d}" for name in missing if (match := _NAME.fullmatch(name))}
    for part in passed:
        if part.group in numbers:
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
    encoded = in_one_piece(column).dictionary_encode()
    moments = encoded.dictionary.to_pylist()
    return [None if code is None else moments[code] for code in encoded.indices.to_pylist()]


_TERMS = (
    *("kind", "sku", "old_price", "new_price", "valid_from", "valid_until", "reason", "expected_cost", "announced"),
    *("prior_price", "accepted_cost", *PREDICTED),
)


def _events_in(lake: Lake, part: Partition, **chosen: Collection[str]) -> Iterator[Event]:
    """Yield the events of a partition, or those that are chosen by values of columns."""
    rows = _rows_in(lake, part, None, **chosen)
    names = rows.column_names
    for values in zip(*map(_listed, rows.columns), strict=True):
        row = dict(zip(names, values, strict=True))
        terms = Terms(store=row["store_id"], **{name: row[name] for name in _TERMS})
        in_stores = {entry["store_id"]: entry["effective_at"] for entry in row["effective_in"] or ()}
        when = row["recorded_at"], row["effective_at"]
        yield Event(
            row["number"], row["change"], row["event"], *when, row["done_by"], terms, in_stores, part.business_date
        )
