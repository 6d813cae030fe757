"""The real command line in a process of its own, with a Prefect server that runs as `shelfprice up` would have it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.faults.child import Fault
from tests.faults.commands import Command
from tests.faults.worlds import Worlds
from tests.faults.zygote import BROKEN, DECLINED, PATIENCE, ROOT, Ended, temporary_of
from tests.plugins import one_server


@contextmanager
def prefect_server() -> Iterator[Mapping[str, str]]:
    """Start a Prefect server, and yield the variables of its clients."""
    before = dict(os.environ)
    variables = one_server.begin()
    os.environ.update(variables)
    try:
        one_server.start()
        yield variables
    finally:
        one_server.end()
        os.environ.clear()
        os.environ.update(before)


class CommandLine:
    """Runs commands as lines of the command line."""

    def __init__(self, worlds: Worlds, variables: Mapping[str, str]) -> None:
        self._worlds, self._variables = worlds, variables

    def __call__(self, command: Command, home: Path, fault: Fault) -> Ended:
        """Run one, disturbed by a fault."""
        words = [word.format(home=home) for word in command.line]
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SHELFPRICE_"))}
        said = home.with_name("home.line.said")
        start = time.monotonic()
        with said.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.child", "--", *words],
                cwd=ROOT,
                env=own
                | {
                    "SHELFPRICE_HOME": str(home),
                    "SHELFPRICE_USER": "somebody",
                    "PYTHONPATH": str(ROOT),
                    "TMPDIR": temporary_of(home),
                }
                | self._worlds.variables_of(command.world)
                | dict(self._variables)
                | fault.as_environment(home.with_name("home.operations")),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                code: int | None = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                code = None
        text = said.read_text(encoding="utf-8").strip()
        return Ended(_as_of_a_function(code, text), text[-2000:], time.monotonic() - start)


def _as_of_a_function(code: int | None, said: str) -> int | None:
    """Tell a refusal from a failure, and a failure that nobody foresaw from one that was, as a function does."""
    last = said.splitlines()[-1] if said else ""
    if code == 1 and last.startswith("declined: "):
        return DECLINED
    return BROKEN if code == 1 and last.startswith("error: unexpected ") else code
