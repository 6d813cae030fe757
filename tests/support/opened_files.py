"""Which files are opened meanwhile: by Python, by DuckDB and by child processes alike, as the Linux kernel tells it."""

import ctypes
import os
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPENED, _OF_FOLDER, _OVERFLOW = 0x20, 0x4000_0000, 0x4000
_NON_BLOCKING = 0o4000
_HEAD = struct.Struct("iIII")
_AT_ONCE = 1 << 20


class OpenedFiles:
    """How often each file below a folder was opened since the last look; folders that come later are not watched."""

    def __init__(self, folder: Path) -> None:
        kernel = ctypes.CDLL(None, use_errno=True)
        self._queue = kernel.inotify_init1(_NON_BLOCKING)
        self._folders: dict[int, Path] = {}
        for own in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            watch = kernel.inotify_add_watch(self._queue, os.fsencode(own), _OPENED)
            if watch < 0:
                raise OSError(ctypes.get_errno(), f"{own} cannot be watched")
            self._folders[watch] = own

    def since_last_look(self) -> Counter[Path]:
        """Return the files that were opened, each with how often."""
        opened: Counter[Path] = Counter()
        while told := self._told():
            place = 0
            while place < len(told):
                watch, mask, _, length = _HEAD.unpack_from(told, place)
                name = told[place + _HEAD.size : place + _HEAD.size + length].rstrip(b"\0")
                place += _HEAD.size + length
                if mask & _OVERFLOW:
                    raise OSError("so many files were opened that the kernel lost count: look more often")
                if not mask & _OF_FOLDER:
                    opened[self._folders[watch] / os.fsdecode(name)] += 1
        return opened

    def close(self) -> None:
        """Watch no longer."""
        os.close(self._queue)

    def _told(self) -> bytes:
        try:
            return os.read(self._queue, _AT_ONCE)
        except BlockingIOError:
            return b""


@contextmanager
def opened_below(folder: Path) -> Iterator[OpenedFiles]:
    """Watch every folder that there is below one."""
    watched = OpenedFiles(folder)
    try:
        yield watched
    finally:
        watched.close()
