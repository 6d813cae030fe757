"""SQL stands in .sql files beside its caller; this is the one way to read them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path


def queries_beside(*modules: str) -> Callable[[str], str]:
    """Return what reads a query by name from the folder `queries` beside a module, whose `__file__` is given.

    Of several modules, the first whose folder has the query.
    """
    folders = [Path(module).parent / "queries" for module in modules]

    @cache
    def query(name: str) -> str:
        paths = [folder / f"{name}.sql" for folder in folders]
        found = next((path for path in paths if path.exists()), paths[0])
        return found.read_text(encoding="utf-8")

    return query
