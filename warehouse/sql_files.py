"""SQL stands in .sql files beside its caller; this is the one way to read them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path


def queries_beside(module: str) -> Callable[[str], str]:
    """Return what reads a query by name from the folder `queries` beside a module, whose `__file__` is given."""
    folder = Path(module).parent / "queries"

    @cache
    def query(name: str) -> str:
        return (folder / f"{name}.sql").read_text(encoding="utf-8")

    return query
