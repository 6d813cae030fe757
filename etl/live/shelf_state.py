"""How the shelves of a live store stand after some ticks, by what the lake holds of the day."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Floats, Ints
from catalog.decisions.store_day import ShelfState
from catalog.load import Catalog
from etl.live.day import LiveDay, SoldSoFar, before
from etl.load import DayRows
from etl.stock import Units, kept_before, opens_with, units_after
from etl.twin.visits import draw_visits
from warehouse.lake import Lake


def standing_after(rows: DayRows, catalog: Catalog, tick: int, units: Units | None = None) -> ShelfState:
    """Return how the shelves of one store stand after some ticks; every product has its opening among the rows.

    `units` is what `etl.stock.units_after` says of them.
    """
    changes = rows.repricings
    openings = changes.filter(pc.equal(changes["tick"], 0))
    stock = _last_by_sku(catalog, openings, "inventory_level").astype(np.int64)
    sold = Counter(rows.bought["sku"].to_pylist())
    count = np.array([sold[sku] for sku in catalog.skus], dtype=np.int64)
    opened_at, shown = (_last_by_sku(catalog, rows, "new_price")[None] for rows in (openings, changes))
    lives = (None, None) if units is None else (units.by_life, units.opened_with)
    sticker = stuck_in(catalog, openings)[None] if catalog.uses_stickers else None
    changed = changes_in(changes, catalog)[None]
    return ShelfState(tick, (stock - count)[None], shown, opened_at, changed, lives[0], lives[1], sticker)


def stuck_in(catalog: Catalog, repricings: pa.Table) -> Floats:
    """Return the stickers of one store's day by its `repricings`, EUR, NaN where there is none, shape (n_products,)."""
    openings = repricings.filter(pc.equal(repricings["tick"], 0))
    return _last_by_sku(catalog, openings, "sticker_eur").astype(np.float64)


def changes_in(repricings: pa.Table, catalog: Catalog) -> Ints:
    """Return how often each price of one store changed in some rows of `repricings`, shape (n_products,)."""
    changed = Counter(repricings["sku"].filter(pc.is_valid(repricings["old_price"])).to_pylist())
    return np.array([changed[sku] for sku in catalog.skus], dtype=np.int64)


def standing_of(lake: Lake, catalog: Catalog, day: LiveDay, sold: SoldSoFar, tick: int) -> ShelfState:
    """Return how the shelves of a live store stand after some ticks, by what the lake holds.

    Nobody drew which units the shoppers of an outside store take: of those, what it opened with is told.
    """
    rows, stores, date = before(sold.rows, tick), (day.store,), day.business_date
    if catalog.store.sales == "outside":
        opened = opens_with(lake, catalog, stores, date).opened_with
        return standing_after(sold.rows, catalog, tick, None if opened is None else Units(opened, opened))
    is_picked = catalog.store.freshest_share > 0
    picks = draw_visits(catalog, stores, date, sold.mark.seed).picks_in(tick) if is_picked else None
    kept = kept_before(lake, catalog, stores, date)
    units = units_after(catalog, rows.interactions, stores, date, kept, picks, rows.substitutions)
    return standing_after(sold.rows, catalog, tick, units)


def _last_by_sku(catalog: Catalog, changes: pa.Table, column: str) -> Floats:
    """Return a column of each product's newest change; changes are in order of time."""
    newest = dict(zip(changes["sku"].to_pylist(), changes[column].to_pylist(), strict=True))
    return np.array([newest[sku] for sku in catalog.skus])
