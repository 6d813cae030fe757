"""Move files out of the lake, beside it: nothing that may still be looked at is deleted."""

import itertools
from collections.abc import Iterable
from pathlib import Path

FOLDER = "set-aside"


def put_aside(root: Path, files: Iterable[Path]) -> list[Path]:
    """Move those of the files that are there out of the lake under `root`, and return where each went."""
    moved = []
    for path in files:
        if path.exists():
            target = _free_name(root.parent / FOLDER / path.relative_to(root))
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            moved.append(target)
    return moved


def _free_name(path: Path) -> Path:
    """Return the path, or the path with the first number that is free."""
    numbered = (path.with_name(f"{path.name}.{number}") for number in itertools.count(1))
    return path if not path.exists() else next(name for name in numbered if not name.exists())
