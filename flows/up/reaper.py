"""Stop process groups when the process that started them has ended: `python -m flows.up.reaper`.

It reads the ids of the groups from standard input, one a line, and waits. The input ends when its writer ends, however
it ended, even killed. Groups that are still running then are asked to stop, and killed if they do not.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable

GRACE = 3.5  # seconds between SIGTERM and SIGKILL
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
    asked = [group for group in groups if _send(group, signal.SIGTERM)]
    limit = time.monotonic() + grace
    while time.monotonic() < limit and any(_send(group, 0) for group in asked):
        time.sleep(_POLL_INTERVAL)
        reap()
    for group in asked:
        _send(group, signal.SIGKILL)


def _send(group: int, number: int) -> bool:
    """Send a signal to a process group; return whether it has any process."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> None:
    """Wait for the end of the input, ignoring signals, then stop the groups that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stop_groups([int(line) for line in sys.stdin])


if __name__ == "__main__":
    main()
