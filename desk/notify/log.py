"""The log of messages: the table `notifications`, to which each sending adds what was taken and what was not.

A channel that stays away would fill it with the same line at each look, so a failure that goes on is kept once.
"""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from catalog.tables.operations import NOTIFICATIONS
from desk.notify.message import Message
from etl.live.store_now import next_date
from flows.clock import now_of
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

Sent = tuple[str, Message, str | None]
"""The name of a channel, a message, and why it was not taken; None where it was."""

_GROUP = re.compile(r"sent-(?P<number>\d{8})")


def record(workspace: Workspace, sendings: Sequence[Sent]) -> None:
    """Record what came of messages; precondition: nobody else is sending."""
    lake = workspace.lake
    rows = [_row(*sending) for sending in sendings]
    known = [{name: row[name] for name in rows[0]} for row in _newest(lake)] if rows else []
    if new := [row for row in rows if row["is_sent"] or row not in known]:
        numbers = (_GROUP.fullmatch(part.group) for part in lake.partitions(NOTIFICATIONS.name))
        number = 1 + max((int(match["number"]) for match in numbers if match), default=0)
        at = {"number": number, "recorded_at": dt.datetime.now(dt.UTC)}
        date = next_date(lake, workspace.catalog, now=now_of(workspace))
        table = pa.Table.from_pylist([row | at for row in new], schema=NOTIFICATIONS.schema)
        lake.publish(Partition(NOTIFICATIONS.name, date, f"sent-{number:08d}"), table, inputs=f"sending {number}")


def is_told(lake: Lake, kind: str, subject: str) -> bool:
    """Tell whether a message of this kind and subject was sent, or tried, on the newest date of the log."""
    return any((row["kind"], row["subject"]) == (kind, subject) for row in _newest(lake))


def _newest(lake: Lake) -> list[dict[str, Any]]:
    """Return the rows of the newest date."""
    date = next(lake.newest_dates(NOTIFICATIONS.name), None)
    parts = [] if date is None else lake.partitions_on(NOTIFICATIONS.name, date)
    return [row for part in parts for row in lake.read(part).to_pylist()]


def _row(channel: str, message: Message, problem: str | None) -> dict[str, Any]:
    return {
        "channel": channel,
        "kind": message["kind"],
        "subject": message["subject"],
        "said_at": dt.datetime.fromisoformat(message["at"]),
        "is_sent": problem is None,
        "problem": problem,
    }
