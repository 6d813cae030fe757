"""Open the store that the settings ask for."""

from catalog.settings import Settings
from warehouse.delta.open import open_delta
from warehouse.local.store import LocalStore
from warehouse.store import Store


def open_store(settings: Settings) -> Store:
    """Return the store of a lake: a plain folder, unless the settings name another.

    Raises
    ------
    LakeError
        When the packages for another one are missing, or it cannot be opened.
    """
    return LocalStore(settings.lake) if settings.lake_address is None else open_delta(settings)
