"""Where price changes are recorded: the table `price_changes`, to which actions are added and nothing else is done.

An action is one partition for each business date on which its changes begin. What people ask for, and what a policy
proposes for a date, are named apart, so that whoever needs the orders of a date opens the proposals of that date alone.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import pyarrow as pa

from catalog.load import Catalog
from catalog.tables.price_changes import PRICE_CHANGES
from serving.price_changes.change import Event, PriceChange, Terms, folded
from warehouse.lake import Lake, Partition
from warehouse.within import Within

TABLE = PRICE_CHANGES.name
LOCK = "price-changes"
"""Held while an action is checked and recorded: two people never decide on the same state."""

_GROUP = re.compile(r"(?P<of>proposals|people)-(?P<number>\d{8})")


def changes_on(lake: Lake, date: dt.date) -> list[PriceChange]:
    """Return what bears on a date: proposals for it, and what people asked for that begins on it or before."""
    events = [event for part in _parts(lake, lambda day: day == date, "proposals") for event in _events_in(lake, part)]
    for part in _parts(lake, lambda day: day <= date, "people"):
        events += _events_in(lake, part)
    return folded(events)


def all_changes(lake: Lake, within: Within | None = None) -> list[PriceChange]:
    """Return every price change, or those that begin on the business dates asked for."""
    return folded(event for part in lake.partitions(TABLE, within) for event in _events_in(lake, part))


def next_number(lake: Lake) -> int:
    """Return the number of the next action; precondition: the lock is held."""
    found = (_GROUP.fullmatch(part.group) for part in lake.partitions(TABLE))
    return 1 + max((int(match["number"]) for match in found if match), default=0)


def record(lake: Lake, catalog: Catalog, events: Sequence[Event]) -> None:
    """Record the events of one action, all or none; precondition: the lock is held."""
    parts: dict[Partition, list[Event]] = {}
    for event in events:
        parts.setdefault(_partition_of(catalog, event), []).append(event)
    number = events[0].number
    with lake.commit(f"price-changes-{number:08d}", inputs=f"action {number}") as commit:
        for part, own in parts.items():
            commit.publish(part, _rows_of(own))


def _parts(lake: Lake, within: Within, of: str) -> Iterator[Partition]:
    return (part for part in lake.partitions(TABLE, within) if part.group.startswith(of))


def _partition_of(catalog: Catalog, event: Event) -> Partition:
    """Return where an event is kept: on the first local date on which its change holds in some store."""
    of = "proposals" if event.terms.kind == "price" else "people"
    store, start = event.terms.store, event.terms.valid_from
    clocks = catalog.store.clocks if store is None else (catalog.store.clock_of(store),)
    return Partition(TABLE, min(clock.date_of(start) for clock in clocks), f"{of}-{event.number:08d}")


def _rows_of(events: Sequence[Event]) -> pa.Table:
    rows = []
    for event in events:
        terms = asdict(event.terms)
        own = {name: value for name, value in vars(event).items() if name not in {"terms", "by"}}
        rows.append({**own, **terms, "done_by": event.by, "store_id": terms["store"]})
    return pa.Table.from_pylist(rows, schema=PRICE_CHANGES.schema)


def _events_in(lake: Lake, part: Partition) -> Iterator[Event]:
    for row in lake.read(part).to_pylist():
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
        )
        moments = row["recorded_at"], row["effective_at"]
        yield Event(row["number"], row["change"], row["event"], *moments, row["done_by"], terms)
