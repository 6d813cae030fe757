"""Which date a store sells next, and which dates it must not sell live."""

import datetime as dt

from catalog.errors import DataError, Declined
from catalog.load import Catalog
from catalog.near import did_you_mean
from etl.business_dates import DEFAULT_START, ONE_DAY
from etl.live.day import LiveDay, days_with_live_parts
from warehouse.connection import read_only
from warehouse.lake import Lake
from warehouse.sql_files import queries_beside
from warehouse.workspace import Workspace

_query = queries_beside(__file__)


def refuse_unknown_store(catalog: Catalog, store: str) -> None:
    """Refuse a store that the catalog does not have.

    Raises
    ------
    DataError
        When the store is unknown; the message lists the ones there are.
    """
    if store not in catalog.store.stores:
        known = ", ".join(catalog.store.stores[:20])
        meant = did_you_mean(store, catalog.store.stores)
        raise DataError(f"expected a store of the catalog ({known}), found {store!r}; nothing was sold{meant}")


def day_to_sell(workspace: Workspace, store: str, date: dt.date | None) -> LiveDay:
    """Return the day to sell: the one asked for, else the one left open, else the day after the store's newest.

    Raises
    ------
    Declined
        When the date has decisions of the store already.
    """
    if date is None:
        return _open_day(workspace.lake, store) or LiveDay(store, _day_after_newest(workspace, store))
    day = LiveDay(store, date)
    if day.is_closed(workspace.lake):
        raise Declined(f"{store} has sold {date} live, and the day is closed; nothing was sold, choose another date")
    if workspace.lake.receipt(day.part("live_interactions")) is None and _has_decisions(workspace, day):
        raise Declined(
            f"{store} has decisions of {date} from a simulation; selling the day again would count it twice: nothing "
            f"was sold, choose another date, such as {_day_after_newest(workspace, store)}"
        )
    return day


def dates_to_sell(
    workspace: Workspace, store: str, date: dt.date | None, days: int, left: dt.date | None
) -> tuple[LiveDay, dt.date]:
    """Return the first day and the last date to sell: those asked for, or what a run that was killed has left of them.

    Parameters
    ----------
    left
        Last date that such a run was to sell, None without one. Where it was killed behind its last tick nothing is
        left, and the first day lies after the last date.

    Raises
    ------
    Declined
        As in `day_to_sell`.
    """
    if left is not None and (date is None or date <= left):
        if LiveDay(store, left).is_closed(workspace.lake):
            return LiveDay(store, left + ONE_DAY), left
        day = day_to_sell(workspace, store, None)
        if day.business_date <= left:
            return day, left
    day = day_to_sell(workspace, store, date)
    return day, day.business_date + (days - 1) * ONE_DAY


def _open_day(lake: Lake, store: str) -> LiveDay | None:
    own = [day for day in days_with_live_parts(lake) if day.store == store and not day.is_closed(lake)]
    return own[0] if own else None


def _day_after_newest(workspace: Workspace, store: str) -> dt.date:
    with read_only(workspace.settings) as warehouse:
        row = warehouse.execute(_query("newest_day_of_store"), {"store_id": store}).fetchone()
    return DEFAULT_START if row is None or row[0] is None else row[0] + dt.timedelta(days=1)


def _has_decisions(workspace: Workspace, day: LiveDay) -> bool:
    parameters = {"store_id": day.store, "business_date": day.business_date}
    with read_only(workspace.settings) as warehouse:
        row = warehouse.execute(_query("decisions_of_store_day"), parameters).fetchone()
    return row is not None and bool(row[0])
