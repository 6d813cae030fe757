"""What demand curves promised against what shoppers did on the day the curves were made for.

A day's curves are made before the day begins, so the day's decisions are evidence that the model had not seen.
"""

import numpy as np
import pandas as pd

from catalog.intervals import wilson

_BINS = 10
_COUNTS = ["n_offered", "n_purchased"]


def promised(curves: pd.DataFrame, observed: pd.DataFrame) -> pd.DataFrame:
    """Return the observed rows with the chance of sale that the day's curve gave their price.

    Between two candidates the curve is read along a straight line; prices outside its range are left out.

    Parameters
    ----------
    curves
        `business_date`, `sku`, `price` (EUR), `p_sale` and `model_version`.
    observed
        `business_date`, `sku`, `price_offered` (EUR), `n_offered` and `n_purchased`.
    """
    of_day = dict(list(curves.groupby(["business_date", "sku"])))
    found = []
    for day, rows in observed.groupby(["business_date", "sku"]):
        curve = of_day.get(day)
        if curve is not None:
            chance = np.interp(rows["price_offered"], curve["price"], curve["p_sale"], left=np.nan, right=np.nan)
            found.append(rows.assign(p_sale=chance, model_version=curve["model_version"].iloc[0]))
    if not found:
        return observed.iloc[:0].assign(p_sale=np.array([], dtype=float), model_version=np.array([], dtype=object))
    return pd.concat(found).dropna(subset=["p_sale"])


def reliability(rows: pd.DataFrame) -> pd.DataFrame:
    """Return promised against observed shares in ten equal bins, one row per bin that holds decisions.

    Columns: `promised`, `observed`, `low` and `high` (its 95 % interval), `n_offered`.
    """
    bins = np.minimum((rows["p_sale"] * _BINS).astype(int), _BINS - 1)
    weighted = rows.assign(expected=rows["p_sale"] * rows["n_offered"])
    sums = weighted.groupby(bins)[["expected", *_COUNTS]].sum()
    return _with_interval(sums).assign(promised=sums["expected"] / sums["n_offered"]).reset_index(drop=True)


def calibration_error(rows: pd.DataFrame) -> float:
    """Return the mean distance between promised and observed shares, weighted by decisions; NaN without any."""
    if rows.empty:
        return float("nan")
    table = reliability(rows)
    return float(np.average((table["promised"] - table["observed"]).abs(), weights=table["n_offered"]))


def by_price(observed: pd.DataFrame) -> pd.DataFrame:
    """Return the observed share by price of one product, in at most ten buckets of equal width.

    Columns: `price` (EUR, the bucket's mean), `observed`, `low`, `high`, `n_offered`.
    """
    prices = observed.groupby("price_offered", as_index=False)[_COUNTS].sum()
    bucket = (
        pd.cut(prices["price_offered"], _BINS, labels=False) if len(prices) > _BINS else pd.Series(range(len(prices)))
    )
    weighted = prices.assign(total=prices["price_offered"] * prices["n_offered"])
    sums = weighted.groupby(bucket)[["total", *_COUNTS]].sum()
    return _with_interval(sums).assign(price=sums["total"] / sums["n_offered"]).reset_index(drop=True)


def _with_interval(sums: pd.DataFrame) -> pd.DataFrame:
    bought, offered = sums["n_purchased"].to_numpy(dtype=float), sums["n_offered"].to_numpy(dtype=float)
    low, high = wilson(bought, offered)
    return pd.DataFrame({"observed": bought / offered, "low": low, "high": high, "n_offered": offered}, sums.index)
