"""What demand curves predicted against what shoppers did on the day the curves were made for.

A day's curves are made before the day begins, so the day's decisions are evidence that the model had not seen.
"""

import numpy as np
import pandas as pd

from catalog.metrics import calibration_table, wilson

_BUCKETS = 10
_COUNTS = ["n_offered", "n_purchased"]


def predicted(curves: pd.DataFrame, observed: pd.DataFrame) -> pd.DataFrame:
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
    """Return the rows' calibration table, with `low` and `high`: the 95 % interval of the observed share."""
    table = calibration_table(rows["p_sale"].to_numpy(dtype=float), rows)
    low, high = wilson(table["bought"].to_numpy(dtype=float), table["decisions"].to_numpy(dtype=float))
    return table.assign(low=low, high=high)


def by_price(observed: pd.DataFrame) -> pd.DataFrame:
    """Return the observed share by price of one product, in at most ten buckets of equal width.

    Columns: `price` (EUR, the bucket's mean), `observed`, `low`, `high`, `decisions`.
    """
    prices = observed.groupby("price_offered", as_index=False)[_COUNTS].sum()
    few = len(prices) <= _BUCKETS
    bucket = pd.Series(range(len(prices))) if few else pd.cut(prices["price_offered"], _BUCKETS, labels=False)
    weighted = prices.assign(total=prices["price_offered"] * prices["n_offered"])
    sums = weighted.groupby(bucket)[["total", *_COUNTS]].sum()
    bought, offered = sums["n_purchased"].to_numpy(dtype=float), sums["n_offered"].to_numpy(dtype=float)
    low, high = wilson(bought, offered)
    return pd.DataFrame(
        {"price": sums["total"] / offered, "observed": bought / offered, "low": low, "high": high, "decisions": offered}
    ).reset_index(drop=True)
