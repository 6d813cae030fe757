"""The last regular price of each product in each store of a retailer: what stands until somebody releases another.

It is read from the newest half year of the log alone, of unit sales and of visits. An offer is not regular, where the
log says that it is one, and where prices have a pattern of offers that come and go. A price that was left once and has
not come back is a new regular price: nobody can say yet that it is an offer.

A price of ours is none of the owner's: a ceiling, an order of a person or another limit may have given it. So it counts
only where half a year shows nothing before it. A drawn price tells the owner's price that it was drawn around.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import duckdb
import numba
import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Flags, Floats, Ints
from catalog.errors import LakeError
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from serving.optimise.policies import ShelfPrices
from serving.store.in_force import LOOKS_BACK
from warehouse.lake import Lake
from warehouse.origin import newest_closed, origin_of
from warehouse.partition import between
from warehouse.query.connection import queries_beside

_LEAST_CUT = 0.03  # of the highest price of the half year: a smaller departure is no offer
_SAME = 0.004  # EUR
_WINDOWS_DAYS = (91, 182)  # around a day: what is rare in one of them is a departure
_DEPTHS = (0.03, 0.055, 0.085, 0.125, 0.165, 0.215, 0.265)  # shares of the usual price that a departure is beyond
_MOST_AWAY = 0.45  # share of days away from the usual price, beyond which it is not the usual one
_LEAST_AWAY = 0.01  # share of days below which departures weigh little
_OTHER_SIDE = 0.25  # of the departures, at most, to the other side
_AS_DEEP = 0.75  # of the depth: a quarter up is undone by a fifth down
_HOME = 0.9  # share of a window that departures hardly ever fill
_READ = {
    "unit_sales": ("store_id", "sku", "hour", "price", "units"),
    "interactions": ("store_id", "sku", "seen_at", "price_offered"),
    "promotions": ("store_id", "sku", "promotion", "leaflet", "regular_price"),
    "exposures": ("store_id", "sku", "charged_price", "not_ours"),
    "price_draws": ("store_id", "sku", "shelf_price", "through"),
}
_query = queries_beside(__file__)


def changes_of_shelves(lake: Lake) -> tuple[object, ...]:
    """Return a version tag of the retailer's log; constant for other lakes."""
    if origin_of(lake.store) != "retailer":
        return ()
    return tuple(tuple(sorted(lake.changes(table).items())) for table in _READ)


def regular_prices(lake: Lake, catalog: Catalog, before: dt.date | None = None) -> ShelfPrices | None:
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
    days = _Days.of(own)
    is_low = days.departures() & (days.log_price < days.usual(0.9) - np.log1p(_LEAST_CUT))
    has_ended = is_low[:-1] & ~is_low[1:] & (days.store[:-1] == days.store[1:])
    return is_low & bool(has_ended.any())


@dataclass(frozen=True)
class _Days:
    """Prices of one product, a row for each store and date in order, arrays of shape (n_days,).

    Which days were on offer where the file does not say so shows in short departures from a usual price, to one side:
    an offer stands now and then. Regular prices change too, and to both sides.
    """

    store: Ints
    day: Ints
    log_price: Floats

    @classmethod
    def of(cls, own: pd.DataFrame) -> "_Days":
        """Return the columns of `prices_by_day` as arrays."""
        day = own["business_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
        store = pd.factorize(own["store_id"])[0].astype(np.int64)
        return cls(store, day, np.log(own["price"].to_numpy(dtype=float)))

    def usual(self, share: float = 0.5, window_days: int = _WINDOWS_DAYS[0]) -> Floats:
        """Return the log price that a share of the store's days around each day are at or below, shape (n_days,)."""
        return _usual_of_days(self.store, self.day, self.log_price, share, window_days)

    def departures(self) -> Flags:
        """Flag the days of a pattern of short departures to one side; none where prices have no such pattern.

        The pattern is looked for beyond one depth after another: from some depth on, offers alone are left.
        """
        for window_days in _WINDOWS_DAYS:
            away = np.expm1(self.log_price - self.usual(window_days=window_days))
            for depth, side in product(_DEPTHS, (-1, 1)):
                most, least = np.mean(side * away > depth), np.mean(-side * away > _AS_DEEP * depth)
                if _LEAST_AWAY <= most <= _MOST_AWAY and least <= _OTHER_SIDE * most:
                    home = self.usual(_HOME if side < 0 else 1 - _HOME, window_days)
                    return np.asarray(side * np.expm1(self.log_price - home) > depth)
        return np.zeros(len(self.day), dtype=bool)


@numba.njit(cache=True, nogil=True)
def _usual_of_days(store: Ints, day: Ints, price: Floats, share: float, window_days: int) -> Floats:
    """Return the nearest quantile of the prices around each store day, which stand by store and date.

    A window is open at its beginning and closed at its end. Its prices are kept in order.
    """
    usual, window = np.empty(len(price)), np.empty(len(price))
    begin, end, held = 0, 0, 0
    for place in range(len(price)):
        if store[place] != store[begin]:
            begin, end, held = place, place, 0
        while end < len(price) and store[end] == store[place] and 2 * (day[end] - day[place]) <= window_days:
            at = np.searchsorted(window[:held], price[end])
            for later in range(held, at, -1):
                window[later] = window[later - 1]
            window[at] = price[end]
            end, held = end + 1, held + 1
        while 2 * (day[place] - day[begin]) >= window_days:
            held -= 1
            for later in range(np.searchsorted(window[: held + 1], price[begin]), held):
                window[later] = window[later + 1]
            begin += 1
        usual[place] = window[int(np.rint(share * (held - 1)))]
    return usual
