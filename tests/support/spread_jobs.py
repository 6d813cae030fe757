"""Jobs that processes of their own do in tests: a module that they can import."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import DataError
from flows.progress import tell


@dataclass(frozen=True)
class Numbered:
    """A number, and a folder in which those who work leave marks."""

    number: int
    folder: Path

    @property
    def name(self) -> str:
        return f"number {self.number}"

    def mark(self, what: str) -> None:
        (self.folder / f"{what}-{self.number}-{time.monotonic_ns()}").touch()

    def marks(self, what: str) -> int:
        return len(list(self.folder.glob(f"{what}-{self.number}-*")))


class _OddError(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def square(job: Numbered) -> int:
    time.sleep(0.05 * (5 - job.number % 5))  # the first takes longest
    return job.number**2


def tell_two_steps(job: Numbered) -> int:
    tell(job.name, 1, 2)
    tell(job.name, 2, 2)
    return job.number


def process_of(job: Numbered) -> int:
    job.mark("done")
    return os.getpid()


def refuse_two(job: Numbered) -> int:
    job.mark("begun")
    if job.number == 2:
        raise DataError("two is refused")
    time.sleep(0.3)
    return job.number


def refuse_oddly(job: Numbered) -> int:
    raise _OddError("this", "that")


def fail_once(job: Numbered) -> int:
    job.mark("begun")
    if job.marks("begun") == 1:
        raise OSError("the disk hiccups")
    return job.number


def die_once_at_two(job: Numbered) -> int:
    job.mark("begun")
    if job.number == 2 and job.marks("begun") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return job.number


def die_at_two(job: Numbered) -> int:
    job.mark("begun")
    if job.number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return job.number


def sleep_long(job: Numbered) -> int:
    (job.folder / f"at-work-{os.getpid()}").touch()
    time.sleep(120)
    return job.number
