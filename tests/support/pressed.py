"""End a command at some moment, in some way, and see what it says and leaves."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

WITHIN = 3.0  # seconds
SOONEST = 0.4  # seconds; before that, beside five other tests, Python itself may not be ready
_AT_ITS_END = 0.5  # seconds that Python takes to leave
_MOST = 120.0  # seconds to wait for an end
_GONE_WITHIN = 10.0  # seconds


@dataclass(frozen=True)
class Ended:
    """How one command ended: seconds from the signal to its end, and what it said after it."""

    command: tuple[str, ...]
    after: float
    number: signal.Signals
    seconds: float
    code: int
    said: tuple[str, ...]
    stayed: tuple[str, ...]

    @property
    def is_told(self) -> bool:
        """Whether it ended in time, with one sentence and the right code.

        A signal that comes before the program's first line ends Python itself, which says nothing.
        """
        if self.number == signal.SIGKILL or (self.code == -self.number and not self.said):
            return True
        is_sentence = len(self.said) == 1 and self.said[0].startswith("stopped; ")
        return is_sentence and self.seconds <= WITHIN and self.code == 128 + self.number

    @property
    def is_good(self) -> bool:
        """Whether it ended well and no process stayed."""
        return self.is_told and not self.stayed


def press(command: tuple[str, ...], home: Path, after: float, number: signal.Signals) -> Ended | None:
    """Start a command, ask it to end after some seconds, and return how it ended; None when it was done before.

    Parameters
    ----------
    number
        Signal that asks, to the process and its children, as a terminal does; SIGKILL to the process alone.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", *command],
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        time.sleep(after)
        if process.poll() is not None:
            return None
        before = os.fstat(output.fileno()).st_size
        if number == signal.SIGKILL:
            process.kill()
        else:
            os.killpg(process.pid, number)
        start = time.monotonic()
        try:
            code = process.wait(_MOST)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        seconds = time.monotonic() - start
        stayed = _wait_for_the_rest(home)
        output.seek(before)
        said = tuple(line for line in output.read().decode(errors="replace").splitlines() if line.strip())
    if code >= 0 and not said and seconds < _AT_ITS_END:
        return None  # it was just ending by itself
    return Ended(command, after, number, seconds, code, said, stayed)


def _environment(home: Path) -> dict[str, str]:
    """Return what a shell would hand over, without the Prefect server of the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {**own, "SHELFPRICE_HOME": str(home), "PYTHONUNBUFFERED": "1"}


def _wait_for_the_rest(home: Path) -> tuple[str, ...]:
    limit = time.monotonic() + _GONE_WITHIN
    while (found := processes_of(home)) and time.monotonic() < limit:
        time.sleep(0.05)
    return found


def processes_of(home: Path) -> tuple[str, ...]:
    """Return the commands of the processes that live in a home, whoever started them."""
    wanted = f"SHELFPRICE_HOME={home}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(f"{folder.name} " + (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has ended, or is somebody else's
    return tuple(found)
