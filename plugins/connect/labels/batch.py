"""Batches of prices for a store's till and labels, and what tills and labels say that they show.

The id of a batch is a fingerprint of its content.

The same prices after the same batch have the same id, so nothing is made or shown twice. A batch holds every price that
is not known to be shown, so a receiver that reads the newest one has missed nothing.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast, get_args

import pyarrow as pa

from catalog.clocks import UTC, zone_of
from catalog.tables.contracts import TABLES

_ID_LENGTH = 24
_SENT = ("sku", "price", "till_price", "unit_price", "unit", "prior_price")


Device = Literal["till", "label"]
DEVICES: tuple[Device, ...] = get_args(Device)


@dataclass(frozen=True)
class Acknowledgement:
    """What a device says about one price of a batch.

    Attributes
    ----------
    price
        What it shows, EUR; None when it does not say.
    is_ok, error
        Whether it could do what it was asked for, and what went wrong.
    said_at
        By its own clock, UTC.
    """

    batch: str
    store: str
    sku: str
    device: Device
    price: float | None
    is_ok: bool
    error: str | None
    said_at: dt.datetime


@dataclass(frozen=True)
class DeviceState:
    """The last known state of a device.

    Attributes
    ----------
    price
        What it shows, EUR; None when it never said.
    number
        Number of the batch that showed this price; 0 without a price.
    said_at
        Time of its last acknowledgement, UTC.
    problem
        The error of its last acknowledgement; None without one.
    """

    price: float | None
    number: int
    said_at: dt.datetime
    problem: str | None


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


def rows_of(prices: Sequence[BatchPrice]) -> pa.Table:
    """Return prices in the columns of `COLUMNS`."""
    fields = [TABLES["export_batches"].schema.field(name) for name in COLUMNS]
    columns = [pa.array([getattr(price, field.name) for price in prices], field.type) for field in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


class _Prices:
    """Prices by column, which are made to objects when somebody asks for them."""

    rows: pa.Table

    @property
    def prices(self) -> list[BatchPrice]:
        """The prices."""
        return list(map(BatchPrice, *(_values(self.rows[name]) for name in COLUMNS)))


@dataclass(frozen=True)
class BatchDraft(_Prices):
    """A batch that is not recorded yet. `after` is the id of the store's batch before it."""

    store: str
    after: str | None
    rows: pa.Table

    @cached_property
    def id(self) -> str:
        """A fingerprint of store, order and prices."""
        content = {"after": self.after, "prices": list(map(vars, self.prices)), "store": self.store}
        text = json.dumps(content, sort_keys=True, default=dt.datetime.isoformat)
        return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


@dataclass(frozen=True)
class PriceBatch(_Prices):
    """A recorded batch: `recorded_at` by the clock, `effective_at` the store's next tick then.

    `time_zone` is the store's, and `currency` that of the prices.
    """

    number: int
    id: str
    after: str | None
    store: str
    rows: pa.Table
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
    return BatchDraft(store, last.id if last else None, rows_of(chosen)) if is_new and chosen else None


def device_states(
    acknowledgements: Iterable[Acknowledgement], numbers: Mapping[str, int]
) -> dict[tuple[str, str, Device], DeviceState]:
    """Return the state of each device by store, product and device; the latest acknowledgement holds.

    Parameters
    ----------
    acknowledgements
        In any order.
    numbers
        Number of each batch by its id; acknowledgements of other batches are ignored.
    """

    def order(ack: Acknowledgement) -> tuple[dt.datetime, int, bool, float, str]:
        return ack.said_at, numbers[ack.batch], ack.is_ok, -(ack.price or 0.0), ack.error or ""

    by_device: dict[tuple[str, str, Device], list[Acknowledgement]] = {}
    for ack in acknowledgements:
        if ack.batch in numbers:
            by_device.setdefault((ack.store, ack.sku, ack.device), []).append(ack)
    states = {}
    for device, acks in by_device.items():
        newest = max(acks, key=order)
        shown = max((ack for ack in acks if ack.price is not None), key=order, default=None)
        price, number = (None, 0) if shown is None else (shown.price, numbers[shown.batch])
        states[device] = DeviceState(price, number, newest.said_at, newest.error)
    return states


def price_to_pay(till: float, label: float | None) -> float:
    """Return what a customer pays, EUR: the lower price while till and label differ; the till's without a label.

    Examples
    --------
    >>> price_to_pay(1.49, 1.29), price_to_pay(1.29, 1.49), price_to_pay(1.49, None)
    (1.29, 1.29, 1.49)
    """
    return till if label is None else min(till, label)


def document_of(batch: PriceBatch) -> dict[str, Any]:
    """Return what is sent of a batch: always the same for the same batch."""
    return {
        "batch": batch.id,
        "after": batch.after,
        "number": batch.number,
        "store": batch.store,
        "recorded_at": batch.recorded_at.isoformat(),
        "time_zone": batch.time_zone,
        "currency": batch.currency,
        "prices": [document_of_price(price, batch.time_zone) for price in batch.prices],
    }


def document_of_price(price: BatchPrice, time_zone: str) -> dict[str, Any]:
    """Return one price as it is sent; `time_zone` is the store's."""
    return {
        **{name: getattr(price, name) for name in _SENT},
        "valid_from": price.valid_from.isoformat(),
        "valid_from_local": price.valid_from.astimezone(zone_of(time_zone).info).isoformat(),
    }


def _values(column: pa.ChunkedArray) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        return cast(list[Any], column.to_pylist())
    moments = column.to_numpy().astype("datetime64[us]").tolist()  # Arrow looks the zone up for each
    return [moment.replace(tzinfo=dt.UTC) for moment in moments]


def _is_new(price: BatchPrice, record: StoreRecord) -> bool:
    """Tell whether a price has to be sent: it was not sent yet, or a device acknowledged it with another one."""
    sent = record.sent.get(price.sku)
    if not sent or sent[-1].price.content != price.content:
        return True
    return any(record.contradicts(price.sku, device) for device in DEVICES)
