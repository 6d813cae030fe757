"""The prices that come with a change of champion: a stored price book, or one worked out from the model."""

import datetime as dt

from catalog.errors import DataError
from serving.book_store import NewBook, books_from, new_book, newest_book_of, restored_book
from serving.day_curves import known_before
from training.registry import ModelRegistry
from warehouse.lake import Lake
from warehouse.workspace import Workspace


def stored_prices_of(workspace: Workspace, registry: ModelRegistry, version: str, first: dt.date) -> list[NewBook]:
    """Return a version's newest stored book for each date from a first one; without one, as `prices_from_model`."""
    stored = newest_book_of(workspace.lake, version)
    if stored is None:
        return prices_from_model(workspace, registry, version, first)
    return [restored_book(workspace.lake, stored, date) for date in _dates_to_change(workspace.lake, first)]


def prices_from_model(workspace: Workspace, registry: ModelRegistry, version: str, first: dt.date) -> list[NewBook]:
    """Work prices out from a version's model, for each date from a first one. Nothing is published.

    Raises
    ------
    DataError
        When the registry does not have the version.
    ModelError
        When the model cannot be loaded or cannot price the shelf.
    """
    model = registry.load(version)
    if model is None:
        raise DataError(f"expected version {version} in the model registry, found none; nothing was changed")
    known = known_before(workspace.lake, model, workspace.catalog, first)
    return [
        new_book(workspace.catalog, known.curves, known.visits, date, known.belief)
        for date in _dates_to_change(workspace.lake, first)
    ]


def _dates_to_change(lake: Lake, first: dt.date) -> list[dt.date]:
    """Return the dates whose books must change: the first, and those that have a book of their own already."""
    return sorted({first, *books_from(lake, first)})
