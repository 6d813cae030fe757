"""How much a file may hold: its bytes on disk are few, what they unpack to need not be.

Sales shrink to a tenth when they are compressed, a hostile file to a thousandth. So the bound follows the size of the
file, and is checked before anything is unpacked where the file says what it holds.
"""

import contextlib
import fcntl
import resource
import time
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from catalog.errors import DataError

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MOST_COLUMNS = 1_000
"""Of a CSV or a Parquet file."""
MOST_RATIO = 100
"""How many times its size a file may unpack to, beyond what any file may."""
MOST_UNPACKED, MOST_OF_WORKBOOK = 256 << 20, 64 << 20
"""Bytes that any file, and any workbook, may unpack to; a workbook takes ten times as much memory."""
_VALUE = 8  # bytes of memory for a value of Parquet, at least
_PATIENCE = 600.0  # s


def most_unpacked(size: int, least: int | None = None) -> int:
    """Return the bytes that a file of some size may unpack to."""
    return max(MOST_UNPACKED if least is None else least, MOST_RATIO * size)


def refuse_columns(count: int, where: str, most: int = MOST_COLUMNS) -> None:
    """Refuse a file with too many columns.

    Raises
    ------
    DataError
        When it has more.
    """
    if count > most:
        raise DataError(
            f"{where}: expected at most {most:,} columns, found {count:,}; nothing was read: export fewer columns"
        )


def refuse_large_parquet(file: "pq.ParquetFile", size: int, where: str) -> None:
    """Refuse a Parquet file that says that it holds more than a file of its size may.

    Dictionary codes and run lengths store a column of equal values in a few bytes, so the values count as well.

    Raises
    ------
    DataError
        When it has too many columns, or unpacks to too many bytes.
    """
    found = file.metadata
    refuse_columns(found.num_columns, where)
    stored = sum(found.row_group(at).total_byte_size for at in range(found.num_row_groups))
    unpacked, most = max(stored, found.num_rows * found.num_columns * _VALUE), most_unpacked(size)
    if unpacked > most:
        raise DataError(
            f"{where}: expected Parquet of {size:,} bytes to unpack to at most {MOST_RATIO} times its size, or "
            f"{MOST_UNPACKED >> 20} MB, found {found.num_rows:,} rows of {unpacked >> 20:,} MB; nothing was read: "
            "export fewer rows to a file"
        )


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


_KEPT: list[IO[bytes]] = []
