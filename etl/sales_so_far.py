"""What is known of each store's sales of each product from the days before: the last price, and four weeks of units.

From it follow the price of a day without a sale, and sudden zeros: where much usually sells and nothing did, the shelf
may have been empty, and the day says nothing of demand.

Precondition: dates come in order.
"""

import datetime as dt

import numpy as np

from catalog.arrays import Flags, Floats, Ints

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
