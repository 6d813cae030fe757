"""Does another process see the same lake? This one writes a token there, and the other looks for it.

A copy of a lake, or an empty folder of the same name on another machine, does not hold it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from catalog.errors import ShelfpriceError
from catalog.settings import Settings
from warehouse.lake import Lake
from warehouse.local.store import open_store

_FOLDER = "tokens"
_FORGOTTEN = 86_400 * 10**9  # nanoseconds after which a token is one that a kill left


@contextmanager
def token_in(lake: Lake) -> Iterator[str]:
    """Leave a token in a lake while the block runs; yields its name."""
    notes, name = lake.notes, uuid4().hex
    for left in notes.names(_FOLDER):
        if time.time_ns() - notes.changed_at(left) > _FORGOTTEN:
            notes.remove(left)
    notes.write(f"{_FOLDER}/{name}", f"{name}\n")
    try:
        yield name
    finally:
        notes.remove(f"{_FOLDER}/{name}")


def sees(settings: Settings, token: str) -> bool:
    """Tell whether the lake of some settings holds a token."""
    try:
        return (open_store(settings).notes.read(f"{_FOLDER}/{token}") or "").strip() == token
    except (ShelfpriceError, OSError):
        return False
