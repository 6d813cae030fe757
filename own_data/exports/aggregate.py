"""Lines of one date made into units: summed by store, product, hour and price, with returns taken off."""

import numpy as np
import pandas as pd

from catalog.arrays import Floats

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


def _netted(rows: pd.DataFrame) -> Floats:
    """Take the returns of each store and product off its rows of the day, the largest first; never below 0."""
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
