"""The states of a price change: which event may follow which, and what the time makes of it.

Recorded are proposed, approved, rejected and withdrawn; time does the rest: an approved change is scheduled until it
begins, in force while it lasts, superseded while a later or a stronger one covers it, and expired after its end.
"""

from typing import Literal, get_args

from catalog.errors import Declined

EventName = Literal["proposed", "approved", "rejected", "withdrawn"]
State = Literal["proposed", "rejected", "withdrawn", "scheduled", "in_force", "superseded", "expired"]

EVENTS: tuple[EventName, ...] = get_args(EventName)

_MAY_FOLLOW: dict[EventName | None, tuple[EventName, ...]] = {
    None: ("proposed",),
    "proposed": ("approved", "rejected", "withdrawn"),
    "approved": ("withdrawn",),
    "rejected": ("approved", "withdrawn"),
    "withdrawn": (),
}


def may_follow(last: EventName | None, event: EventName) -> bool:
    """Tell whether an event may follow the last one of a price change; None before the first."""
    return event in _MAY_FOLLOW[last]


def refuse_unless_may_follow(change: str, last: EventName | None, event: EventName) -> None:
    """Refuse an event that may not follow.

    Raises
    ------
    Declined
        With what may follow.
    """
    if may_follow(last, event):
        return
    allowed = " or ".join(_MAY_FOLLOW[last])
    raise Declined(
        f"{change}: expected a change that can be {event}, found one that is {last or 'not proposed'}; nothing was "
        f"changed{': it can only be ' + allowed if allowed else ': give a new one'}"
    )
