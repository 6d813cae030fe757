"""Open the Delta lake that the settings name; what that needs beyond the embedded install is loaded here."""

import os
from threading import Lock
from typing import TYPE_CHECKING

from catalog.errors import LakeError
from catalog.settings import Settings

if TYPE_CHECKING:
    from plugins.operations.delta.store import DeltaStore

_LOCKING = Lock()
_OPEN: dict[tuple[object, ...], "DeltaStore"] = {}


def open_delta(settings: Settings) -> "DeltaStore":
    """Return the store that the settings name; one for each address in a process, so that it reads each log once.

    Raises
    ------
    LakeError
        When the packages for it are missing.
    SettingError
        When the settings name no such store.
    """
    try:
        from plugins.operations.delta.store import DeltaStore
    except ModuleNotFoundError as error:
        raise LakeError(
            f"SHELFPRICE_LAKE={settings.lake_address}: expected the packages of an object store, found no "
            f"{error.name}; run `make install-cluster`"
        ) from error
    secret = settings.s3_secret.get_secret_value() if settings.s3_secret else None
    key = (os.getpid(), settings.lake_address, settings.s3_endpoint, settings.s3_region, settings.s3_key, secret)
    with _LOCKING:
        if key not in _OPEN:
            _OPEN[key] = DeltaStore(settings)
        return _OPEN[key]
