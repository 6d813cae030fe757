"""What is known of each store's sales of each product from the days before: the last price, and four weeks of units.

From it follow the price of a day without a sale, and sudden zeros: where much usually sells and nothing did, the shelf
may have been empty, and the day says nothing of demand.

Precondition: dates come in order.
"""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from warehouse.parquet import coded

DAYS = 28
_OFTEN = 27  # of these days with a sale
_MUCH = 12.0  # units a day: at half of that, one day in four hundred sells nothing by chance


class SalesSoFar:
    """The days before the one that is looked at, by pair of a store and a product."""

    def __init__(self, n_pairs: int) -> None:
        self.last_price = np.full(n_pairs, np.nan)  # EUR, shape (n_pairs,)
        self._sold = np.full((DAYS, n_pairs), np.nan, np.float32)  # units by day, NaN where nothing is known
        self._is_out = np.zeros(n_pairs, dtype=bool)  # since a sudden zero
        self._newest: int | None = None

    def begin(self, date: int) -> None:
        """Forget what is more than four weeks before a date, given in days since 1970."""
        first = date if self._newest is None else max(self._newest + 1, date - DAYS + 1)
        for day in range(first, date + 1):
            self._sold[day % DAYS] = np.nan
        self._newest = date

    def sudden_zeros(self, pairs: Ints, sold: Floats) -> Flags:
        """Flag pairs that sold nothing today where they usually sell much, until they sell again, shape (n_pairs,)."""
        nothing = np.flatnonzero(sold == 0)
        before = self._sold[:, pairs[nothing]]
        known = np.isfinite(before)
        mean = np.nansum(before, axis=0) / np.maximum(known.sum(axis=0), 1)
        usual = ((before > 0).sum(axis=0) >= _OFTEN) & (mean >= _MUCH)
        flags = np.zeros(len(pairs), dtype=bool)
        flags[nothing] = usual | self._is_out[pairs[nothing]]
        return flags

    def remember(self, date: int, pairs: Ints, sold: Floats, price: Floats, is_sudden_zero: Flags) -> None:
        """Add a day: units and price of each pair, shape (n_pairs,) each."""
        self._sold[date % DAYS, pairs] = np.where(is_sudden_zero, np.nan, sold)
        self._is_out[pairs] = is_sudden_zero
        self.last_price[pairs] = price


def days_before(first: int) -> list[dt.date]:
    """Return the business dates that a first one, in days since 1970, looks back to."""
    return [dt.date(1970, 1, 1) + dt.timedelta(days=day) for day in range(first - DAYS, first)]


KEYS = ["store", "product", "hour", "price"]
_WHERE_KNOWN = {"receipts": ("receipt", "nunique"), "traffic": ("traffic", "max"), "stock": ("stock", "max")}


def summed(lines: pd.DataFrame) -> pd.DataFrame:
    """Sum the lines of one date.

    Parameters
    ----------
    lines
        One row per line with `store`, `product`, `hour` (-1 for the whole day), `price` (EUR), `units` (negative for
        returns), and, where they are known, `receipt`, `traffic` and `stock`.

    Returns
    -------
    pd.DataFrame
        One row per store, product, hour and price: `sold` and `returned_units`, both at least 0; `units`, which is what
        was sold less what the product's returns of the day take off; `receipts`, `traffic` and `stock`, NaN where
        they are not known.
    """
    signed = lines.assign(sold=lines["units"].clip(lower=0), returned_units=(-lines["units"]).clip(lower=0))
    how: dict[str, tuple[str, str]] = {"sold": ("sold", "sum"), "returned_units": ("returned_units", "sum")}
    how |= {name: known for name, known in _WHERE_KNOWN.items() if known[0] in lines}
    rows = signed.groupby(KEYS, sort=True).agg(**how).reset_index()
    for name in _WHERE_KNOWN:
        if name not in rows:
            rows[name] = np.nan
    return rows.assign(units=_netted(rows))


def without_a_unit(pairs: pd.DataFrame, sold: pd.DataFrame) -> pd.DataFrame:
    """Return stores, products and prices as rows of a whole day without a unit, beside rows of what sold."""
    nothing = dict.fromkeys(("sold", "returned_units", "units"), 0.0)
    receipts = np.nan if sold["receipts"].isna().all() else 0.0
    return pairs.assign(hour=np.int8(-1), **nothing, receipts=receipts, traffic=np.nan, stock=np.nan)


def _netted(rows: pd.DataFrame) -> Floats:
    """Take the returns of each store and product off its rows of the day, the largest first; never below 0."""
    if not rows["returned_units"].any():
        return rows["sold"].to_numpy(dtype=float)
    order = np.lexsort((-rows["sold"].to_numpy(), rows["product"].to_numpy(), rows["store"].to_numpy()))
    sorted_rows = rows.iloc[order]
    pairs = sorted_rows.groupby(["store", "product"], sort=False)
    returned = pairs["returned_units"].transform("sum")
    before = pairs["sold"].cumsum() - sorted_rows["sold"]
    taken = np.minimum(np.maximum(returned - before, 0.0), sorted_rows["sold"])
    units = np.empty(len(rows))
    units[order] = (sorted_rows["sold"] - taken).to_numpy()
    return units


def chances_of(rows: pd.DataFrame, most: Floats, hour_shares: Floats) -> Floats:
    """Return how many chances to sell one unit each row stands for, shape (n_rows,).

    Of a whole day they are the shoppers in the store where they were counted, else the product's most units a day; of
    an hour, the shoppers of that hour, or its share of a day. The prices of one time share them as they share its
    units. There are as many as units at least.

    Parameters
    ----------
    most
        Most units a day of each row's product, shape (n_rows,).
    hour_shares
        Share of a day's visits in each hour, shape (24,).
    """
    hour = rows["hour"].to_numpy()
    of_time = np.where(hour < 0, most, most * hour_shares[np.maximum(hour, 0)])
    traffic = rows["traffic"].to_numpy(dtype=float)
    of_time = np.where(np.isnan(traffic), of_time, traffic)
    times = rows.groupby(["store", "product", "hour"], sort=False)["units"]
    total, prices = times.transform("sum").to_numpy(), times.transform("size").to_numpy()
    units = rows["units"].to_numpy()
    share = np.where(total > 0, units / np.where(total > 0, total, 1.0), 1.0 / prices)
    return np.maximum(np.ceil(units), np.round(of_time * share))


def in_contract(rows: pd.DataFrame, store_ids: Sequence[str] | NDArray[np.str_], catalog: Catalog) -> pa.Table:
    """Return rows in the columns of `unit_sales`, in the order of its key.

    Parameters
    ----------
    rows
        As `summed` returns them, with `place` on the shelf, `chances` and `is_sudden`.
    store_ids
        Ids of the stores that `store` counts.
    """
    seen, code = np.unique(rows["store"].to_numpy(), return_inverse=True)
    names, rank = np.unique(np.asarray(store_ids, dtype=str)[seen], return_inverse=True)
    order = np.lexsort([*(rows[name].to_numpy() for name in ("price", "place", "hour")), rank[code]])
    rows, store = rows.iloc[order], rank[code][order]
    place, hour = rows["place"].to_numpy(), rows["hour"].to_numpy()
    return pa.table(
        {
            "store_id": coded(store, names.tolist()),
            "hour": pa.array(hour.astype(np.int8), mask=hour < 0),
            "sku": coded(place, catalog.skus),
            "product_name": coded(place, [product.name for product in catalog.products]),
            "price": rows["price"].to_numpy(dtype=float),
            "units": rows["units"].to_numpy(dtype=float),
            "returned_units": rows["returned_units"].to_numpy(dtype=float),
            "receipts": pa.array(rows["receipts"], from_pandas=True).cast(pa.int32()),
            "traffic": pa.array(rows["traffic"].astype(float), from_pandas=True),
            "stock": pa.array(rows["stock"].astype(float), from_pandas=True),
            "chances": rows["chances"].to_numpy().astype(np.int64),
            "is_sudden_zero": rows["is_sudden"].to_numpy(dtype=bool),
        },
        schema=TABLES["unit_sales"].schema,
    )
