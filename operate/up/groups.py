"""Process groups: a service and whatever it started, stopped together."""

import os
import signal
import time
from collections.abc import Callable, Iterable

GRACE = 2.0  # seconds between SIGTERM and SIGKILL
ENDS_WITHIN = GRACE + 1.0  # seconds in which a group that is stopped has ended
_POLL_INTERVAL = 0.05  # seconds


def stop_groups(groups: Iterable[int], grace: float = GRACE, reap: Callable[[], object] = lambda: None) -> None:
    """Send SIGTERM to process groups, and SIGKILL to those that are still running after a grace period.

    Parameters
    ----------
    groups
        Ids of the process groups.
    grace
        Seconds between the two signals.
    reap
        Collects the exit codes of children that have ended, which count as running before that.
    """
    asked = [group for group in groups if signal_group(group, signal.SIGTERM)]
    limit = time.monotonic() + grace
    while time.monotonic() < limit and any(signal_group(group, 0) for group in asked):
        time.sleep(_POLL_INTERVAL)
        reap()
    for group in asked:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; return whether it has any process."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
