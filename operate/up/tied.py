"""`python -m operate.up.tied FD COMMAND ...`: run a command that outlives neither this process nor its starter.

The command leads a process group of its own, whose id is written to the open file FD. Two pipes tie their lives:

1. Standard input, whose other end the starter holds. It ends when the starter ends, however it ended, even killed.
   The group is then asked to stop, and killed if it does not.
2. The command's standard input, whose other end this process holds. When this process is killed, the kernel itself
   kills the group: a pipe can be told whom to signal when its state changes (`F_SETOWN`, `F_SETSIG`), and nobody ever
   writes to this one. That needs Linux; elsewhere the starter has to stop the group whose id it was told.

So no process has to survive for the others to be stopped. What the command leaves of its group is stopped as well. The
exit code is the command's, or 128 and the number of the signal that ended it. SIGTERM, SIGINT and SIGHUP stop it.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

from operate.up.groups import GRACE, stop_groups

_CANNOT_START = 127
SIGNALED = 128  # what is added to the number of the signal that ended the command


def main() -> None:
    """Run the command to its end, or to the end of the process that started this one."""
    told, *command = sys.argv[1:]
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # and not SIG_IGN, which the command would inherit
    signal.set_wakeup_fd(waker)
    try:
        process = _start(command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(_CANNOT_START)
    with suppress(BrokenPipeError):  # the starter has ended already, which the end of the input will tell
        os.write(int(told), f"{process.pid}\n".encode())
    os.close(int(told))
    while process.poll() is None:
        ready, _, _ = select.select([sys.stdin, wake], [], [])
        if sys.stdin in ready or set(os.read(wake, 64)) - {signal.SIGCHLD}:
            break
    stop_groups([process.pid], GRACE, reap=process.poll)
    code = process.wait()
    sys.exit(code if code >= 0 else SIGNALED - code)


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    tie, _held_until_the_end = os.pipe()

    def kill_this_group_at_the_end_of_the_tie() -> None:
        with suppress(OSError):  # a kernel that only looks like Linux; the starter stops the group then
            fcntl.fcntl(tie, fcntl.F_SETOWN, -os.getpid())
            fcntl.fcntl(tie, fcntl.F_SETSIG, signal.SIGKILL)
            fcntl.fcntl(tie, fcntl.F_SETFL, fcntl.fcntl(tie, fcntl.F_GETFL) | os.O_ASYNC)

    # It is armed in the child, before the command begins: there is no moment at which the group is not tied.
    return subprocess.Popen(  # noqa: S603 - the commands are our own
        command,
        stdin=tie,
        process_group=0,
        preexec_fn=kill_this_group_at_the_end_of_the_tie if hasattr(fcntl, "F_SETSIG") else None,  # noqa: PLW1509 - no threads
    )


if __name__ == "__main__":
    main()
