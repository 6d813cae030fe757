"""Which days were on promotion where the file does not say so: short departures from a usual price, to one side.

An offer comes with a leaflet, a display or a weekend, which sell too. So where a price stands still and now and then
leaves to one side only, what it shows is the response to the occasion as much as to the price. Prices that were set to
learn from leave their middle to both sides.
"""

from itertools import product

import numpy as np
import pandas as pd

from catalog.arrays import Flags, Floats
from own_data.price_response.observations import Observations

_WINDOWS_DAYS = (91, 182)  # around a day: what is rare in one of them is a departure
_DEPTHS = (0.03, 0.055, 0.085, 0.125, 0.165, 0.215, 0.265)  # shares of the usual price that a departure is beyond
_MOST_AWAY = 0.45  # share of days away from the usual price, beyond which it is not the usual one
_LEAST_AWAY = 0.01  # share of days below which departures weigh little
_OTHER_SIDE = 0.25  # of the departures, at most, to the other side
_AS_DEEP = 0.75  # of the depth: a quarter up is undone by a fifth down
_HOME = 0.9  # share of a window that departures hardly ever fill


def usual_log_price(own: Observations, share: float = 0.5, window_days: int = _WINDOWS_DAYS[0]) -> Floats:
    """Return the log price that a share of the store's days around each row are at or below, shape (n_rows,)."""
    days = pd.DataFrame({"store": own.store, "day": own.day, "price": own.log_price})
    by_day = days.groupby(["store", "day"])["price"].median().reset_index()
    usual = np.empty(len(by_day))
    for _, part in by_day.groupby("store"):
        series = pd.Series(part["price"].to_numpy(), pd.to_datetime(part["day"].to_numpy(), unit="D"))
        window = series.rolling(f"{window_days}D", center=True, min_periods=1)
        usual[part.index] = window.quantile(share, interpolation="nearest").to_numpy()
    keyed = pd.Series(usual, pd.MultiIndex.from_frame(by_day[["store", "day"]]))
    return np.asarray(keyed.reindex(pd.MultiIndex.from_arrays([own.store, own.day])).to_numpy(), dtype=float)


def departures(own: Observations) -> Flags:
    """Flag the days of a pattern of short departures to one side; none where prices have no such pattern.

    Regular prices change too. So the pattern is looked for beyond one depth after another: from some depth on, offers
    alone are left.
    """
    for window_days in _WINDOWS_DAYS:
        away = np.expm1(own.log_price - usual_log_price(own, window_days=window_days))
        for depth, side in product(_DEPTHS, (-1, 1)):
            most = _share_of_days(own, side * away > depth)
            least = _share_of_days(own, -side * away > _AS_DEEP * depth)
            if _LEAST_AWAY <= most <= _MOST_AWAY and least <= _OTHER_SIDE * most:
                home = usual_log_price(own, _HOME if side < 0 else 1 - _HOME, window_days)
                return np.asarray(side * np.expm1(own.log_price - home) > depth)
    return np.zeros(len(own.day), dtype=bool)


def _share_of_days(own: Observations, rows: Flags) -> float:
    days = np.unique(own.store_day)
    return len(np.unique(own.store_day[rows])) / max(1, len(days))
