"""Stop process groups when the process that started them has ended: `python -m flows.up.reaper`.

It reads the ids of the groups from standard input, one a line, and waits. The input ends when its writer ends, however
it ended, even killed. Groups that are still running then are asked to stop, and killed if they do not.
"""

import signal
import sys

from flows.up.groups import stop_groups

__all__ = ["main", "stop_groups"]


def main() -> None:
    """Wait for the end of the input, ignoring signals, then stop the groups that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stop_groups([int(line) for line in sys.stdin])


if __name__ == "__main__":
    main()
