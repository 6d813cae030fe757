"""Look at the store, record what began to need a person and what no longer does, and tell of each once."""

import datetime as dt
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import pyarrow as pa

from catalog.errors import Declined, ShelfpriceError
from catalog.tables.contracts import TABLES
from flows.workspace import now_of
from plugins.desk.alerts.rules import Alert, found_now
from plugins.desk.next_ticks import next_date, next_tick
from plugins.desk.notify.channels import channels_of
from plugins.desk.notify.outbox import LOCK, keep, send
from warehouse.commits.locks import held
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

_LOG = logging.getLogger(__name__)
_GROUP = re.compile(r"look-(?P<number>\d{8})")


@dataclass(frozen=True)
class OpenAlert:
    """An alert that was raised and is not over."""

    alert: Alert
    raised_at: dt.datetime


def watch(workspace: Workspace) -> list[Alert]:
    """Record alerts that began or ended, send those that a channel has not taken yet, and return those that began.

    Where another process is looking, it is left to that one. Nothing is sent while the look is held.
    """
    raised, channels = list[Alert](), channels_of(workspace)
    with suppress(Declined), held(workspace.settings.locks, LOCK):
        raised = _watch(workspace, [channel.name for channel in channels])
    send(workspace, channels)
    return raised


def watch_and_tell(workspace: Workspace) -> list[str]:
    """Watch, and say in a sentence each what began; that nobody could look is said too, and stops nothing.

    Of stores that sell by themselves, each night also says what has not ended.
    """
    try:
        raised = watch(workspace)
        is_outside = workspace.catalog.store.sales == "outside"
        still_open = [own.alert for own in open_alerts(workspace.lake)] if is_outside else []
        return [alert.sentence for alert in dict.fromkeys([*raised, *still_open])]
    except ShelfpriceError as error:
        return [f"nobody could look for alerts: {error}"]
    except Exception:  # noqa: BLE001 - a store goes on selling whatever a look meets
        _LOG.exception("nobody could look for alerts")
        return ["nobody could look for alerts: the log says why"]


def open_alerts(lake: Lake) -> list[OpenAlert]:
    """Return the alerts that were raised and are not over, in the order in which they were raised."""
    alerts: dict[tuple[str, str], OpenAlert] = {}
    looks = sorted(lake.partitions("alerts"), key=lambda part: part.group)  # a later look may be of an earlier date
    for part in looks:
        for row in lake.read(part).to_pylist():
            key = row["kind"], row["subject"]
            if row["event"] == "raised":
                alerts[key] = OpenAlert(Alert(*key, row["sentence"]), row["happened_at"])
            else:
                alerts.pop(key, None)
    return list(alerts.values())


def _watch(workspace: Workspace, channels: Sequence[str]) -> list[Alert]:
    lake = workspace.lake
    now = next_tick(lake, workspace.catalog, now=now_of(workspace))
    known = {(own.alert.kind, own.alert.subject): own for own in open_alerts(lake)}
    current = {(alert.kind, alert.subject): alert for alert in found_now(workspace, now)}
    raised = [alert for key, alert in current.items() if key not in known]
    over = [own.alert for key, own in known.items() if key not in current]
    events = [("raised", alert, now) for alert in raised] + [("over", alert, now) for alert in over]
    if workspace.catalog.store.sales == "outside":  # numbers of days grow; what was sent is not sent again
        both = [(known[key], alert) for key, alert in current.items() if key in known]
        events += [("raised", alert, own.raised_at) for own, alert in both if own.alert != alert]
    messages = [{**asdict(alert), "at": now.isoformat()} for alert in raised]
    keep(lake, channels, messages)  # a kill from here on loses none
    if events:
        _record(workspace, events)
    return raised


def _record(workspace: Workspace, events: Sequence[tuple[str, Alert, dt.datetime]]) -> None:
    lake, date = workspace.lake, next_date(workspace.lake, workspace.catalog, now=now_of(workspace))
    numbers = (_GROUP.fullmatch(part.group) for part in lake.partitions("alerts"))
    number = 1 + max((int(match["number"]) for match in numbers if match), default=0)
    clock = dt.datetime.now(dt.UTC)
    rows = [
        {"number": number, **asdict(alert), "event": event, "happened_at": moment, "recorded_at": clock}
        for event, alert, moment in events
    ]
    part = Partition("alerts", date, f"look-{number:08d}")
    lake.publish(part, pa.Table.from_pylist(rows, schema=TABLES["alerts"].schema), inputs=f"look {number}")
