"""Status of the exports, store by store: what was sent, what till and label show, and which devices are late."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalog.arrays import Flags, Ints
from catalog.wall_clock import WallClock
from connect.export.batch import StoreRecord
from connect.export.device_states import DEVICES, Device, price_to_pay
from connect.export.export_log import ExportHistory, ExportLog
from connect.export.store_labels import StoreLabels, moment_of
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
class LateLabels(Sequence[LateLabel]):
    """The late devices of a store, in order of product, by column; one that is asked for is an object.

    Attributes
    ----------
    product, device
        Positions of each in order of sku, and in `DEVICES`, shape (n_late,).
    since, ticks
        When it should have followed, microseconds since 1970, and ticks of opening hours since then.
    """

    store: str
    labels: StoreLabels
    product: Ints
    device: Ints
    since: Ints
    ticks: Ints

    def __len__(self) -> int:
        """Return how many devices are late."""
        return len(self.product)

    def __getitem__(self, index: Any) -> Any:
        """Return one as an object."""
        product, device, labels = int(self.product[index]), DEVICES[self.device[index]], self.labels
        return LateLabel(
            store=self.store,
            sku=labels.skus[product],
            device=device,
            price=float(labels.expected[device][product]),
            shown=_known(labels.shown[device][product]),
            since=moment_of(int(self.since[index])),
            ticks=int(self.ticks[index]),
            problem=labels.problem(product, device),
        )


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
    prices, odd
        One row for each product; and those of products that are late, or whose till and label differ.
    """

    store: str
    sent: int
    acknowledged: int
    late: int
    different: int
    last_batch: str
    now: dt.datetime
    prices: Sequence[dict[str, Any]]
    odd: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True)
class _Rows(Sequence[dict[str, Any]]):
    """The status of some products of a store, by their positions; each is made when somebody asks for it."""

    labels: StoreLabels
    are_late: Flags
    products: Ints

    def __len__(self) -> int:
        return len(self.products)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return replace(self, products=self.products[index])
        product = int(self.products[index])
        return _row(self.labels, product, is_late=bool(self.are_late[product]))


def status(workspace: Workspace, stores: Sequence[str] | None = None) -> list[StoreStatus]:
    """Return the status of every store that was sent anything, or of some."""
    records, clocks = _records(workspace, stores)
    late, statuses = _late_on_the_shelf(workspace, records, clocks), list[StoreStatus]()
    for store, record in sorted(records.items()):
        labels = late[store].labels
        are_late = np.zeros(len(labels.skus), dtype=bool)
        are_late[late[store].product] = True
        odd = np.flatnonzero(are_late | labels.are_different)
        of_store = StoreStatus(
            store=store,
            sent=len(labels.skus),
            acknowledged=int(labels.are_acknowledged.sum()),
            late=int(are_late.sum()),
            different=int(labels.are_different.sum()),
            last_batch=record.batches[-1].id,
            now=clocks[store],
            prices=_Rows(labels, are_late, np.arange(len(labels.skus))),
            odd=_Rows(labels, are_late, odd),
        )
        statuses.append(of_store)
    return statuses


def late_in(workspace: Workspace, history: ExportHistory | None = None) -> dict[str, LateLabels]:
    """Return by store the tills and labels that have not followed in time: what the alert is about."""
    found = _late_on_the_shelf(workspace, *_records(workspace, None, history))
    return {store: late for store, late in found.items() if late}


def late_labels(
    records: Mapping[str, StoreRecord],
    clocks: Mapping[str, dt.datetime],
    clock_of: Callable[[str], WallClock],
    skus: Collection[str] | None = None,
) -> dict[str, LateLabels]:
    """Return by store, in order, the tills and labels that have not followed within some ticks, in order of product.

    Parameters
    ----------
    records
        What is recorded of each store.
    clocks
        The next tick of each store.
    clock_of
        Returns the clock on a store's wall.
    skus
        The products that count; None is every one.
    """
    return {
        store: _late(store, StoreLabels(record), (clocks[store], clock_of(store)), skus)
        for store, record in sorted(records.items())
    }


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
) -> dict[str, LateLabels]:
    """Return the late devices of products that are on the shelf: nobody changes the label of another product."""
    return late_labels(records, clocks, workspace.catalog.store.clock_of, workspace.catalog.positions.keys())


def _late(
    store: str, labels: StoreLabels, at: tuple[dt.datetime, WallClock], skus: Collection[str] | None
) -> LateLabels:
    now, clock = at
    found = [labels.behind(device) for device in DEVICES]
    product, since = (np.concatenate(own) for own in zip(*found, strict=True))
    device = np.repeat(np.arange(len(DEVICES)), [len(own) for own, _ in found])
    moments, which = np.unique(since, return_inverse=True)
    ticks = np.array([ticks_passed(clock, moment_of(own), now) for own in moments.tolist()], dtype=np.int64)[which]
    counts = np.array([skus is None or sku in skus for sku in labels.skus], dtype=bool)
    own = np.flatnonzero((ticks >= PATIENCE) & counts[product])
    own = own[np.lexsort((device[own], product[own]))]
    return LateLabels(store, labels, product[own], device[own], since[own], ticks[own])


def _row(labels: StoreLabels, product: int, *, is_late: bool) -> dict[str, Any]:
    """Return the status of one product: what was sent, what is shown, and what a customer pays."""
    till, label = (_known(labels.shown[device][product]) for device in ("till", "label"))
    till_price = float(labels.expected["till"][product])
    problems = [labels.problem(product, device) for device in DEVICES]
    return {
        "sku": labels.skus[product],
        "price": float(labels.expected["label"][product]),
        "till_price": till_price,
        "valid_from": labels.valid_from(product).isoformat(),
        "till": till,
        "label": label,
        "price_to_pay": price_to_pay(till_price if till is None else till, label),
        "is_acknowledged": bool(labels.are_acknowledged[product]),
        "is_late": is_late,
        "is_different": bool(labels.are_different[product]),
        "problems": [problem for problem in problems if problem is not None],
    }


def _known(price: float) -> float | None:
    return None if np.isnan(price) else float(price)
