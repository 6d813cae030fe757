"""Open the store that the settings ask for."""

from catalog.settings import Settings
from catalog.wings import needed
from warehouse.local.store import LocalStore
from warehouse.store import LakeStore


def open_store(settings: Settings) -> LakeStore:
    """Return the store of a lake: a plain folder, unless the settings name another.

    Raises
    ------
    LakeError
        When the packages for another one are missing, or it cannot be opened.
    SettingError
        When another one is named and no wing provides it.
    """
    if settings.lake_address is None:
        return LocalStore(settings.lake)
    store: LakeStore = needed("store", "SHELFPRICE_LAKE")(settings)
    return store
