"""Alerts on their way to a webhook: kept beside the lake until it has taken them, so that none is lost.

One that a kill left between the webhook's answer and its note is sent again. Receivers know it by its rule,
subject and time.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress

import httpx

from catalog.errors import Declined
from warehouse.lake import Lake
from warehouse.locks import held, waited_for
from warehouse.notes import UNSENT_ALERTS, read_sealed, write_sealed
from warehouse.workspace import Workspace

LOCK = "alerts"
"""Held while a look is taken, and while what waits to be sent is noted."""

Message = dict[str, str]
"""What a webhook is told of one alert: `kind`, `subject`, `sentence`, and `at`, in the time of the stores."""

_SENDING = "alerts-sending"
_ATTEMPTS, _PAUSE = 3, 0.5  # for each alert of one look; s between two attempts
_PATIENCE, _PATIENCE_IN_ALL = 3.0, 9.0  # s, for one attempt, and for all of one look
_LOG = logging.getLogger(__name__)


def unsent(lake: Lake) -> list[Message]:
    """Return the alerts that the webhook has not taken yet, the oldest first."""
    try:
        said = read_sealed(lake.notes, UNSENT_ALERTS) or {}
    except ValueError:
        _LOG.warning("%s is not as it was written: alerts in it are not sent", lake.notes.where(UNSENT_ALERTS))
        return []
    return list(said.get("alerts", []))


def keep(lake: Lake, messages: Sequence[Message]) -> None:
    """Note alerts that are to be sent; precondition: the lock is held."""
    known = unsent(lake)
    _write(lake, [*known, *(message for message in messages if message not in known)])


def forget(lake: Lake) -> None:
    """Send nothing of what waits: there is no webhook any more. Precondition: the lock is held."""
    if lake.notes.read(UNSENT_ALERTS) is not None:
        lake.notes.remove(UNSENT_ALERTS)


def send(workspace: Workspace, address: str) -> None:
    """Send what waits, as far as a bounded time reaches; what the webhook does not take waits for the next look.

    Where another process is sending, it is left to that one.
    """
    lake, locks = workspace.lake, workspace.settings.locks
    if not unsent(lake):
        return
    with suppress(Declined), held(locks, _SENDING):
        sent = _taken(address, unsent(lake))
        if sent:
            with waited_for(locks, LOCK):
                _write(lake, [message for message in unsent(lake) if message not in sent])


def _write(lake: Lake, messages: Sequence[Message]) -> None:
    if messages:
        write_sealed(lake.notes, UNSENT_ALERTS, {"alerts": list(messages)})
    else:
        lake.notes.remove(UNSENT_ALERTS)


def _taken(address: str, messages: Sequence[Message]) -> list[Message]:
    """Return the alerts that the webhook took. One that it cannot be reached for ends the look's sending."""
    until, sent = time.monotonic() + _PATIENCE_IN_ALL, list[Message]()
    with httpx.Client() as client:
        for message in messages:
            problem = _attempted(client, address, message, until)
            if problem is None:
                sent.append(message)
                continue
            _LOG.warning(
                "the webhook did not take the alert %s of %s: %s; the next look sends it again",
                message["kind"],
                message["subject"],
                problem,
            )
            if time.monotonic() >= until or not problem.startswith("it answered"):
                break
    return sent


def _attempted(client: httpx.Client, address: str, message: Message, until: float) -> str | None:
    """Send one alert, a few times if need be; None when it was taken, else why not, without the address: a secret."""
    problem: str | None = "there was no time left"
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(max(min(_PAUSE, until - time.monotonic()), 0))
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            answer = client.post(address, json=message, timeout=min(_PATIENCE, left))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            problem = f"it cannot be reached ({type(error).__name__})"
        else:
            if answer.is_success:
                return None
            problem = f"it answered {answer.status_code}"
            if answer.is_client_error:
                break  # the same bytes get the same answer
    return problem
