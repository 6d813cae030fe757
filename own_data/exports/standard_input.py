"""What comes through standard input, kept in a file while it is ingested: its head is read before its rows."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from catalog.errors import DataError
from catalog.past_one_machine import LockPlace
from warehouse.locks import held

STANDARD_INPUT = "standard input"
"""The name of the file."""
_CHUNK = 1 << 23
_KEPT_FREE = 1 << 30  # bytes of the disk, for everything else that writes


@contextmanager
def spooled(stream: IO[bytes], folder: Path, locks: LockPlace) -> Iterator[Path]:
    """Write a stream to a file in a folder of its own, and remove it at the end.

    What a killed run left there is removed first. One such run at a time: the folder belongs to it.

    Raises
    ------
    DataError
        When the disk would be full.
    Declined
        When another process reads its standard input.
    """
    with held(locks, "standard-input"):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True)
            file = folder / STANDARD_INPUT
            with file.open("wb") as out:
                while chunk := stream.read(_CHUNK):
                    if shutil.disk_usage(folder).free - len(chunk) < _KEPT_FREE:
                        raise DataError(
                            f"{STANDARD_INPUT}: more than the free space of {folder} allows came in, with "
                            f"{_KEPT_FREE >> 30} GB kept free; nothing was published: free space, or ingest a file"
                        )
                    out.write(chunk)
            yield file
        finally:
            shutil.rmtree(folder, ignore_errors=True)
