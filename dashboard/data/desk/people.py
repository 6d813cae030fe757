"""What people set and what is not over: overrides, freezes and kill switches, with their state at the next tick."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from catalog.load import Catalog
from dashboard.cache import Cache
from dashboard.data.desk.price_desk import Sheet
from dashboard.data.notices import Notice
from dashboard.data.reader import Reader
from etl.calendar import stores_now
from flows.workspace import now_of
from plugins.desk.price_changes.change import PriceChange, State
from plugins.desk.price_changes.listing import when_of
from plugins.desk.price_changes.record import changes_by_people
from serving.limits.orders import Kind
from warehouse.workspace import Workspace

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
    people = [_of(sheet, change, names) for change in reversed(sheet.people)]
    return [one for one in people if one.state in STANDING]


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
    waiting = Counter[str](sheet.rows.take(sheet.rows.are_waiting).by_store(lambda store: store.store).tolist())
    for change in standing(sheet):
        if change.state == "proposed":
            waiting.update(sheet.clocks if change.store is None else [change.store])
    return waiting


class KillSwitch:
    """Shared by all browsers of a monitor; what people turned on is read again when it changes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._turned_on = Cache[list[PriceChange]](1)

    def notices(self, catalog: Catalog) -> list[Notice]:
        """Say where somebody turned it on, if it holds at the next tick of a store there."""
        stamp = self._turned_on.get("now", self._read, lambda: self._reader.stamp("price_changes"))
        lake = self._reader.lake
        now = now_of(Workspace(lake.settings, catalog, lake))
        clocks = stores_now(lake, catalog, catalog.store.stores, now) if stamp else {}
        return [
            _told(change)
            for change in stamp
            if any(change.is_in_force(clock.moment, store) for store, clock in clocks.items())
        ]

    def _read(self) -> list[PriceChange]:
        changes = changes_by_people(self._reader.lake)
        return [change for change in changes if change.terms.kind == "kill_switch" and change.span() is not None]


def _told(change: PriceChange) -> Notice:
    where = change.terms.store or "every store"
    text = (
        f"{change.proposer} turned it on in {where}: {change.terms.reason}. Base prices stand there until it is undone "
        "at the desk."
    )
    return Notice("The kill switch is on", text, "stopped", f"shelfprice decide withdraw {change.id}")
