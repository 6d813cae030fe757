"""Play a batch and group its decisions while they are in memory, so that nobody has to read them back.

What must hold, for cells and for the visit counts beside them: they stand only where every assertion held, as after
`transform`, and they and their receipts are the ones that `transform` would have published. So whatever is not plainly
right is left without cells; `transform` finds it, looks at the whole date and says what is wrong: rows that break an
assertion, stores that another batch of the date holds too, decisions whose bytes are not those of their receipt. Cells
are published after the batch was committed, and alone: a kill in between leaves decisions without cells, which the same
call or `transform` groups.
"""

import datetime as dt
import threading
from collections.abc import Mapping

import duckdb
import pyarrow as pa

from catalog.errors import Declined, LakeError
from catalog.load import Catalog
from catalog.pricing import PricedBy
from etl.batches import Batch, BatchResult, play_batch
from etl.ledger import in_force_in
from etl.load import products_of
from features.cells import cells_from, definition_of, grouping_connection, groups_of_rows, publish_groups
from warehouse.assertions.run import broken_in_batch
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

_MADE_WITH = ("repricings", "rejected", "belief_updates", "stock_movements", "substitutions", "interactions")
_OPEN = threading.local()


def play_and_group(
    workspace: Workspace, batch: Batch, priced_by: PricedBy, seed: int, *, anew: bool = False
) -> BatchResult:
    """Play one batch as `play_batch` does, and publish its demand cells and visit counts.

    A batch that is published already is not played again, and grouped only if its cells are missing or were made from
    something else.
    """

    def group(sha256: str, tables: dict[str, pa.Table]) -> None:
        _group(workspace, batch, sha256, tables)

    result = play_batch(workspace, batch, priced_by, seed, anew=anew, and_then=group)
    if result.action == "unchanged":
        _group_what_stands(workspace, batch)
    return result


def _group(workspace: Workspace, batch: Batch, sha256: str, tables: Mapping[str, pa.Table]) -> None:
    """Publish the cells of a committed batch if it keeps every assertion; else leave them to `transform`."""
    lake, catalog = workspace.lake, workspace.catalog
    item = cells_from(batch.partition, sha256, definition_of(catalog))
    if item.is_current(lake) or _shares_a_store(lake, batch):
        return
    groups = groups_of_rows(products_of(catalog), tables["interactions"])
    if broken_in_batch(_connection_for(catalog), batch.business_date, {**tables, **groups}):
        return
    try:
        publish_groups(lake, item, groups)
    except Declined:
        return  # another process is grouping the same decisions


def _group_what_stands(workspace: Workspace, batch: Batch) -> None:
    """Group a batch that was committed before and left without cells, once its bytes are proven."""
    lake = workspace.lake
    receipt = lake.receipt(batch.partition)
    if receipt is None:
        return
    item = cells_from(batch.partition, receipt.sha256, definition_of(workspace.catalog))
    if item.is_current(lake):
        return
    parts = [Partition(name, batch.business_date, batch.group) for name in _MADE_WITH]
    try:
        tables = {part.table: lake.read(part) for part in parts if lake.receipt(part) is not None}
    except LakeError:
        return
    if lake.receipt(batch.partition) == receipt:
        _group(workspace, batch, receipt.sha256, tables)


def _shares_a_store(lake: Lake, batch: Batch) -> bool:
    """Tell whether another batch of the date may hold decisions of the same stores, as far as the ledger knows.

    Of two that are played at once, the second one to be committed sees the first.
    """
    date, own = batch.business_date, set(batch.stores)
    others = [part.group for part in lake.partitions_on("interactions", date) if part.group != batch.group]
    known = [_stores_in(lake, date, group) for group in others]
    return any(not stores or not own.isdisjoint(stores) for stores in known)


def _stores_in(lake: Lake, business_date: dt.date, group: str) -> frozenset[str]:
    """Return the stores of a batch by the ledger; none where nobody played it here.

    Each batch asks about all others of its date, so what this thread read of the date is kept.
    """
    receipt = lake.receipt(Partition("days_in_force", business_date, group))
    if receipt is None:
        return frozenset()
    if getattr(_OPEN, "date", None) != business_date:
        _OPEN.date, _OPEN.stores = business_date, {}
    known: dict[str, frozenset[str]] = _OPEN.stores
    if receipt.sha256 not in known:
        rows = in_force_in(lake, business_date, group)
        known[receipt.sha256] = frozenset(store for row in rows for store in row.stores)
    return known[receipt.sha256]


def _connection_for(catalog: Catalog) -> duckdb.DuckDBPyConnection:
    """Return this thread's connection for a catalog; to open one takes as long as to group a batch."""
    if getattr(_OPEN, "fingerprint", None) != catalog.fingerprint:
        _OPEN.connection = grouping_connection(products_of(catalog))
        _OPEN.fingerprint = catalog.fingerprint
    connection: duckdb.DuckDBPyConnection = _OPEN.connection
    return connection
