"""Stock over days in the lake: what became of the units of a store day, and what a store has from the day before."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Ints
from catalog.decisions.store_day import KeptStock, ShelfState, StoreDay
from catalog.load import Catalog
from catalog.names import INTAKE_GROUP
from catalog.stock_rules import StockRules
from catalog.tables.contracts import TABLES
from etl.twin.store_day import standing_at_opening
from warehouse.lake import Lake
from warehouse.parquet import coded, positions

_TABLE = "stock_movements"
_ONE_DAY = dt.timedelta(days=1)


def stock_movements_of(day: StoreDay, catalog: Catalog) -> pa.Table | None:
    """Return one row for each store, product and date of expiry of a day; None where its stock does not live on."""
    rules, moves = catalog.stock_rules, day.moves
    if rules is None or moves is None:
        return None
    stays = _as_of_today(moves.kept.units)
    held = moves.carried + moves.delivered
    newest = np.zeros(held.shape, dtype=np.bool_)
    newest[:, np.arange(len(rules.products)), rules.newest] = rules.lives_on
    store, product, life = np.nonzero((held > 0) | newest)
    where = (store, product, life)
    kept, spoiled = stays[where], moves.spoiled[where]
    columns = {
        "store_id": coded(store, day.stores),
        "sku": coded(product, catalog.skus),
        "expires_on": _expiry(rules, day.business_date, life),
        "units_carried": moves.carried[where],
        "units_delivered": moves.delivered[where],
        "units_sold": moves.sold[where],
        "units_spoiled": spoiled,
        "units_adjusted": np.zeros(len(store), dtype=np.int64),
        "units_kept": kept,
        "units_on_order": moves.kept.on_order[store, product] * newest[where],
        "unit_cost": catalog.unit_costs[product],
        "waste_eur": spoiled * rules.lost_with_a_unit[product],
        "holding_eur": kept * rules.holding_costs[product],
        "is_estimated": pa.nulls(len(store), pa.bool_()),
    }
    return pa.table(columns).cast(TABLES["stock_movements"].schema)


def kept_before(lake: Lake, catalog: Catalog, stores: Sequence[str], date: dt.date) -> KeptStock | None:
    """Return what stores have from the day before a date; None where the shelf is simply full each day.

    A store that sold nothing the day before, or whose stock of that day is not in the lake, is not known. Of an
    outside store what it never told is not known either.
    """
    rules = catalog.stock_rules
    if rules is None:
        return None
    kept = KeptStock.unknown(len(stores), len(catalog.skus), rules.columns)
    for part in lake.partitions_on(_TABLE, date - _ONE_DAY):
        rows = lake.read(part)
        store = positions(rows["store_id"], stores)
        product = positions(rows["sku"], catalog.skus)
        is_named = (store >= 0) & (product >= 0)
        left = days_left(rules, rows["expires_on"], product, date)
        if part.group == INTAKE_GROUP:
            kept.known[store[is_named], product[is_named]] = True
        else:
            kept.known[store[store >= 0]] = True
        stays = is_named & (left >= 0)
        np.add.at(kept.units, (store[stays], product[stays], left[stays]), rows["units_kept"].to_numpy()[stays])
        np.add.at(kept.on_order, (store[is_named], product[is_named]), rows["units_on_order"].to_numpy()[is_named])
    return kept


def days_left(rules: StockRules, expires_on: pa.ChunkedArray | pa.Array, product: Ints, date: dt.date) -> Ints:
    """Return the column of units by life on a date, at most that of new ones; below 0 where they no longer keep.

    Parameters
    ----------
    expires_on
        Last dates on which the units may be sold, null for ever, shape (n_lots,).
    product
        Position of the product of each, shape (n_lots,).
    """
    days = pc.fill_null(expires_on.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
    return np.minimum(np.where(days < 0, rules.columns - 1, days - _days(date)), rules.newest[product])


def opens_with(lake: Lake, catalog: Catalog, stores: Sequence[str], date: dt.date) -> ShelfState:
    """Return how the shelves of stores stand at the opening of a date, without a price."""
    return standing_at_opening(catalog, len(stores), date, kept_before(lake, catalog, stores, date))


def _as_of_today(kept: Ints) -> Ints:
    """Return units that are kept by the days on which they might be sold, counted from today."""
    shifted = np.zeros_like(kept)
    shifted[..., 1:-1] = kept[..., :-2]
    shifted[..., -1] = kept[..., -1]
    return shifted


def _expiry(rules: StockRules, date: dt.date, life: Ints) -> pa.Array:
    """Return the last date on which units of each life may be sold; null keeps for ever."""
    never = life == rules.columns - 1
    return pa.array((_days(date) + life).astype(np.int32), mask=never).cast(pa.date32())


def _days(date: dt.date) -> int:
    return (date - dt.date(1970, 1, 1)).days
