"""A price change: its terms, its events, and its state at a moment in the time of the stores.

Recorded are proposed, approved, rejected and withdrawn; time does the rest: an approved change is scheduled until it
begins, in force while it lasts, superseded while a later or a stronger one covers it, and expired after its end.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from catalog.errors import Declined
from catalog.load import Catalog
from serving.limits.orders import STRENGTH, Kind, Span

EventName = Literal["proposed", "approved", "rejected", "withdrawn"]
State = Literal["proposed", "rejected", "withdrawn", "scheduled", "in_force", "superseded", "expired"]

EVENTS: tuple[EventName, ...] = get_args(EventName)

_MAY_FOLLOW: dict[EventName | None, tuple[EventName, ...]] = {
    None: ("proposed",),
    "proposed": ("approved", "rejected", "withdrawn"),
    "approved": ("withdrawn",),
    "rejected": ("approved", "withdrawn"),
    "withdrawn": (),
}


def may_follow(last: EventName | None, event: EventName) -> bool:
    """Tell whether an event may follow the last one of a price change; None before the first."""
    return event in _MAY_FOLLOW[last]


def refuse_unless_may_follow(change: str, last: EventName | None, event: EventName) -> None:
    """Refuse an event that may not follow.

    Raises
    ------
    Declined
        With what may follow.
    """
    if may_follow(last, event):
        return
    allowed = " or ".join(_MAY_FOLLOW[last])
    raise Declined(
        f"{change}: expected a change that can be {event}, found one that is {last or 'not proposed'}; nothing was "
        f"changed{': it can only be ' + allowed if allowed else ': give a new one'}"
    )


@dataclass(frozen=True)
class Terms:
    """What is wanted. Prices in EUR; moments in the time of the stores, UTC.

    Attributes
    ----------
    sku, store
        None is every product, every store.
    old_price
        What stands without the change; None when unknown.
    new_price
        None for base prices.
    valid_until
        First moment after it; None until it is withdrawn.
    expected_cost
        What it is expected to earn less than the plan of the price book, EUR per day; None where nobody knows.
    announced, prior_price
        Whether it is announced as a reduction, and the price, EUR, that the announcement has to name.
    accepted_cost
        Cost plus minimum margin, EUR, when somebody accepted a price below that or below the floor; None where nobody
        did. A higher cost asks for it anew.
    expected_p_sale, expected_units, expected_revenue, expected_profit, expected_gain
        What was predicted of a store day when it was asked for, EUR where it is money; None without a model.
    otherwise_price, otherwise_p_sale
        What it was compared with: the old price of a proposal, else the policy's, EUR, and its chance of sale.
    """

    kind: Kind
    sku: str | None
    store: str | None
    old_price: float | None
    new_price: float | None
    valid_from: dt.datetime
    valid_until: dt.datetime | None
    reason: str
    expected_cost: float | None = None
    announced: bool = False
    prior_price: float | None = None
    accepted_cost: float | None = None
    expected_p_sale: float | None = None
    expected_units: float | None = None
    expected_revenue: float | None = None
    expected_profit: float | None = None
    expected_gain: float | None = None
    otherwise_price: float | None = None
    otherwise_p_sale: float | None = None


@dataclass(frozen=True)
class Event:
    """One thing that happened to a price change; `terms` are those that hold from then on.

    Each store follows at its own next tick: `effective_at` is the first moment, UTC, at which it counts in any store,
    and `effective_in` holds the moment of each store where it is another one. `kept_on` is the business date under
    which the change was recorded; None before.
    """

    number: int
    change: str
    event: EventName
    recorded_at: dt.datetime
    effective_at: dt.datetime
    by: str
    terms: Terms
    effective_in: Mapping[str, dt.datetime] = field(default_factory=dict)
    kept_on: dt.date | None = field(default=None, compare=False)

    def counts_from(self, store: str) -> dt.datetime:
        """Return the moment, UTC, from which it counts in a store."""
        return self.effective_in.get(store, self.effective_at)


@dataclass(frozen=True)
class PriceChange:
    """A price change with everything that happened to it, oldest first."""

    id: str
    events: tuple[Event, ...]

    @property
    def terms(self) -> Terms:
        """What is wanted by now."""
        return self.events[-1].terms

    @property
    def last(self) -> EventName:
        """What happened last."""
        return self.events[-1].event

    @property
    def number(self) -> int:
        """Number of the action that asked for it: of two changes, the later one has the higher number."""
        return self.events[0].number

    @property
    def proposer(self) -> str:
        """Who asked for it."""
        return self.events[0].by

    @property
    def approver(self) -> str | None:
        """Who approved it; None while nobody has."""
        approved = [event.by for event in self.events if event.event == "approved"]
        return approved[-1] if approved else None

    def span(self, store: str | None = None) -> Span | None:
        """From when until when it holds in a store by its events, whatever covers it; None where it never does.

        Without a store, from the first moment at which it holds in any until the last.
        """
        if not self.is_of(store):
            return None
        if store is None:
            spans = [span for part in self._told_apart() if (span := self._span_in(part)) is not None]
            ends = [end for _, end in spans]
            return (min(start for start, _ in spans), None if None in ends else max(ends)) if spans else None  # type: ignore[type-var]
        return self._span_in(store)

    def _told_apart(self) -> set[str]:
        """Return the stores whose moments are recorded; "" stands for all others."""
        return {self.terms.store or "", *(store for event in self.events for store in event.effective_in)}

    def _span_in(self, store: str) -> Span | None:
        approved = [event for event in self.events if event.event == "approved"]
        if not approved:
            return None
        start, end = max(self.terms.valid_from, approved[-1].counts_from(store)), self.terms.valid_until
        if self.last == "withdrawn":
            over = self.events[-1].counts_from(store)
            end = over if end is None else min(end, over)
        return None if end is not None and end <= start else (start, end)

    @property
    def is_at_once(self) -> bool:
        """Whether it was wanted from the next tick on, and not from a later moment."""
        return any(event.event == "approved" and self.terms.valid_from <= event.effective_at for event in self.events)

    def is_of(self, store: str | None) -> bool:
        """Tell whether it is about a store, alone or among others; without one it always is."""
        return store is None or self.terms.store in {None, store}

    def is_in_force(self, now: dt.datetime, store: str | None = None) -> bool:
        """Tell whether it holds at a moment in a store, or in any, unless a later or stronger one covers it."""
        span = self.span(store)
        return span is not None and span[0] <= now and (span[1] is None or now < span[1])

    def covers(self, other: "PriceChange") -> bool:
        """Tell whether it would hold in place of another one, wherever that one holds."""
        mine, theirs = self.terms, other.terms
        is_as_wide = mine.sku in {None, theirs.sku} and mine.store in {None, theirs.store}
        return is_as_wide and self.rank > other.rank

    @property
    def rank(self) -> tuple[int, int]:
        """Its strength, and its number: of two changes of one price, the one with the higher rank holds."""
        return STRENGTH.index(self.terms.kind), self.number

    def state(self, now: dt.datetime, others: Iterable["PriceChange"] = (), store: str | None = None) -> State:
        """Return its state at a moment.

        Parameters
        ----------
        others
            The price changes that may cover it.
        store
            The store whose moment it is; None takes the change as a whole.
        """
        if self.last in {"proposed", "rejected"}:
            return "expired" if self._is_over(now) else self.last
        if self.last == "withdrawn":
            return "withdrawn"
        if self._is_over(now):
            return "expired"
        if not self.is_in_force(now, store):
            return "scheduled"
        covered = any(other.covers(self) and other.is_in_force(now, store) for other in others if other.id != self.id)
        return "superseded" if covered else "in_force"

    def _is_over(self, now: dt.datetime) -> bool:
        end = self.terms.valid_until
        return end is not None and now >= end


def folded(events: Iterable[Event]) -> list[PriceChange]:
    """Return the price changes that events are of, in the order in which they were asked for."""
    by_change: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.number):
        by_change.setdefault(event.change, []).append(event)
    return [PriceChange(name, tuple(rows)) for name, rows in by_change.items()]


def newest_of_each(changes: Sequence[PriceChange]) -> dict[tuple[str | None, str | None], PriceChange]:
    """Return the newest of the changes of each store and product."""
    return {(change.terms.store, change.terms.sku): change for change in changes}


def counting_in(event: Event, ticks: Mapping[str, dt.datetime]) -> Event:
    """Return an event that counts in each store from that store's own next tick on, UTC."""
    first = min(ticks.values())
    return replace(
        event, effective_at=first, effective_in={store: tick for store, tick in ticks.items() if tick != first}
    )


def stores_of(catalog: Catalog, store: str | None) -> tuple[str, ...]:
    """Return the stores that a price change is about: one, or for None every one of the catalog."""
    return catalog.store.stores if store is None else (store,)
