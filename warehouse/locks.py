"""One writer at a time, by locks that are freed when a process dies, however it died.

The kernel frees those of this machine. With a database, what all machines must see is locked there besides: see
the hook `shelfprice.locks`. What is about this machine alone, such as its services, stays with the kernel.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

from catalog.errors import Declined
from catalog.lock_place import LockPlace
from catalog.wings import needed
from warehouse.lock_names import in_words, is_of_one_machine

UP, WORKER = "up", "worker"
"""Locks that are held while all services run, and while a worker executes deployments."""

_AN_INSTANT = 0.05  # seconds


@contextmanager
def held(place: LockPlace, name: str) -> Iterator[None]:
    """Hold the lock `name`, or decline at once when another process holds it.

    Raises
    ------
    Declined
        When another process holds the lock; the message says what it does, and names it.
    ServiceError
        When the database is away that all machines would see the lock in, or the lock was lost with its connection.
    """
    place.folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_file(place, name), os.O_RDWR | os.O_CREAT, 0o644)
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
        with _on_all_machines(place, name, "alone", waits=False):
            yield
    finally:
        os.close(descriptor)


def waited_for(place: LockPlace, name: str) -> AbstractContextManager[None]:
    """Hold the lock `name`; wait while another process holds it."""
    return _waiting(place, name, fcntl.LOCK_EX)


def shared(place: LockPlace, name: str) -> AbstractContextManager[None]:
    """Hold the lock `name` together with others who share it; wait while one process holds it alone."""
    return _waiting(place, name, fcntl.LOCK_SH)


@contextmanager
def _waiting(place: LockPlace, name: str, how: int) -> Iterator[None]:
    place.folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_file(place, name), os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, how)
        with _on_all_machines(place, name, "alone" if how == fcntl.LOCK_EX else "shared", waits=True):
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


def is_held(place: LockPlace, name: str) -> bool:
    """Tell whether some process holds the lock right now.

    While the database is away, this machine's locks alone tell: what only reads goes on, and whoever then wants to
    change something has to hold the lock, which is refused.
    """
    if _is_held_here(place, name):
        return True
    if place.database is None or is_of_one_machine(name):
        return False
    return bool(_of_all_machines().is_held_by_any(place, name))


def _is_held_here(place: LockPlace, name: str) -> bool:
    try:
        descriptor = os.open(_file(place, name), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _on_all_machines(
    place: LockPlace, name: str, mode: Literal["alone", "shared"], *, waits: bool
) -> AbstractContextManager[None]:
    if place.database is None or is_of_one_machine(name):
        return nullcontext()
    locked: AbstractContextManager[None] = _of_all_machines().held_by_all(place, name, mode, waits=waits)
    return locked


def _of_all_machines() -> Any:
    """Return the wing's module that locks in the database: `held_by_all`, and `is_held_by_any`."""
    return needed("locks", "SHELFPRICE_DATABASE")


def _file(place: LockPlace, name: str) -> Path:
    return place.folder / f"{name}.lock"
