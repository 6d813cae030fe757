"""The append-only record of batches and acknowledgements: the tables `export_batches` and `label_states`.

Only the last 14 business dates are read. The state of a device that was silent for longer is unknown: its prices are
sent once more.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, repeat
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import Catalog
from catalog.tables.operations import EXPORT_BATCHES, LABEL_STATES
from catalog.zones import UTC
from connect.export.batch import BatchDraft, BatchPrice, PriceBatch, StoreRecord
from connect.export.device_states import Acknowledgement, Device, DeviceState, device_states
from warehouse.lake import Lake, Partition
from warehouse.partition import Within

LOCK = "export-record"
"""Held while a batch or an acknowledgement is numbered and recorded."""

_DAYS = 14
_OF_A_PRICE = tuple(BatchPrice.__dataclass_fields__)
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
        """Return the record of one store."""
        return self.by_store.get(store, StoreRecord())


class ExportLog:
    """Reads the record; a part is read once, for parts never change."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._read: dict[Partition, tuple[Any, ...]] = {}

    def history(self, within: Within | None = None) -> ExportHistory:
        """Return everything that is recorded by now, of the newest dates, or of those that are asked for."""
        parts = {
            table: [part for date in self._dates(table, within) for part in self._lake.partitions_on(table, date)]
            for table in (EXPORT_BATCHES.name, LABEL_STATES.name)
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
        is_sent = part.table == EXPORT_BATCHES.name
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
    by_date = dict[dt.date, list[tuple[dict[str, Any], BatchDraft]]]()
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
        by_date.setdefault(clock.date_of(moment), []).append((of_batch, draft))
    tables = {date: _rows_of(own) for date, own in by_date.items()}
    _publish(lake, EXPORT_BATCHES.name, f"batch-{number:08d}", tables)


def record_acknowledgements(
    lake: Lake,
    catalog: Catalog,
    acks: Sequence[Acknowledgement],
    clocks: Mapping[str, dt.datetime],
    by: str,
    now: dt.datetime,
) -> None:
    """Record acknowledgements, all or none; precondition: the lock is held."""
    number = next_number(lake, LABEL_STATES.name)
    by_date: dict[dt.date, list[dict[str, Any]]] = {}
    for position, ack in enumerate(acks):
        moment = clocks[ack.store]
        row = vars(ack) | {"store_id": ack.store, "shown_price": ack.price, "number": number, "position": position}
        row |= {"recorded_at": now, "effective_at": moment, "by": by}
        by_date.setdefault(catalog.store.clock_of(ack.store).date_of(moment), []).append(row)
    tables = {date: pa.Table.from_pylist(rows, schema=LABEL_STATES.schema) for date, rows in by_date.items()}
    _publish(lake, LABEL_STATES.name, f"heard-{number:08d}", tables)


def _publish(lake: Lake, table: str, group: str, by_date: Mapping[dt.date, pa.Table]) -> None:
    with lake.commit(f"export-{group}", inputs=group) as commit:
        for date, rows in by_date.items():
            commit.publish(Partition(table, date, group), rows)


def _rows_of(drafts: Sequence[tuple[Mapping[str, Any], BatchDraft]]) -> pa.Table:
    """Return batches as rows, column by column: a chain's rows do not fit in memory as objects."""

    def values(name: str) -> Iterator[Any]:
        for of_batch, draft in drafts:
            if name in _OF_A_PRICE:
                yield from (getattr(price, name) for price in draft.prices)
            else:
                yield from repeat(of_batch[name], len(draft.prices))

    columns = [pa.array(values(field.name), field.type) for field in EXPORT_BATCHES.schema]
    return pa.Table.from_arrays(columns, schema=EXPORT_BATCHES.schema)


def _batches_in(rows: pa.Table) -> Iterator[PriceBatch]:
    """Yield the batches of a partition; equal values are one object."""
    by_batch: dict[str, list[BatchPrice]] = {}
    prices = map(BatchPrice, *(_shared(rows[name]) for name in _OF_A_PRICE))
    for batch, price in zip(_shared(rows["batch"]), prices, strict=True):
        by_batch.setdefault(batch, []).append(price)
    for name, of_batch in by_batch.items():
        first = rows.slice(pc.index(rows["batch"], pa.scalar(name)).as_py(), 1).to_pylist()[0]
        yield PriceBatch(
            number=first["number"],
            id=name,
            after=first["after"],
            store=first["store_id"],
            prices=tuple(of_batch),
            recorded_at=first["recorded_at"],
            effective_at=first["effective_at"],
            time_zone=first["time_zone"] or UTC,
            currency=first["currency"] or "EUR",
        )


def _shared(column: pa.ChunkedArray) -> Iterator[Any]:
    """Yield the values of a column, of which a chain's batches have few that differ."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    for chunk in column.chunks:
        words = chunk.dictionary.to_pylist()
        yield from (None if code is None else words[code] for code in chunk.indices.to_pylist())


def _acknowledgement_in(row: Mapping[str, Any]) -> Acknowledgement:
    return Acknowledgement(
        batch=row["batch"],
        store=row["store_id"],
        sku=row["sku"],
        device=row["device"],
        price=row["shown_price"],
        is_ok=row["is_ok"],
        error=row["error"],
        said_at=row["said_at"],
    )
