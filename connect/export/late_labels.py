"""The alert about labels that do not show what was sent to them."""

import datetime as dt
from collections.abc import Iterator

import numpy as np

from connect.export.device_states import DEVICES
from connect.export.status import LateLabels, late_in
from desk.alerts.rules import Alert
from warehouse.workspace import Workspace


def late_labels(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    """Yield each store in which labels have not followed, unless the catalog does not ask for this rule."""
    if not workspace.catalog.store.alerts.labels:
        return
    for store, labels in late_in(workspace).items():
        yield Alert("labels", store, said_of(workspace, labels))


def said_of(workspace: Workspace, labels: LateLabels) -> str:
    """Say how many tills and labels of a store never answered, how many show another price, and what to do."""
    told, shown = workspace.catalog.store.money.format_money, labels.labels.shown
    is_silent = np.isnan(np.stack([shown[device] for device in DEVICES])[labels.device, labels.product])
    silent, behind = np.flatnonzero(is_silent), np.flatnonzero(~is_silent)
    said = []
    if len(silent):
        first = labels[silent[0]]
        said.append(
            f"{len(silent)} tills and labels of {labels.store} have never said what they show, such as the "
            f"{first.device} of {first.sku}, which was sent {told(first.price)}: send acknowledgements, or set "
            "`alerts: {labels: false}` where none can"
        )
    if len(behind):
        first = labels[behind[0]]
        more = "" if len(behind) == 1 else f", and {len(behind) - 1} more have not followed"
        pays = "; until it follows, the till charges the lower price" if first.device == "label" else ""
        said.append(
            f"the {first.device} of {first.sku} in {labels.store} shows {told(first.shown or 0.0)} where "
            f"{told(first.price)} was sent{more}: see `shelfprice export --status`{pays}"
        )
    return "; ".join(said)
