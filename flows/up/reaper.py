"""The last one to leave: `python -m flows.up.reaper` ends process groups when the one who started them is gone.

It reads the groups' numbers from its standard input, one a line, and waits. The input ends when its writer ends,
however that came about; whatever is left of the groups then is asked to stop, and killed if it does not.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

PATIENCE = 3.5  # seconds between asking and killing
_LOOK_EVERY = 0.05  # seconds


def end_groups(groups: Iterable[int], patience: float = PATIENCE) -> None:
    """Ask process groups to stop, and kill those that do not within the patience, in seconds."""
    asked = [group for group in groups if _send(group, signal.SIGTERM)]
    limit = time.monotonic() + patience
    while time.monotonic() < limit and any(_send(group, 0) for group in asked):
        time.sleep(_LOOK_EVERY)
    for group in asked:
        _send(group, signal.SIGKILL)


def _send(group: int, number: int) -> bool:
    """Send a signal to a process group; return whether any process of it was there."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> None:
    """Wait for the end of the input, deaf to signals, then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end_groups([int(line) for line in sys.stdin])


if __name__ == "__main__":
    main()
