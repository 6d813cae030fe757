"""Send a digest, or a message that tries the channels; what comes of each is logged."""

import time
from typing import NamedTuple

from catalog.errors import ShelfpriceError
from desk.alerts.unsent import ATTEMPTS, LOCK, SENDING, attempted, keep, send
from desk.notify.channels import channels_of
from desk.notify.digest import digest
from desk.notify.log import is_told, record
from desk.notify.message import Message
from etl.live.store_now import next_date, next_tick
from flows.clock import now_of
from warehouse.locks import waited_for
from warehouse.workspace import Workspace


class Tried(NamedTuple):
    """What came of a test message: the channel, and why it was not taken; None where it was."""

    channel: str
    problem: str | None


def try_channels(workspace: Workspace) -> list[Tried]:
    """Send a test message to each channel, and return what came of it."""
    lake, locks = workspace.lake, workspace.settings.locks
    message = {
        "kind": "test",
        "subject": workspace.settings.user,
        "sentence": f"{workspace.settings.user} tries whether messages of Shelfprice arrive. Nothing needs to be done.",
        "at": next_tick(lake, workspace.catalog, now=now_of(workspace)).isoformat(),
    }
    tried = list[Tried]()
    with waited_for(locks, SENDING):
        for channel in channels_of(workspace):
            refusal = attempted(channel, [message], time.monotonic() + ATTEMPTS * channel.patience)
            tried.append(Tried(channel.name, None if refusal is None else refusal.why))
        record(workspace, [(one.channel, message, one.problem) for one in tried])
    return tried


def send_digest(workspace: Workspace) -> Message:
    """Send the digest to each channel and return it; what a channel does not take now waits for the next look."""
    message, channels = digest(workspace), channels_of(workspace)
    with waited_for(workspace.settings.locks, LOCK):
        keep(workspace.lake, [channel.name for channel in channels], [message])
    send(workspace, channels)
    return message


def after_night(workspace: Workspace) -> list[str]:
    """Send the digest once a morning, where the catalog asks for it; that it could not be made is said."""
    if not workspace.catalog.store.notify.digest or not channels_of(workspace):
        return []
    try:
        date = next_date(workspace.lake, workspace.catalog, now=now_of(workspace)).isoformat()
        if is_told(workspace.lake, "digest", date):
            return []
        send_digest(workspace)
    except ShelfpriceError as error:
        return [f"no digest could be sent: {error}"]
    return [f"the digest of {date} was sent, or waits for a channel that did not take it: see `notifications`"]
