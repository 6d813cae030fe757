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

_DATE = r"(?P<date>\d{4}-\d{2}-\d{2})"
_IN_WORDS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (rf"play-{_DATE}-(?P<group>.+)", "the decisions of {date}, batch {group}, are being played"),
        (rf"batch-{_DATE}-(?P<group>.+)", "the decisions of {date}, batch {group}, are being written"),
        (rf"file-{_DATE}-.+", "the rows of an ingested file of {date} are being written"),
        (rf"prices-{_DATE}", "the price book for {date} is being written"),
        (rf"night-{_DATE}", "the night after {date} is being written"),
        (r"night", "a night, or a backfill, of this lake is being done"),
        (r"training-v(?P<version>.+)", "the training of model version {version} is being written"),
        (r"champion-\d+|promotion", "the champion is being changed or asked for prices"),
        (r"live-(?P<store>.+)", "store {store} is being sold live"),
        (r"learning", "a model is being trained"),
        (r"intake", "what a store sent is being taken in"),
        (rf"intake-(dates|(sales|lines)-{_DATE})", "dates are being made from what a store sent"),
        (r"take-in-.+", "the files of this folder are being taken in"),
        (r"ingest", "a file is being ingested"),
        (r"standard-input", "a file from standard input is being ingested"),
        (r"preparing", "the first files of this lake are being made"),
        (r"shelf", "the products and shoppers of the shelf are being written"),
        (r"export", "prices are being sent to tills and labels"),
        (r"export-record", "what tills and labels are sent, or said, is being written"),
        (r"up", "the services of this home are being run"),
        (r"api-tokens", "the tokens of the quote API are being changed"),
        (r"worker", "the deployments of this home are being executed"),
    )
)

_OF_ONE_MACHINE = re.compile(r"up|worker|api-tokens|standard-input|tracking|run-.+|take-in-.+")
"""Locks about this machine's own processes and files: another machine has its own of the same name."""


def is_of_one_machine(lock: str) -> bool:
    """Tell whether a lock is about this machine alone, so that no other one has to see it.

    Examples
    --------
    >>> is_of_one_machine("worker"), is_of_one_machine("night")
    (True, False)
    """
    return _OF_ONE_MACHINE.fullmatch(lock) is not None


def in_words(lock: str) -> str:
    """Say what is being done while a lock is held, as the beginning of a sentence; what is unknown is written.

    Examples
    --------
    >>> in_words("batch-2026-01-05-g000")
    'the decisions of 2026-01-05, batch g000, are being written'
    >>> in_words("demand_cells-2026-01-05-g000")
    'demand_cells-2026-01-05-g000 is being written'
    """
    for pattern, words in _IN_WORDS:
        found = pattern.fullmatch(lock)
        if found:
            return words.format(**found.groupdict())
    return f"{lock} is being written"


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
        with _on_all_machines(place, name, patience):
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


def _on_all_machines(place: LockPlace, name: str, patience: float) -> AbstractContextManager[None]:
    if place.database is None or is_of_one_machine(name):
        return nullcontext()
    locked: AbstractContextManager[None] = _of_all_machines().held_by_all(place, name, patience)
    return locked


def _of_all_machines() -> Any:
    """Return the plugin's module that locks in the database: `held_by_all`, and `is_held_by_any`."""
    return LOCKS.needed("SHELFPRICE_DATABASE")


def _file(place: LockPlace, name: str) -> Path:
    return place.folder / f"{name}.lock"
