"""Make a workspace ready: every table in place, the shelf and the shoppers in the lake, and the views for who reads."""

from catalog.load import Catalog
from catalog.settings import Settings
from etl.batches import DEFAULT_SEED
from etl.load import dimensions_are_current, load_dimensions, refuse_other_currency
from features.cells import ALL_VIEWS
from simulation.shoppers import shopper_names
from warehouse.connection import build_file
from warehouse.drafts import remove_left_drafts
from warehouse.lake import Lake
from warehouse.origin import settle_record
from warehouse.workspace import Workspace


def prepared(settings: Settings, catalog: Catalog) -> Workspace:
    """Return a workspace on a lake and a warehouse that are ready: from here on anyone may read."""
    lake = Lake(settings)
    settle_record(lake.store)
    lake.prepare()
    remove_left_drafts(lake)
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
    if not dimensions_are_current(lake, catalog):
        refuse_other_currency(lake, catalog)
        load_dimensions(lake, catalog, shopper_names(catalog.store.shopper_pool, DEFAULT_SEED))
