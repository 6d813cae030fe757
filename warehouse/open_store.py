"""Open the store that the settings ask for."""

from catalog.settings import Settings
from warehouse.local.store import LocalStore
from warehouse.store import Store


def open_store(settings: Settings) -> Store:
    """Return the store of a lake: a plain folder, unless the settings name another."""
    return LocalStore(settings.lake)
