"""A sign of life of a process that listens nowhere: it touches its lock file from the loop that does its work.

The lock tells that the process lives, the file's time that it is not stuck: one that hangs or was suspended touches
nothing.
"""

import os
import time

from catalog.past_one_machine import LockPlace
from warehouse.locks import is_held

EVERY = 3.0  # seconds between two signs
_FRESH_FOR = 15.0  # seconds; the machine may be busy


def give_sign(locks: LockPlace, name: str) -> None:
    """Touch the lock file. The process that holds the lock does so every few seconds."""
    os.utime(locks.folder / f"{name}.lock")


def is_alive(locks: LockPlace, name: str) -> bool:
    """Tell whether some process holds the lock and has touched its file in the last seconds."""
    try:
        touched_at = (locks.folder / f"{name}.lock").stat().st_mtime
    except FileNotFoundError:
        return False
    return abs(time.time() - touched_at) < _FRESH_FOR and is_held(locks, name)
