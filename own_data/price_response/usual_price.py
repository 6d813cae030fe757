"""Which days were on promotion where the file does not say so: short departures from a usual price, to one side.

An offer comes with a leaflet, a display or a weekend, which sell too. So where a price stands still and now and then
leaves to one side only, what it shows is the response to the occasion as much as to the price. Prices that were set to
learn from leave their middle to both sides.
"""

from itertools import product

import numba
import numpy as np

from catalog.arrays import Flags, Floats, Ints
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
    order = np.lexsort((own.log_price, own.store_day))
    price = own.log_price[order]
    _, first, at, count = np.unique(own.store_day[order], return_index=True, return_inverse=True, return_counts=True)
    median = (price[first + (count - 1) // 2] + price[first + count // 2]) / 2
    usual = np.empty(len(price))
    usual[order] = _usual_of_days(own.store[order][first], own.day[order][first], median, share, window_days)[at]
    return usual


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


def departures(own: Observations) -> Flags:
    """Flag the days of a pattern of short departures to one side; none where prices have no such pattern.

    Regular prices change too. So the pattern is looked for beyond one depth after another: from some depth on, offers
    alone are left.
    """
    days, at = np.unique(own.store_day, return_inverse=True)

    def share_of_days(rows: Flags) -> float:
        return np.count_nonzero(np.bincount(at[rows])) / max(1, len(days))

    for window_days in _WINDOWS_DAYS:
        away = np.expm1(own.log_price - usual_log_price(own, window_days=window_days))
        for depth, side in product(_DEPTHS, (-1, 1)):
            most = share_of_days(side * away > depth)
            least = share_of_days(-side * away > _AS_DEEP * depth)
            if _LEAST_AWAY <= most <= _MOST_AWAY and least <= _OTHER_SIDE * most:
                home = usual_log_price(own, _HOME if side < 0 else 1 - _HOME, window_days)
                return np.asarray(side * np.expm1(own.log_price - home) > depth)
    return np.zeros(len(own.day), dtype=bool)
