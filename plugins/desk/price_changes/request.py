"""What people ask for: an override, a freeze, the kill switch. It is examined, or recorded under one lock."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache, partial

from catalog.bounds import cost_plus_margin
from catalog.errors import DataError, Declined, ShelfpriceError
from catalog.load import Catalog
from etl.calendar import StoreNow
from flows.workspace import now_of
from plugins.desk.law.shown import StoreDecisions, prices_shown, read_once, with_prior_price
from plugins.desk.next_ticks import next_ticks
from plugins.desk.price_changes.change import Event, PriceChange, Terms, counting_in, folded, stores_of
from plugins.desk.price_changes.conflicts import (
    Before,
    below_cost,
    conflicts,
    place_of,
    refuse_impossible,
    refuse_overlaps,
)
from plugins.desk.price_changes.consequence import Consequence, DayForecast, outlook_of, with_forecast
from plugins.desk.price_changes.record import LOCK, PATIENCE, changes_by_people, next_number, record
from serving.book.store import book_in_force
from serving.limits.orders import Kind
from warehouse.commits.locks import held
from warehouse.workspace import Workspace

Dates = tuple[dt.date | None, dt.date | None]
"""First and last business date. Without a first one it is the store's date, and without a last one the first."""


@dataclass(frozen=True)
class PriceRequest:
    """What a person asks for.

    Attributes
    ----------
    kind
        `override`, `freeze` (the price that is shown) or `kill_switch` (base prices).
    sku, store
        None is every product, every store.
    price
        EUR, for an override.
    valid_from
        By default the next tick.
    valid_until
        None is until it is withdrawn.
    announced
        Whether the price is announced as a reduction, which then has to name the lowest price before it.
    ignore_conflicts
        Whether it is recorded despite what speaks against it.
    below_cost
        Whether it may be below the floor, and below cost plus the minimum margin as the cost is now; a higher cost asks
        anew.
    """

    kind: Kind
    reason: str
    sku: str | None = None
    store: str | None = None
    price: float | None = None
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    announced: bool = False
    ignore_conflicts: bool = False
    below_cost: bool = False


@dataclass(frozen=True)
class DeskAnswer:
    """What became of a request: its price changes, what speaks against them, and what they are expected to bring a day.

    `consequence` is that of one store; None without a price book, or for more than one product.
    """

    changes: tuple[PriceChange, ...]
    conflicts: tuple[str, ...]
    consequence: Consequence | None

    @property
    def is_waiting(self) -> bool:
        """Whether somebody else has to approve."""
        return any(change.last == "proposed" for change in self.changes)


def ask(workspace: Workspace, request: PriceRequest, by: str) -> DeskAnswer:
    """Record a request, approved at once where the person who asks may approve.

    Raises
    ------
    CatalogError, DataError
        When it can never hold.
    Declined
        When something speaks against it and that is not to be ignored, when its price is below cost plus the minimum
        margin and nobody accepted that, or somebody else is deciding right now.
    """
    return _asked_together(workspace, (request,), by, lambda _: nullcontext())[0]


def ask_all(workspace: Workspace, requests: Sequence[PriceRequest], by: str) -> list[DeskAnswer]:
    """Record several requests as one action, all or none, and return what became of each.

    Raises
    ------
    Declined
        When one of them is refused, as `ask` would; the message names the product and store of the first.
    """
    return _asked_together(workspace, requests, by, partial(_naming, workspace.catalog)) if requests else []


def _asked_together(
    workspace: Workspace,
    requests: Sequence[PriceRequest],
    by: str,
    naming: Callable[[PriceRequest], AbstractContextManager[None]],
) -> list[DeskAnswer]:
    lake, catalog = workspace.lake, workspace.catalog
    with held(workspace.settings.locks, LOCK, PATIENCE):
        lake.finish_interrupted()
        facts, number, now = facts_for(workspace, requests), next_number(lake), dt.datetime.now(dt.UTC)
        outcomes = list[tuple[list[Terms], tuple[str, ...], Consequence | None]]()
        for request in requests:
            with naming(request):
                outcomes.append(examined_terms(facts, request))
                _refuse_unwelcome(catalog, request, *outcomes[-1][:2])
        before: Before = {}
        for terms, _, _ in outcomes:
            refuse_overlaps(catalog, terms, before)
        count, places, events_of = sum(len(terms) for terms, _, _ in outcomes), itertools.count(1), list[list[Event]]()
        for terms, _, _ in outcomes:
            names = [f"h{number}" if count == 1 else f"h{number}.{next(places)}" for _ in terms]
            proposed = [
                Event(number, name, "proposed", now, term.valid_from, by, term)
                for name, term in zip(names, terms, strict=True)
            ]
            events_of.append(list(_asked(catalog, proposed, facts.ticks)))
        record(lake, catalog, number, [event for events in events_of for event in events])
    return [
        DeskAnswer(tuple(folded(events)), outcome[1], outcome[2])
        for events, outcome in zip(events_of, outcomes, strict=True)
    ]


@dataclass(frozen=True)
class Facts:
    """What the lake says to every request of one action, read once.

    Attributes
    ----------
    ticks
        When the next tick of each store begins that some request is about, UTC.
    shown
        The price shown last, EUR, by store and product.
    others
        What people asked for that may bear on some request; `by_sku` has the same by product.
    outlooks
        What prices bring on a date; None without a book. `brings` keeps what was asked of them.
    decisions
        What stores showed.
    """

    workspace: Workspace
    ticks: Mapping[str, dt.datetime]
    shown: Mapping[tuple[str, str], float]
    others: Sequence[PriceChange]
    by_sku: Mapping[str | None, Sequence[PriceChange]]
    outlooks: Callable[[dt.date], DayForecast | None]
    decisions: StoreDecisions
    brings: Callable[..., Consequence] = field(default_factory=lambda: cache(DayForecast.of))

    def next_tick(self, store: str | None) -> dt.datetime:
        """Return when the next tick of a store begins, UTC; without one, of the store that is first."""
        return min(self.ticks[own] for own in stores_of(self.workspace.catalog, store))

    def bearing_on(self, sku: str | None) -> Sequence[PriceChange]:
        """Return the price changes that may bear on a product."""
        if sku is None:
            return self.others
        return sorted((*self.by_sku.get(sku, ()), *self.by_sku.get(None, ())), key=lambda change: change.number)


def facts_for(workspace: Workspace, requests: Sequence[PriceRequest]) -> Facts:
    """Return what bears on requests; precondition: their stores are of the catalog."""
    lake, catalog = workspace.lake, workspace.catalog
    stores = {store for request in requests for store in stores_of(catalog, request.store)}
    ticks = next_ticks(lake, catalog, stores, now_of(workspace))
    looks_back = any(request.announced for request in requests)  # an announcement does
    firsts = [
        request.valid_from or min(ticks[store] for store in stores_of(catalog, request.store)) for request in requests
    ]
    others, by_sku = changes_by_people(lake, None if looks_back else min(firsts)), dict[str | None, list[PriceChange]]()
    for change in others:
        by_sku.setdefault(change.terms.sku, []).append(change)

    @cache
    def outlook(date: dt.date) -> DayForecast | None:
        book = book_in_force(lake, date)
        return None if book is None else outlook_of(lake, catalog, book, date)

    return Facts(workspace, ticks, prices_shown(lake, catalog), others, by_sku, outlook, read_once(lake))


def examined_terms(facts: Facts, request: PriceRequest) -> tuple[list[Terms], tuple[str, ...], Consequence | None]:
    """Return a request's terms, what speaks against them, and what they bring; raises where they can never hold."""
    lake, catalog = facts.workspace.lake, facts.workspace.catalog
    now = facts.next_tick(request.store)
    terms = list(_terms_of(facts, request, now))
    for term in terms:
        refuse_impossible(catalog, term, now)
    looking_back = facts.others, facts.decisions
    terms = [with_prior_price(lake, catalog, term, max(term.valid_from, now), *looking_back) for term in terms]
    if request.below_cost:
        terms = [_with_accepted_cost(catalog, term) for term in terms]
    others = facts.bearing_on(request.sku)
    against = tuple(dict.fromkeys(conflict for term in terms for conflict in conflicts(catalog, term, others)))
    consequence = _consequence(facts, terms[0]) if len(terms) == 1 else None
    if consequence is not None and consequence.cost is not None:
        count = 1 if request.store is not None else len(catalog.store.stores)
        terms = [replace(term, expected_cost=consequence.cost * count) for term in terms]
    return [with_forecast(catalog, facts.outlooks, term, facts.brings) for term in terms], against, consequence


def _refuse_unwelcome(catalog: Catalog, request: PriceRequest, terms: Sequence[Terms], against: Sequence[str]) -> None:
    """Refuse a request that something speaks against, unless the person who asks accepts that."""
    costly = [sentence for term in terms if (sentence := below_cost(catalog, term)) is not None]
    if costly:
        sentence = "; ".join(dict.fromkeys(costly))
        raise Declined(f"{sentence}: nothing was recorded; accept it by --below-cost, or the box at the desk")
    if against and not request.ignore_conflicts:
        raise Declined(f"{'; '.join(against)}: nothing was recorded; ask for it anyway if it is meant so")


@contextmanager
def _naming(catalog: Catalog, request: PriceRequest) -> Iterator[None]:
    """Name the product and store of a request that is refused."""
    try:
        yield
    except ShelfpriceError as error:
        raise Declined(f"{place_of(catalog, request.sku, request.store)}: {error}") from error


def _terms_of(facts: Facts, request: PriceRequest, now: dt.datetime) -> Iterator[Terms]:
    """Yield the terms of a request: one, or for a freeze one for each store, since each shows a price of its own."""
    catalog, shown = facts.workspace.catalog, facts.shown
    start, reason = request.valid_from or now, request.reason.strip()
    if request.kind != "override" and (request.price is not None or request.announced):
        raise DataError(
            "expected a price or an announcement of an override alone, found one of a "
            f"{request.kind.replace('_', ' ')}; nothing was recorded: leave it out"
        )
    wanted = None if request.price is None else catalog.store.money.without_noise(request.price)
    if request.kind != "freeze":
        olds = {shown.get((store, request.sku or "")) for store in stores_of(catalog, request.store)}
        old = olds.pop() if len(olds) == 1 else None  # stores that show several prices have none in common
        terms = Terms(request.kind, request.sku, request.store, old, wanted, start, request.valid_until, reason)
        yield replace(terms, announced=True) if request.announced else terms
        return
    if request.sku is None:
        raise DataError("expected the product that is frozen, found none; nothing was recorded")
    base = catalog.product(request.sku).base_price
    for store in stores_of(catalog, request.store):
        price = shown.get((store, request.sku), base)
        yield Terms("freeze", request.sku, store, price, price, start, request.valid_until, reason)


def _consequence(facts: Facts, terms: Terms) -> Consequence | None:
    """Return what terms bring on the first store day on which they hold."""
    clock = facts.workspace.catalog.store.clock_of(terms.store)
    date = clock.date_of(terms.valid_from)
    outlook = facts.outlooks(date)
    if outlook is None or terms.sku is None or terms.new_price is None:
        return None
    ticks = clock.ticks_within(date, terms.valid_from, terms.valid_until)
    return outlook.in_store(terms.store).of(terms.sku, terms.new_price, *(ticks or (0, None)))


def _asked(catalog: Catalog, proposed: Sequence[Event], begins: Mapping[str, dt.datetime]) -> Iterator[Event]:
    """Yield what was asked for, approved at once where it may be; nothing counts from before it is approved."""
    for event in proposed:
        yield event
        if not catalog.store.approval.by_another:
            ticks = {store: begins[store] for store in stores_of(catalog, event.terms.store)}
            yield counting_in(replace(event, event="approved"), ticks)


def _with_accepted_cost(catalog: Catalog, terms: Terms) -> Terms:
    """Return terms that may be below the floor and the cost plus minimum margin of now, where their price is."""
    if terms.sku is None or terms.new_price is None:
        return terms
    product = catalog.product(terms.sku)
    least = cost_plus_margin(product, catalog.store.guardrails, catalog.store.money)
    return replace(terms, accepted_cost=least) if terms.new_price < max(least, product.floor) else terms


@dataclass(frozen=True)
class Examined:
    """What would become of one request.

    Attributes
    ----------
    terms
        What would be recorded; empty where it can never hold.
    conflicts
        What speaks against it, in a sentence each.
    consequence
        What it is expected to bring, as `DeskAnswer` has it.
    problem
        Why it can never hold; None where it can.
    """

    terms: tuple[Terms, ...] = ()
    conflicts: tuple[str, ...] = ()
    consequence: Consequence | None = None
    problem: str | None = None


def examined(workspace: Workspace, request: PriceRequest) -> Examined:
    """Tell what would become of a request.

    Raises
    ------
    CatalogError, DataError
        When it can never hold.
    """
    return _examined(workspace, examined_terms(facts_for(workspace, (request,)), request))


def examined_all(workspace: Workspace, requests: Sequence[PriceRequest]) -> list[Examined]:
    """Tell what would become of each of several requests of one action; one that can never hold has a problem."""
    if not requests:
        return []
    facts, before, rows = facts_for(workspace, requests), Before(), list[Examined]()
    for request in requests:
        try:
            terms_of_request = examined_terms(facts, request)
            refuse_overlaps(workspace.catalog, terms_of_request[0], before)
            rows.append(_examined(workspace, terms_of_request))
        except ShelfpriceError as error:
            rows.append(Examined(problem=str(error)))
    return rows


def _examined(
    workspace: Workspace, examined_terms: tuple[Sequence[Terms], Sequence[str], Consequence | None]
) -> Examined:
    terms, against, consequence = examined_terms
    costly = [sentence for term in terms if (sentence := below_cost(workspace.catalog, term)) is not None]
    return Examined(tuple(terms), tuple(dict.fromkeys((*costly, *against))), consequence)


def span_of_days(catalog: Catalog, now: StoreNow, dates: Dates) -> tuple[dt.datetime, dt.datetime]:
    """Return when the first of some dates opens, or the store's next tick begins, and when the last one closes, UTC.

    Raises
    ------
    DataError
        When a date is of no year that clocks are known of.
    """
    clock, first = catalog.store.clock_of(now.store), dates[0] or now.date
    for date in dates:
        if date is not None:
            clock.moment_of_person(dt.datetime.combine(date, dt.time(12)))
    return max(now.moment, clock.opening_of(first)), clock.closing_of(dates[1] or first)
