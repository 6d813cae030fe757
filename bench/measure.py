"""What a measurement is, and how seconds are taken."""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class NotHereError(Exception):
    """What a measurement needs is not on this machine."""


@dataclass(frozen=True)
class Otherwise:
    """What one would otherwise do, measured in the same run and the same unit."""

    name: str
    value: float


@dataclass(frozen=True)
class Measurement:
    """One row of the table.

    Attributes
    ----------
    section, what
        Which stage, and what of it was measured.
    value, unit
        The result; a unit that ends in `/s` or `share` is better when higher, every other when lower.
    otherwise
        The alternatives it stands against.
    target
        The value to reach, or None for information.
    """

    section: str
    what: str
    value: float
    unit: str
    otherwise: tuple[Otherwise, ...] = ()
    target: float | None = None

    @property
    def more_is_better(self) -> bool:
        """Whether a higher value is the better one."""
        return self.unit.endswith(("/s", "share"))

    @property
    def ratios(self) -> dict[str, float]:
        """How many times better than each alternative."""
        return {
            other.name: self.value / other.value if self.more_is_better else other.value / self.value
            for other in self.otherwise
        }

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.more_is_better else self.value <= self.target

    def to_json(self) -> dict[str, Any]:
        """Return the row as it is kept."""
        return {
            "section": self.section,
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "otherwise": {other.name: other.value for other in self.otherwise},
            "times_better": self.ratios,
            "target": self.target,
            "met": self.met,
        }


@dataclass(frozen=True)
class NotMeasured:
    """A section that was not measured, or not to its end, and why; a failure ends the run with exit code 1."""

    section: str
    reason: str
    is_failure: bool

    def to_json(self) -> dict[str, Any]:
        """Return the row as it is kept."""
        return {"section": self.section, "not_measured": self.reason, "failed": self.is_failure}


def seconds(work: Callable[[], object], repeats: int = 1, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds that the fastest of some repeats took by a clock."""
    best = float("inf")
    for _ in range(repeats):
        start = clock()
        work()
        best = min(best, clock() - start)
    return best


def peak_bytes(pid: str = "self") -> int:
    """Peak memory of a process and the children it still has, by default of this one.

    `ru_maxrss` is the last resort: it counts what the parent held when this process was started.
    """
    if not Path("/proc/self/status").exists():
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    children = {one for file in Path(f"/proc/{pid}/task").glob("*/children") for one in file.read_text().split()}
    return sum(_high_water(one) for one in (pid, *children))


def _high_water(pid: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def say(text: str) -> None:
    """Tell on standard error how far things are."""
    print(text, file=sys.stderr, flush=True)
