"""What tills and labels acknowledge, and the state of a device that follows; the order of arrival does not matter."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

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
