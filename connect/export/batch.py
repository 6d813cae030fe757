"""Batches of prices: what a store's till and labels are sent, under an id that is a fingerprint of what is in it.

The same prices after the same batch have the same id, so that nothing is made or shown twice. A batch holds everything
that is not known to be shown, so whoever reads the newest one has missed nothing.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from catalog.zones import UTC, zone_of
from connect.export.device_states import DEVICES, Device, DeviceState, price_to_pay

_ID_LENGTH = 24


@dataclass(frozen=True)
class ShelfPrice:
    """What a store has to show of a product next. Money in EUR, `valid_from` in the time of the stores.

    Attributes
    ----------
    prior_price
        What an announced reduction has to name; None where none is announced.
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
        """What a label shows and a till charges; from when is no part of it."""
        return self.price, self.till_price, self.prior_price, self.unit_price, self.unit

    def expected(self, device: Device) -> float:
        """Return the price that a device has to have, EUR."""
        return self.price if device == "label" else self.till_price


@dataclass(frozen=True)
class BatchDraft:
    """A batch that is not recorded yet; `after` is the id of the store's batch before it."""

    store: str
    after: str | None
    prices: tuple[BatchPrice, ...]

    @cached_property
    def id(self) -> str:
        """A fingerprint of store, order and prices."""
        content = {"store": self.store, "after": self.after, "prices": [asdict(price) for price in self.prices]}
        text = json.dumps(content, sort_keys=True, default=_iso)
        return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


@dataclass(frozen=True)
class PriceBatch:
    """A batch as it is recorded: `recorded_at` by the clock, `effective_at` the store's next tick then.

    `time_zone` is the store's, and `currency` that of the prices.
    """

    number: int
    id: str
    after: str | None
    store: str
    prices: tuple[BatchPrice, ...]
    recorded_at: dt.datetime
    effective_at: dt.datetime
    time_zone: str = UTC
    currency: str = "EUR"


@dataclass(frozen=True)
class SentPrice:
    """One price as it was sent: the number and the moment of its batch, and the price."""

    number: int
    effective_at: dt.datetime
    price: BatchPrice


@dataclass(frozen=True)
class StoreRecord:
    """What is recorded of one store: its batches in order, and what each device of each product said last."""

    batches: tuple[PriceBatch, ...] = ()
    heard: Mapping[tuple[str, Device], DeviceState] | None = None

    @cached_property
    def sent(self) -> Mapping[str, Sequence[SentPrice]]:
        """What was sent of each product, in order."""
        found: dict[str, list[SentPrice]] = {}
        for batch in self.batches:
            for price in batch.prices:
                found.setdefault(price.sku, []).append(SentPrice(batch.number, batch.effective_at, price))
        return found

    def said_by(self, sku: str, device: Device) -> DeviceState | None:
        """Return what a device said last; None when it never did."""
        return (self.heard or {}).get((sku, device))

    def not_followed(self, sku: str, device: Device) -> SentPrice | None:
        """Return the first price that was sent and that a device is not known to have; None when it follows."""
        sent, heard = self.sent.get(sku, ()), self.said_by(sku, device)
        if not sent:
            return None
        if heard is None or heard.price is None:
            return sent[0]
        later = [own for own in sent if own.number > heard.number] or [sent[-1]]
        return next((own for own in later if own.price.expected(device) != heard.price), None)

    def contradicts(self, sku: str, device: Device) -> bool:
        """Tell whether a device answered the newest price that it was sent by showing another one."""
        heard, last = self.said_by(sku, device), self.sent[sku][-1]
        if heard is None or heard.price is None or heard.number < last.number:
            return False
        return heard.price != last.price.expected(device)

    def lowest_on_label(self, sku: str) -> float | None:
        """Return the lowest price that a label may show, EUR: what it said last, or was sent since; None if unknown."""
        heard = self.said_by(sku, "label")
        if heard is None or heard.price is None:
            return None
        return min([heard.price, *(own.price.price for own in self.sent.get(sku, ()) if own.number > heard.number)])


def next_batch(
    store: str, wanted: Sequence[ShelfPrice], record: StoreRecord, *, full: bool = False
) -> BatchDraft | None:
    """Return the batch that a store needs now; None where it was sent everything already.

    Parameters
    ----------
    wanted
        What the store has to show.
    full
        Whether all prices are sent, and not those alone that are not known to be shown.
    """
    prices = sorted((_for_the_till(own, record) for own in wanted), key=lambda own: own.sku)
    last = record.batches[-1] if record.batches else None
    if full:
        chosen = prices
        is_new = last is None or [own.content for own in last.prices] != [own.content for own in chosen]
        is_new = is_new or (last is not None and [own.sku for own in last.prices] != [own.sku for own in chosen])
    else:
        new = {own.sku for own in prices if _is_new(own, record)}
        chosen = [own for own in prices if own.sku in new or _is_open(own, record)]
        is_new = bool(new)
    return BatchDraft(store, last.id if last else None, tuple(chosen)) if is_new and chosen else None


def document_of(batch: PriceBatch) -> dict[str, Any]:
    """Return a batch as it is sent: always the same for the same batch."""
    zone = zone_of(batch.time_zone)
    return {
        "batch": batch.id,
        "after": batch.after,
        "number": batch.number,
        "store": batch.store,
        "recorded_at": batch.recorded_at.isoformat(),
        "time_zone": batch.time_zone,
        "currency": batch.currency,
        "prices": [
            {
                "sku": own.sku,
                "price": own.price,
                "till_price": own.till_price,
                "unit_price": own.unit_price,
                "unit": own.unit,
                "prior_price": own.prior_price,
                "valid_from": own.valid_from.isoformat(),
                "valid_from_local": own.valid_from.astimezone(zone.info).isoformat(),
            }
            for own in batch.prices
        ],
    }


def _for_the_till(own: ShelfPrice, record: StoreRecord) -> BatchPrice:
    """Add what the till has to charge: the lower price until the label has followed."""
    return BatchPrice(**vars(own), till_price=price_to_pay(own.price, record.lowest_on_label(own.sku)))


def _is_new(own: BatchPrice, record: StoreRecord) -> bool:
    """Tell whether a price has to be sent, because it was not, or because a device answered it with another."""
    sent = record.sent.get(own.sku)
    if not sent or sent[-1].price.content != own.content:
        return True
    return any(record.contradicts(own.sku, device) for device in DEVICES)


def _is_open(own: BatchPrice, record: StoreRecord) -> bool:
    return any(record.not_followed(own.sku, device) is not None for device in DEVICES)


def _iso(value: Any) -> str:
    moment: dt.datetime = value
    return moment.isoformat()
