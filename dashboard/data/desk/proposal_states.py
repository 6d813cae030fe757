"""What became of a proposal: it passes, waits or was decided about, and what people set stands in its place."""

import datetime as dt
from collections.abc import Iterable
from typing import Literal

from catalog.clocks import WallClock
from catalog.price_rules import RULES
from catalog.records.product import Product
from dashboard.formats import euros
from desk.price_changes.change import PriceChange
from desk.price_changes.passed import THE_RULE
from etl.live.store_now import StoreNow
from serving.store_standing import Standing

State = Literal["waits", "passes", "approved", "rejected", "overridden"]


def state_of(change: PriceChange) -> State:
    """Return what became of a proposal that was recorded."""
    if change.last == "approved":
        return "passes" if change.events[-1].by == THE_RULE else "approved"
    return "waits" if change.last == "proposed" else "rejected"


def in_words(state: State, change: PriceChange | None, held: Standing) -> str:
    """Say what became of a proposal; `change` is None where nobody has recorded one, or it passed in a set."""
    if state == "waits":
        return f"waits; until then {euros(held.price)}"
    if change is None or state == "passes":
        return "passes"
    by = change.events[-1].by
    if state == "approved":
        return f"approved by {by}"
    is_kept = held.rule == "not_approved" or held.price != change.terms.new_price
    return f"rejected by {by}" if is_kept else f"rejected by {by}; no other price is known, so it stands"


def covering(
    people: Iterable[PriceChange], store: str, start: dt.datetime, end: dt.datetime
) -> dict[str | None, PriceChange]:
    """Return the strongest change of people that holds in a store at some time from a start until before an end.

    They are by product; None is every product.
    """
    found = dict[str | None, PriceChange]()
    for change in sorted(people, key=lambda change: change.rank):
        span = change.span(store)
        if span is not None and span[0] < end and (span[1] is None or span[1] > start):
            found[change.terms.sku] = change
    return found


def overridden(change: PriceChange, product: Product, held: Standing, at: StoreNow, wall: WallClock) -> str:
    """Say what a person set and when it holds, and what stands in its place where a limit keeps it from standing."""
    terms = change.terms
    price = product.base_price if terms.new_price is None else terms.new_price
    what = {"override": "set to", "freeze": "frozen at", "kill_switch": "kill switch:"}.get(terms.kind, "")
    span = change.span(at.store)
    is_later = span is not None and span[0] > at.moment and held.order != change.id
    start = f" from {wall.local(span[0]):%H:%M}" if span is not None and is_later else ""
    end = None if span is None or span[1] is None else wall.local(span[1])
    until = f" until {end:%H:%M}" if end is not None and end.date() == at.date else ""
    unmet = f"; {euros(held.price)} stands, {RULES[held.rule]}" if held.order == change.id and held.unmet else ""
    return f"{what} {euros(price)} by {change.proposer}{start}{until}{unmet}"
