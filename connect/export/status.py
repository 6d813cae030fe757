"""Store by store what was sent, what till and label are known to show, and what is late, as rows that people read."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connect.export.batch import SentPrice, StoreRecord
from connect.export.device_states import price_to_pay
from connect.export.late import LateLabel, late_labels
from connect.export.record import ExportLog
from connect.export.wanted import clocks_of
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class StoreStatus:
    """How a store's labels stand: numbers of products.

    Attributes
    ----------
    sent
        Of which a price was sent.
    acknowledged
        Whose till and label are known to show it.
    late
        Of which one of them has not followed in time.
    different
        Whose till and label are known to show two prices.
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
    """Return how the labels of every store that was sent anything stand, or of some."""
    records, clocks = _records(workspace, stores)
    late = _late(workspace, records, clocks)
    return [
        _status_of(store, record, clocks[store], [own for own in late if own.store == store])
        for store, record in sorted(records.items())
    ]


def late_in(workspace: Workspace) -> list[LateLabel]:
    """Return the tills and labels that have not followed in time: what an alarm is raised of."""
    records, clocks = _records(workspace, None)
    return _late(workspace, records, clocks)


def _late(
    workspace: Workspace, records: Mapping[str, StoreRecord], clocks: Mapping[str, dt.datetime]
) -> list[LateLabel]:
    """Return what has not followed of the products that are on the shelf: nobody changes the label of another."""
    skus = set(workspace.catalog.skus)
    return [own for own in late_labels(records, clocks, workspace.catalog.store.clock_of) if own.sku in skus]


def _records(
    workspace: Workspace, stores: Sequence[str] | None
) -> tuple[Mapping[str, StoreRecord], Mapping[str, dt.datetime]]:
    by_store = ExportLog(workspace.lake).history().by_store
    wanted = [
        store for store in workspace.catalog.store.stores if store in by_store and (not stores or store in stores)
    ]
    return {store: by_store[store] for store in wanted}, clocks_of(workspace.lake, workspace.catalog, wanted)


def _status_of(store: str, record: StoreRecord, now: dt.datetime, late: Sequence[LateLabel]) -> StoreStatus:
    is_late = {own.sku for own in late}
    prices = tuple(_row(record, sku, sent[-1], is_late=sku in is_late) for sku, sent in sorted(record.sent.items()))
    return StoreStatus(
        store=store,
        sent=len(prices),
        acknowledged=sum(row["is_acknowledged"] for row in prices),
        late=len(is_late),
        different=sum(row["is_different"] for row in prices),
        last_batch=record.batches[-1].id,
        now=now,
        prices=prices,
    )


def _row(record: StoreRecord, sku: str, sent: SentPrice, *, is_late: bool) -> dict[str, Any]:
    """Return how one product stands: what was sent, what is shown, and what a customer pays."""
    till, label = record.said_by(sku, "till"), record.said_by(sku, "label")
    on_till, on_label = (None if own is None else own.price for own in (till, label))
    charged = sent.price.till_price if on_till is None else on_till
    followed = record.not_followed(sku, "till") is None and record.not_followed(sku, "label") is None
    return {
        "sku": sku,
        "price": sent.price.price,
        "till_price": sent.price.till_price,
        "valid_from": sent.price.valid_from.isoformat(),
        "till": on_till,
        "label": on_label,
        "price_to_pay": price_to_pay(charged, on_label),
        "is_acknowledged": followed,
        "is_late": is_late,
        "is_different": on_till is not None and on_label is not None and on_till != on_label,
        "problems": [own.problem for own in (till, label) if own is not None and own.problem is not None],
    }
