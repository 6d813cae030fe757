"""A bound on the memory of this process, for work whose size somebody else decides.

DuckDB counts its tables and sorts, and neither a text that one function makes nor the rows that Python is handed. So
the system is asked to refuse as well: an allocation fails then, which DuckDB and Python both report as an error.
"""

import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OWN = 512 << 20  # bytes for everything else: threads, files that are read, what is shown
_STATUS = Path("/proc/self/status")
_DATA = re.compile(r"^VmData:\s+(\d+) kB", re.MULTILINE)


@contextmanager
def at_most(more: int) -> Iterator[None]:
    """Let this process take no more than so many bytes beside what it holds, within the block.

    Only Linux says how much a process holds, and counts what it can still write to; elsewhere nothing is bounded here.
    """
    held = _DATA.search(_STATUS.read_text(encoding="ascii", errors="replace")) if _STATUS.exists() else None
    if held is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = int(held[1]) * 1024 + more + _OWN
    set_before = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([most, *set_before]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
