"""What the sales of an export say about each product and about a store's day, for the shelf that is estimated.

A price counts once for each store day that it was seen on, however much it sold: otherwise an offer that sells much
would pass for the usual price.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.records.product import LEAST_CHANCES, MOST_CHANCES
from own_data.exports.stage import StagedExport
from own_data.exports.typed import NO_HOUR

_US_PER_HOUR = 3_600_000_000
_WANTED = ("store", "product", "price_offered", "units", "hour", "seen_at")
_TOO_MANY = 1e6  # units in one row: such rows are rejected
_FOLD = 4  # most units of a day over the highest that was seen


@dataclass(frozen=True)
class SalesSeen:
    """What sales say.

    Attributes
    ----------
    prices
        One row per product and price: `product`, `price_offered` (EUR) and `visits`, store days on which it was seen.
    most_units
        By product, what is taken for the most units that a store could sell on a day.
    hours
        Units by hour of the day, UTC, shape (24,); None where only days are known.
    """

    prices: pd.DataFrame
    most_units: pd.Series
    hours: Floats | None


def sales_seen(staged: StagedExport) -> SalesSeen:
    """Look at the sales of an export, date by date."""
    prices, most = [], pd.Series(dtype=float)
    hours = np.zeros(24)
    for date in staged.spans:
        own = staged.on(date)
        day = own.select([name for name in _WANTED if name in own.column_names]).to_pandas()
        seen = day.drop_duplicates(["store", "product", "price_offered"])
        prices.append(seen.groupby(["product", "price_offered"]).size())
        believable = day[day["units"].abs() < _TOO_MANY]
        units = believable.groupby(["store", "product"])["units"].sum().groupby("product").max()
        most = most.combine(units, max, fill_value=0.0)
        if "hour" not in day or (day["hour"] != NO_HOUR).all():
            moment = day["seen_at"].to_numpy()
            hours += np.bincount(moment // _US_PER_HOUR % 24, day["units"].clip(lower=0), minlength=24)
    counted = pd.concat(prices).groupby(level=[0, 1]).sum().rename("visits").reset_index()
    counted.columns = ["product", "price_offered", "visits"]
    wanted = np.clip(np.ceil(_FOLD * most), LEAST_CHANCES, MOST_CHANCES).astype(int)
    return SalesSeen(counted, wanted, hours if hours[1:].any() else None)
