"""The catalog by which a live day goes on, when another one has come into force since it opened."""

import numpy as np

from catalog.errors import CatalogError
from catalog.load import Catalog
from etl.ledger import in_force_in, kept_catalog
from etl.live.day import LiveDay
from simulation.visits import Visits, draw_visits
from warehouse.lake import Lake

_DRAWN = ("starts", "since_opening_us", "product", "multiplier", "shopper", "dice")


def catalog_of_the_day(lake: Lake, catalog: Catalog, day: LiveDay) -> Catalog:
    """Return the catalog by which a live day goes on: the one of now, or the day's own under the limits of now.

    A day keeps the products, shoppers and hours that it opened with.
    """
    rows = in_force_in(lake, day.business_date, day.part("interactions").group)
    if not rows or rows[-1].catalog == catalog.fingerprint:
        return catalog
    try:
        opened_with = kept_catalog(lake, rows[0].catalog)
    except CatalogError:
        return catalog
    is_of_this_day = has_the_shoppers_of(catalog, opened_with, day, rows[0].seed)
    return catalog if is_of_this_day else opened_with.with_limits_of(catalog)


def has_the_shoppers_of(catalog: Catalog, opened_with: Catalog, day: LiveDay, seed: int) -> bool:
    """Tell whether a catalog has the products and the shoppers that a live day began with."""
    if catalog.skus != opened_with.skus or catalog.store.clock_of(day.store) != opened_with.store.clock_of(day.store):
        return False
    drawn = (draw_visits(own, (day.store,), day.business_date, seed) for own in (catalog, opened_with))
    return are_the_same(*drawn)


def are_the_same(one: Visits, other: Visits) -> bool:
    """Tell whether the same shoppers come at the same times."""
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in _DRAWN)
