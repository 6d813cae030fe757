"""A price that a person types: what it would bring and what speaks against it, before it is saved."""

import datetime as dt
import re
from dataclasses import dataclass

import numpy as np

from catalog.bounds import not_below
from catalog.clocks import WallClock
from catalog.currency import Currency
from catalog.errors import DataError, ShelfpriceError
from dashboard.data.desk.price_desk import Sheet
from dashboard.data.desk.rows import Row
from dashboard.formats import shown_currency
from plugins.desk.price_changes.change import Terms
from plugins.desk.price_changes.conflicts import below_cost, conflicts, refuse_impossible
from plugins.desk.price_changes.request import Examined

_ANY_REASON = "typed"
_FORMS = '"to 1.29", "+5 %", "-0.10" or "margin 30 %"'
_TYPED = re.compile(
    r"(?P<way>to|margin|[+-])\s*(?P<number>\d{1,7}(?:[.,]\d{1,4})?)\s*(?P<percent>%)?", re.ASCII | re.IGNORECASE
)
_WHOLE = 100  # percent


@dataclass(frozen=True)
class PriceDraft:
    """A price, EUR, and the local times of day from when until when it is wanted; empty is the rest of the day."""

    price: float | None
    start: str | None = None
    end: str | None = None


def span_of(sheet: Sheet, row: Row, draft: PriceDraft) -> tuple[dt.datetime, dt.datetime]:
    """Return from when until when a draft is wanted, UTC: by default from the next tick until closing.

    Raises
    ------
    DataError
        When a time is none.
    """
    now = sheet.clocks[row.store]
    clock, date = sheet.catalog.store.clock_of(row.store), now.date
    start = now.moment if not draft.start else _moment(clock, date, draft.start)
    end = clock.closing_of(date) if not draft.end else _moment(clock, date, draft.end)
    return start, end


def preview(sheet: Sheet, row: Row, draft: PriceDraft) -> Examined:
    """Tell what a draft would bring a day and what speaks against it; nothing is recorded."""
    if draft.price is None:
        return Examined(problem="Type a price.")
    try:
        start, end = span_of(sheet, row, draft)
        terms = Terms("override", row.sku, row.store, row.now, draft.price, start, end, _ANY_REASON)
        refuse_impossible(sheet.catalog, terms, sheet.clocks[row.store].moment)
    except ShelfpriceError as error:
        return Examined(problem=str(error))
    ticks = sheet.catalog.store.clock_of(row.store).ticks_within(row.date, start, end)
    if ticks is None:
        return Examined(problem="No tick of this store begins in that time: choose a longer one.")
    outlook = sheet.outlooks.get(row.date)
    outlook = None if outlook is None else outlook.in_store(row.store)
    brings = None
    if outlook is not None and row.sku in outlook.skus:
        brings = outlook.of(row.sku, draft.price, *ticks, row.shelf)
    costly = below_cost(sheet.catalog, terms)
    against = (*([] if costly is None else [costly]), *conflicts(sheet.catalog, terms, sheet.people))
    return Examined((terms,), against, brings)


def _moment(clock: WallClock, date: dt.date, text: str) -> dt.datetime:
    try:
        time = dt.time.fromisoformat(text.strip())
    except ValueError:
        raise DataError(f"expected a time such as 13:00, found {text!r}; nothing was recorded") from None
    return clock.at(dt.datetime.combine(date, time))


def price_by(text: str, row: Row) -> float:
    """Return the price, EUR, that a typed change gives a row, in whole smallest units.

    An amount or a percentage changes the price now, or the proposed one where the store never sold the product. A
    margin is a share of the price, as the trade counts it: 30 % of 1.00 leaves 0.70 for the cost.

    Raises
    ------
    DataError
        When the text is none of the four forms, or no price above 0 results.
    """
    match = _TYPED.fullmatch(text.strip().replace("\N{MINUS SIGN}", "-"))
    way = "" if match is None else match["way"].lower()
    if match is None or (way == "margin") > (match["percent"] is not None) or (way == "to" and match["percent"]):
        raise DataError(f"expected {_FORMS}, found {text!r}; nothing was recorded")
    number, money = float(match["number"].replace(",", ".")), shown_currency()
    if way == "to":
        return number
    if way == "margin":
        return _with_margin(number / _WHOLE, row, money)
    now, sign = row.proposed if row.now is None else row.now, -1 if way == "-" else 1
    price = round(now * (1 + sign * number / _WHOLE) if match["percent"] else now + sign * number, money.digits)
    if price <= 0:
        left = f"{text} of {money.format_money(now)} leaves no price above 0"
        raise DataError(f"{row.title}: {left}; nothing was recorded")
    return price


def _with_margin(margin: float, row: Row, money: Currency) -> float:
    """Return the lowest price of which a share is left once the unit is paid, EUR."""
    if not 0 <= margin < 1 or not row.unit_cost:
        why = "a margin from 0 % to below 100 %" if row.unit_cost else "a product whose cost is known"
        raise DataError(f"{row.title}: expected {why}; nothing was recorded")
    return float(not_below(np.array([row.unit_cost / (1 - margin)]), money=money)[0])
