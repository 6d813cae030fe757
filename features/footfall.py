"""Footfall: how many shoppers stop at each product in each tick, from the logged visits.

Precondition: every visit is logged, also visits to an empty shelf. Otherwise scarce products look unpopular. Where only
sales are known, the chances to sell a unit that they stand for count as visits.

`observed_prices` are the range in which each product was really offered. `demand_shifts` are the dates from which
shoppers responded to prices differently, as the drift checks found.
"""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.decisions.store_day import hours_of_ticks, tick_profile
from catalog.load import Catalog
from features.cells import query


def demand_shifts(
    connection: duckdb.DuckDBPyConnection, through: dt.date, model_version: str | None = None
) -> tuple[dt.date, ...]:
    """Return the dates of change, ascending, that the checks up to a date found.

    Parameters
    ----------
    model_version
        Only changes that were found against this champion; None for all.
    """
    parameters = {"through": through, "model_version": model_version}
    return tuple(date for (date,) in connection.execute(query("demand_shifts"), parameters).fetchall())


_DAYS = 28


def _chances(connection: duckdb.DuckDBPyConnection, catalog: Catalog, span: dict[str, dt.date]) -> Floats:
    """Count the chances of unit sales, shape (n_products, n_ticks): days by the store's profile, hours evenly."""
    counts = connection.execute(query("chances"), span).fetchall()
    position = catalog.positions
    of_tick = hours_of_ticks(catalog.store)
    chances = np.zeros((len(catalog.skus), len(of_tick)))
    for sku, hour, count in counts:
        in_hour = (of_tick == hour).astype(float)
        share = tick_profile(catalog.store) if hour is None else in_hour / max(in_hour.sum(), 1.0)
        if sku in position:
            chances[position[sku]] += count * share
    return chances


def counted_visits(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date
) -> tuple[Floats, pd.DataFrame]:
    """Count the visits of the last four weeks.

    Returns
    -------
    tuple of Floats and pd.DataFrame
        Visits by product and tick, shape (n_products, n_ticks); and one row per `business_date` with `count_visits` and
        `count_stores`.
    """
    span = {"first": through - dt.timedelta(days=_DAYS - 1), "last": through}
    by_units = not catalog.store.is_priced_hourly  # a store that counts visits needs no guess from sales
    totals = connection.execute(query("visits_by_day"), {**span, "by_units": by_units}).df()
    counts = connection.execute(query("footfall"), span).df()
    visits = np.zeros((len(catalog.skus), catalog.store.opening.ticks))
    positions = catalog.positions
    counted = counts[counts["sku"].isin(positions) & (counts["tick"] < visits.shape[1])]
    product = counted["sku"].map(positions).to_numpy(dtype=np.int64)
    visits[product, counted["tick"].to_numpy()] = counted["count_visits"].to_numpy()
    if by_units:
        visits += _chances(connection, catalog, span)
    return visits, totals


def store_days_in(totals: pd.DataFrame) -> int:
    """Return on how many store days somebody came, by the stores of each business date."""
    return int(totals["count_stores"].sum())


def observed_prices(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date, since: dt.date | None = None
) -> Floats:
    """Return the lowest and highest price observed with stock up to a date, EUR, shape (n_products, 2).

    NaN for a product that was never offered. With `since`, only offers from that date on count: a model knows nothing
    about prices from before the days it learned from.
    """
    observed = np.full((len(catalog.skus), 2), np.nan)
    positions = catalog.positions
    span = {"first": since or dt.date.min, "through": through}
    for sku, lowest, highest in connection.execute(query("observed_prices"), span).fetchall():
        if sku in positions:
            observed[positions[sku]] = lowest, highest
    return observed
