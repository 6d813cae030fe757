"""Status of the exports, store by store: what was sent, what till and label show, and which devices are late."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from catalog.clocks import WallClock
from flows.workspace import now_of
from plugins.connect.labels.batch import DEVICES, Device, StoreRecord, price_to_pay
from plugins.connect.labels.export_log import ExportHistory, ExportLog
from plugins.desk.next_ticks import next_ticks
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
    odd
        A row for each product that is late, or whose till and label differ.
    prices
        A row for each product, where they are asked for.
    """

    store: str
    sent: int
    acknowledged: int
    late: int
    different: int
    last_batch: str
    now: dt.datetime
    odd: Sequence[dict[str, Any]] = ()
    prices: Sequence[dict[str, Any]] = ()


def status(
    workspace: Workspace, stores: Sequence[str] | None = None, *, every_price: bool = False
) -> list[StoreStatus]:
    """Return the status of every store that was sent anything, or of some; with a row of every price if wanted."""
    statuses = list[StoreStatus]()
    for record, late, now in _looked_at(workspace, stores):
        store, are_late = record.batches[0].store, {line.sku for line in late}
        rows = [_row(record, sku, is_late=sku in are_late) for sku in sorted(record.sent)]
        of_store = StoreStatus(
            store=store,
            sent=len(rows),
            acknowledged=sum(row["is_acknowledged"] for row in rows),
            late=len(are_late),
            different=sum(row["is_different"] for row in rows),
            last_batch=record.batches[-1].id,
            now=now,
            odd=[row for row in rows if row["is_late"] or row["is_different"]],
            prices=rows if every_price else (),
        )
        statuses.append(of_store)
    return statuses


def late_in(workspace: Workspace, history: ExportHistory | None = None) -> dict[str, list[LateLabel]]:
    """Return by store the tills and labels that have not followed in time: what the alert is about."""
    return {record.batches[0].store: late for record, late, _ in _looked_at(workspace, None, history) if late}


def late_labels(
    record: StoreRecord, now: dt.datetime, clock: WallClock, skus: Collection[str] | None = None
) -> list[LateLabel]:
    """Return the tills and labels of a store that have not followed within some ticks, in order of product.

    Parameters
    ----------
    now
        The next tick of the store.
    clock
        The clock on its wall.
    skus
        The products that count; None is every one.
    """
    passed, found = cache(lambda since: ticks_passed(clock, since, now)), list[LateLabel]()
    for sku in sorted(sku_sent for sku_sent in record.sent if skus is None or sku_sent in skus):
        for device in DEVICES:
            behind = record.not_followed(sku, device)
            if behind is None:
                continue
            since = max(behind.effective_at, behind.price.valid_from)
            if passed(since) >= PATIENCE:
                state, price = record.state_of(sku, device), record.sent[sku][-1].price.expected(device)
                shown, problem = (None, None) if state is None else (state.price, state.problem)
                store = record.batches[0].store
                found.append(LateLabel(store, sku, device, price, shown, since, passed(since), problem))
    return found


def ticks_passed(clock: WallClock, since: dt.datetime, now: dt.datetime) -> int:
    """Return how many ticks of opening hours have begun and ended between two moments.

    Over several dates, only those of the first and the last date count: the dates between may be closed.
    """
    (date, first), (today, last) = (clock.tick_of(moment) for moment in (since, now))
    first, last = (min(max(0, tick), clock.opening.ticks) for tick in (first, last))
    if date == today:
        return max(0, last - first)
    return clock.opening.ticks - first + last if since < now else 0


def _looked_at(
    workspace: Workspace, stores: Sequence[str] | None, history: ExportHistory | None = None
) -> Iterator[tuple[StoreRecord, list[LateLabel], dt.datetime]]:
    """Yield the record, the late devices and the next tick of each store that was sent anything.

    Only products on the shelf can be late: nobody changes the label of another one.
    """
    lake, catalog, history = workspace.lake, workspace.catalog, history or ExportLog(workspace.lake).history()
    names = [
        store for store in sorted(catalog.store.stores) if store in history.by_store and (not stores or store in stores)
    ]
    clocks = next_ticks(lake, catalog, names, now_of(workspace))
    for store in names:
        record = history.of(store)
        clock = catalog.store.clock_of(store)
        yield record, late_labels(record, clocks[store], clock, catalog.positions), clocks[store]


def _row(record: StoreRecord, sku: str, *, is_late: bool) -> dict[str, Any]:
    """Return the status of one product: what was sent, what is shown, and what a customer pays."""
    newest = record.sent[sku][-1].price
    states = [record.state_of(sku, device) for device in DEVICES]
    till, label = (None if state is None else state.price for state in states)
    return {
        "sku": sku,
        "price": newest.price,
        "till_price": newest.till_price,
        "valid_from": newest.valid_from.isoformat(),
        "till": till,
        "label": label,
        "price_to_pay": price_to_pay(newest.till_price if till is None else till, label),
        "is_acknowledged": not any(record.not_followed(sku, device) for device in DEVICES),
        "is_late": is_late,
        "is_different": till is not None and label is not None and till != label,
        "problems": [state.problem for state in states if state is not None and state.problem is not None],
    }
