"""Batches of prices for a store's till and labels; the id of a batch is a fingerprint of its content.

The same prices after the same batch have the same id, so nothing is made or shown twice. A batch holds every price that
is not known to be shown, so a receiver that reads the newest one has missed nothing.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.tables.operations import EXPORT_BATCHES
from catalog.zones import UTC, zone_of
from connect.export.device_states import DEVICES, Device, DeviceState, price_to_pay

_ID_LENGTH = 24
_SENT = ("sku", "price", "till_price", "unit_price", "unit", "prior_price")


@dataclass(frozen=True)
class ShelfPrice:
    """The price that a store has to show of a product next. Money in EUR, `valid_from` in the time of the stores.

    Attributes
    ----------
    prior_price
        The price that an announced reduction has to name; None where none is announced.
    unit_price, unit
        Price of one unit of measure, such as kg; None where the catalog has no measure.
    """

    sku: str
    price: float
    valid_from: dt.datetime
    prior_price: float | None = None
    unit_price: float | None = None
    unit: str | None = None


@dataclass(frozen=True)
class BatchPrice(ShelfPrice):
    """One price of a batch; `till_price` is what the till has to charge, EUR."""

    till_price: float = 0.0

    @property
    def content(self) -> tuple[float | str | None, ...]:
        """What a label shows and a till charges, without the time."""
        return self.price, self.till_price, self.prior_price, self.unit_price, self.unit

    def expected(self, device: Device) -> float:
        """Return the price that a device has to show, EUR."""
        return self.price if device == "label" else self.till_price


COLUMNS = tuple(BatchPrice.__dataclass_fields__)
"""The columns of `export_batches` that a price has."""

Written = Mapping[str, tuple[str, Callable[[Any], Any]]]
"""By field, the column that it is of, and what a value of that is there."""


@dataclass(frozen=True)
class BatchPrices(Sequence[BatchPrice]):
    """The prices of a batch by column: a chain's do not fit in memory as objects. One that is asked for is an object.

    Attributes
    ----------
    rows
        The columns of `COLUMNS`.
    """

    rows: pa.Table

    @classmethod
    def of(cls, prices: Sequence[BatchPrice]) -> "BatchPrices":
        """Return prices by column."""
        fields = [EXPORT_BATCHES.schema.field(name) for name in COLUMNS]
        columns = [pa.array([getattr(price, field.name) for price in prices], field.type) for field in fields]
        return cls(pa.Table.from_arrays(columns, schema=pa.schema(fields)))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.rows)

    def __iter__(self) -> Iterator[BatchPrice]:
        """Yield them as objects, one after the other."""
        return map(BatchPrice, *map(self.values, COLUMNS))

    def __getitem__(self, index: Any) -> Any:
        """Return one as an object, or a slice of them by column."""
        if isinstance(index, slice):
            return BatchPrices(self.rows.take(np.arange(len(self))[index]))
        return next(iter(BatchPrices(self.rows.slice(range(len(self))[index], 1))))

    def among(self, sku: str | None) -> "BatchPrices":
        """Return those of a product; None is every one."""
        return self if sku is None else BatchPrices(self.rows.filter(pc.equal(self.rows["sku"], sku)))

    def values(self, name: str, written: Callable[[Any], Any] = lambda value: value) -> list[Any]:
        """Return a column, or what is written of it: a chain's batches have few values that differ."""
        found = self.rows[name].unify_dictionaries().combine_chunks().dictionary_encode()
        words = np.array([*map(written, found.dictionary.to_pylist()), written(None)], dtype=object)
        codes = pc.fill_null(found.indices, len(words) - 1).to_numpy(zero_copy_only=False)
        return cast(list[Any], words[codes].tolist())

    def fields(self, written: Written) -> Iterator[tuple[Any, ...]]:
        """Yield what is written of each price, field by field."""
        return zip(*(self.values(*own) for own in written.values()), strict=True)


@dataclass(frozen=True)
class BatchDraft:
    """A batch that is not recorded yet. `after` is the id of the store's batch before it."""

    store: str
    after: str | None
    prices: BatchPrices

    @cached_property
    def id(self) -> str:
        """A fingerprint of store, order and prices, as JSON with sorted names."""
        written = {name: (name, in_json(name, _plain)) for name in sorted(COLUMNS)}
        prices = "}, {".join(map(", ".join, self.prices.fields(written)))
        after, store = json.dumps(self.after), json.dumps(self.store)
        text = f'{{"after": {after}, "prices": [{{{prices}}}], "store": {store}}}'
        return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


@dataclass(frozen=True)
class PriceBatch:
    """A recorded batch: `recorded_at` by the clock, `effective_at` the store's next tick then.

    `time_zone` is the store's, and `currency` that of the prices.
    """

    number: int
    id: str
    after: str | None
    store: str
    prices: BatchPrices
    recorded_at: dt.datetime
    effective_at: dt.datetime
    time_zone: str = UTC
    currency: str = "EUR"


@dataclass(frozen=True)
class SentPrice:
    """A price that was sent, with the number and the time of its batch."""

    number: int
    effective_at: dt.datetime
    price: BatchPrice


@dataclass(frozen=True)
class StoreRecord:
    """The record of one store: its batches in order, and the state of each device by product and device."""

    batches: tuple[PriceBatch, ...] = ()
    states: Mapping[tuple[str, Device], DeviceState] | None = None

    @cached_property
    def sent(self) -> Mapping[str, Sequence[SentPrice]]:
        """The prices that were sent of each product, in order."""
        sent: dict[str, list[SentPrice]] = {}
        for batch in self.batches:
            for price in batch.prices:
                sent.setdefault(price.sku, []).append(SentPrice(batch.number, batch.effective_at, price))
        return sent

    def state_of(self, sku: str, device: Device) -> DeviceState | None:
        """Return the state of a device; None when it never acknowledged anything."""
        return (self.states or {}).get((sku, device))

    def not_followed(self, sku: str, device: Device) -> SentPrice | None:
        """Return the first price that was sent and that a device is not known to show; None when it follows."""
        sent, state = self.sent.get(sku, ()), self.state_of(sku, device)
        if not sent:
            return None
        if state is None or state.price is None:
            return sent[0]
        later = [price for price in sent if price.number > state.number] or [sent[-1]]
        return next((price for price in later if price.price.expected(device) != state.price), None)

    def contradicts(self, sku: str, device: Device) -> bool:
        """Tell whether a device acknowledged the newest price that it was sent by showing another one."""
        state, last = self.state_of(sku, device), self.sent[sku][-1]
        if state is None or state.price is None or state.number < last.number:
            return False
        return state.price != last.price.expected(device)

    def lowest_on_label(self, sku: str) -> float | None:
        """Return the lowest price that a label may show, EUR: what it said last, or was sent since; None if unknown."""
        state = self.state_of(sku, "label")
        if state is None or state.price is None:
            return None
        later = (sent.price.price for sent in self.sent.get(sku, ()) if sent.number > state.number)
        return min([state.price, *later])


def next_batch(
    store: str, wanted: Sequence[ShelfPrice], record: StoreRecord, *, full: bool = False
) -> BatchDraft | None:
    """Return the batch that a store needs now; None where everything was sent already.

    Parameters
    ----------
    wanted
        The prices that the store has to show.
    full
        Whether all prices are sent, and not only those that are not known to be shown.
    """
    prices = sorted(
        (
            BatchPrice(**vars(price), till_price=price_to_pay(price.price, record.lowest_on_label(price.sku)))
            for price in wanted
        ),
        key=lambda price: price.sku,
    )
    last = record.batches[-1] if record.batches else None
    if full:
        chosen = prices
        before = [(price.sku, price.content) for price in last.prices] if last else None
        is_new = before != [(price.sku, price.content) for price in chosen]
    else:
        new = {price.sku for price in prices if _is_new(price, record)}
        chosen = [
            price
            for price in prices
            if price.sku in new or any(record.not_followed(price.sku, device) for device in DEVICES)
        ]
        is_new = bool(new)
    return BatchDraft(store, last.id if last else None, BatchPrices.of(chosen)) if is_new and chosen else None


def head_of(batch: PriceBatch) -> dict[str, Any]:
    """Return what is sent of a batch before its prices: always the same for the same batch."""
    return {
        "batch": batch.id,
        "after": batch.after,
        "number": batch.number,
        "store": batch.store,
        "recorded_at": batch.recorded_at.isoformat(),
        "time_zone": batch.time_zone,
        "currency": batch.currency,
    }


def sent_of(time_zone: str) -> Written:
    """Return what is sent of a price; `time_zone` is the store's."""
    info = zone_of(time_zone).info
    same = {name: (name, lambda value: value) for name in _SENT}
    return {
        **same,
        "valid_from": ("valid_from", lambda at: at and at.isoformat()),
        "valid_from_local": ("valid_from", lambda at: at and at.astimezone(info).isoformat()),
    }


def document_of_price(price: BatchPrice, time_zone: str) -> dict[str, Any]:
    """Return one price as it is sent; `time_zone` is the store's."""
    return {name: written(getattr(price, column)) for name, (column, written) in sent_of(time_zone).items()}


def in_json(name: str, written: Callable[[Any], Any], *, ensure_ascii: bool = True) -> Callable[[Any], str]:
    """Return what writes a field as JSON."""
    encode = json.JSONEncoder(ensure_ascii=ensure_ascii).encode
    return lambda value: f'"{name}": {encode(written(value))}'


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime) else value


def _is_new(price: BatchPrice, record: StoreRecord) -> bool:
    """Tell whether a price has to be sent: it was not sent yet, or a device acknowledged it with another one."""
    sent = record.sent.get(price.sku)
    if not sent or sent[-1].price.content != price.content:
        return True
    return any(record.contradicts(price.sku, device) for device in DEVICES)
