"""Pickers of the pages: the business dates and stores on offer, and which date is meant."""

import datetime as dt
from itertools import islice
from typing import Any

import dash_mantine_components as dmc
from dash.development.base_component import Component

from dashboard.formats import day
from dashboard.monitor import Monitor

SOLD = ("interactions", "substitutions", "repricings", "live_interactions", "live_repricings")
"""Tables of a store day, closed or still being sold."""

NEWEST = "newest"
"""Picked instead of a date, it follows a live store into its next day."""

_LOOKED_BACK = 30  # dates, the newest first, among which a store's newest is looked for


def shown_date(monitor: Monitor, chosen: str, store: str | None = None) -> dt.date | None:
    """Return the business date that was picked; None when no day was sold yet.

    Parameters
    ----------
    chosen
        A date, or `NEWEST`.
    store
        Of this store, the newest date is the newest on which it sold; one that has not sold lately has that of all.
    """
    if chosen != NEWEST:
        return dt.date.fromisoformat(chosen)
    dates = monitor.reader.dates(*SOLD)
    if store is not None:
        newest = (date for date in islice(reversed(dates), _LOOKED_BACK) if store in _sellers(monitor, date))
        return next(newest, max(dates, default=None))
    return max(dates, default=None)


def book_date(monitor: Monitor, date: dt.date | None) -> dt.date | None:
    """Return the date of the price book in force on a date; None when none had been made."""
    return max((date_ for date_ in monitor.reader.dates("booked_prices") if date and date_ <= date), default=None)


def days(monitor: Monitor) -> list[dict[str, str]]:
    """Offer the business dates, the newest first."""
    dates = reversed(monitor.reader.dates(*SOLD))
    return [{"value": NEWEST, "label": "Newest day"}, *({"value": str(date), "label": day(date)} for date in dates)]


def days_and_next(monitor: Monitor) -> list[dict[str, str]]:
    """Offer the business dates, and before them the one that is priced next, if it has a price book."""
    sold = monitor.reader.dates(*SOLD)
    ahead = [date for date in monitor.reader.dates("booked_prices") if sold and date > sold[-1]]
    offered = [{"value": str(date), "label": f"{day(date)}, opens next"} for date in ahead[-1:]]
    newest, *before = days(monitor)
    return [newest, *offered, *before]


def all_stores(monitor: Monitor) -> list[str]:
    """Return every store: those of the catalog, and those that sold on the newest date; none before the first day."""
    date = shown_date(monitor, NEWEST)
    if date is None:
        return []
    named = monitor.catalog.current().store.stores
    return [*named, *(store for store in _sellers(monitor, date) if store not in named)]


def categories(monitor: Monitor) -> list[str]:
    """Return the categories of the products, in order of their names; none before the first day."""
    if not monitor.reader.dates(*SOLD):
        return []
    return sorted({str(category) for category in monitor.reader.ask("shelf", ("products",))["category"]})


def picker(identifier: str, label: str, offered: list[Any], width: int, value: str | None) -> Component:
    """Offer some values, one of which is always chosen; typing narrows the list."""
    return _offer(identifier, label, offered, value, w=width, allowDeselect=False)


def narrowing(identifier: str, label: str, offered: list[str], width: int, value: str | None) -> Component:
    """Offer some values, of which none may be chosen."""
    return _offer(identifier, label, offered, value, w=width, clearable=True, placeholder="all")


def _offer(identifier: str, label: str, offered: list[Any], value: str | None, **more: Any) -> Component:
    searched = {"searchable": True, "nothingFoundMessage": "nothing like it"}
    return dmc.Select(id=identifier, label=label, data=offered, value=value, **searched, **more)


def _sellers(monitor: Monitor, date: dt.date) -> list[str]:
    """Return the stores that sold something on a date."""
    stores: list[str] = monitor.reader.ask("stores_of_day", SOLD, on=date, date=date)["store_id"].tolist()
    return stores
