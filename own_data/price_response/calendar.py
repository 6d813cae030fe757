"""Public holidays of a country, as days since a Monday in 1970."""

import datetime as dt

import holidays
import numpy as np

from catalog.arrays import Flags, Ints

MONDAY = dt.date(1970, 1, 5)
"""The day from which days and weeks are counted."""


def is_holiday(day: Ints, country: str | None) -> Flags:
    """Flag public holidays among days since a Monday in 1970; none without a country (ISO 3166-1, two letters)."""
    if country is None or not len(day):
        return np.zeros(len(day), dtype=bool)
    first, last = (MONDAY + dt.timedelta(days=int(end)) for end in (day.min(), day.max()))
    known = holidays.country_holidays(country, years=range(first.year, last.year + 1))
    return np.isin(day, [(date - MONDAY).days for date in known])
