"""Footfall: how many shoppers stop at each product in each tick, from the logged visits.

Precondition: every visit is logged, also visits to an empty shelf. Otherwise scarce products look unpopular. Where only
sales are known, the chances to sell a unit that they stand for count as visits.

`observed_prices` are the range in which each product was really offered. `demand_shifts` are the dates from which
shoppers responded to prices differently, as the drift checks found.
"""

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np

from catalog.arrays import Floats
from catalog.decisions.store_day import hours_of_ticks, tick_profile
from catalog.load import Catalog
from features.cells import query
from warehouse.parquet import positions


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


@dataclass(frozen=True)
class CountedVisits:
    """Visits of some days, all stores together, also those to an empty shelf.

    Attributes
    ----------
    dates
        Days with a visit, ascending.
    stores
        Stores of each day, shape (n_days,).
    by_day
        Visits to each product on each day, shape (n_products, n_days).
    by_tick
        Visits to each product in each tick, of all days, shape (n_products, n_ticks).
    """

    dates: tuple[dt.date, ...]
    stores: Floats
    by_day: Floats
    by_tick: Floats

    @property
    def store_days(self) -> int:
        """Store days with a visit."""
        return int(self.stores.sum())


def counted_visits(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> CountedVisits:
    """Count the visits of the last four weeks."""
    span = {"first": through - dt.timedelta(days=_DAYS - 1), "last": through}
    of_units = {**span, "by_units": not catalog.store.is_priced_hourly}  # a store that counts visits needs no guess
    days = connection.execute(query("stores_by_day"), of_units).fetchall()
    dates = tuple(date for date, _ in days)
    table = connection.sql(query("visits_of_products"), params=of_units).to_arrow_table()
    product, visited = positions(table["sku"], catalog.skus), table["count_visits"].to_numpy()
    day = np.searchsorted(np.array(dates, dtype="datetime64[D]"), table["business_date"].to_numpy())
    by_day = np.zeros((len(catalog.skus), len(dates)))
    by_day[product[product >= 0], day[product >= 0]] = visited[product >= 0]
    counts = connection.execute(query("footfall"), span).df()
    visits = np.zeros((len(catalog.skus), catalog.store.opening.ticks))
    counted = counts[counts["sku"].isin(catalog.positions) & (counts["tick"] < visits.shape[1])]
    row = counted["sku"].map(catalog.positions).to_numpy(dtype=np.int64)
    visits[row, counted["tick"].to_numpy()] = counted["count_visits"].to_numpy()
    if of_units["by_units"]:
        visits += _chances(connection, catalog, span)
    return CountedVisits(dates, np.array([stores for _, stores in days], dtype=float), by_day, visits)


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
