"""A price that a person types: what it would bring and what speaks against it, before it is saved."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from catalog.clocks import WallClock
from catalog.errors import DataError, ShelfpriceError
from dashboard.data.desk.price_desk import Sheet
from dashboard.data.desk.rows import Row
from desk.price_changes.change import Terms
from desk.price_changes.conflicts import below_cost, conflicts, refuse_impossible

_ANY_REASON = "typed"


@dataclass(frozen=True)
class PriceDraft:
    """A price, EUR, and the local times of day from when until when it is wanted; empty is the rest of the day."""

    price: float | None
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True)
class Preview:
    """What a draft would bring in its time and what speaks against it. None where no model knows.

    Attributes
    ----------
    p_sale, units, revenue, profit
        Chance that a shopper who considers the product buys it, expected units, and EUR.
    cost, policy_price
        What is lost until closing against the plan, EUR, and the price with which the plan goes on, EUR.
    known_from, known_to
        Where the price is beyond what is known: the prices between which demand is, EUR.
    problem
        Why the draft can never hold; None where it can.
    """

    conflicts: tuple[str, ...] = ()
    policy_price: float | None = None
    p_sale: float | None = None
    units: float | None = None
    revenue: float | None = None
    profit: float | None = None
    cost: float | None = None
    known_from: float | None = None
    known_to: float | None = None
    problem: str | None = None


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


def preview(sheet: Sheet, row: Row, draft: PriceDraft) -> Preview:
    """Tell what a draft would bring a day and what speaks against it; nothing is recorded."""
    if draft.price is None:
        return Preview(problem="Type a price.")
    try:
        start, end = span_of(sheet, row, draft)
        terms = Terms("override", row.sku, row.store, row.now, draft.price, start, end, _ANY_REASON)
        refuse_impossible(sheet.catalog, terms, sheet.clocks[row.store].moment)
    except ShelfpriceError as error:
        return Preview(problem=str(error))
    ticks = sheet.catalog.store.clock_of(row.store).ticks_within(row.date, start, end)
    if ticks is None:
        return Preview(problem="No tick of this store begins in that time: choose a longer one.")
    outlook = sheet.outlooks.get(row.date)
    outlook = None if outlook is None else outlook.in_store(row.store)
    known = dict[str, Any]()
    if outlook is not None and row.sku in outlook.skus:
        known = vars(outlook.of(row.sku, draft.price, *ticks, row.shelf)).copy()
        del known["price"]
    costly = below_cost(sheet.catalog, terms)
    against = (*([] if costly is None else [costly]), *conflicts(sheet.catalog, terms, sheet.people))
    return Preview(against, **known)


def _moment(clock: WallClock, date: dt.date, text: str) -> dt.datetime:
    try:
        time = dt.time.fromisoformat(text.strip())
    except ValueError:
        raise DataError(f"expected a time such as 13:00, found {text!r}; nothing was recorded") from None
    return clock.at(dt.datetime.combine(date, time))
