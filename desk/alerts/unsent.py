"""Messages on their way: kept beside the lake, by channel, until the channel has taken them, so that none is lost.

One that a kill left between a channel's answer and its note is sent again. Receivers know it by its kind, subject and
time.
"""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from catalog.errors import Declined
from desk.notify.log import Sent, record
from desk.notify.message import Channel, Message, Refusal
from warehouse.lake import Lake
from warehouse.locks import held, waited_for
from warehouse.notes import UNSENT_ALERTS, read_sealed, write_sealed
from warehouse.workspace import Workspace

LOCK = "alerts"
"""Held while a look is taken, and while what waits to be sent is noted."""

SENDING = "alerts-sending"
"""Held while messages are sent and logged."""

ATTEMPTS, _PAUSE = 3, 0.5  # for each group of messages of one look; s before the second attempt, then twice as long
_LOG = logging.getLogger(__name__)


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
    known = unsent(lake)
    waiting = {
        name: [*before, *(message for message in messages if message not in before)]
        for name in channels
        for before in [known.get(name, [])]
    }
    _write(lake, waiting)


def send(workspace: Workspace, channels: Sequence[Channel]) -> None:
    """Send what waits, as far as a bounded time reaches; what a channel does not take waits for the next look.

    Where another process is sending, it is left to that one.
    """
    lake, locks = workspace.lake, workspace.settings.locks
    if not unsent(lake):
        return
    with suppress(Declined), held(locks, SENDING):
        for channel in channels:
            sendings = _sent(channel, unsent(lake).get(channel.name, []))
            taken = [message for _, message, problem in sendings if problem is None]
            if taken:
                with waited_for(locks, LOCK):
                    waiting = unsent(lake)
                    left = [message for message in waiting.get(channel.name, []) if message not in taken]
                    _write(lake, waiting | {channel.name: left})
            record(workspace, sendings)


def attempted(channel: Channel, messages: Sequence[Message], until: float) -> Refusal | None:
    """Deliver messages, a few times if need be, until a moment of the monotonic clock; None when they were taken."""
    refusal: Refusal | None = Refusal("there was no time left")
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(max(min(_PAUSE * 2 ** (attempt - 1), until - time.monotonic()), 0))
        left = until - time.monotonic()
        if left <= 0:
            break
        refusal = channel.deliver(messages, min(channel.patience, left))
        if refusal is None or refusal.is_final:
            break
    return refusal


def _write(lake: Lake, waiting: Mapping[str, Sequence[Message]]) -> None:
    left = {name: list(messages) for name, messages in waiting.items() if messages}
    if left == unsent(lake):
        return
    if left:
        write_sealed(lake.notes, UNSENT_ALERTS, {"by_channel": left})
    else:
        lake.notes.remove(UNSENT_ALERTS)


def _sent(channel: Channel, messages: Sequence[Message]) -> list[Sent]:
    """Return what came of each message that was tried. A channel that cannot be reached ends the look's sending."""
    until, sendings = time.monotonic() + ATTEMPTS * channel.patience, list[Sent]()
    for group in channel.groups(messages):
        refusal = attempted(channel, group, until)
        sendings += [(channel.name, message, None if refusal is None else refusal.why) for message in group]
        if refusal is None:
            continue
        for message in group:
            _LOG.warning(
                "%s did not take the message %s of %s: %s; the next look sends it again",
                channel.name,
                message["kind"],
                message["subject"],
                refusal.why,
            )
        if time.monotonic() >= until or refusal.is_away:
            break
    return sendings
