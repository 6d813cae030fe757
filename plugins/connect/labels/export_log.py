"""The append-only record of batches and acknowledgements: the tables `export_batches` and `label_states`.

Only the last 14 business dates are read. The state of a device that was silent for longer is unknown: its prices are
sent once more.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from plugins.connect.labels.batch import (
    COLUMNS,
    Acknowledgement,
    BatchDraft,
    Device,
    DeviceState,
    PriceBatch,
    StoreRecord,
    device_states,
)
from warehouse.lake import Lake, Partition
from warehouse.partition import Within

LOCK = "export-record"
"""Held while a batch or an acknowledgement is numbered and recorded."""

_DAYS = 14
_GROUP = re.compile(r"(?:batch|heard)-(?P<number>\d{8})")


@dataclass(frozen=True)
class ExportHistory:
    """The batches that were sent, in order, and the acknowledgements, in any order."""

    batches: tuple[PriceBatch, ...]
    acknowledgements: tuple[Acknowledgement, ...]

    @cached_property
    def by_store(self) -> dict[str, StoreRecord]:
        """The record of each store that was sent anything."""
        states: dict[str, dict[tuple[str, Device], DeviceState]] = {}
        numbers = {batch.id: batch.number for batch in self.batches}
        for (store, sku, device), state in device_states(self.acknowledgements, numbers).items():
            states.setdefault(store, {})[sku, device] = state
        batches: dict[str, list[PriceBatch]] = {}
        for batch in self.batches:
            batches.setdefault(batch.store, []).append(batch)
        return {store: StoreRecord(tuple(of_store), states.get(store)) for store, of_store in batches.items()}

    @cached_property
    def by_id(self) -> dict[str, PriceBatch]:
        """The batches by their ids."""
        return {batch.id: batch for batch in self.batches}

    def of(self, store: str) -> StoreRecord:
        """Return the record of one store; what is worked out of it lasts as long as that."""
        return replace(self.by_store.get(store, StoreRecord()))


class ExportLog:
    """Reads the record; a part is read once, for parts never change."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._read: dict[Partition, tuple[Any, ...]] = {}

    def history(self, within: Within | None = None) -> ExportHistory:
        """Return everything that is recorded by now, of the newest dates, or of those that are asked for."""
        parts = {
            table: [part for date in self._dates(table, within) for part in self._lake.partitions_on(table, date)]
            for table in ("export_batches", "label_states")
        }
        now = {
            part: self._read[part] if part in self._read else self._rows(part)
            for of_table in parts.values()
            for part in of_table
        }
        self._read = now if within is None else {**self._read, **now}
        batches, acknowledgements = (
            [row for part in of_table for row in self._read[part]] for of_table in parts.values()
        )
        in_order = sorted(batches, key=lambda batch: (batch.number, batch.store))
        return ExportHistory(tuple(in_order), tuple(acknowledgements))

    def _dates(self, table: str, within: Within | None) -> list[dt.date]:
        if within is None:
            return list(islice(self._lake.newest_dates(table), _DAYS))
        return self._lake.dates(table, within)

    def _rows(self, part: Partition) -> tuple[Any, ...]:
        rows = self._lake.read(part)
        is_sent = part.table == "export_batches"
        return tuple(_batches_in(rows) if is_sent else map(_acknowledgement_in, rows.to_pylist()))


def next_number(lake: Lake, table: str) -> int:
    """Return the number of the next export or acknowledgement; precondition: the lock is held."""
    groups = (_GROUP.fullmatch(part.group) for part in lake.partitions(table))
    return 1 + max((int(group["number"]) for group in groups if group), default=0)


def record_batches(
    lake: Lake,
    catalog: Catalog,
    drafts: Sequence[BatchDraft],
    number: int,
    clocks: Mapping[str, dt.datetime],
    now: dt.datetime,
) -> None:
    """Record the batches of one export, all or none; precondition: the lock is held."""
    by_date = dict[dt.date, list[pa.Table]]()
    for draft in drafts:
        moment, clock = clocks[draft.store], catalog.store.clock_of(draft.store)
        of_batch = {
            "number": number,
            "batch": draft.id,
            "after": draft.after,
            "store_id": draft.store,
            "recorded_at": now,
            "effective_at": moment,
            "time_zone": clock.time_zone,
            "currency": catalog.store.currency,
        }
        columns = [
            draft.rows[field.name]
            if field.name in COLUMNS
            else pa.array([of_batch[field.name]] * len(draft.rows), field.type)
            for field in TABLES["export_batches"].schema
        ]
        rows = pa.Table.from_arrays(columns, schema=TABLES["export_batches"].schema)
        by_date.setdefault(clock.date_of(moment), []).append(rows)
    group = f"batch-{number:08d}"
    _publish(lake, group, {("export_batches", date): pa.concat_tables(rows) for date, rows in by_date.items()})


def record_acknowledgements(
    lake: Lake,
    catalog: Catalog,
    acks: Sequence[Acknowledgement],
    clocks: Mapping[str, dt.datetime],
    by: str,
    now: dt.datetime,
) -> None:
    """Record acknowledgements, all or none; precondition: the lock is held."""
    number = next_number(lake, "label_states")
    by_date: dict[dt.date, list[dict[str, Any]]] = {}
    for position, ack in enumerate(acks):
        moment = clocks[ack.store]
        row = vars(ack) | {"store_id": ack.store, "shown_price": ack.price, "number": number, "position": position}
        row |= {"recorded_at": now, "effective_at": moment, "by": by}
        by_date.setdefault(catalog.store.clock_of(ack.store).date_of(moment), []).append(row)
    tables = {
        ("label_states", date): pa.Table.from_pylist(rows, schema=TABLES["label_states"].schema)
        for date, rows in by_date.items()
    }
    _publish(lake, f"heard-{number:08d}", tables)


def _publish(lake: Lake, group: str, tables: Mapping[tuple[str, dt.date], pa.Table]) -> None:
    with lake.commit(f"export-{group}", inputs=group) as commit:
        for (table, date), rows in tables.items():
            commit.publish(Partition(table, date, group), rows)


def _batches_in(rows: pa.Table) -> Iterator[PriceBatch]:
    """Yield the batches of a partition, in which the prices of each are together."""
    prices, begin = rows.select(COLUMNS), 0
    for batch in pc.value_counts(rows["batch"]).to_pylist():
        prices_of_batch = prices.slice(begin, batch["counts"])
        first = rows.slice(begin, 1).to_pylist()[0]
        begin += batch["counts"]
        named = {
            name: first[name] for name in ("number", "after", "recorded_at", "effective_at", "time_zone", "currency")
        }
        yield PriceBatch(id=first["batch"], store=first["store_id"], rows=prices_of_batch, **named)


def _acknowledgement_in(row: Mapping[str, Any]) -> Acknowledgement:
    named = {name: row[name] for name in ("batch", "sku", "device", "is_ok", "error", "said_at")}
    return Acknowledgement(store=row["store_id"], price=row["shown_price"], **named)
