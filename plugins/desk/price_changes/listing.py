"""Price changes as rows that people read: what, when, by whom, and their state at the next tick."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from catalog.clocks import UTC, WallClock
from flows.workspace import now_of
from plugins.desk.next_ticks import next_tick, next_ticks
from plugins.desk.price_changes.change import PriceChange, State, Terms
from plugins.desk.price_changes.record import changes_on
from warehouse.workspace import Workspace

_OF_TERMS = ("kind", "sku", "store", "old_price", "new_price", "reason", "expected_cost", "announced", "prior_price")


def rows_of(workspace: Workspace, changes: Sequence[PriceChange]) -> list[dict[str, Any]]:
    """Return a row for each price change.

    Returns
    -------
    list of dict
        `change`, `state`, `kind`, `sku`, `store`, `old_price`, `new_price` (EUR, None where there is none),
        `valid_from`, `valid_until` (ISO, UTC, None until withdrawn), `what`, `when` (local time), `time_zone`,
        `reason`, `by`, `approved_by`, `expected_cost` (EUR a day), `announced`, `prior_price`, `events` and `currency`.
    """
    clocks = _next_ticks_for(workspace, (change.terms.store for change in changes))
    others: dict[dt.date, list[PriceChange]] = {}
    store_of, money = workspace.catalog.store.clock_of, {"currency": workspace.catalog.store.currency}
    dates = {store: store_of(store).date_of(now) for store, now in clocks.items()}
    for date in set(dates.values()):
        others[date] = changes_on(workspace.lake, date)
    stores = ((change, change.terms.store) for change in changes)
    return [_row(change, clocks[store], others[dates[store]], store_of(store)) | money for change, store in stores]


def _next_ticks_for(workspace: Workspace, stores: Iterable[str | None]) -> dict[str | None, dt.datetime]:
    """Return the next tick of each of some stores, and of the first of all of them where None is among them."""
    lake, catalog, wanted = workspace.lake, workspace.catalog, set(stores)
    now = now_of(workspace)
    named = next_ticks(lake, catalog, [store for store in wanted if store is not None], now)
    return {store: next_tick(lake, catalog, now=now) if store is None else named[store] for store in wanted}


def _row(change: PriceChange, now: dt.datetime, others: Sequence[PriceChange], clock: WallClock) -> dict[str, Any]:
    terms = change.terms
    events = [
        {"event": event.event, "by": event.by, "reason": event.terms.reason}
        | {name: getattr(event, name).isoformat() for name in ("recorded_at", "effective_at")}
        for event in change.events
    ]
    return {
        "change": change.id,
        "state": _state(change, now, others),
        **{name: getattr(terms, name) for name in _OF_TERMS},
        "valid_from": terms.valid_from.isoformat(),
        "valid_until": None if terms.valid_until is None else terms.valid_until.isoformat(),
        "what": what_of(terms),
        "when": when_of(terms, clock),
        "time_zone": clock.time_zone,
        "by": change.proposer,
        "approved_by": change.approver,
        "events": events,
    }


def _state(change: PriceChange, now: dt.datetime, others: Sequence[PriceChange]) -> State:
    """Return the state at a store's next tick: what was ordered at once holds there whatever the tick is."""
    state = change.state(now, others, change.terms.store)
    return "in_force" if state == "scheduled" and change.is_at_once else state


def what_of(terms: Terms) -> str:
    """Say in words what is wanted."""
    where = terms.store or "every store"
    if terms.kind == "kill_switch":
        return f"kill switch on, {where}"
    verb = {"price": "price of", "override": "override of", "freeze": "freeze of"}[terms.kind]
    return f"{verb} {terms.sku or 'every product'}, {where}"


def when_of(terms: Terms, clock: WallClock) -> str:
    """Say in words from when until when, in local time; the zone is named where it is not UTC."""
    start, zone = clock.local(terms.valid_from), "" if clock.time_zone == UTC else f" ({clock.time_zone})"
    begins = f"from {start:%Y-%m-%d %H:%M}"
    if terms.valid_until is None:
        return f"{begins} until withdrawn{zone}"
    end = clock.local(terms.valid_until)
    return f"{begins} to {end:%H:%M}{zone}" if start.date() == end.date() else f"{begins} to {end:%Y-%m-%d %H:%M}{zone}"
