"""What sold at the prices that were drawn, as the belief learns from it, after what sold at the owner's before them.

The weeks before the first draw give levels: without them a lone store's first draw cannot tell a low price from a
product that sells well. They are those at the regular price that the first draw is around, without offers. What sold at
other prices is left out: the owner set them for reasons of his own.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from features.cells import feature_workbench
from plugins.own_store.draws.drawn_prices import TABLE
from plugins.own_store.learning.belief_priors import ToldPrior
from plugins.own_store.learning.unit_rows import UnitRows
from plugins.own_store.price_response import slopes_of, sold_by_week
from warehouse.checks.proof import Span, prove
from warehouse.lake import Lake, Partition
from warehouse.partition import between
from warehouse.query.connection import queries_beside, workbench
from warehouse.workspace import Workspace

DAYS = {"weekly": 7, "daily": 1, "hourly": 1}
"""Days of a slot."""
BEFORE_DRAWS = 28
"""Days at the owner's price before a product's first draw that are looked at."""
SAME_PRICE = 0.004  # EUR
_ONE_DAY = dt.timedelta(days=1)
_query = queries_beside(__file__)


@dataclass(frozen=True)
class DrawnSales:
    """What sold by product, store and slot, and the first dates of the slots that the last axis counts.

    The first slots are those before any draw, `n_draws` is how many draws follow. `first_owner` is the owner's price
    that ratios and levels are of, that of the first draw, EUR, shape (n_stores, n_products), NaN where nothing sold.
    """

    rows: UnitRows
    slots: tuple[dt.date, ...]
    n_draws: int
    first_owner: Floats


def drawn_sales(lake: Lake, catalog: Catalog, through: dt.date, own: Floats | None = None) -> DrawnSales:
    """Return what sold up to a date at the prices that were drawn, and before them, on the shelf of a catalog.

    Parameters
    ----------
    own
        The owner's prices of what is to be drawn next, EUR, shape (n_stores, n_products), NaN elsewhere: of what was
        never drawn, they say which sales count. None is nothing.
    """
    days = DAYS[catalog.store.drawn_prices.changes]
    first = min((date for date in lake.dates(TABLE) if date <= through), default=None)
    drawn = pd.DataFrame() if first is None else read_drawn_sales(lake, first, through)
    before = sold_before_draws(lake, catalog, through, own, days)
    sold = pd.concat([own for own in (before, drawn) if not own.empty] or [pd.DataFrame()], ignore_index=True)
    if sold.empty:
        nothing = np.zeros((len(catalog.skus), len(catalog.store.stores), 1))  # a week in which nothing could be sold
        return DrawnSales(UnitRows(nothing, nothing, nothing), (), 0, np.full(nothing.shape[1::-1], np.nan))
    sold["first_date"] = pd.to_datetime(sold["first_date"]).dt.date
    sold = sold.sort_values("first_date", kind="stable")
    slots = tuple(sorted(set(sold["first_date"])))
    sold = sold[sold["store_id"].isin(catalog.store.stores) & sold["sku"].isin(catalog.skus)]
    places = _places(sold, catalog, slots)
    owner = sold.groupby(["store_id", "sku"])["shelf_price"].transform("first")  # the one that the level is of
    rows = UnitRows.of_rows(
        (len(catalog.skus), len(catalog.store.stores), len(slots)),
        places,
        sold["units"].to_numpy(dtype=float).clip(min=0),
        np.log(sold["price"].to_numpy(dtype=float) / owner.to_numpy(dtype=float)),
        sold["minutes"].to_numpy(dtype=float) / (catalog.store.opening.minutes * days),
        np.array([slot.weekday() for slot in slots]) if days == 1 else None,
    )
    first_owner = np.full(rows.shape[1::-1], np.nan)
    first_owner[places[1], places[0]] = owner
    n_draws = 0 if drawn.empty else drawn["first_date"].nunique()
    return DrawnSales(rows, slots, n_draws, first_owner)


def read_drawn_sales(lake: Lake, first: dt.date, through: dt.date) -> pd.DataFrame:
    """Return a row for each store, product and draw with what sold at its price while it stood."""
    prove(lake, (Span(TABLE, first, through), Span("exposures", first, through)))
    with workbench(lake.settings, between(first, through)) as connection:
        return connection.execute(_query("units_at_drawn_prices"), {"through": through, "same": SAME_PRICE}).df()


def sold_before_draws(lake: Lake, catalog: Catalog, through: dt.date, own: Floats | None, days: int) -> pd.DataFrame:
    """Return a row for each store, product and slot with what sold at the owner's price before the first draw.

    A slot has so many `days`; of them, the column `days` counts those that tell something. See `drawn_sales` for `own`.
    """
    owner = _owner_prices(lake, catalog, through, own)
    if owner.empty:
        return owner
    first, last = min(owner["drawn_from"]) - dt.timedelta(days=BEFORE_DRAWS), max(owner["drawn_from"]) - _ONE_DAY
    prove(lake, (Span(table, first, last) for table in ("unit_sales", "promotions", "exposures")))
    with workbench(lake.settings, between(first, last)) as connection:
        connection.register("owner_prices", owner)
        sold = connection.execute(_query("units_before_draws"), {"days": BEFORE_DRAWS, "same": SAME_PRICE}).df()
    draws = [date for date in sorted(lake.dates(TABLE)) if date <= through] or [through + _ONE_DAY]
    dates = pd.to_datetime(sold["business_date"]).dt.date
    sold = sold.assign(first_date=[_slot_with(date, draws, days) for date in dates], price=sold["shelf_price"])
    by_slot = sold.groupby(["first_date", "store_id", "sku", "price", "shelf_price"], as_index=False)
    found = by_slot.agg(units=("units", "sum"), days=("business_date", "nunique"))
    return found.assign(minutes=found["days"] * float(catalog.store.opening.minutes))


def _owner_prices(lake: Lake, catalog: Catalog, through: dt.date, own: Floats | None) -> pd.DataFrame:
    """Return the owner's price of each store and product that is drawn, or is to be, and from when it is drawn."""
    pairs = pd.MultiIndex.from_product([catalog.store.stores, catalog.skus], names=["store_id", "sku"])
    prices = np.full(len(pairs), np.nan) if own is None else own.ravel()
    owner = pd.DataFrame({"drawn_from": through + _ONE_DAY, "shelf_price": prices}, index=pairs)
    owner.update(_first_draws(lake, through, owner.dropna().index))
    return owner.dropna().reset_index()


def _first_draws(lake: Lake, through: dt.date, wanted: pd.Index) -> pd.DataFrame:
    """Return the first draw up to a date of each product in each store, and the owner's price that it was around.

    The first draws are read until all is found that is wanted or was drawn last, mostly in one or two, however many
    there are. A product that joined after those, and is drawn no more, is left out.
    """
    dates = sorted(date for date in lake.dates(TABLE) if date <= through)
    newest = next((own for date in reversed(dates) if len(own := _draw_of(lake, date))), None)
    if newest is None:
        return pd.DataFrame(columns=["drawn_from", "shelf_price"], index=wanted[:0])
    found, wanted = newest[:0], wanted.union(newest.index)
    for date in dates:
        if wanted.isin(found.index).all():
            break
        rows = _draw_of(lake, date)
        found = pd.concat([found, rows[~rows.index.isin(found.index)]]) if len(found) else rows
    return found


def _draw_of(lake: Lake, date: dt.date) -> pd.DataFrame:
    rows = lake.read(Partition(TABLE, date, "all")).select(["store_id", "sku", "shelf_price"]).to_pandas()
    return rows.assign(drawn_from=date).set_index(["store_id", "sku"])


def _slot_with(date: dt.date, draws: Sequence[dt.date], days: int) -> dt.date:
    """Return the first date of the slot that a date lies in: a draw's, or one of so many days before the first draw."""
    begun = bisect_right(draws, date)
    if begun:
        return draws[begun - 1]
    return draws[0] - dt.timedelta(days=days * -(-(draws[0] - date).days // days))


def told_by_log(workspace: Workspace, through: dt.date) -> ToldPrior | None:
    """Return what ingested files tell of slopes up to a date; None where there are none."""
    if not any(workspace.lake.partitions("ingested_files")):
        return None
    with feature_workbench(workspace.settings) as connection:
        return ToldPrior.of(*slopes_of(sold_by_week(connection, through), workspace.catalog.skus))


def _places(sold: pd.DataFrame, catalog: Catalog, slots: tuple[dt.date, ...]) -> tuple[Ints, Ints, Ints]:
    numbers = [
        sold["sku"].map(catalog.positions),
        sold["store_id"].map({store: place for place, store in enumerate(catalog.store.stores)}),
        sold["first_date"].map({date: place for place, date in enumerate(slots)}),
    ]
    product, store, slot = (np.asarray(own, dtype=np.int64) for own in numbers)
    return product, store, slot
