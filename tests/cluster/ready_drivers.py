"""The command line, ready to run: it imports for seconds, so a process imports once and forks a driver for a command.

Run as a program, this module is that process. It reads a line for each command, forks, says the driver's process id,
and when the driver has ended, its exit code. A driver shares nothing with the tests, and may be killed.
"""

import faulthandler
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NoReturn

_ROOT = Path(__file__).parents[2]
_OTHERS = ("SHELFPRICE_", "AWS_", "DASK_")
_KILLED = -signal.SIGKILL
_IMPORTED = (
    *("flows.cli.main", "flows.steps", "cluster.on_dask", "prefect.task_engine", "pyarrow.pandas_compat"),
    *("cluster.advisory_locks", "cluster.delta.open", "cluster.postgresql", "warehouse.proof", "psycopg"),
    *("cluster.services_database", "cluster.spread", "desk.price_changes.proposals", "training.mlflow.server"),
    *("fastapi", "graphviz", "prefect.concurrency.v1.context", "prefect.flow_engine", "anyio._backends._asyncio"),
)
"""What the commands import when they run."""

_PATIENCE = 240.0  # seconds until a command hangs


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    code
        Its exit code; the number of a signal with a minus sign when that ended it.
    said
        All that it wrote.
    seconds
        How long it ran.
    """

    code: int
    said: str
    seconds: float

    @property
    def last_line(self) -> str:
        """What it wrote last, at most 200 characters."""
        return (self.said.strip().splitlines() or [""])[-1][:200]

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.code == _KILLED

    @property
    def is_told(self) -> bool:
        """Whether it was done, or failed with one line that says why."""
        return self.code == 0 or (self.code == 1 and "Traceback" not in self.said)


class Drivers:
    """Starts commands of the command line, one at a time."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process, self._log = process, log
        self._driver, self._begun = 0, 0.0

    def start(self, environ: Mapping[str, str], *arguments: str) -> int:
        """Start a command with settings of its own, and return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps([str(self._log), dict(environ), arguments])}\n".encode())
        self._begun = time.monotonic()
        self._driver = int(self._answer())
        return self._driver

    def wait(self) -> Ended:
        """Wait for the end of the command that was started."""
        if not select.select([self._process.stdout], [], [], _PATIENCE)[0]:
            os.kill(self._driver, signal.SIGABRT)  # it says where it hangs
        code = int(self._answer())
        return Ended(code, self._log.read_text(encoding="utf-8"), time.monotonic() - self._begun)

    def run(self, environ: Mapping[str, str], *arguments: str) -> Ended:
        """Run a command to its end."""
        self.start(environ, *arguments)
        return self.wait()

    def _answer(self) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def ready_drivers(folder: Path) -> Iterator[Drivers]:
    """Run the process that forks drivers, in an environment without settings; it writes into a folder."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}
    with subprocess.Popen(
        [sys.executable, __file__],
        env={**own, "COLUMNS": "200", "SHELFPRICE_HOME": str(folder / "home"), "PYTHONPATH": str(_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,  # an answer that waits in a buffer would not be seen
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield Drivers(process, folder / "log")
        finally:
            process.kill()


def _main() -> None:
    from cluster.ready import versions_here
    from flows.environment import set_defaults

    set_defaults()
    for name in _IMPORTED:
        import_module(name)
    versions_here()  # it reads all sources, once for a process
    _say("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(*json.loads(line))
        _say(str(child))
        _say(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))


def _become(log: str, environ: dict[str, str], arguments: list[str]) -> NoReturn:
    """Be the command line from here on; all that it writes goes into a file."""
    from flows.cli.program import main

    os.environ.update(environ)
    faulthandler.enable()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number in (1, 2):
        os.dup2(file, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["shelfprice", *arguments]
    main()
    sys.exit()


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _main()
