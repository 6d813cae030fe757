"""Does another process see the same lake? A token is written into it, and whoever is asked reads it there.

A copy of the lake, or an empty folder of the same name on another machine, does not hold it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from catalog.settings import Settings
from warehouse.files import modified_at, write_durably
from warehouse.lake import Lake

_FOLDER = "tokens"
_FORGOTTEN = 86_400 * 10**9  # nanoseconds after which a token is one that a kill left


@contextmanager
def token_in(lake: Lake) -> Iterator[str]:
    """Leave a token in a lake while the block runs; yields its name."""
    folder, name = lake.root / _FOLDER, uuid4().hex
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        if time.time_ns() - modified_at(left) > _FORGOTTEN:
            left.unlink(missing_ok=True)
    write_durably(folder / name, f"{name}\n")
    try:
        yield name
    finally:
        (folder / name).unlink(missing_ok=True)


def sees(settings: Settings, token: str) -> bool:
    """Tell whether the lake of some settings holds a token."""
    try:
        return (settings.lake / _FOLDER / token).read_text(encoding="utf-8").strip() == token
    except OSError:
        return False
