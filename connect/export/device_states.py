"""What tills and labels say, and what is known of them by it; the order in which it is heard does not matter."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Device = Literal["till", "label"]
DEVICES: tuple[Device, ...] = get_args(Device)


@dataclass(frozen=True)
class Acknowledgement:
    """One thing that a device said of one price of a batch.

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
    """What is known of a device.

    Attributes
    ----------
    price
        What it shows, EUR; None when it never said.
    number
        Number of the batch that it spoke of then; 0 without a price.
    said_at
        When it spoke last, UTC.
    problem
        What went wrong last; None when nothing did.
    """

    price: float | None
    number: int
    said_at: dt.datetime
    problem: str | None


def device_states(
    said: Iterable[Acknowledgement], numbers: Mapping[str, int]
) -> dict[tuple[str, str, Device], DeviceState]:
    """Return what is known of each store, product and device.

    Parameters
    ----------
    said
        In any order; of one device, what was said last holds.
    numbers
        Number of each batch by its id; what is said of others is left out.
    """
    by_device: dict[tuple[str, str, Device], list[Acknowledgement]] = {}
    for own in said:
        if own.batch in numbers:
            by_device.setdefault((own.store, own.sku, own.device), []).append(own)
    return {device: _known(own, numbers) for device, own in by_device.items()}


def price_to_pay(till: float, label: float | None) -> float:
    """Return what a customer pays, EUR: the lower price while till and label differ; the till's without a label.

    Examples
    --------
    >>> price_to_pay(1.49, 1.29), price_to_pay(1.29, 1.49), price_to_pay(1.49, None)
    (1.29, 1.29, 1.49)
    """
    return till if label is None else min(till, label)


def _known(said: list[Acknowledgement], numbers: Mapping[str, int]) -> DeviceState:
    """Return what is known by everything that one device said."""

    def order(own: Acknowledgement) -> tuple[dt.datetime, int, bool, float, str]:
        return own.said_at, numbers[own.batch], own.is_ok, -(own.price or 0.0), own.error or ""

    newest = max(said, key=order)
    shown = max((own for own in said if own.price is not None), key=order, default=None)
    number = 0 if shown is None else numbers[shown.batch]
    return DeviceState(None if shown is None else shown.price, number, newest.said_at, newest.error)
