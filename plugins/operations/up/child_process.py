"""A command that never outlives the process that started it: Ctrl-C, SIGKILL or a plain end, nothing of it stays.

Each command runs under a small wrapper, which is this file run by itself (`main`), and leads a process group of its
own. So Ctrl-C in a terminal reaches the starter alone, and whatever the command starts ends with it. Two pipes tie
their lives:

1. The wrapper's standard input, whose other end the starter holds. It ends when the starter ends, however it ended.
   The wrapper then asks the group to stop, and kills it if it does not.
2. The command's standard input, whose other end the wrapper holds. When the wrapper is killed, the kernel itself kills
   the group: a pipe can be told whom to signal when its state changes (`F_SETOWN`, `F_SETSIG`), and nobody ever writes
   to this one. That needs Linux; elsewhere the starter kills the group, whose id the wrapper told it.

So no process has to survive for the others to be stopped. The wrapper imports the standard library alone, and starts in
about 30 ms.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from threading import Thread

GRACE = 2.0  # seconds between SIGTERM and SIGKILL
ENDS_WITHIN = GRACE + 1.0  # seconds in which a command that is asked to end has ended
SIGNALED = 128  # what is added to the number of the signal that ended the command

_WRAPPER = (sys.executable, "-I", "-S", __file__)
_CANNOT_START = 127
_POLL_INTERVAL = 0.05  # seconds
_LOOK_FOR_STARTER = 1.0  # seconds; another child of a starter that was killed may hold the pipe open
_LINES_KEPT, _LENGTH_KEPT = 3, 300
_LAST_LINES_WITHIN = 0.5  # seconds until what an ended process wrote is read
_LONGEST_NUMBER = 32  # bytes


class ChildProcess:
    """A command that runs until it ends, is asked to end, or this process ends; as a block, until the block ends.

    Parameters
    ----------
    environment
        Variables beside those of this process.
    on_line
        Called in a thread with each line that the command writes; without it, what it writes is discarded.
    pass_fds
        Descriptors that the command inherits.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        on_line: Callable[[str], object] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._last = deque[tuple[float, str]](maxlen=_LINES_KEPT)  # when it was read, and the line
        self._told, telling = os.pipe()
        inherited = (telling, *pass_fds)
        try:
            self._wrapper = subprocess.Popen(  # noqa: S603 - the commands are our own
                (*_WRAPPER, ",".join(map(str, inherited)), *command),
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if on_line else subprocess.DEVNULL,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                pass_fds=inherited,
            )
        finally:
            os.close(telling)
        self._reader = Thread(target=self._read, args=(on_line,), daemon=True) if on_line else None
        if self._reader:
            self._reader.start()

    def __enter__(self) -> "ChildProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @cached_property
    def pid(self) -> int | None:
        """The command's process id, which is its group's too; None when it could not be started."""
        text = os.read(self._told, _LONGEST_NUMBER)
        return int(text) if text else None

    def poll(self) -> int | None:
        """Return the exit code once it has ended, None before; whatever it left running is killed then.

        A command that a signal ended has 128 and the signal's number; when it was the wrapper that was killed, the code
        is the signal's number with a minus sign.
        """
        code = self._wrapper.poll()
        if code is not None and self._told >= 0:
            if self.pid is not None and code < 0:  # a wrapper that ended by itself left nothing
                _signal_group(self.pid, signal.SIGKILL)
            os.close(self._told)
            self._told = -1
            self.ask_to_end()
            if self._reader:
                self._reader.join(timeout=_LAST_LINES_WITHIN)
        return code

    @property
    def last_lines(self) -> str:
        """What it wrote last, in one line that is cut at its beginning; empty when it wrote nothing."""
        joined = " / ".join(line for _, line in tuple(self._last))
        return joined if len(joined) <= _LENGTH_KEPT else f"...{joined[3 - _LENGTH_KEPT :]}"

    def forget_lines(self, before: float) -> None:
        """Forget what it wrote before this time of the monotonic clock: its start does not tell why it ends later."""
        while self._last and self._last[0][0] < before:
            self._last.popleft()

    def ask_to_end(self) -> None:
        """Let the group be asked to end, and be killed after the grace period if it does not."""
        assert self._wrapper.stdin is not None  # noqa: S101 - it was asked for
        with suppress(BrokenPipeError):
            self._wrapper.stdin.close()

    def wait(self, within: float) -> int | None:
        """Wait until it has ended, so many seconds at most, and return what `poll` returns."""
        with suppress(subprocess.TimeoutExpired):
            self._wrapper.wait(within)
        return self.poll()

    def end(self, within: float = ENDS_WITHIN) -> int:
        """Ask it to end, kill what has not ended within so many seconds, and return the exit code."""
        self.ask_to_end()
        if self.wait(within) is None:
            self.kill()
        return self._wrapper.wait()

    def kill(self) -> None:
        """Kill it and its group at once."""
        self._wrapper.kill()
        self._wrapper.wait()
        self.poll()

    def _read(self, on_line: Callable[[str], object]) -> None:
        assert self._wrapper.stdout is not None  # noqa: S101 - it was asked for
        with self._wrapper.stdout as lines:
            for line in lines:
                if line.strip():
                    self._last.append((time.monotonic(), line.strip()))
                    with suppress(OSError):  # our log has no reader any more; the command must not wait for one
                        on_line(line.rstrip())


def signal_of(code: int) -> str:
    """Return the name of the signal that ended a command with this exit code, `""` when none did."""
    number = -code if code < 0 else code - SIGNALED
    return signal.Signals(number).name if number in set(signal.Signals) else ""


def main() -> None:
    """Run a command to its end, or to the end of the process that started this one.

    The first argument names descriptors, separated by commas: the pipe on which the id of the command's group is told,
    and those that the command inherits. SIGTERM, SIGINT and SIGHUP stop the command. The exit code is the command's, or
    128 and the number of the signal that ended it.
    """
    starter = os.getppid()
    descriptors, *command = sys.argv[1:]
    telling, *inherited = map(int, descriptors.split(","))
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # and not SIG_IGN, which the command would inherit
    signal.set_wakeup_fd(waker)
    try:
        process = _start(command, inherited)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(_CANNOT_START)
    with suppress(BrokenPipeError):  # the starter has ended already, which the end of the input will tell
        os.write(telling, f"{process.pid}\n".encode())
    for descriptor in (telling, *inherited):
        os.close(descriptor)
    while process.poll() is None and os.getppid() == starter:
        ready, _, _ = select.select([sys.stdin, wake], [], [], _LOOK_FOR_STARTER)
        if sys.stdin in ready or (wake in ready and set(os.read(wake, 64)) - {signal.SIGCHLD}):
            break
    _stop_group(process)
    code = process.wait()
    sys.exit(code if code >= 0 else SIGNALED - code)


def _start(command: list[str], inherited: list[int]) -> subprocess.Popen[bytes]:
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
        pass_fds=inherited,
        preexec_fn=kill_this_group_at_the_end_of_the_tie if hasattr(fcntl, "F_SETSIG") else None,  # noqa: PLW1509 - no threads
    )


def _stop_group(leader: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM to a process group, and SIGKILL if any of it still runs after the grace period."""
    if not _signal_group(leader.pid, signal.SIGTERM):
        return
    limit = time.monotonic() + GRACE
    while time.monotonic() < limit and _signal_group(leader.pid, 0):
        time.sleep(_POLL_INTERVAL)
        leader.poll()  # one that has ended counts as running until its exit code is collected
    _signal_group(leader.pid, signal.SIGKILL)


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; return whether it has any process."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
