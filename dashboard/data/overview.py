"""Every store of the chain in one row: what it earned, and what needs a person, the most urgent first.

Days that are closed are read once, however often the page is looked at.
"""

import datetime as dt
from collections.abc import Hashable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from catalog.errors import LakeError
from catalog.names import LIVE_GROUP
from dashboard.data.reader import Reader
from dashboard.formats import day, days, euros
from warehouse.lake import Lake, Partition

Level = Literal["fine", "look", "act"]

DAYS_BEFORE = 7
"""Days that the day shown is compared with."""
DAYS_OF_TREND = 2 * DAYS_BEFORE
"""Days of a trend, the day shown included."""
STANDS_STILL_AFTER = dt.timedelta(minutes=2)
"""Without a tick for this long, a live day stands still: the slowest pace is a tick every ten seconds."""

STOCK_OUTS_MATTER_FROM = 0.03
"""Share of what a store could have earned that empty shelves cost: below it, running out towards closing is usual."""

_Sales = dict[Hashable, Any]
"""One row of `stores_earned` by column."""

_URGENCY: dict[Level, int] = {"act": 0, "look": 1, "fine": 2}


@dataclass(frozen=True)
class Concern:
    """One thing that needs a person; `act` is broken, `look` costs money or explains a number."""

    level: Level
    text: str


@dataclass(frozen=True)
class Earned:
    """What a store sold on one day, or on average a day: units, and money in EUR.

    `spoiled` are units thrown away, `waste` is what they cost, and `profit` the margin less that and the nights of what
    is kept; None before closing, and where no stock lives over days. `missed` are visits that met an empty shelf.
    """

    units: float
    revenue: float
    margin: float
    spoiled: float | None = None
    waste: float | None = None
    profit: float | None = None
    missed: float = 0.0


@dataclass(frozen=True)
class StoreRow:
    """One store.

    Attributes
    ----------
    date
        The day shown; None when the store sold nothing on the days looked at.
    is_open
        Whether the day is still being sold.
    earned, before
        Of the day shown, and the mean of a day over the 7 before it on which it sold; None without a sale.
    sold_out, missed
        Products that ran out while shoppers still came, and the visits that met an empty shelf.
    lost
        What those visits would have spent, EUR, had they bought as the visits before them.
    concerns
        What needs a person, the most urgent first.
    days
        The days of the trend on which it sold and closed, the oldest first.
    """

    store: str
    date: dt.date | None
    is_open: bool
    earned: Earned | None
    before: Earned | None
    sold_out: int
    missed: int
    lost: float
    concerns: tuple[Concern, ...]
    days: Mapping[dt.date, Earned] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """How urgent the store is."""
        return self.concerns[0].level if self.concerns else "fine"


@dataclass(frozen=True)
class ChainDays:
    """What is known of a chain on some days.

    Attributes
    ----------
    earned
        Rows of `stores_earned` by business date; None for a date whose files cannot be read.
    open_since
        When the open live day of a store was published last (UTC), by store and business date.
    unproven
        Stores that a partition without a receipt may touch, by business date.
    books
        Business dates with a price book, ascending; None where no book is expected.
    waiting
        How many prices wait for a person, by store.
    """

    earned: Mapping[dt.date, pd.DataFrame | None]
    open_since: Mapping[tuple[str, dt.date], dt.datetime]
    unproven: Mapping[dt.date, Set[str]]
    books: Sequence[dt.date] | None
    waiting: Mapping[str, int] = field(default_factory=dict)


def store_rows(
    stores: Sequence[str], chain: ChainDays, chosen: dt.date | None, now: dt.datetime
) -> tuple[StoreRow, ...]:
    """Return a row for each store, those that need a person first.

    Parameters
    ----------
    stores
        All stores, in the order of the catalog.
    chosen
        The day to show; None is the newest on which each store sold.
    now
        The time, UTC.
    """
    by_date = {date: _by_store(sales) for date, sales in chain.earned.items() if sales is not None}
    rows = [_row(store, by_date, chain, chosen, now) for store in stores]
    return tuple(sorted(rows, key=lambda row: (_URGENCY[row.level], -row.lost)))


def _by_store(sales: pd.DataFrame) -> dict[str, _Sales]:
    return {str(row["store_id"]): row for row in sales.to_dict(orient="records")}


def _row(
    store: str,
    by_date: Mapping[dt.date, Mapping[str, _Sales]],
    chain: ChainDays,
    chosen: dt.date | None,
    now: dt.datetime,
) -> StoreRow:
    sold = sorted(date for date, sales in by_date.items() if store in sales)
    date = chosen if chosen is not None else max(sold, default=None)
    sales = by_date[date][store] if date in sold else None
    week = [by_date[day][store] for day in sold if date and 0 < (date - day).days <= DAYS_BEFORE]
    concerns = [
        *_of_files(store, date, chain),
        *_of_live_day(store, date, chain, now),
        *_of_silence(sales is not None, date, chosen, max(chain.earned, default=None)),
        *_of_prices(date if sales is not None else None, chain.books),
        *_of_decisions(chain.waiting.get(store, 0)),
        *_of_stock(sales),
    ]
    return StoreRow(
        store,
        date,
        is_open=date is not None and (store, date) in chain.open_since,
        earned=None if sales is None else _mean([sales]),
        before=_mean(week) if week else None,
        sold_out=0 if sales is None else int(sales["count_sold_out"]),
        missed=0 if sales is None else int(sales["count_missed_visits"]),
        lost=0.0 if sales is None else float(sales["lost_revenue_eur"]),
        concerns=tuple(sorted(concerns, key=lambda concern: _URGENCY[concern.level])),
        days={
            day: _mean([by_date[day][store]])
            for day in sold
            if date and 0 <= (date - day).days < DAYS_OF_TREND and (store, day) not in chain.open_since
        },
    )


def _mean(sales: Sequence[_Sales]) -> Earned:
    def mean(*names: str) -> Iterator[float]:
        return (sum(float(sale[name]) for sale in sales) / len(sales) for name in names)

    units, revenue, margin, missed = mean("count_units", "revenue_eur", "margin_eur", "count_missed_visits")
    lost = ("count_spoiled", "waste_eur", "profit_eur")
    if any(pd.isna(sale_row[name]) for sale_row in sales for name in lost):
        return Earned(units, revenue, margin, missed=missed)
    spoiled, waste, profit = mean(*lost)
    return Earned(units, revenue, margin, spoiled, waste, profit, missed)


def _of_files(store: str, date: dt.date | None, chain: ChainDays) -> list[Concern]:
    newest = max(chain.earned, default=None)
    looked_at = date or newest
    if looked_at is None:
        return []
    if chain.earned.get(looked_at, pd.DataFrame()) is None:
        return [Concern("act", f"decisions of {day(looked_at)} are damaged")]
    if store in chain.unproven.get(looked_at, frozenset()):
        return [Concern("act", f"decisions of {day(looked_at)} have no receipt")]
    if newest is not None and looked_at < newest and chain.earned[newest] is None:
        return [Concern("act", f"decisions of {day(newest)} are damaged")]
    return []


def _of_live_day(store: str, date: dt.date | None, chain: ChainDays, now: dt.datetime) -> list[Concern]:
    published = chain.open_since.get((store, date)) if date else None
    if published is None or now - published < STANDS_STILL_AFTER:
        return []
    return [Concern("act", f"live day stands still since {published:%d %b %H:%M} UTC")]


def _of_silence(has_sold: bool, date: dt.date | None, chosen: dt.date | None, newest: dt.date | None) -> list[Concern]:  # noqa: FBT001
    if newest is None:
        return []
    if chosen is not None:
        return [] if has_sold else [Concern("look", "sold nothing on this day")]
    if date is None:
        return [Concern("look", "sold nothing on the newest days")]
    behind = (newest - date).days
    return [Concern("look", f"{days(behind)} behind the newest store")] if behind > 1 else []


def _of_prices(date: dt.date | None, books: Sequence[dt.date] | None) -> list[Concern]:
    if date is None or books is None or date in books:
        return []
    in_force = max((book for book in books if book < date), default=None)
    if in_force is None:
        return [Concern("look", "no price book")]
    return [Concern("look", f"price book of {day(in_force)}")]


def _of_decisions(waiting: int) -> list[Concern]:
    if not waiting:
        return []
    return [Concern("look", "1 price waits at the desk" if waiting == 1 else f"{waiting:,} prices wait at the desk")]


def _of_stock(sales: _Sales | None) -> list[Concern]:
    if sales is None:
        return []
    lost, earned = float(sales["lost_revenue_eur"]), float(sales["revenue_eur"])
    if lost <= 0 or lost < STOCK_OUTS_MATTER_FROM * (earned + lost):
        return []
    return [Concern("look", f"{int(sales['count_sold_out']):,} sold out: about {euros(lost)} lost")]


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
