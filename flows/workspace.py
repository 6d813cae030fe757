"""Open the workspace at the edge: the settings from the environment, and the catalog from its folder."""

from pathlib import Path

from catalog.load import load
from catalog.settings import Settings, read_settings
from catalog.watched import WatchedCatalog
from etl.prepare import prepared
from warehouse.advice import own_shelf
from warehouse.open_store import open_store
from warehouse.origin import refuse_other_side
from warehouse.workspace import Workspace


def open_workspace(catalog_dir: str | None, *, for_the_twin: bool = False) -> Workspace:
    """Return a workspace that is ready, by the catalog of a folder or by that of the settings.

    Parameters
    ----------
    for_the_twin
        Whether store days are to be played in it: a retailer's lake is refused before anything is touched.

    Raises
    ------
    CatalogError
        When the catalog cannot be used.
    SettingError
        When a setting cannot be.
    Declined
        When days are to be played, and the lake holds a retailer's decisions.
    """
    settings = read_settings()
    if for_the_twin:
        refuse_other_side(open_store(settings), "twin")
    return prepared(settings, load(_folder(settings, catalog_dir)))


def watched_catalog(catalog_dir: str | None) -> WatchedCatalog:
    """Return the same catalog as `open_workspace`, read again whenever its files have changed."""
    return WatchedCatalog(_folder(read_settings(), catalog_dir))


def _folder(settings: Settings, catalog_dir: str | None) -> Path | None:
    """Return the folder of the catalog: the one named, else in a retailer's lake its own, else the one that ships."""
    named = catalog_dir or settings.catalog_dir
    return Path(named) if named else own_shelf(settings)
