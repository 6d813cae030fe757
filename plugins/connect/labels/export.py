"""Export: record new batches, then deliver every batch that a target does not have yet.

A kill before the record leaves nothing; one after it leaves a batch that the next export delivers under the same id.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from catalog.errors import ServiceError
from catalog.load import WatchedCatalog
from etl.calendar import stores_now
from flows.workspace import now_of
from plugins.connect.labels.ack_files import AckFilesResult, RefusedFileAck, read_ack_files, waiting_files
from plugins.connect.labels.batch import DEVICES, PriceBatch, StoreRecord, next_batch
from plugins.connect.labels.export_log import LOCK as RECORD_LOCK
from plugins.connect.labels.export_log import ExportHistory, ExportLog, next_number, record_batches
from plugins.connect.labels.targets import FolderTarget, RefusedBatchError, Target
from plugins.connect.labels.wanted import shelf_prices
from plugins.desk.next_ticks import refuse_unknown_store
from plugins.desk.standing import standings
from warehouse.commits.locks import waited_for
from warehouse.commits.notes import EXPORTS, Notes, read_sealed, write_sealed
from warehouse.workspace import Workspace

_LOOK_EVERY = 0.5  # s
_AWAY = 5.0  # s, until a target that took nothing is tried again
_TELLING = (
    "live_repricings",
    "repricings",
    "price_changes",
    "booked_prices",
    "label_states",
    "price_draws",
    "unit_sales",
)
LOCK = "export"
"""Held while batches are made and delivered: two exports deliver each batch once, in order."""


@dataclass(frozen=True)
class ExportResult:
    """The result of an export.

    Attributes
    ----------
    made, sent
        Batches that are new, and those that the target was sent, in order.
    acknowledged
        Prices of tills and labels whose acknowledgements were recorded first.
    refused
        Acknowledgements that cannot be used.
    unproven
        Why all batches were sent again; None where the note of deliveries is intact.
    """

    made: tuple[PriceBatch, ...] = ()
    sent: tuple[PriceBatch, ...] = ()
    acknowledged: int = 0
    refused: tuple[RefusedFileAck, ...] = field(default=())
    unproven: str | None = None


class DeliveryProgress:
    """How far one target has received the batches of each store, kept as a note beside the lake's tables.

    A damaged note proves no delivery: recorded batches are then sent again under the same ids, which a receiver takes
    once each.

    Attributes
    ----------
    unproven
        What is wrong with the note; None when it is intact or missing.
    """

    def __init__(self, notes: Notes, target: str) -> None:
        self._notes, self._target = notes, target
        self._name = f"{EXPORTS}/{hashlib.sha256(target.encode()).hexdigest()[:16]}.json"
        self.unproven: str | None = None
        self._last: dict[str, int] = {}  # number of each store's last delivered batch
        try:
            if (note := read_sealed(notes, self._name)) is not None:
                self._last = {str(store): int(number) for store, number in note["through"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.unproven = _why_unproven(notes, self._name, error)
        self._written = dict(self._last)

    def begin(self, begins: Mapping[str, int], recorded: Iterable[str]) -> None:
        """Write down where the stores begin of which the target has nothing yet.

        Parameters
        ----------
        begins
            Number of the last batch of each store that a new target does not need.
        recorded
            The stores with recorded batches: while nothing is proven, each of them begins with its first.
        """
        again = {} if self.unproven is None else dict.fromkeys(recorded, 0)
        self._last = {**begins, **again, **self._last}
        self.write_down()

    def knows(self, store: str) -> bool:
        """Return whether it is written down where a store begins."""
        return store in self._last

    def has(self, batch: PriceBatch) -> bool:
        """Tell whether the target has a batch."""
        return batch.number <= self._last.get(batch.store, 0)

    def add(self, batch: PriceBatch) -> None:
        """Mark a batch as delivered."""
        self._last[batch.store] = batch.number

    def write_down(self) -> None:
        """Write the note if it has changed."""
        if self._last != self._written:
            write_sealed(self._notes, self._name, {"to": self._target, "through": self._last})
            self._written = dict(self._last)


def unproven_deliveries(notes: Notes) -> list[str]:
    """Say of each target's damaged note what is wrong with it, and what follows."""
    reasons = []
    for name in notes.names(EXPORTS):
        try:
            read_sealed(notes, name)
        except ValueError as error:
            reasons.append(_why_unproven(notes, name, error))
    return reasons


def export(
    workspace: Workspace,
    target: Target,
    stores: Sequence[str] | None = None,
    log: ExportLog | None = None,
    *,
    full: bool = False,
) -> ExportResult:
    """Record acknowledgements and new batches, and deliver what the target does not have.

    Parameters
    ----------
    stores
        None is every store of the catalog.
    log
        Reads the record; one that was used before opens new parts alone.
    full
        Whether everything is sent, and not only what is not known to be shown; where the newest batch has everything,
        it is sent once more under its id.

    Raises
    ------
    DataError
        When the catalog does not have one of the stores.
    ServiceError
        When the target does not take a batch; the next export delivers what is recorded.
    """
    names, locks = _known_stores(workspace, stores), workspace.settings.locks
    log = log or ExportLog(workspace.lake)
    with waited_for(locks, LOCK):
        workspace.lake.finish_interrupted()
        acks = AckFilesResult(0, 0, ())
        if isinstance(target, FolderTarget):
            acks = read_ack_files(workspace, target.folder, log)
        progress = DeliveryProgress(workspace.lake.notes, target.name)
        with waited_for(locks, RECORD_LOCK):
            made = _record_new(workspace, names, log, progress, full=full)
        sent = _deliver(log.history(), names, target, progress, again=full)
    return ExportResult(made, sent, acks.recorded, acks.refused, progress.unproven)


def follow(
    workspace: Workspace,
    catalog: WatchedCatalog,
    target: Target,
    stores: Sequence[str] | None,
    tell: Callable[[str], None],
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[ExportResult]:
    """Yield the result of each export that had something to do; it never ends by itself.

    Parameters
    ----------
    tell
        Receives why a target took nothing; the next attempt follows by itself.
    pause
        Waits some seconds.
    """
    log, seen = ExportLog(workspace.lake), None
    while True:
        now = _stamp(workspace, catalog, target)
        if now == seen:
            pause(_LOOK_EVERY)
            continue
        try:
            done = export(replace(workspace, catalog=catalog.current()), target, stores, log)
        except ServiceError as error:
            tell(str(error))
            pause(_AWAY)
            continue
        seen = now
        if done != ExportResult():
            yield done


def _stamp(workspace: Workspace, catalog: WatchedCatalog, target: Target) -> tuple[object, ...]:
    """Return a value that changes whenever there may be something to export."""
    waiting = waiting_files(target.folder) if isinstance(target, FolderTarget) else []
    changes = [workspace.lake.changes(table) for table in _TELLING]
    store, now = catalog.current().store, now_of(workspace)
    closed = [(clock.date_of(now), now >= clock.closing_of(clock.date_of(now))) for clock in store.clocks]
    return (*changes, id(catalog.current()), tuple(waiting), tuple(closed) if store.sales == "outside" else ())


def _record_new(
    workspace: Workspace, stores: Sequence[str], log: ExportLog, progress: DeliveryProgress, *, full: bool
) -> tuple[PriceBatch, ...]:
    """Record new batches, after it is written down from which one on the target has none."""
    lake, catalog, history, now = workspace.lake, workspace.catalog, log.history(), now_of(workspace)
    nows = stores_now(lake, catalog, stores, now)
    drafts = [
        draft
        for store, standing in sorted(standings(lake, catalog, nows).items())
        if (draft := next_batch(store, shelf_prices(standing), history.of(store), full=full)) is not None
    ]
    number = next_number(lake, "export_batches")
    new = {draft.store for draft in drafts}
    unknown = [store for store in stores if not progress.knows(store)]
    begins = {store: _begins(history.of(store), has_new=store in new) for store in unknown}
    progress.begin(begins, history.by_store)
    if not drafts:
        return ()
    record_batches(
        lake, catalog, drafts, number, {store: store_moment.moment for store, store_moment in nows.items()}, now
    )
    return tuple(batch for batch in log.history().batches if batch.number == number)


def _begins(record: StoreRecord, *, has_new: bool) -> int:
    """Return the number of the last batch that a new target does not need."""
    if not record.batches:
        return 0
    last = record.batches[-1]
    if has_new:
        return last.number
    is_open = any(record.not_followed(price.sku, device) for price in last.prices for device in DEVICES)
    return last.number - 1 if is_open else last.number


def _deliver(
    history: ExportHistory, stores: Sequence[str], target: Target, progress: DeliveryProgress, *, again: bool
) -> tuple[PriceBatch, ...]:
    """Deliver every batch that the target does not have, in order, and write down how far that went.

    With `again`, the newest batch of each store is sent even where the target has it. A refused batch holds back later
    batches of its own store alone.

    Raises
    ------
    ServiceError
        When the target is away, or has refused a batch.
    """
    newest = {batch.store: batch.id for batch in history.batches} if again else {}
    sent, refused = list[PriceBatch](), dict[str, RefusedBatchError]()
    try:
        for batch in history.batches:
            is_due = not progress.has(batch) or newest.get(batch.store) == batch.id
            if batch.store not in stores or batch.store in refused or not is_due:
                continue
            try:
                target.deliver(batch)
            except RefusedBatchError as error:
                refused[batch.store] = error
                continue
            progress.add(batch)
            sent.append(batch)
    finally:
        progress.write_down()
    for refusal in refused.values():
        raise refusal
    return tuple(sent)


def _known_stores(workspace: Workspace, stores: Sequence[str] | None) -> Sequence[str]:
    for store in stores or ():
        refuse_unknown_store(workspace.catalog, store)
    return workspace.catalog.store.stores if stores is None else stores


def _why_unproven(notes: Notes, name: str, error: Exception) -> str:
    return (
        f"{notes.where(name)}: expected the note of a target's deliveries as it was written, found something else "
        f"({error}); what it was sent cannot be proven, so an export to it sends all batches again under the same ids"
    )
