"""Messages on their way: kept beside the lake, by channel, until the channel has taken them, so that none is lost.

A message that a kill left between a channel's answer and its note is sent again: receivers know it by its kind, subject
and time. The table `notifications` logs what was taken and what was not; a failure that goes on is logged once.
"""

import datetime as dt
import logging
import re
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa

from catalog.errors import Declined
from catalog.tables.contracts import TABLES
from flows.workspace import now_of
from plugins.desk.next_ticks import next_date, next_tick
from plugins.desk.notify.channels import Channel, Message, channels_of
from warehouse.commits.locks import held, waited_for
from warehouse.commits.notes import UNSENT_ALERTS, read_sealed, write_sealed
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

LOCK = "alerts"
"""Held while a look is taken, and while what waits to be sent is noted."""
_SENDING = "alerts-sending"
"""Held while messages are sent and logged."""
_MOST_SECONDS = 9.0  # of one look, for each channel
_GROUP = re.compile(r"sent-(?P<number>\d{8})")
_LOG = logging.getLogger(__name__)

Sent = tuple[str, Message, str | None]
"""The name of a channel, a message, and why it was not taken; None where it was."""


def unsent(lake: Lake) -> dict[str, list[Message]]:
    """Return the messages that each channel has not taken yet, the oldest first; channels without any are left out."""
    try:
        return (read_sealed(lake.notes, UNSENT_ALERTS) or {}).get("by_channel", {})
    except ValueError:
        _LOG.warning("%s is not as it was written: alerts in it are not sent", lake.notes.where(UNSENT_ALERTS))
        return {}


def keep(lake: Lake, channels: Collection[str], messages: Sequence[Message]) -> None:
    """Note messages that are to be sent to each channel, and forget what waits for channels that there are no more.

    Precondition: the lock is held.
    """
    unsent_by_name = {name: unsent(lake).get(name, []) for name in channels}
    new = {name: [message for message in messages if message not in before] for name, before in unsent_by_name.items()}
    _write(lake, {name: [*before, *new[name]] for name, before in unsent_by_name.items()})


def send(workspace: Workspace, channels: Sequence[Channel]) -> None:
    """Send each message that waits once, within some seconds; what a channel does not take waits for the next look.

    Where another process is sending, it is left to that one.
    """
    lake, locks = workspace.lake, workspace.settings.locks
    if not unsent(lake):
        return
    with suppress(Declined), held(locks, _SENDING):
        for channel in channels:
            sendings = _sent(channel, unsent(lake).get(channel.name, []))
            if taken := [message for _, message, problem in sendings if problem is None]:
                with waited_for(locks, LOCK):
                    waiting = unsent(lake)
                    left = [message for message in waiting.get(channel.name, []) if message not in taken]
                    _write(lake, waiting | {channel.name: left})
            _record(workspace, sendings)


def try_channels(workspace: Workspace) -> dict[str, str | None]:
    """Send a test message to each channel, and return by channel why it was not taken; None where it was."""
    tick, user = next_tick(workspace.lake, workspace.catalog, now=now_of(workspace)), workspace.settings.user
    sentence = f"{user} tries whether messages of Shelfprice arrive. Nothing needs to be done."
    message = {"kind": "test", "subject": user, "sentence": sentence, "at": tick.isoformat()}
    with waited_for(workspace.settings.locks, _SENDING):
        tried = [sending for channel in channels_of(workspace) for sending in _sent(channel, [message])]
        _record(workspace, tried)
    return {name: problem for name, _, problem in tried}


def is_told(lake: Lake, kind: str, subject: str) -> bool:
    """Tell whether a message of this kind and subject was sent, or tried, on the newest date of the log."""
    return any((row["kind"], row["subject"]) == (kind, subject) for row in _newest(lake))


def _sent(channel: Channel, messages: Sequence[Message]) -> list[Sent]:
    """Return what came of each message that was tried. A channel that cannot be reached ends the look's sending."""
    until, sendings = time.monotonic() + _MOST_SECONDS, list[Sent]()
    for group in channel.groups(messages):
        refusal = channel.deliver(group)
        sendings += [(channel.name, message, None if refusal is None else refusal.why) for message in group]
        if refusal is not None:
            _LOG.warning("%s did not take %d messages: %s", channel.name, len(group), refusal.why)
        if (refusal is not None and refusal.is_away) or time.monotonic() >= until:
            break
    return sendings


def _write(lake: Lake, waiting: Mapping[str, Sequence[Message]]) -> None:
    left = {name: list(messages) for name, messages in waiting.items() if messages}
    if left == unsent(lake):
        return
    if left:
        write_sealed(lake.notes, UNSENT_ALERTS, {"by_channel": left})
    else:
        lake.notes.remove(UNSENT_ALERTS)


def _record(workspace: Workspace, sendings: Sequence[Sent]) -> None:
    """Log what came of messages; precondition: nobody else is sending."""
    lake = workspace.lake
    rows = [
        {
            "channel": channel,
            "kind": message["kind"],
            "subject": message["subject"],
            "said_at": dt.datetime.fromisoformat(message["at"]),
            "is_sent": problem is None,
            "problem": problem,
        }
        for channel, message, problem in sendings
    ]
    newest = [{name: row[name] for name in rows[0]} for row in _newest(lake)] if rows else []
    if new := [row for row in rows if row["is_sent"] or row not in newest]:
        numbers = (_GROUP.fullmatch(part.group) for part in lake.partitions("notifications"))
        number = 1 + max((int(match["number"]) for match in numbers if match), default=0)
        stamp = {"number": number, "recorded_at": dt.datetime.now(dt.UTC)}
        date = next_date(lake, workspace.catalog, now=now_of(workspace))
        table = pa.Table.from_pylist([row | stamp for row in new], schema=TABLES["notifications"].schema)
        lake.publish(Partition("notifications", date, f"sent-{number:08d}"), table, inputs=f"sending {number}")


def _newest(lake: Lake) -> list[dict[str, Any]]:
    """Return the rows of the newest date of the log."""
    date = next(lake.newest_dates("notifications"), None)
    parts = [] if date is None else lake.partitions_on("notifications", date)
    return [row for part in parts for row in lake.read(part).to_pylist()]
