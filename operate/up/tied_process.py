"""A service's process as `up` holds it: started through `operate.up.tied`, its lines read, ended with its group."""

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread

from operate.up.groups import signal_group

_LINES_KEPT, _LENGTH_KEPT = 3, 300
_LAST_LINES_WITHIN = 0.5  # seconds until what an ended process wrote is read
_LONGEST_NUMBER = 32  # bytes


class TiedProcess:
    """A command that runs until it ends, is asked to end, or this process ends.

    Parameters
    ----------
    on_line
        Called with each line that it writes, in a thread.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], on_line: Callable[[str], object]
    ) -> None:
        self._last = deque[str](maxlen=_LINES_KEPT)
        self._told, told = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the commands are our own
                (sys.executable, "-m", "operate.up.tied", str(told), *command),
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                pass_fds=(told,),
            )
        finally:
            os.close(told)
        self._reader = Thread(target=self._read, args=(on_line,), daemon=True)
        self._reader.start()

    def poll(self) -> int | None:
        """Return the exit code once it has ended, None before; whatever it left running is killed then.

        A command that a signal ended has 128 and the signal's number; when it was this wrapper that was killed, the
        code is the signal's number with a minus sign.
        """
        code = self._process.poll()
        if code is not None and self._told >= 0:
            self._kill_group()
            os.close(self._told)
            self._told = -1
            self._close_input()
            self._reader.join(timeout=_LAST_LINES_WITHIN)
        return code

    @property
    def last_lines(self) -> str:
        """What it wrote last, in one line that is cut at its beginning; empty when it wrote nothing."""
        joined = " / ".join(tuple(self._last))
        return joined if len(joined) <= _LENGTH_KEPT else f"...{joined[3 - _LENGTH_KEPT :]}"

    def forget_lines(self) -> None:
        """Forget what it wrote so far: what it says at its start does not tell why it ends later."""
        self._last.clear()

    def ask_to_end(self) -> None:
        """Let the group be asked to end, and be killed after the grace period if it does not."""
        self._close_input()

    def kill(self) -> None:
        """Kill it and its group at once."""
        self._process.kill()
        self._process.wait()
        self.poll()

    def _kill_group(self) -> None:
        """Kill what is left; a wrapper that ended by itself left nothing."""
        group = os.read(self._told, _LONGEST_NUMBER)  # every writer has ended
        if self._process.returncode < 0 and group:
            signal_group(int(group), signal.SIGKILL)

    def _close_input(self) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def _read(self, on_line: Callable[[str], object]) -> None:
        assert self._process.stdout is not None  # noqa: S101 - the same
        with self._process.stdout as lines:
            for line in lines:
                if line.strip():
                    self._last.append(line.strip())
                    with suppress(OSError):  # whoever read our log has left; the service must not wait for them
                        on_line(line.rstrip())
