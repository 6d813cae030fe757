"""Where batches and acknowledgements are recorded: `export_batches` and `label_states`, to which rows are added alone.

What was sent and said on the last business dates is what counts. Of a device that said nothing for longer than that,
nothing is known any more: its prices are sent once more.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import pyarrow as pa

from catalog.load import Catalog
from catalog.tables.labels import EXPORT_BATCHES, LABEL_STATES
from catalog.zones import UTC
from connect.export.batch import BatchDraft, BatchPrice, PriceBatch, StoreRecord
from connect.export.device_states import Acknowledgement, device_states
from warehouse.lake import Lake, Partition

LOCK = "export-record"
"""Held while a batch or an acknowledgement is numbered and recorded."""

_DAYS = 14
_GROUP = re.compile(r"(?:batch|heard)-(?P<number>\d{8})")


@dataclass(frozen=True)
class ExportHistory:
    """What was sent, in order, and what was said, in any order."""

    batches: tuple[PriceBatch, ...]
    said: tuple[Acknowledgement, ...]

    @cached_property
    def by_store(self) -> dict[str, StoreRecord]:
        """What is recorded of each store that was sent anything."""
        numbers = {batch.id: batch.number for batch in self.batches}
        known = device_states(self.said, numbers)
        found: dict[str, list[PriceBatch]] = {}
        for batch in self.batches:
            found.setdefault(batch.store, []).append(batch)
        return {
            store: StoreRecord(
                tuple(own), {(sku, device): said for (of, sku, device), said in known.items() if of == store}
            )
            for store, own in found.items()
        }

    @cached_property
    def by_id(self) -> dict[str, PriceBatch]:
        """The batches by their ids."""
        return {batch.id: batch for batch in self.batches}

    def of(self, store: str) -> StoreRecord:
        """Return what is recorded of one store."""
        return self.by_store.get(store, StoreRecord())


class ExportLog:
    """Reads what is recorded; a part that was read once is not read again, for parts never change."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._read: dict[Partition, tuple[Any, ...]] = {}

    def history(self) -> ExportHistory:
        """Return what is recorded by now."""
        parts = {name: self._parts(name) for name in (EXPORT_BATCHES.name, LABEL_STATES.name)}
        wanted = {part for own in parts.values() for part in own}
        self._read = {part: rows for part, rows in self._read.items() if part in wanted}
        batches = [own for part in parts[EXPORT_BATCHES.name] for own in self._rows(part)]
        said = [own for part in parts[LABEL_STATES.name] for own in self._rows(part)]
        return ExportHistory(tuple(sorted(batches, key=lambda own: (own.number, own.store))), tuple(said))

    def _parts(self, table: str) -> list[Partition]:
        dates = islice(self._lake.newest_dates(table), _DAYS)
        return [part for date in dates for part in self._lake.partitions_on(table, date)]

    def _rows(self, part: Partition) -> tuple[Any, ...]:
        if part not in self._read:
            rows = self._lake.read(part).to_pylist()
            self._read[part] = tuple(
                _batches_in(rows) if part.table == EXPORT_BATCHES.name else map(_acknowledgement_in, rows)
            )
        return self._read[part]


def next_number(lake: Lake, table: str) -> int:
    """Return the number of the next export or acknowledgement; precondition: the lock is held."""
    found = (_GROUP.fullmatch(part.group) for part in lake.partitions(table))
    return 1 + max((int(match["number"]) for match in found if match), default=0)


def record_batches(
    lake: Lake, catalog: Catalog, drafts: Sequence[BatchDraft], number: int, clocks: Mapping[str, dt.datetime]
) -> None:
    """Record the batches of one export, all or none; precondition: the lock is held."""
    now, by_date = dt.datetime.now(dt.UTC), dict[dt.date, list[dict[str, Any]]]()
    for draft in drafts:
        moment, clock = clocks[draft.store], catalog.store.clock_of(draft.store)
        own = {"number": number, "batch": draft.id, "after": draft.after, "store_id": draft.store}
        at: dict[str, Any] = {"recorded_at": now, "effective_at": moment}
        at |= {"time_zone": clock.time_zone, "currency": catalog.store.currency}
        by_date.setdefault(clock.date_of(moment), []).extend({**own, **vars(price), **at} for price in draft.prices)
    _publish(lake, EXPORT_BATCHES.name, EXPORT_BATCHES.schema, f"batch-{number:08d}", by_date)


def record_acknowledgements(
    lake: Lake, catalog: Catalog, said: Sequence[Acknowledgement], clocks: Mapping[str, dt.datetime], by: str
) -> None:
    """Record what devices said, all or none; precondition: the lock is held."""
    number, now = next_number(lake, LABEL_STATES.name), dt.datetime.now(dt.UTC)
    by_date: dict[dt.date, list[dict[str, Any]]] = {}
    for position, own in enumerate(said):
        moment = clocks[own.store]
        row = {**vars(own), "store_id": own.store, "shown_price": own.price}
        at = {"recorded_at": now, "effective_at": moment, "by": by, "number": number, "position": position}
        by_date.setdefault(catalog.store.clock_of(own.store).date_of(moment), []).append({**row, **at})
    _publish(lake, LABEL_STATES.name, LABEL_STATES.schema, f"heard-{number:08d}", by_date)


def _publish(
    lake: Lake, table: str, schema: pa.Schema, group: str, by_date: Mapping[dt.date, list[dict[str, Any]]]
) -> None:
    with lake.commit(f"export-{group}", inputs=group) as commit:
        for date, rows in by_date.items():
            own = [{name: row[name] for name in schema.names} for row in rows]
            commit.publish(Partition(table, date, group), pa.Table.from_pylist(own, schema=schema))


def _batches_in(rows: Iterable[Mapping[str, Any]]) -> Iterator[PriceBatch]:
    by_batch: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_batch.setdefault(row["batch"], []).append(row)
    names = tuple(BatchPrice.__dataclass_fields__)
    for name, own in by_batch.items():
        first = own[0]
        prices = tuple(BatchPrice(**{field: row[field] for field in names}) for row in own)
        moments = first["recorded_at"], first["effective_at"]
        kind = first["time_zone"] or UTC, first["currency"] or "EUR"
        yield PriceBatch(first["number"], name, first["after"], first["store_id"], prices, *moments, *kind)


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
