"""Numbers, dates and durations as people read them."""

import datetime as dt
import html
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from math import isfinite
from types import MappingProxyType
from typing import Any

from catalog.clocks import UTC, WallClock
from catalog.currency import EUR, Currency

UNKNOWN = "–"
"""Shown where there is no number."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400  # seconds
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1_000


_MONEY: ContextVar[Currency] = ContextVar("money", default=EUR)


_STORES: ContextVar[Mapping[str, str]] = ContextVar("stores", default=MappingProxyType({}))  # names, by id


def show_in(currency: Currency, stores: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write amounts in a currency, and stores by their names, from now on, in this thread, or in this request."""
    _MONEY.set(currency)
    _STORES.set(stores)


def store_name(store: str) -> str:
    """Write a store: its name, or its id where it has none."""
    return _STORES.get().get(store, store)


def store_options(stores: Iterable[str]) -> list[dict[str, str]]:
    """Offer stores by name and id: `Köln Süd (S01)`."""
    names = _STORES.get()
    return [{"value": store, "label": f"{names[store]} ({store})" if store in names else store} for store in stores]


def shown_currency() -> Currency:
    """Return the currency that amounts are written in."""
    return _MONEY.get()


def euros(amount: float) -> str:
    """Write an amount: `€1,234.50`, `¥1,235`; with a minus sign and not a hyphen."""
    money = shown_currency()
    return f"{'−' if amount < 0 else ''}{money.symbol}{abs(amount):,.{money.digits}f}"


def in_currency(text: str) -> str:
    """Return a text or a format that is written for euros, such as `€%{x:.2f}`, for the currency that is shown."""
    money = shown_currency()
    if money == EUR:
        return text
    per_visit = max(EUR.digits + 1, money.digits)
    text = text.replace(".3f", f".{per_visit}f").replace(".2f", f".{money.digits}f")
    return text.replace("€", money.symbol).replace("EUR", money.code)


def in_currency_of(columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the columns of a grid with their formats for the currency that is shown."""
    return [
        {
            name: {"function": in_currency(value["function"])}
            if name == "valueFormatter" and ("€" in value["function"] or "EUR" in column.get("headerName", ""))
            else in_currency(value)
            if name == "headerName"
            else value
            for name, value in column.items()
        }
        for column in columns
    ]


def count(number: float) -> str:
    """Write a count: `12,345`."""
    return f"{number:,.0f}"


def share(part: float, digits: int = 1) -> str:
    """Write a share of one in percent: `54.3 %`."""
    return f"{100 * part:.{digits}f} %"


def points(part: float) -> str:
    """Write a difference of two shares in percentage points: `1.9 points`."""
    return f"{100 * part:.1f} points" if isfinite(part) else UNKNOWN


def days(number: int) -> str:
    """Write a number of days: `1 day`, `4 days`."""
    return f"{number:,} day{'' if number == 1 else 's'}"


def change(now: float, before: float) -> str | None:
    """Write a change in percent: `+4.2 %`; None when there is nothing to compare with."""
    if not before:
        return None
    moved = 100 * (now / before - 1)
    return f"{'−' if moved < 0 else '+'}{abs(moved):.1f} %"


def literal(text: str, longest: int = 40) -> str:
    """Return text for a figure, where Plotly would read `<b>` as a tag; a long one is cut."""
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return html.escape(cut, quote=False)


def day(date: dt.date) -> str:
    """Write a date: `Mon 5 Jan 2026`."""
    return f"{date:%a} {date.day} {date:%b %Y}"


def zone_named(clock: WallClock) -> str:
    """Name a store's time zone in brackets behind its local times; nothing where it is UTC."""
    return "" if clock.time_zone == UTC else f" ({clock.time_zone})"


def ago(moment: dt.datetime | None, now: dt.datetime) -> str:
    """Write how long ago something was."""
    if moment is None:
        return UNKNOWN
    seconds = max((now - moment).total_seconds(), 0)
    if seconds < _MINUTE:
        return "just now"
    for length, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= length:
            n = int(seconds // length)
            return f"{n} {unit}{'' if n == 1 else 's'} ago"
    raise AssertionError


def duration(seconds: float) -> str:
    """Write a duration: `12.3 s`, `4 min 05 s`, `2 h 10 min`."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE):02d} s"
    return f"{int(seconds // _HOUR)} h {int(seconds % _HOUR // _MINUTE):02d} min"


def size(n_bytes: float) -> str:
    """Write a size on the disk: `12.3 MB`."""
    unit = 0
    while n_bytes >= _THOUSAND and unit < len(_UNITS) - 1:
        n_bytes, unit = n_bytes / _THOUSAND, unit + 1
    return f"{n_bytes:.0f} {_UNITS[unit]}" if unit == 0 else f"{n_bytes:.1f} {_UNITS[unit]}"
