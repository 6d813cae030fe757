"""Reads what the Overview page needs of a chain: days that are closed are read once, however often it is looked at."""

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from catalog.errors import LakeError
from catalog.names import LIVE_GROUP
from dashboard.data.overview import DAYS_OF_TREND, ChainDays
from dashboard.data.reader import Reader
from warehouse.lake import Lake, Partition

SHOWN = ("interactions", "substitutions", "live_interactions", "stock_movements")
"""Tables that the page reads beside `products`."""


def dates_shown(dates: Sequence[dt.date], chosen: dt.date | None) -> list[dt.date]:
    """Return the dates to read: a chosen one or the newest, and two weeks before it; descending.

    Parameters
    ----------
    dates
        Every business date on which something was sold.
    chosen
        The day to show; None is the newest of each store.
    """
    newest = chosen or max(dates, default=None)
    if newest is None:
        return []
    return sorted((date for date in dates if 0 <= (newest - date).days <= DAYS_OF_TREND), reverse=True)


def read_chain(
    reader: Reader, dates: Sequence[dt.date], stores: Sequence[str], books: Sequence[dt.date] | None
) -> ChainDays:
    """Read some days of a chain; a date whose files cannot be read is known as such.

    Raises
    ------
    LakeError
        When there is no warehouse.
    """
    newest = dates[0] if dates else None
    live = [part for date in dates for part in reader.lake.partitions_on("live_interactions", date)]
    return ChainDays(
        earned={date: _earned(reader, date) for date in dates},
        open_since=_open_since(reader.lake, live),
        unproven={newest: _unproven(reader.lake, newest, stores)} if newest else {},
        books=books,
    )


def _earned(reader: Reader, date: dt.date) -> pd.DataFrame | None:
    try:
        return reader.ask("stores_earned", (*SHOWN, "products"), on=date, date=date)
    except LakeError:
        if not reader.has_warehouse():
            raise
        return None


def _open_since(lake: Lake, live: Sequence[Partition]) -> dict[tuple[str, dt.date], dt.datetime]:
    since = {}
    for part in live:
        published, date = lake.published_at(part), part.business_date
        if published is not None and date is not None and not lake.holds(Partition("interactions", date, part.group)):
            since[part.group.removeprefix(LIVE_GROUP), date] = published
    return since


def _unproven(lake: Lake, date: dt.date, stores: Sequence[str]) -> frozenset[str]:
    """Return the stores whose decisions of a date have no receipt; a batch holds those of several stores."""
    groups = [part.group for part in lake.partitions_on("interactions", date) if not has_receipt(lake, part)]
    named = {group.removeprefix(LIVE_GROUP) for group in groups if group.startswith(LIVE_GROUP)}
    return frozenset(named if len(named) == len(groups) else stores)


def has_receipt(lake: Lake, part: Partition) -> bool:
    """Tell whether a receipt speaks for a partition; no Parquet file is opened."""
    try:
        return lake.receipt(part) is not None
    except (LakeError, FileNotFoundError):  # replaced while we looked is proven a moment later
        return not lake.holds(part)
