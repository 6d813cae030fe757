"""What people do about prices: ask for one, approve, reject, withdraw. Each is checked and recorded under one lock."""

import datetime as dt
import itertools
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial

from catalog.errors import DataError, Declined, ShelfpriceError
from catalog.limits import cost_plus_margin
from catalog.load import Catalog
from catalog.near import did_you_mean
from desk.price_changes.change import Event, PriceChange, Terms, folded
from desk.price_changes.conflicts import below_cost, conflicts, of_the_announcement, refuse_impossible
from desk.price_changes.consequence import Consequence, DayForecast, outlook_of
from desk.price_changes.prior import with_prior_price
from desk.price_changes.record import (
    LOCK,
    all_changes,
    changes_by_people,
    changes_named,
    next_number,
    record,
)
from desk.price_changes.shown import prices_shown
from desk.price_changes.states import EventName, refuse_unless_may_follow
from etl.live.store_now import next_ticks
from serving.book_store import book_in_force
from serving.orders import Kind
from warehouse.lake import Lake
from warehouse.locks import held
from warehouse.workspace import Workspace


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
    """What became of a wish: its price changes, what speaks against them, and what they are expected to bring a day.

    `consequence` is that of one store; None without a price book, or for more than one product.
    """

    changes: tuple[PriceChange, ...]
    conflicts: tuple[str, ...]
    consequence: Consequence | None

    @property
    def is_waiting(self) -> bool:
        """Whether somebody else has to approve."""
        return any(change.last == "proposed" for change in self.changes)


def ask(workspace: Workspace, wish: PriceRequest, by: str) -> DeskAnswer:
    """Record a wish, approved at once where whoever asks may approve.

    Raises
    ------
    CatalogError, DataError
        When it can never hold.
    Declined
        When something speaks against it and that is not to be ignored, when its price is below cost plus the minimum
        margin and nobody accepted that, or somebody else is deciding right now.
    """
    return _asked_together(workspace, (wish,), by, lambda _: nullcontext())[0]


def ask_all(workspace: Workspace, wishes: Sequence[PriceRequest], by: str) -> list[DeskAnswer]:
    """Record several wishes as one action, all or none, and return what became of each.

    Raises
    ------
    Declined
        When one of them is refused, as `ask` would; the message names the product and store of the first.
    """
    return _asked_together(workspace, wishes, by, partial(_naming, workspace.catalog)) if wishes else []


def _asked_together(
    workspace: Workspace,
    wishes: Sequence[PriceRequest],
    by: str,
    naming: Callable[[PriceRequest], AbstractContextManager[None]],
) -> list[DeskAnswer]:
    lake, catalog = workspace.lake, workspace.catalog
    with held(workspace.settings.locks, LOCK):
        lake.finish_interrupted()
        facts, number, now = _facts_for(workspace, wishes), next_number(lake), _now()
        found = list[tuple[list[Terms], tuple[str, ...], Consequence | None]]()
        for wish in wishes:
            with naming(wish):
                found.append(_examined(facts, wish))
                _refuse_unwelcome(catalog, wish, *found[-1][:2])
        _refuse_overlaps(catalog, [own for terms, _, _ in found for own in terms])
        count, places, asked = sum(len(terms) for terms, _, _ in found), itertools.count(1), list[list[Event]]()
        for terms, _, _ in found:
            names = [f"h{number}" if count == 1 else f"h{number}.{next(places)}" for _ in terms]
            proposed = [
                Event(number, name, "proposed", now, own.valid_from, by, own)
                for name, own in zip(names, terms, strict=True)
            ]
            asked.append(list(_asked(catalog, proposed, facts.ticks)))
        record(lake, catalog, [event for events in asked for event in events])
    return [DeskAnswer(tuple(folded(events)), own[1], own[2]) for events, own in zip(asked, found, strict=True)]


def examined(workspace: Workspace, wish: PriceRequest) -> DeskAnswer:
    """Tell what would become of a wish, without recording it.

    Raises
    ------
    CatalogError, DataError
        When it can never hold.
    """
    terms, against, consequence = _examined(_facts_for(workspace, (wish,)), wish)
    costly = [said for own in terms if (said := below_cost(workspace.catalog, own)) is not None]
    return DeskAnswer((), tuple(dict.fromkeys((*costly, *against))), consequence)


def decide(
    workspace: Workspace, names: Sequence[str], event: EventName, by: str, reason: str | None = None
) -> list[PriceChange]:
    """Approve, reject or withdraw price changes, all or none, and return them; as `decide_each`."""
    return decide_each(workspace, dict.fromkeys(names, event), by, reason)


def decide_each(
    workspace: Workspace, decisions: Mapping[str, EventName], by: str, reason: str | None = None
) -> list[PriceChange]:
    """Decide on price changes, on each in its own way, as one action, all or none, and return them.

    Parameters
    ----------
    decisions
        What happens to each, by the ids of price changes.
    reason
        Why; by default the reason of each stays.

    Raises
    ------
    DataError
        When there is no such price change, or the reason is empty.
    Declined
        When one cannot be decided so, when its time is over, when whoever asked for it may not approve it, or when it
        was announced as a reduction and is none any more.
    """
    lake, catalog = workspace.lake, workspace.catalog
    if reason is not None and not reason.strip():
        raise DataError("expected a reason, found none; nothing was changed: say why in a sentence")
    with held(workspace.settings.locks, LOCK):
        lake.finish_interrupted()
        known = {change.id: change for change in changes_named(lake, decisions)}
        chosen = [_found(lake, known, name) for name in decisions]
        stores = {store for change in chosen for store in _stores_of(catalog, change.terms.store)}
        ticks = next_ticks(lake, catalog, stores)
        number, now, events = next_number(lake), _now(), list[Event]()
        for change in chosen:
            own = {store: ticks[store] for store in _stores_of(catalog, change.terms.store)}
            moment, event = min(own.values()), decisions[change.id]
            _refuse_decision(catalog, change, event, by, moment)
            terms = change.terms if reason is None else replace(change.terms, reason=reason)
            if event == "approved" and terms.announced:
                terms = _announced_anew(lake, catalog, change.id, terms, moment)
            events.append(_counting_in(Event(number, change.id, event, now, moment, by, terms), own))
        if events:
            record(lake, catalog, events)
    return [replace(change, events=(*change.events, added)) for change, added in zip(chosen, events, strict=True)]


@dataclass(frozen=True)
class _Facts:
    """What the lake says to every wish of one action, read once.

    Attributes
    ----------
    ticks
        When the next tick of each store begins that some wish is about, UTC.
    shown
        The price shown last, EUR, by store and product.
    others
        What people asked for that may bear on some wish; `by_sku` has the same by product.
    outlooks
        What prices bring on a date; None without a book.
    """

    workspace: Workspace
    ticks: Mapping[str, dt.datetime]
    shown: Mapping[tuple[str, str], float]
    others: Sequence[PriceChange]
    by_sku: Mapping[str | None, Sequence[PriceChange]]
    outlooks: Callable[[dt.date], DayForecast | None]

    def next_tick(self, store: str | None) -> dt.datetime:
        """Return when the next tick of a store begins, UTC; without one, of the store that is first."""
        return min(self.ticks[own] for own in _stores_of(self.workspace.catalog, store))

    def bearing_on(self, sku: str | None) -> Sequence[PriceChange]:
        """Return the price changes that may bear on a product."""
        if sku is None:
            return self.others
        return sorted((*self.by_sku.get(sku, ()), *self.by_sku.get(None, ())), key=lambda change: change.number)


def _facts_for(workspace: Workspace, wishes: Sequence[PriceRequest]) -> _Facts:
    lake, catalog = workspace.lake, workspace.catalog
    ticks = next_ticks(lake, catalog, {store for wish in wishes for store in _stores_of(catalog, wish.store)})
    looks_back = any(wish.announced for wish in wishes)  # an announcement does
    firsts = [wish.valid_from or min(ticks[own] for own in _stores_of(catalog, wish.store)) for wish in wishes]
    others, by_sku = changes_by_people(lake, None if looks_back else min(firsts)), dict[str | None, list[PriceChange]]()
    for change in others:
        by_sku.setdefault(change.terms.sku, []).append(change)

    @cache
    def outlook(date: dt.date) -> DayForecast | None:
        found = book_in_force(lake, date)
        return None if found is None else outlook_of(lake, catalog, found)

    return _Facts(workspace, ticks, prices_shown(lake, catalog), others, by_sku, outlook)


def _examined(facts: _Facts, wish: PriceRequest) -> tuple[list[Terms], tuple[str, ...], Consequence | None]:
    lake, catalog = facts.workspace.lake, facts.workspace.catalog
    now = facts.next_tick(wish.store)
    terms = list(_terms_of(facts, wish, now))
    for own in terms:
        refuse_impossible(catalog, own, now)
    terms = [with_prior_price(lake, catalog, own, max(own.valid_from, now), facts.others) for own in terms]
    if wish.below_cost:
        terms = [_with_accepted_cost(catalog, own) for own in terms]
    others = facts.bearing_on(wish.sku)
    against = tuple(dict.fromkeys(found for own in terms for found in conflicts(catalog, own, others)))
    consequence = _consequence(facts, terms[0]) if len(terms) == 1 else None
    if consequence is not None and consequence.cost is not None:
        count = 1 if wish.store is not None else len(catalog.store.stores)
        terms = [replace(own, expected_cost=consequence.cost * count) for own in terms]
    return terms, against, consequence


def _refuse_unwelcome(catalog: Catalog, wish: PriceRequest, terms: Sequence[Terms], against: Sequence[str]) -> None:
    """Refuse a wish that something speaks against, unless whoever asks accepts that."""
    costly = [said for own in terms if (said := below_cost(catalog, own)) is not None]
    if costly:
        said = "; ".join(dict.fromkeys(costly))
        raise Declined(f"{said}: nothing was recorded; accept it by --below-cost, or the box at the desk")
    if against and not wish.ignore_conflicts:
        raise Declined(f"{'; '.join(against)}: nothing was recorded; ask for it anyway if it is meant so")


def _refuse_overlaps(catalog: Catalog, terms: Sequence[Terms]) -> None:
    """Refuse two orders of one price in one action: neither is the later one, so nobody could say which holds."""
    before: dict[tuple[Kind, str | None, str], list[Terms]] = {}
    for own in terms:
        for store in _stores_of(catalog, own.store):
            others = before.setdefault((own.kind, own.sku, store), [])
            if any(_meet(own, other) for other in others):
                raise Declined(
                    f"{_place(catalog, own.sku, store)}: expected one {own.kind.replace('_', ' ')} at a time, found "
                    "two; nothing was recorded: ask for one"
                )
            others.append(own)


def _meet(one: Terms, other: Terms) -> bool:
    return (one.valid_until is None or other.valid_from < one.valid_until) and (
        other.valid_until is None or one.valid_from < other.valid_until
    )


@contextmanager
def _naming(catalog: Catalog, wish: PriceRequest) -> Iterator[None]:
    """Name the product and store of a wish that is refused."""
    try:
        yield
    except ShelfpriceError as error:
        raise Declined(f"{_place(catalog, wish.sku, wish.store)}: {error}") from error


def _place(catalog: Catalog, sku: str | None, store: str | None) -> str:
    names = {product.sku: product.name for product in catalog.products}
    return f"{names.get(sku or '', sku or 'every product')} in {store or 'every store'}"


def _terms_of(facts: _Facts, wish: PriceRequest, now: dt.datetime) -> Iterator[Terms]:
    """Yield the terms of a wish: one, or for a freeze one for each store, since each shows a price of its own."""
    catalog, shown = facts.workspace.catalog, facts.shown
    start, reason = wish.valid_from or now, wish.reason.strip()
    if wish.kind != "override" and (wish.price is not None or wish.announced):
        raise DataError(
            f"expected a price or an announcement of an override alone, found one of a {wish.kind.replace('_', ' ')}; "
            "nothing was recorded: leave it out"
        )
    wanted = None if wish.price is None else catalog.store.money.without_noise(wish.price)
    if wish.kind != "freeze":
        olds = {shown.get((store, wish.sku or "")) for store in _stores_of(catalog, wish.store)}
        old = olds.pop() if len(olds) == 1 else None  # stores that show several prices have none in common
        terms = Terms(wish.kind, wish.sku, wish.store, old, wanted, start, wish.valid_until, reason)
        yield replace(terms, announced=True) if wish.announced else terms
        return
    if wish.sku is None:
        raise DataError("expected the product that is frozen, found none; nothing was recorded")
    base = catalog.product(wish.sku).base_price
    for store in _stores_of(catalog, wish.store):
        price = shown.get((store, wish.sku), base)
        yield Terms("freeze", wish.sku, store, price, price, start, wish.valid_until, reason)


def _consequence(facts: _Facts, terms: Terms) -> Consequence | None:
    """Return what terms bring on the first store day on which they hold."""
    clock = facts.workspace.catalog.store.clock_of(terms.store)
    date = clock.date_of(terms.valid_from)
    outlook = facts.outlooks(date)
    if outlook is None or terms.sku is None or terms.new_price is None:
        return None
    ticks = clock.ticks_within(date, terms.valid_from, terms.valid_until)
    return outlook.of(terms.sku, terms.new_price, *(ticks or (0, None)))


def _asked(catalog: Catalog, proposed: Sequence[Event], begins: Mapping[str, dt.datetime]) -> Iterator[Event]:
    """Yield what was asked for, approved at once where it may be; nothing counts from before it is approved."""
    for event in proposed:
        yield event
        if not catalog.store.approval.by_another:
            ticks = {store: begins[store] for store in _stores_of(catalog, event.terms.store)}
            yield _counting_in(replace(event, event="approved"), ticks)


def _counting_in(event: Event, ticks: Mapping[str, dt.datetime]) -> Event:
    """Return an event that counts in each store from that store's own next tick on."""
    first = min(ticks.values())
    return replace(event, effective_at=first, effective_in={own: at for own, at in ticks.items() if at != first})


def _stores_of(catalog: Catalog, store: str | None) -> tuple[str, ...]:
    return catalog.store.stores if store is None else (store,)


def _with_accepted_cost(catalog: Catalog, terms: Terms) -> Terms:
    """Return terms that may be below the floor and the cost plus minimum margin of now, where their price is."""
    if terms.sku is None or terms.new_price is None:
        return terms
    product = catalog.product(terms.sku)
    least = cost_plus_margin(product, catalog.store.guardrails, catalog.store.money)
    return replace(terms, accepted_cost=least) if terms.new_price < max(least, product.floor) else terms


def _found(lake: Lake, known: dict[str, PriceChange], name: str) -> PriceChange:
    if name not in known:
        meant = did_you_mean(name, [change.id for change in all_changes(lake)])
        raise DataError(f"expected the id of a price change, found {name!r}; nothing was changed{meant}")
    return known[name]


def _refuse_decision(catalog: Catalog, change: PriceChange, event: EventName, by: str, moment: dt.datetime) -> None:
    """Refuse an event that may not follow, comes after the end, or is not for this person to decide."""
    refuse_unless_may_follow(change.id, change.last, event)
    end = change.terms.valid_until
    if end is not None and moment >= end:
        ended = catalog.store.clock_of(change.terms.store).local(end)
        raise Declined(f"{change.id}: its time ended at {ended:%Y-%m-%d %H:%M}; nothing was changed")
    if event == "approved" and catalog.store.approval.by_another and _is_one_person(change.proposer, by):
        raise Declined(
            f"{change.id}: expected somebody else than {by} to approve it, since {by} asked for it; nothing was changed"
        )


def _announced_anew(lake: Lake, catalog: Catalog, change: str, terms: Terms, now: dt.datetime) -> Terms:
    """Return terms with the price that their announcement has to name by now: others were shown since it was asked for.

    Raises
    ------
    Declined
        When it was a reduction, and is none any more.
    """
    found = with_prior_price(lake, catalog, terms, max(terms.valid_from, now), changes_by_people(lake))
    if found.prior_price == terms.prior_price:
        return terms
    for sentence in of_the_announcement(found, catalog.store.money):
        raise Declined(f"{change}: {sentence}; nothing was changed: ask for it anew")
    return found


def _is_one_person(name: str, other: str) -> bool:
    """Tell whether two names are of one person, however a proxy or a keyboard writes them."""
    one, two = (" ".join(unicodedata.normalize("NFKC", own).casefold().split()) for own in (name, other))
    return one == two


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
