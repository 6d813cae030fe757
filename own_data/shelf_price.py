"""The last regular price of each product in each store of a retailer: what stands until somebody releases another.

It is read from the newest half year of the log alone, of unit sales and of visits. An offer is not regular, where the
log says that it is one, and where prices have a pattern of offers that come and go. A price that was left once and has
not come back is a new regular price: nobody can say yet that it is an offer.

A price of ours is none of the owner's: a ceiling, an order of a person or another limit may have given it. So it counts
only where half a year shows nothing before it. A drawn price tells the owner's price that it was drawn around.
"""

import datetime as dt
from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Flags
from catalog.contracts import TABLES
from catalog.errors import LakeError
from catalog.load import Catalog
from own_data.price_response.calendar import MONDAY
from own_data.price_response.observations import Observations
from own_data.price_response.usual_price import departures, usual_log_price
from serving.evidence import LOOKS_BACK, ShelfPrices
from warehouse.lake import Lake
from warehouse.origin import origin_of
from warehouse.partition import between
from warehouse.sold import newest_closed
from warehouse.sql_files import queries_beside

_LEAST_CUT = 0.03  # of the highest price of the half year: a smaller departure is no offer
_SAME = 0.004  # EUR
_READ = {
    "unit_sales": ("store_id", "sku", "hour", "price", "units"),
    "interactions": ("store_id", "sku", "seen_at", "price_offered"),
    "promotions": ("store_id", "sku", "promotion", "leaflet", "regular_price"),
    "exposures": ("store_id", "sku", "charged_price", "not_ours"),
    "price_draws": ("store_id", "sku", "shelf_price", "through"),
}
_query = queries_beside(__file__)


def changes_of_shelves(lake: Lake) -> tuple[object, ...]:
    """Return what is another one whenever a retailer's log changes; the same always in any other lake."""
    if origin_of(lake.store) != "retailer":
        return ()
    return tuple(tuple(sorted(lake.changes(table).items())) for table in _READ)


def shelf_prices(lake: Lake, catalog: Catalog, before: dt.date | None = None) -> ShelfPrices | None:
    """Return the last regular prices before a date; None in a lake that is not a retailer's.

    A partition that cannot be read says nothing; the others go on.

    Parameters
    ----------
    before
        None is after all of the log.
    """
    newest = newest_closed(lake)
    if origin_of(lake.store) != "retailer" or newest is None:
        return None
    last = newest if before is None else min(newest, before - dt.timedelta(days=1))
    days = _prices_by_day(lake, last)
    rows = {store: row for row, store in enumerate(catalog.store.stores)}
    columns = {sku: column for column, sku in enumerate(catalog.skus)}
    days = days[days["store_id"].isin(rows) & days["sku"].isin(columns) & (days["price"] > 0)]
    days = days[~days["is_ours"] | ~days.duplicated(["store_id", "sku"])]
    prices = np.full((len(rows), len(columns)), np.nan)
    for key, own in days.groupby("sku", sort=False):
        regular = own[~_is_offer(own)].drop_duplicates("store_id", keep="last")
        prices[regular["store_id"].map(rows), columns[str(key)]] = regular["price"]
    return ShelfPrices(catalog.store.stores, prices)


def _prices_by_day(lake: Lake, last: dt.date) -> pd.DataFrame:
    """Return the price of each store, product and date of the half year through a last date, in order."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for table in _READ:
            connection.register(table, _rows_of(lake, table, last))
        found = connection.execute(_query("prices_by_day"), {"same": _SAME}).df()
    found["is_offer"] = found["is_offer"].astype("boolean")
    return found


def _rows_of(lake: Lake, table: str, last: dt.date) -> pa.Table:
    return pa.concat_tables(_parts_of(lake, table, last))


def _parts_of(lake: Lake, table: str, last: dt.date) -> Iterator[pa.Table]:
    columns = list(_READ[table])
    yield _dated(TABLES[table].schema.empty_table().select(columns), last)
    for partition in lake.partitions(table, between(last - dt.timedelta(days=LOOKS_BACK - 1), last)):
        assert partition.business_date is not None  # noqa: S101 - these tables are kept by day
        try:
            rows = lake.read(partition).select(columns)
        except LakeError:
            continue
        yield _dated(rows, partition.business_date)


def _dated(rows: pa.Table, date: dt.date) -> pa.Table:
    return rows.append_column("business_date", pa.repeat(pa.scalar(date, pa.date32()), len(rows)))


def _is_offer(own: pd.DataFrame) -> Flags:
    """Tell which days of one product, in order of store and date, are offers."""
    said = own["is_offer"]
    found = said.fillna(value=False).to_numpy(dtype=bool)
    unknown = said.isna().to_numpy()
    newest = own[unknown].groupby("store_id", sort=False)["price"].agg(["last", "max"])
    if not (newest["last"] < (1 - _LEAST_CUT) * newest["max"]).any():
        return found  # every store ends at its highest price, or nearly
    found[unknown] = _comes_and_goes(own[unknown])
    return found


def _comes_and_goes(own: pd.DataFrame) -> Flags:
    """Flag the days of low prices that come and go; none where not one of them has gone yet."""
    days = _as_observations(own)
    is_low = departures(days) & (days.log_price < usual_log_price(days, 0.9) - np.log1p(_LEAST_CUT))
    has_ended = is_low[:-1] & ~is_low[1:] & (days.store[:-1] == days.store[1:])
    return is_low & bool(has_ended.any())


def _as_observations(own: pd.DataFrame) -> Observations:
    """Return the prices of days as the pattern of offers is looked for in them; what was sold does not matter."""
    day = (own["business_date"].to_numpy().astype("datetime64[D]") - np.datetime64(MONDAY, "D")).astype(np.int64)
    store = pd.factorize(own["store_id"])[0].astype(np.int64)
    nothing = np.zeros(len(own))
    whole = nothing.astype(np.int64)
    return Observations(
        log_price=np.log(own["price"].to_numpy(dtype=float)),
        store=store,
        day=day,
        hour=whole,
        quarter=whole,
        offered=nothing,
        bought=nothing,
        on_promotion=nothing.astype(bool),
        is_count=True,
    )
