"""Open the workspace at the edge: the settings from the environment, and the catalog from its folder.

It is ready then: every table in place, the shelf and the shoppers in the lake, and the views for who reads.
"""

import datetime as dt
from pathlib import Path

from catalog.errors import Declined
from catalog.load import Catalog, WatchedCatalog, load
from catalog.settings import Settings, read_settings
from etl.batches import DEFAULT_SEED
from etl.load import dimensions_are_current, load_dimensions, refuse_other_currency
from etl.twin.draws import shopper_names
from features.cells import ALL_VIEWS
from warehouse.commits.locks import waited_for
from warehouse.lake import PREPARING, Lake
from warehouse.origin import refuse_other_side, refuse_to_play
from warehouse.query.advice import own_shelf
from warehouse.query.connection import build_file
from warehouse.stores.folder import open_store
from warehouse.workspace import Workspace, abandoned_drafts


def prepared(settings: Settings, catalog: Catalog) -> Workspace:
    """Return a workspace on a lake and a warehouse that are ready: from here on anyone may read."""
    lake = Lake(settings)
    lake.prepare()
    for path in abandoned_drafts(lake):
        path.unlink(missing_ok=True)
    bring_dimensions_up_to_date(lake, catalog)
    build_file(settings, ALL_VIEWS)
    return Workspace(settings, catalog, lake)


def bring_dimensions_up_to_date(lake: Lake, catalog: Catalog) -> None:
    """Publish the shelf and the shoppers of a catalog, unless they are in the lake.

    Raises
    ------
    Declined
        When the prices in the lake are in another currency.
    """
    if dimensions_are_current(lake, catalog):
        return
    refuse_other_currency(lake, catalog)
    with waited_for(lake.locks, PREPARING):
        if dimensions_are_current(lake, catalog):  # somebody else was faster
            return
        load_dimensions(lake, catalog, shopper_names(catalog.store.shopper_pool, DEFAULT_SEED))


def open_workspace(catalog_dir: str | None, *, for_the_twin: bool = False) -> Workspace:
    """Return a workspace that is ready, by the catalog of a folder or by that of the settings.

    Parameters
    ----------
    for_the_twin
        Whether store days are to be played in it: a retailer's lake, and a catalog whose sales come from outside, are
        refused before anything is touched.

    Raises
    ------
    CatalogError
        When the catalog cannot be used.
    SettingError
        When a setting cannot be.
    Declined
        When days are to be played, and the lake holds a retailer's decisions or the stores sell by themselves.
    """
    settings = read_settings()
    if for_the_twin:
        refuse_other_side(open_store(settings), "twin")
    catalog = load(_folder(settings, catalog_dir))
    if for_the_twin:
        refuse_to_play(catalog.store)
    return prepared(settings, catalog)


def watched_catalog(catalog_dir: str | None) -> WatchedCatalog:
    """Return the same catalog as `open_workspace`, read again whenever its files have changed."""
    return WatchedCatalog(_folder(read_settings(), catalog_dir))


def _folder(settings: Settings, catalog_dir: str | None) -> Path | None:
    """Return the folder of the catalog: the one named, else in a retailer's lake its own, else the one that ships."""
    named = catalog_dir or settings.catalog_dir
    return Path(named) if named else own_shelf(settings)


def now_of(workspace: Workspace) -> dt.datetime:
    """Return the time, UTC.

    Raises
    ------
    Declined
        When `SHELFPRICE_NOW` is set and the catalog is no rehearsal, or holds no moment.
    """
    setting = workspace.settings.now
    if setting is None:
        return dt.datetime.now(dt.UTC)
    if not workspace.catalog.store.rehearsal:
        raise Declined(
            f"SHELFPRICE_NOW: expected none where store.yaml does not say `rehearsal: true`, found {setting}; nothing "
            "was done, for a real store's clock is this machine's: unset it"
        )
    try:
        moment = _moment_in(setting)
    except (OSError, ValueError) as error:
        raise Declined(
            f"SHELFPRICE_NOW: expected a moment with an offset such as 2026-01-19T08:00:00Z, or a file that holds one, "
            f"found {setting} ({error}); nothing was done: write one"
        ) from error
    return moment.astimezone(dt.UTC)


def _moment_in(setting: str) -> dt.datetime:
    """Return the moment that a text, or the file that it names, says; a file is read each time."""
    try:
        moment = dt.datetime.fromisoformat(setting)
    except ValueError:
        moment = dt.datetime.fromisoformat(Path(setting).read_text(encoding="utf-8").strip())
    if moment.tzinfo is None:
        raise ValueError("it has no offset")
    return moment
