"""How the shelves of a store stand in the middle of a live day, and what goes when the day has closed."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Ints
from catalog.decisions.store_day import BOUGHT, TOO_EXPENSIVE, KeptStock, ShelfState
from catalog.load import Catalog
from etl.load import DayRows
from etl.open_days import LiveDay, SoldSoFar, before, days_with_live_parts, last_by_sku, prices_lately, stuck_in
from etl.stock import kept_before, opens_with
from etl.twin.stock import open_shelves, take_units
from etl.twin.visits import draw_visits
from warehouse.lake import Lake
from warehouse.parquet import positions


class Units(NamedTuple):
    """Units on shelves now and at opening, by the days on which they may be sold, (n_stores, n_products, n_lives)."""

    by_life: Ints
    opened_with: Ints


def clear_away(lake: Lake, day: LiveDay) -> None:
    """Clear away the live parts of a store's days before one that has closed."""
    for other in days_with_live_parts(lake):
        if other.store == day.store and other.business_date < day.business_date and other.is_closed(lake):
            discard(lake, other)


def discard(lake: Lake, day: LiveDay) -> None:
    """Take the live part of a day away, decisions first: without their receipt the rest does not count."""
    lake.remove(day.part("live_interactions"))
    lake.remove(day.part("live_repricings"))
    if not day.is_closed(lake):
        lake.remove(day.part("belief_updates"))
        lake.remove(day.part("substitutions"))


def standing_after(rows: DayRows, catalog: Catalog, tick: int, units: Units | None = None) -> ShelfState:
    """Return how the shelves of one store stand after some ticks; every product has its opening among the rows.

    `units` is what `plugins.desk.live_shelf.units_after` says of them.
    """
    changes = rows.repricings
    openings = changes.filter(pc.equal(changes["tick"], 0))
    stock = last_by_sku(catalog, openings, "inventory_level").astype(np.int64)
    sold = Counter(rows.bought["sku"].to_pylist())
    count = np.array([sold[sku] for sku in catalog.skus], dtype=np.int64)
    opened_at, shown = (last_by_sku(catalog, rows, "new_price")[None] for rows in (openings, changes))
    lives = (None, None) if units is None else (units.by_life, units.opened_with)
    sticker = stuck_in(catalog, openings)[None] if catalog.uses_stickers else None
    changed, lately = changes_in(changes, catalog)[None], prices_lately(changes, catalog, tick)
    return ShelfState(tick, (stock - count)[None], shown, opened_at, changed, lives[0], lives[1], sticker, lately)


def standing_of(lake: Lake, catalog: Catalog, day: LiveDay, sold: SoldSoFar, tick: int) -> ShelfState:
    """Return how the shelves of a live store stand after some ticks, by what the lake holds.

    Nobody drew which units the shoppers of an outside store take: of those, what it opened with is told.
    """
    rows, stores, date = before(sold.rows, tick), (day.store,), day.business_date
    receipt = lake.receipt(day.part("live_interactions"))
    if receipt is not None and not receipt.is_of_the_twin:
        opened = opens_with(lake, catalog, stores, date).opened_with
        return standing_after(sold.rows, catalog, tick, None if opened is None else Units(opened, opened))
    is_picked = catalog.store.freshest_share > 0
    picks = draw_visits(catalog, stores, date, sold.mark.seed).picks_in(tick) if is_picked else None
    kept = kept_before(lake, catalog, stores, date)
    units = units_after(catalog, rows.interactions, stores, date, kept, picks, rows.substitutions)
    return standing_after(sold.rows, catalog, tick, units)


def changes_in(repricings: pa.Table, catalog: Catalog) -> Ints:
    """Return how often each price of one store changed in some rows of `repricings`, shape (n_products,)."""
    changed = Counter(repricings["sku"].filter(pc.is_valid(repricings["old_price"])).to_pylist())
    return np.array([changed[sku] for sku in catalog.skus], dtype=np.int64)


def units_after(
    catalog: Catalog,
    decisions: pa.Table,
    stores: Sequence[str],
    date: dt.date,
    kept: KeptStock | None,
    picks_freshest: Flags | None,
    substitutions: pa.Table | None = None,
) -> Units | None:
    """Return what is on the shelves in the middle of a day; None where they are simply full each day.

    Parameters
    ----------
    decisions
        The day's decisions so far, by store in the order of `stores` and then by time.
    kept
        What the stores had from the day before.
    picks_freshest
        Whether each decision's shopper takes the unit that keeps longest, shape (n_decisions,); None where nobody does.
    substitutions
        What was taken instead so far; None where nobody takes a substitute.
    """
    rules = catalog.stock_rules
    if rules is None:
        return None
    opened_with = open_shelves(catalog, rules, kept, len(stores), date).by_life
    by_life = opened_with.copy()
    ends = np.searchsorted(positions(decisions["store_id"], stores), np.arange(len(stores) + 1))
    product = positions(decisions["sku"], catalog.skus).astype(np.int16)
    outcome = np.where(decisions["purchased"].to_numpy(), BOUGHT, TOO_EXPENSIVE).astype(np.int8)
    picks = np.empty(0, dtype=np.bool_) if picks_freshest is None else picks_freshest
    if catalog.uses_stickers and len(picks):  # before a sticker, who takes the freshest unit pays more than that
        sticker, price = (decisions[name].to_numpy() for name in ("sticker_eur", "price_offered"))
        picks = np.where(np.isnan(sticker), picks, price > sticker)
    spans = np.stack([ends[:-1], ends[1:]], axis=1)
    take_units(spans, product, outcome, picks, by_life)
    if substitutions is not None:
        visit = _visits_of(substitutions, decisions)
        product[visit] = positions(substitutions["sku"], catalog.skus)
        outcome[:] = TOO_EXPENSIVE
        outcome[visit] = BOUGHT
        take_units(spans, product, outcome, picks, by_life)
    return Units(by_life, opened_with)


def _visits_of(substitutions: pa.Table, decisions: pa.Table) -> Ints:
    """Return the row of the decision after which each unit was taken, shape (n_taken,)."""
    key = ["store_id", "seen_at", "shopper_id"]
    visits = pd.MultiIndex.from_frame(decisions.select([*key, "sku"]).to_pandas().astype(str))
    return visits.get_indexer(
        pd.MultiIndex.from_frame(substitutions.select([*key, "instead_of"]).to_pandas().astype(str))
    )
