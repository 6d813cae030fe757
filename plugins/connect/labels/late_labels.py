"""The alert about labels that do not show what was sent to them."""

import datetime as dt
from collections.abc import Iterator, Sequence

from plugins.connect.labels.status import LateLabel, late_in
from plugins.desk.alerts.rules import Alert
from plugins.desk.records import AlertRules
from warehouse.workspace import Workspace


def late_labels(workspace: Workspace, _now: dt.datetime) -> Iterator[Alert]:
    """Yield each store in which labels have not followed, unless the catalog does not ask for this rule."""
    if workspace.catalog.store.section(AlertRules).labels:
        for store, late in late_in(workspace).items():
            yield Alert("labels", store, said_of(workspace, late))


def said_of(workspace: Workspace, late: Sequence[LateLabel]) -> str:
    """Say how many tills and labels of a store never answered, how many show another price, and what to do."""
    format_price, lines = workspace.catalog.store.money.format_money, list[str]()
    silent, behind = ([line for line in late if (line.shown is None) is is_silent] for is_silent in (True, False))
    if silent:
        first = silent[0]
        lines.append(
            f"{len(silent)} tills and labels of {first.store} have never said what they show, such as the "
            f"{first.device} of {first.sku}, which was sent {format_price(first.price)}: send acknowledgements, or set "
            "`alerts: {labels: false}` where none can"
        )
    if behind:
        first = behind[0]
        more = "" if len(behind) == 1 else f", and {len(behind) - 1} more have not followed"
        pays = "; until it follows, the till charges the lower price" if first.device == "label" else ""
        lines.append(
            f"the {first.device} of {first.sku} in {first.store} shows {format_price(first.shown or 0.0)} where "
            f"{format_price(first.price)} was sent{more}: see `shelfprice export --status`{pays}"
        )
    return "; ".join(lines)
