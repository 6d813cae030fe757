"""One writer at a time, by locks that are freed when a process dies, however it died.

The kernel frees those of this machine. With a database, what all machines must see is locked there besides: see the
hook `shelfprice.locks`. What is about this machine alone, such as its services, stays with the kernel.

Whoever is refused because of a lock reads in words what the other process is doing.
"""

import fcntl
import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from catalog.errors import Declined
from catalog.hooks import LOCKS
from catalog.settings import LockPlace

_IN_WORDS = {
    "play": "the decisions of {rest} are being played",
    "batch": "the decisions of {rest} are being written",
    "file": "the rows of an ingested file of {rest} are being written",
    "prices": "the price book for {rest} is being written",
    "night": "a night, or a backfill, of this lake is being done",
    "training": "the training of model version {rest} is being written",
    "champion": "the champion is being changed or asked for prices",
    "promotion": "the champion is being changed or asked for prices",
    "live": "store {rest} is being sold live",
    "learning": "a model is being trained",
    "intake": "what a store sent is being taken in",
    "take": "the files of this folder are being taken in",
    "ingest": "a file is being ingested",
    "export": "prices are being sent to tills and labels",
    "up": "the services of this home are being run",
}
"""What is done while a lock is held, by the first word of its name."""

_OF_ONE_MACHINE = re.compile(r"up|worker|api-tokens|standard-input|tracking|run-.+|take-in-.+")
"""Locks about this machine's own processes and files: another machine has its own of the same name."""


def is_of_one_machine(lock: str) -> bool:
    """Return whether a lock is about this machine alone, so that no other one has to see it.

    Examples
    --------
    >>> is_of_one_machine("worker"), is_of_one_machine("night")
    (True, False)
    """
    return _OF_ONE_MACHINE.fullmatch(lock) is not None


def in_words(lock: str) -> str:
    """Return what is being done while a lock is held, as the beginning of a sentence.

    Examples
    --------
    >>> in_words("batch-2026-01-05-g000")
    'the decisions of 2026-01-05-g000 are being written'
    >>> in_words("demand_cells-2026-01-05-g000")
    'demand_cells-2026-01-05-g000 is being written'
    """
    kind, _, rest = lock.partition("-")
    return _IN_WORDS.get(kind, "{lock} is being written").format(lock=lock, rest=rest)


UP, WORKER = "up", "worker"
"""Locks that are held while all services run, and while a worker executes deployments."""

_AN_INSTANT = 0.05  # seconds


@contextmanager
def held(place: LockPlace, name: str, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock `name`, or decline when another process holds it.

    Parameters
    ----------
    patience
        Seconds to wait for another process: for locks that are held for moments.

    Raises
    ------
    Declined
        When another process holds the lock and goes on holding it; the message says what it does, and names it.
    ServiceError
        When the database is away that all machines would see the lock in, or the lock was lost with its connection.
    """
    place.folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_file(place, name), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _take(descriptor, patience)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise Declined(
                f"{in_words(name)} by process {holder}; nothing was changed, run again when it is done"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        machines = _all_machines(place, name)
        with machines.held_by_all(place, name, patience) if machines else nullcontext():
            yield
    finally:
        os.close(descriptor)


def waited_for(place: LockPlace, name: str) -> AbstractContextManager[None]:
    """Hold the lock `name`; wait while another process holds it."""
    return held(place, name, math.inf)


def _take(descriptor: int, patience: float) -> None:
    """Take the lock, in two attempts at least: `is_held` holds it for an instant too."""
    deadline = time.monotonic() + max(patience, _AN_INSTANT)
    while True:
        is_last = time.monotonic() >= deadline
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if is_last:
                raise
        time.sleep(_AN_INSTANT)


def is_held(place: LockPlace, name: str) -> bool:
    """Return whether some process holds the lock right now.

    While the database is away, this machine's locks alone tell: what only reads goes on, and whoever then wants to
    change something has to hold the lock, which is refused.
    """
    if _is_held_here(place, name):
        return True
    machines = _all_machines(place, name)
    return machines is not None and bool(machines.is_held_by_any(place, name))


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


def _all_machines(place: LockPlace, name: str) -> Any | None:
    """Return the plugin that locks on all machines; None for a lock that this machine alone has to see."""
    return None if place.database is None or is_of_one_machine(name) else LOCKS.needed("SHELFPRICE_DATABASE")


def _file(place: LockPlace, name: str) -> Path:
    return place.folder / f"{name}.lock"
