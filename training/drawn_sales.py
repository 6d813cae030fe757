"""What sold at the prices that were drawn, as the belief learns from it; what sold at other prices is left out."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from features.cells import feature_workbench
from serving.counts.belief_priors import ToldPrior
from serving.counts.unit_rows import UnitRows
from serving.drawn_prices import TABLE
from serving.evidence import evidence
from warehouse.connection import workbench
from warehouse.lake import Lake
from warehouse.partition import between
from warehouse.proof import Span, prove
from warehouse.sql_files import queries_beside
from warehouse.workspace import Workspace

DAYS = {"weekly": 7, "daily": 1, "hourly": 1}
"""Days of a slot."""
SAME_PRICE = 0.004  # EUR
_query = queries_beside(__file__)


@dataclass(frozen=True)
class DrawnSales:
    """What sold at drawn prices, by product, store and slot, and the slots that the last axis counts.

    `first_owner` is the owner's price at the first draw, EUR, shape (n_stores, n_products), NaN where nothing sold: the
    one that ratios and levels are of.
    """

    rows: UnitRows
    slots: tuple[dt.date, ...]
    first_owner: Floats


def drawn_sales(lake: Lake, catalog: Catalog, through: dt.date) -> DrawnSales:
    """Return what sold up to a date at the prices that were drawn, on the shelf of a catalog."""
    first = min(lake.dates(TABLE), default=None)
    sold = pd.DataFrame() if first is None or first > through else read_drawn_sales(lake, first, through)
    if sold.empty:
        nothing = np.zeros((len(catalog.skus), len(catalog.store.stores), 1))  # a week in which nothing could be sold
        return DrawnSales(UnitRows(nothing, nothing, nothing), (), np.full(nothing.shape[1::-1], np.nan))
    slots = tuple(sorted({date.date() for date in pd.to_datetime(sold["first_date"])}))
    sold = sold[sold["store_id"].isin(catalog.store.stores) & sold["sku"].isin(catalog.skus)]
    places = _places(sold, catalog, slots)
    minutes = catalog.store.opening.minutes * DAYS[catalog.store.drawn_prices.changes]
    owner = sold.groupby(["store_id", "sku"])["shelf_price"].transform("first")  # the one that the level is of
    rows = UnitRows.of_rows(
        (len(catalog.skus), len(catalog.store.stores), len(slots)),
        places,
        sold["units"].to_numpy(dtype=float).clip(min=0),
        np.log(sold["price"].to_numpy(dtype=float) / owner.to_numpy(dtype=float)),
        sold["minutes"].to_numpy(dtype=float) / minutes,
    )
    first_owner = np.full(rows.shape[1::-1], np.nan)
    first_owner[places[1], places[0]] = owner
    return DrawnSales(rows, slots, first_owner)


def read_drawn_sales(lake: Lake, first: dt.date, through: dt.date) -> pd.DataFrame:
    """Return a row for each store, product and draw with what sold at its price while it stood."""
    prove(lake, (Span(TABLE, first, through), Span("exposures", first, through)))
    with workbench(lake.settings, between(first, through)) as connection:
        return connection.execute(_query("units_at_drawn_prices"), {"through": through, "same": SAME_PRICE}).df()


def told_by_log(workspace: Workspace, through: dt.date) -> ToldPrior | None:
    """Return what ingested files tell of slopes up to a date, by log or by design; None where there are none."""
    if not any(workspace.lake.partitions("ingested_files")):
        return None
    with feature_workbench(workspace.settings) as connection:
        found = evidence().responses(connection, workspace.catalog, through)
    told = {own.sku: own.estimate for own in found if own.verdict == "told" and own.is_count and own.estimate}
    by_design, skus = {own.sku for own in found if own.by == "design"}, workspace.catalog.skus
    slopes = np.array([told[sku].estimate if sku in told else np.nan for sku in skus])
    errors = np.array([told[sku].error if sku in told else 0.0 for sku in skus])
    return ToldPrior.of(slopes, errors, by_design=np.array([sku in by_design for sku in skus]))


def _places(sold: pd.DataFrame, catalog: Catalog, slots: tuple[dt.date, ...]) -> tuple[Ints, Ints, Ints]:
    numbers = [
        sold["sku"].map({sku: place for place, sku in enumerate(catalog.skus)}),
        sold["store_id"].map({store: place for place, store in enumerate(catalog.store.stores)}),
        pd.to_datetime(sold["first_date"]).dt.date.map({date: place for place, date in enumerate(slots)}),
    ]
    product, store, slot = (np.asarray(own, dtype=np.int64) for own in numbers)
    return product, store, slot
