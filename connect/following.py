"""Export at every tick, decision, acknowledgement and closing of a store, until stopped."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from catalog.errors import ServiceError
from catalog.load import WatchedCatalog
from connect.export.ack_files import waiting_files
from connect.export.export import ExportResult, export
from connect.export.export_log import ExportLog
from connect.export.targets import FolderTarget, Target
from flows.clock import now_of
from warehouse.workspace import Workspace

_LOOK_EVERY = 0.5  # s
_AWAY = 5.0  # s, until a target that took nothing is tried again
_TELLING = (
    *("live_repricings", "repricings", "price_changes", "booked_prices", "label_states", "price_draws", "unit_sales"),
)


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
