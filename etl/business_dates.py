"""Business dates: which are sold, which came from outside, which comes next. They are the store's, not the clock's."""

import datetime as dt

from catalog.errors import DataError
from etl.live.day import days_with_live_parts
from warehouse.advice import BEGIN, BEGIN_WITH_A_LOG
from warehouse.lake import Lake
from warehouse.sold import newest_closed, sold_partitions

DEFAULT_START = dt.date(2026, 1, 5)
"""First business date of a lake that holds none."""

ONE_DAY = dt.timedelta(days=1)


def dates_from(start: dt.date, days: int) -> list[dt.date]:
    """Return `days` business dates from a first one."""
    return [start + dt.timedelta(days=day) for day in range(days)]


def newest_grouped(lake: Lake) -> dt.date:
    """Return the newest business date with demand cells.

    Raises
    ------
    DataError
        When there is none.
    """
    newest = next(lake.newest_dates("demand_cells"), None)
    if newest is None:
        raise DataError(f"expected demand cells in the lake, found none; nothing was done: {_way_to_cells(lake)}")
    return newest


def _way_to_cells(lake: Lake) -> str:
    if next(sold_partitions(lake), None) is None:
        return f"run `{BEGIN}` or `{BEGIN_WITH_A_LOG}`"
    return "run `shelfprice transform`"


def newest_sold(lake: Lake) -> dt.date | None:
    """Return the newest business date with decisions, closed or still being sold; None in an empty lake."""
    found = (newest_closed(lake), next(lake.newest_dates("live_interactions"), None))
    return max((date for date in found if date is not None), default=None)


def first_open_date(lake: Lake) -> dt.date:
    """Return the first business date that is not sold to its end: one that is being sold live, or the next.

    Raises
    ------
    DataError
        When nothing was ever sold.
    """
    closed = newest_closed(lake)
    being_sold = [day.business_date for day in days_with_live_parts(lake) if not day.is_closed(lake)]
    after = [] if closed is None else [closed + ONE_DAY]
    if not after and not being_sold:
        raise DataError(
            f"expected days that were sold, found none: no champion can price yet; run `{BEGIN}` or "
            f"`{BEGIN_WITH_A_LOG}`"
        )
    return min([*being_sold, *after])
