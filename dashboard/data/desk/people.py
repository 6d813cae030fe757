"""What people set and what is not over: overrides, freezes and kill switches, with their state at the next tick."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.data.desk.price_desk import Sheet
from desk.price_changes.change import PriceChange
from desk.price_changes.listing import when_of
from desk.price_changes.states import State
from serving.orders import Kind

STANDING: frozenset[State] = frozenset({"proposed", "scheduled", "in_force", "superseded"})
"""States of what is not over."""


@dataclass(frozen=True)
class StandingOrder:
    """One price change of a person. `cost` is what it earns less than the plan, EUR; None when unknown.

    It is what the first day costs, or where `is_for_hours`, the hours of that day in which the price holds. `product`
    and `store` are None for every one, and `price` is None for base prices, EUR.
    """

    change: str
    kind: Kind
    product: str | None
    store: str | None
    price: float | None
    when: str
    by: str
    reason: str
    cost: float | None
    is_for_hours: bool
    state: State


def standing(sheet: Sheet) -> list[StandingOrder]:
    """Return what people set and what is not over, the newest first."""
    names = {product.sku: product.name for product in sheet.catalog.products}
    found = [_of(sheet, change, names) for change in reversed(sheet.people)]
    return [one for one in found if one.state in STANDING]


def by_action(orders: Sequence[StandingOrder]) -> dict[str, list[StandingOrder]]:
    """Return orders by the action that they are of: `h7` has `h7.1`, `h7.2` and so on, or one order of that name."""
    actions = dict[str, list[StandingOrder]]()
    for order in orders:
        actions.setdefault(order.change.partition(".")[0], []).append(order)
    return actions


def named_by(sheet: Sheet, action: str, states: Collection[State] = STANDING) -> list[str]:
    """Return the ids of an action's price changes in some states; of any other name, that name."""
    orders = by_action(standing(sheet)).get(action, [])
    return [order.change for order in orders if order.state in states] or [action]


def _of(sheet: Sheet, change: PriceChange, names: dict[str, str]) -> StandingOrder:
    terms = change.terms
    clock = sheet.clock_of(terms.store if terms.store in sheet.clocks else None)  # a store may have left the catalog
    wall, until = sheet.catalog.store.clock_of(terms.store), terms.valid_until
    return StandingOrder(
        change=change.id,
        kind=terms.kind,
        product=None if terms.sku is None else names.get(terms.sku, terms.sku),
        store=terms.store,
        price=terms.new_price,
        when=when_of(terms, wall),
        by=change.proposer,
        reason=terms.reason,
        cost=terms.expected_cost,
        is_for_hours=until is not None and wall.date_of(until) == wall.date_of(terms.valid_from),
        state=change.state(clock.moment, sheet.people, terms.store),
    )


def waiting_by_store(sheet: Sheet) -> Counter[str]:
    """Count what waits for a person in each store: proposals of the policy, and what somebody asked for."""
    stores, waiting = sheet.rows.take(sheet.rows.are_waiting).by_store(lambda own: own.store)
    found = Counter(dict(zip(stores.tolist(), np.bincount(waiting, minlength=len(stores)).tolist(), strict=True)))
    for asked in standing(sheet):
        if asked.state == "proposed":
            found.update(sheet.clocks if asked.store is None else [asked.store])
    return found
