"""Status of the exports, store by store: what was sent, what till and label show, and which devices are late."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.wall_clock import WallClock
from connect.export.batch import SentPrice, StoreRecord
from connect.export.device_states import DEVICES, Device, price_to_pay
from connect.export.export_log import ExportHistory, ExportLog
from etl.live.store_now import next_ticks
from flows.clock import now_of
from warehouse.workspace import Workspace

PATIENCE = 2
"""Ticks of opening hours within which a price has to be acknowledged."""


@dataclass(frozen=True)
class LateLabel:
    """A till or a label that is not known to show a price.

    Attributes
    ----------
    price
        What it should show, EUR.
    shown
        What it is known to show, EUR; None when it never said.
    since
        When it should have followed, in the time of the stores.
    ticks
        Ticks of opening hours since then.
    problem
        The error that it reported; None without one.
    """

    store: str
    sku: str
    device: Device
    price: float
    shown: float | None
    since: dt.datetime
    ticks: int
    problem: str | None


@dataclass(frozen=True)
class StoreStatus:
    """Status of a store's labels, in numbers of products.

    Attributes
    ----------
    sent
        With a price that was sent.
    acknowledged
        With a till and a label that show it.
    late
        With a till or a label that has not followed in time.
    different
        With a till and a label that show two prices.
    last_batch, now
        The id of its newest batch, and its next tick.
    prices
        One row for each product.
    """

    store: str
    sent: int
    acknowledged: int
    late: int
    different: int
    last_batch: str
    now: dt.datetime
    prices: tuple[dict[str, Any], ...]


def status(workspace: Workspace, stores: Sequence[str] | None = None) -> list[StoreStatus]:
    """Return the status of every store that was sent anything, or of some."""
    records, clocks = _records(workspace, stores)
    late = {(label.store, label.sku) for label in _late_on_the_shelf(workspace, records, clocks)}
    statuses = []
    for store, record in sorted(records.items()):
        rows = tuple(
            _row(record, sku, sent[-1], is_late=(store, sku) in late) for sku, sent in sorted(record.sent.items())
        )
        counts = {name: sum(row[f"is_{name}"] for row in rows) for name in ("acknowledged", "late", "different")}
        last = record.batches[-1].id
        statuses.append(StoreStatus(store, len(rows), **counts, last_batch=last, now=clocks[store], prices=rows))
    return statuses


def late_in(workspace: Workspace, history: ExportHistory | None = None) -> list[LateLabel]:
    """Return the tills and labels of every store that have not followed in time: what the alert is about."""
    return _late_on_the_shelf(workspace, *_records(workspace, None, history))


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
        for store, record in sorted(records.items())
        for late in _waiting(store, record, clocks[store], clock_of(store))
    )
    return [late for late in waiting if late.ticks >= patience]


def ticks_passed(clock: WallClock, since: dt.datetime, now: dt.datetime) -> int:
    """Return how many ticks of opening hours have begun and ended between two moments.

    Over several dates, only those of the first and the last date count: the dates between may be closed.
    """
    (date, first), (today, last) = (clock.tick_of(moment) for moment in (since, now))
    first, last = (min(max(0, tick), clock.opening.ticks) for tick in (first, last))
    if date == today:
        return max(0, last - first)
    return clock.opening.ticks - first + last if since < now else 0


def _records(
    workspace: Workspace, stores: Sequence[str] | None, history: ExportHistory | None = None
) -> tuple[Mapping[str, StoreRecord], Mapping[str, dt.datetime]]:
    """Return what is recorded of stores, and the next tick of each."""
    by_store = (history or ExportLog(workspace.lake).history()).by_store
    names = [store for store in workspace.catalog.store.stores if store in by_store and (not stores or store in stores)]
    return {store: by_store[store] for store in names}, next_ticks(
        workspace.lake, workspace.catalog, names, now_of(workspace)
    )


def _late_on_the_shelf(
    workspace: Workspace, records: Mapping[str, StoreRecord], clocks: Mapping[str, dt.datetime]
) -> list[LateLabel]:
    """Return the late devices of products that are on the shelf: nobody changes the label of another product."""
    skus = set(workspace.catalog.skus)
    return [late for late in late_labels(records, clocks, workspace.catalog.store.clock_of) if late.sku in skus]


def _waiting(store: str, record: StoreRecord, now: dt.datetime, clock: WallClock) -> Iterator[LateLabel]:
    """Yield the devices of a store that have not followed, for however short a time."""
    for sku, sent in sorted(record.sent.items()):
        for device in DEVICES:
            first = record.not_followed(sku, device)
            if first is not None:
                since, state = max(first.effective_at, first.price.valid_from), record.state_of(sku, device)
                shown, problem = (None, None) if state is None else (state.price, state.problem)
                price, ticks = sent[-1].price.expected(device), ticks_passed(clock, since, now)
                yield LateLabel(store, sku, device, price, shown, since, ticks, problem)


def _row(record: StoreRecord, sku: str, sent: SentPrice, *, is_late: bool) -> dict[str, Any]:
    """Return the status of one product: what was sent, what is shown, and what a customer pays."""
    states = [record.state_of(sku, device) for device in DEVICES]
    till, label = (None if state is None else state.price for state in states)
    return {
        "sku": sku,
        "price": sent.price.price,
        "till_price": sent.price.till_price,
        "valid_from": sent.price.valid_from.isoformat(),
        "till": till,
        "label": label,
        "price_to_pay": price_to_pay(sent.price.till_price if till is None else till, label),
        "is_acknowledged": all(record.not_followed(sku, device) is None for device in DEVICES),
        "is_late": is_late,
        "is_different": till is not None and label is not None and till != label,
        "problems": [state.problem for state in states if state is not None and state.problem is not None],
    }
