"""Pickers of the Store and Prices pages: the business dates and stores on offer, and which date is meant."""

import datetime as dt
from typing import Any

import dash_mantine_components as dmc
from dash.development.base_component import Component

from dashboard.formats import day
from dashboard.monitor import Monitor

SOLD = ("interactions", "repricings", "live_interactions", "live_repricings")
"""Tables of a store day, closed or still being sold."""

NEWEST = "newest"
"""Picked instead of a date, it follows a live store into its next day."""


def shown_date(monitor: Monitor, chosen: str) -> dt.date | None:
    """Return the business date that was picked; None when no day was sold yet."""
    return max(monitor.reader.dates(*SOLD), default=None) if chosen == NEWEST else dt.date.fromisoformat(chosen)


def book_date(monitor: Monitor, date: dt.date | None) -> dt.date | None:
    """Return the date of the price book in force on a date; None when none had been made."""
    return max((one for one in monitor.reader.dates("price_book") if date and one <= date), default=None)


def days(monitor: Monitor) -> list[dict[str, str]]:
    """Offer the business dates, the newest first."""
    dates = reversed(monitor.reader.dates(*SOLD))
    return [{"value": NEWEST, "label": "Newest day"}, *({"value": str(date), "label": day(date)} for date in dates)]


def stores(monitor: Monitor, date: dt.date | None) -> list[str]:
    """Return the stores that sold something on a date, none without a date."""
    if date is None:
        return []
    found: list[str] = monitor.reader.ask("stores_of_day", SOLD, on=date, date=date)["store_id"].tolist()
    return found


def picker(identifier: str, label: str, offered: list[Any], width: int, value: str | None) -> Component:
    """Offer some values, one of which is always chosen."""
    return dmc.Select(id=identifier, label=label, data=offered, value=value, w=width, allowDeselect=False)
