"""What the shell offers for a half-typed value: the products and stores of the catalog, which is read in an instant."""

from pathlib import Path
from typing import Any

import typer

from catalog.errors import ShelfpriceError
from catalog.load import Catalog, load
from catalog.settings import read_settings


def known_skus(context: typer.Context, incomplete: str) -> list[str]:
    """Return the products whose sku begins as typed."""
    shelf = _catalog(context.params.get("catalog"))
    return _beginning_with(incomplete, shelf.skus if shelf else ())


def known_stores(context: typer.Context, incomplete: str) -> list[str]:
    """Return the stores whose name begins as typed."""
    shelf = _catalog(context.params.get("catalog"))
    return _beginning_with(incomplete, shelf.store.stores if shelf else ())


def _catalog(folder: Any) -> Catalog | None:
    """Return the catalog that the command would use; None, for the shell is no place for its errors."""
    try:
        named = folder or read_settings().catalog_dir
        return load(Path(named) if named else None)
    except (ShelfpriceError, OSError):
        return None


def _beginning_with(incomplete: str, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
