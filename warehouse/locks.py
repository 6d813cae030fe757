"""One writer at a time, by locks the kernel frees when a process dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from catalog.errors import Declined
from warehouse.lock_names import in_words

UP, WORKER = "up", "worker"
"""Locks that are held while all services run, and while a worker executes deployments."""

_AN_INSTANT = 0.05  # seconds


@contextmanager
def held(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock `name`, or decline at once when another process holds it.

    Raises
    ------
    Declined
        When another process holds the lock; the message says what it does, and names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _take(descriptor)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise Declined(
                f"{in_words(name)} by process {holder}; nothing was changed, run again when it is done"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def waited_for(folder: Path, name: str) -> AbstractContextManager[None]:
    """Hold the lock `name`; wait while another process holds it."""
    return _waiting(folder, name, fcntl.LOCK_EX)


def shared(folder: Path, name: str) -> AbstractContextManager[None]:
    """Hold the lock `name` together with others who share it; wait while one process holds it alone."""
    return _waiting(folder, name, fcntl.LOCK_SH)


@contextmanager
def _waiting(folder: Path, name: str, how: int) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / f"{name}.lock", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> None:
    """Take the lock in two attempts: `is_held` holds it for an instant too."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(_AN_INSTANT)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(folder: Path, name: str) -> bool:
    """Tell whether some process holds the lock right now."""
    try:
        descriptor = os.open(folder / f"{name}.lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
