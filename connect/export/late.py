"""Which tills and labels have not followed in time: pure, for the alarm and for the status."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from catalog.wall_clock import WallClock
from connect.export.batch import StoreRecord
from connect.export.device_states import DEVICES, Device

PATIENCE = 2
"""Ticks in which a price has to be acknowledged."""


@dataclass(frozen=True)
class LateLabel:
    """A till or a label that is not known to have a price.

    Attributes
    ----------
    price
        What it should have, EUR.
    shown
        What it is known to have, EUR; None when it never said.
    since
        From when it should have followed, in the time of the stores.
    ticks
        How many ticks of opening hours have passed since.
    problem
        What it said went wrong; None when it said nothing.
    """

    store: str
    sku: str
    device: Device
    price: float
    shown: float | None
    since: dt.datetime
    ticks: int
    problem: str | None


def late_labels(
    records: Mapping[str, StoreRecord],
    clocks: Mapping[str, dt.datetime],
    clock_of: Callable[[str], WallClock],
    patience: int = PATIENCE,
) -> list[LateLabel]:
    """Return the tills and labels that have not followed within some ticks, in order of store and product.

    Parameters
    ----------
    records
        What is recorded of each store.
    clocks
        The next tick of each store.
    clock_of
        Returns the clock on a store's wall.
    patience
        Ticks.
    """
    waiting = (
        late
        for name, record in sorted(records.items())
        for late in _waiting(name, record, clocks[name], clock_of(name))
    )
    return [late for late in waiting if late.ticks >= patience]


def ticks_passed(clock: WallClock, since: dt.datetime, now: dt.datetime) -> int:
    """Return how many ticks of opening hours have begun and ended between two moments.

    Of a stretch over several dates, those of the first and of the last date count: the dates between may be closed.
    """
    (date, first), (today, last) = (_tick_of(clock, moment) for moment in (since, now))
    if date == today:
        return max(0, last - first)
    return clock.opening.ticks - first + last if since < now else 0


def _waiting(store: str, record: StoreRecord, now: dt.datetime, clock: WallClock) -> Iterator[LateLabel]:
    """Yield the devices of a store that have not followed, however short it is."""
    for sku, sent in sorted(record.sent.items()):
        for device in DEVICES:
            first = record.not_followed(sku, device)
            if first is None:
                continue
            since = max(first.effective_at, first.price.valid_from)
            known = record.said_by(sku, device)
            yield LateLabel(
                store=store,
                sku=sku,
                device=device,
                price=sent[-1].price.expected(device),
                shown=None if known is None else known.price,
                since=since,
                ticks=ticks_passed(clock, since, now),
                problem=None if known is None else known.problem,
            )


def _tick_of(clock: WallClock, moment: dt.datetime) -> tuple[dt.date, int]:
    """Return a moment's date and tick, from 0 at opening to the number of ticks from closing on."""
    date, tick = clock.tick_of(moment)
    return date, min(max(0, tick), clock.opening.ticks)
