"""How everything is, in a few words: services, files and prices."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dashboard.data.notices import Notice
from warehouse.services import RunningServices

Light = Literal["green", "amber", "red"]

_MOST_REASONS = 3


@dataclass(frozen=True)
class Health:
    """A light, the words beside it, and why it is not green; at most three reasons."""

    light: Light
    word: str
    reasons: tuple[str, ...] = ()


def health_of(
    running: RunningServices | None,
    found: Iterable[Notice],
    unproven: int,
    failed: Iterable[str] = (),
    *,
    trouble: str = "",
) -> Health:
    """Judge how everything is.

    Parameters
    ----------
    running
        The services of `shelfprice up`; None while it does not run.
    found
        What is out of order with the prices of the newest day.
    unproven
        Partitions of the newest day without a receipt.
    failed
        Runs that failed and whose flow has not completed since, such as `nightly crashed`.
    trouble
        Why it cannot be judged, empty when it can.
    """
    kept = list(found)
    broken = [*_silent(running), *(one.title for one in kept if one.mood == "problem")]
    if unproven:
        broken.append(f"{unproven} files without a receipt")
    if trouble:
        broken.append(trouble)
    if broken:
        return Health("red", "Broken", tuple(broken[:_MOST_REASONS]))
    stopped = [one.title for one in kept if one.mood == "stopped"]
    if stopped:
        return Health("amber", "Stopped by a person", tuple(stopped[:_MOST_REASONS]))
    doubtful = [*_restarting(running), *failed, *(one.title for one in kept if one.mood == "warning")]
    if running is None:
        doubtful.append("services are not running")
    if doubtful:
        first = f"{doubtful[0][:1].upper()}{doubtful[0][1:]}"
        more = f" and {len(doubtful) - 1} more" if len(doubtful) > 1 else ""
        return Health("amber", f"{first}{more}", tuple(doubtful[:_MOST_REASONS]))
    return Health("green", "Healthy")


def _silent(running: RunningServices | None) -> list[str]:
    services = running.services if running else ()
    return [f"{one.name} does not answer" for one in services if one.condition == "silent"]


def _restarting(running: RunningServices | None) -> list[str]:
    services = running.services if running else ()
    said = {"restarting": "restarts", "starting": "is starting"}
    return [f"{one.name} {said[one.condition]}" for one in services if one.condition in said]
