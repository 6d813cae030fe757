"""The data folder belongs to one user: others neither read nor change what is in it."""

import os
import stat
from contextlib import suppress
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OWN = (
    "api",
    "incoming",
    "lake",
    "locks",
    "mlflow",
    "prefect",
    "shelf",
    "scratch",
    "spill",
    "tokens",
    "warehouse.duckdb",
)
"""What a data folder holds; a folder with other things alone is left as it is, whatever a variable says."""


def keep_files_private() -> None:
    """Let this process, and those that it starts, create files for its own user alone: call it at the edge."""
    os.umask(_OTHERS)


def keep_private(home: Path) -> None:
    """Make the data folder for its own user alone, or tighten one that is there, with all that it holds.

    A folder of another user, or one that others share, such as `/tmp`, is left as it is.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = home.stat().st_mode
    own = [home / name for name in _OWN if (home / name).exists()]
    if not mode & _OTHERS or mode & stat.S_ISVTX or (not own and any(home.iterdir())):
        return
    for path in own:
        for found in (path, *(path.rglob("*") if path.is_dir() else ())):
            _tighten(found)
    _tighten(home)  # last: an interrupted tightening is done again


def _tighten(path: Path) -> None:
    with suppress(PermissionError, FileNotFoundError):  # another user's, or removed meanwhile
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & _OTHERS:
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
