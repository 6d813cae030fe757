"""Which business dates are asked for."""

import datetime as dt
from collections.abc import Callable

Within = Callable[[dt.date], bool]
"""Tells whether a business date is asked for."""


def between(first: dt.date, last: dt.date) -> Within:
    """Return what asks for the business dates from a first one through a last one."""
    return lambda date: first <= date <= last
