"""Bounds on workbooks: the size that one unpacks to, and the memory of the process that reads it."""

import contextlib
import fcntl
import resource
import time
import zipfile
from pathlib import Path
from typing import IO

_PATIENCE = 600.0  # s
_KEPT: list[IO[bytes]] = []


def unpacked_of_workbook(source: Path | IO[bytes]) -> int:
    """Return the bytes that a workbook says that it unpacks to; 0 where it is no zip archive."""
    if not zipfile.is_zipfile(source):
        return 0
    with zipfile.ZipFile(source) as archive:
        return sum(member.file_size for member in archive.infolist())


def one_at_a_time(reader: str, memory: int) -> None:
    """Wait until no other process runs a reader of workbooks, and limit the memory of this one.

    Parameters
    ----------
    reader
        File of the reader's source, which is locked until this process ends.
    memory
        Bytes of address space that this process may ask for.

    Raises
    ------
    TimeoutError
        When others read workbooks for ten minutes.
    """
    handle = Path(reader).open("rb")  # noqa: SIM115 - its lock is held until the process ends
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("other workbooks are being read") from None
            time.sleep(0.05)
    _KEPT.append(handle)
    with contextlib.suppress(ValueError, OSError):  # not every system lets a process limit itself
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
