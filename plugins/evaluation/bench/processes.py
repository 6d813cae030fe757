"""What a process and all that it started take (processor time, peak memory), and our servers as processes."""

import os
import resource
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from plugins.operations.deploy.servers.ports import HOST, free_port
from plugins.operations.up.child_process import ChildProcess

_LOOK_EVERY = 1.0  # seconds between two looks at the memory
_ANSWERS_WITHIN, _ASK_EVERY = 120.0, 0.1  # seconds


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process and those that it started have used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    mine = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return mine + sum(map(processor_seconds, children_of(pid)))


@contextmanager
def most_memory(look: Callable[[], int]) -> Iterator[list[int]]:
    """Yield a list that grows by what a look at the memory found, bytes, each second while the block runs."""
    found, is_over = [look()], threading.Event()

    def look_again_and_again() -> None:
        while not is_over.wait(_LOOK_EVERY):
            with suppress(OSError):  # a process that ends while it is looked at
                found.append(look())

    looking = threading.Thread(target=look_again_and_again, daemon=True)
    looking.start()
    try:
        yield found
    finally:
        is_over.set()
        looking.join()


def peak_bytes(pid: int | str = "self") -> int:
    """Peak memory of a process and all that it started and that have not ended, by default of this one.

    `ru_maxrss` is the last resort: it counts what the parent held when this process was started.
    """
    if not Path("/proc/self/status").exists():
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return _high_water(pid) + sum(map(peak_bytes, children_of(pid)))


def forget_peaks(pid: int | str = "self") -> None:
    """Let `peak_bytes` begin anew from what these processes hold now, where Linux does so."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    for child in children_of(pid):
        forget_peaks(child)


def children_of(pid: int | str) -> list[int]:
    """Return the processes that a process has started and that have not ended."""
    return [int(one) for file in Path(f"/proc/{pid}/task").glob("*/children") for one in file.read_text().split()]


def _high_water(pid: int | str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it ends while it is looked at
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


@dataclass(frozen=True)
class Server:
    """A server that answers: its port, its address and its process."""

    port: int
    url: str
    pid: int


@contextmanager
def served(module: str, path: str = "/", environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run `python -m MODULE --port PORT`, and yield it once it answers at a path; it is ended with the block.

    Raises
    ------
    RuntimeError
        When it does not answer in time.
    """
    port = free_port()
    url, command = f"http://{HOST}:{port}", (sys.executable, "-m", module, "--port", str(port))
    with ChildProcess(command, environment, lambda _line: None) as process:
        limit = time.monotonic() + _ANSWERS_WITHIN
        while time.monotonic() < limit and process.poll() is None:
            if _answers(f"{url}{path}"):
                yield Server(port, url, process.pid or 0)
                return
            time.sleep(_ASK_EVERY)
        raise RuntimeError(f"{module} did not answer at {url}{path}; nothing was measured: {process.last_lines}")


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own server
    except (urllib.error.URLError, ConnectionError):
        return False
    return True
