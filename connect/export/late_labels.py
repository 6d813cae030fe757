"""The alert about labels that do not show what was sent to them."""

import datetime as dt
from collections.abc import Iterator

from connect.export.status import late_in
from desk.alerts.rules import Alert
from warehouse.workspace import Workspace


def late_labels(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    """Yield each store in which labels have not followed, unless the catalog does not ask for this rule."""
    if not workspace.catalog.store.alerts.labels:
        return
    told = workspace.catalog.store.money.format_money
    for store, labels in late_in(workspace).items():
        first = labels[0]
        shows = "has never said what it shows" if first.shown is None else f"shows {told(first.shown)}"
        more = "" if len(labels) == 1 else f", and {len(labels) - 1} more have not followed"
        yield Alert(
            "labels",
            store,
            f"the {first.device} of {first.sku} in {store} {shows} where {told(first.price)} was sent{more}: see "
            "`shelfprice export --status`; until it follows, the till charges the lower price",
        )
