"""Work for tests of kills: a program that imports everything once, and forks a process for each line on its stdin.

The program prints the id of each process, and then how it ended.
"""

import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

_ROOT = Path(__file__).parents[2]


class ForkedWork:
    """A process that forks one that works whenever it is asked to."""

    def __init__(self, program: Path, *arguments: object) -> None:
        path = os.pathsep.join([str(_ROOT), str(_ROOT / "tests" / "support")])
        self.process = subprocess.Popen(
            [sys.executable, str(program), *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = 0

    def start(self, asked: int = 0) -> None:
        """Begin to work."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{asked}\n")
        self.process.stdin.flush()
        self.pid = int(self.process.stdout.readline())

    def kill(self) -> None:
        """Kill the process that works."""
        os.kill(self.pid, signal.SIGKILL)
        self._ended(-signal.SIGKILL)

    def run(self, asked: int, kill_after: float | None = None) -> float:
        """Work, and return how long it took, seconds."""
        self.start(asked)
        begun = time.monotonic()
        if kill_after is None:
            self._ended(0)
        else:
            time.sleep(kill_after)
            self.kill()
        return time.monotonic() - begun

    def _ended(self, code: int) -> None:
        assert self.process.stdout is not None
        assert int(self.process.stdout.readline()) == code
        self.pid = 0

    def end(self) -> None:
        assert self.process.stdin is not None
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
        self.process.stdin.close()
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


def fork_for_each_line(work: Callable[[int], None]) -> None:
    """Be such a program: do the work for each number on stdin in a process of its own."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                work(int(line))
            except BaseException:  # noqa: BLE001 - a fork never goes on with its parent's work
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
