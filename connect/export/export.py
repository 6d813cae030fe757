"""Send what stores have to show: what is new is recorded first, and then sent until the target has it.

A kill before the record leaves nothing; one after it leaves a batch that the next export sends under the same id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalog.errors import DataError
from catalog.near import did_you_mean
from catalog.tables.labels import EXPORT_BATCHES
from connect.export.ack_files import AckFilesResult, RefusedFileAck, read_ack_files
from connect.export.batch import BatchDraft, PriceBatch, ShelfPrice, StoreRecord, next_batch
from connect.export.delivered import DeliveryProgress
from connect.export.device_states import DEVICES
from connect.export.record import LOCK as RECORD_LOCK
from connect.export.record import ExportHistory, ExportLog, next_number, record_batches
from connect.export.targets import FolderTarget, RefusedBatchError, Target
from connect.export.wanted import wanted_of
from etl.live.store_now import stores_now
from warehouse.locks import waited_for
from warehouse.workspace import Workspace

LOCK = "export"
"""Held while batches are made and sent: two exports send each batch once, in order."""


@dataclass(frozen=True)
class ExportResult:
    """What an export did.

    Attributes
    ----------
    made, sent
        Batches that are new, and those that the target was sent, in order.
    acknowledged
        Prices of tills and labels that were taken in before.
    refused
        Acknowledgements that cannot be used.
    unproven
        Why all batches were sent once more; None where it was known what the target has.
    """

    made: tuple[PriceBatch, ...] = ()
    sent: tuple[PriceBatch, ...] = ()
    acknowledged: int = 0
    refused: tuple[RefusedFileAck, ...] = field(default=())
    unproven: str | None = None


def export(
    workspace: Workspace,
    target: Target,
    stores: Sequence[str] | None = None,
    recorded: ExportLog | None = None,
    *,
    full: bool = False,
) -> ExportResult:
    """Take in acknowledgements, record what is new, and send what the target does not have.

    Parameters
    ----------
    stores
        None is every store of the catalog.
    recorded
        Reads what is recorded; one that was used before opens new parts alone.
    full
        Whether everything is sent, and not what is not known to be shown alone; where that is the newest batch, it is
        sent once more under its id.

    Raises
    ------
    DataError
        When a store is none of the catalog.
    ServiceError
        When the target does not take a batch; what is recorded is sent by the next export.
    """
    names, locks = _known(workspace, stores), workspace.settings.locks
    recorded = recorded or ExportLog(workspace.lake)
    with waited_for(locks, LOCK):
        workspace.lake.finish_interrupted()
        taken = AckFilesResult(0, 0, ())
        if isinstance(target, FolderTarget):
            taken = read_ack_files(workspace, target.folder, recorded)
        delivered = DeliveryProgress(workspace.lake.notes, target.name)
        with waited_for(locks, RECORD_LOCK):
            made = _made(workspace, names, recorded, delivered, full=full)
        sent = _send(recorded.history(), names, target, delivered, again=full)
    return ExportResult(made, sent, taken.recorded, taken.refused, delivered.unproven)


def _made(
    workspace: Workspace, stores: Sequence[str], recorded: ExportLog, delivered: DeliveryProgress, *, full: bool
) -> tuple[PriceBatch, ...]:
    """Record the batches that are new, after it is written down from which one on the target has none."""
    lake, catalog, history = workspace.lake, workspace.catalog, recorded.history()
    now = stores_now(lake, catalog, stores)
    wanted, clocks = wanted_of(lake, catalog, now), {store: own.moment for store, own in now.items()}
    drafts = _drafts(history, wanted, full=full)
    number = next_number(lake, EXPORT_BATCHES.name)
    is_made = {draft.store for draft in drafts}
    begins = {store: _begins(history.of(store), is_made=store in is_made) for store in stores}
    delivered.begin(begins, history.by_store)
    if not drafts:
        return ()
    record_batches(lake, catalog, drafts, number, clocks)
    return tuple(batch for batch in recorded.history().batches if batch.number == number)


def _drafts(history: ExportHistory, wanted: Mapping[str, Sequence[ShelfPrice]], *, full: bool) -> list[BatchDraft]:
    found = (next_batch(store, prices, history.of(store), full=full) for store, prices in sorted(wanted.items()))
    return [draft for draft in found if draft is not None]


def _begins(record: StoreRecord, *, is_made: bool) -> int:
    """Return the number of the last batch that a target which is new does not need."""
    if not record.batches:
        return 0
    last = record.batches[-1]
    is_open = any(record.not_followed(own.sku, device) for own in last.prices for device in DEVICES)
    return last.number - 1 if is_open and not is_made else last.number


def _send(
    history: ExportHistory, stores: Sequence[str], target: Target, delivered: DeliveryProgress, *, again: bool
) -> tuple[PriceBatch, ...]:
    """Send every batch that the target does not have, in order; write down how far that went.

    With `again`, the newest batch of each store is sent under its id even where the target has it. A batch that is
    refused holds back those of its own store alone.

    Raises
    ------
    ServiceError
        When the target is away, or has refused a batch.
    """
    newest = {batch.store: batch.id for batch in history.batches} if again else {}
    of_stores = [batch for batch in history.batches if batch.store in stores]
    sent, refused = [], dict[str, RefusedBatchError]()
    try:
        for batch in of_stores:
            if batch.store in refused or (delivered.has(batch) and newest.get(batch.store) != batch.id):
                continue
            try:
                target.deliver(batch)
            except RefusedBatchError as error:
                refused[batch.store] = error
                continue
            delivered.add(batch)
            sent.append(batch)
    finally:
        delivered.write_down()
    for refusal in refused.values():
        raise refusal
    return tuple(sent)


def _known(workspace: Workspace, stores: Sequence[str] | None) -> Sequence[str]:
    known = workspace.catalog.store.stores
    if stores is None:
        return known
    odd = next((store for store in stores if store not in known), None)
    if odd is not None:
        raise DataError(
            f"expected a store of the catalog ({', '.join(known[:20])}), found {odd!r}; nothing was sent"
            f"{did_you_mean(odd, known)}"
        )
    return stores
