"""The rows of the desk: each store's opening price of each product, why it is so, and what will stand."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.pricing import LIMITS, RULES
from catalog.records.product import Product
from catalog.wall_clock import WallClock
from dashboard.formats import euros, share
from serving.price_changes.change import PriceChange, newest_of_each
from serving.price_changes.consequence import Outlook
from serving.price_changes.passing import passes, passing
from serving.price_changes.propose import THE_RULE

State = Literal["waits", "passes", "approved", "rejected", "overridden"]
_MOMENT = dt.timedelta(microseconds=1)
Place = tuple[str | None, str | None]
"""Store and product; None is every one."""


@dataclass(frozen=True)
class StoreClock:
    """Where a store stands: the business date that is priced next, and its next tick, UTC.

    `is_live` tells whether it is selling that date.
    """

    date: dt.date
    now: dt.datetime
    is_live: bool


@dataclass(frozen=True)
class Row:
    """One product in one store. Prices in EUR.

    Attributes
    ----------
    now
        What a live store shows, else what the store opened with last; None when it never sold the product.
    proposed
        What the price book opens a full shelf with.
    stands
        What will stand at the next tick by what was decided so far.
    gain
        Expected of the proposed price against `now`, EUR a store day; None where no model knows.
    limit
        The limit that binds the proposed price, in words; empty where none does.
    course
        The opening prices of the last days, the oldest first.
    decision, change
        What became of the proposal, and its price change; None where none was recorded.
    state, told
        `overridden` where a person's price covers it, else the decision; and the same in words.
    """

    store: str
    sku: str
    name: str
    category: str
    date: dt.date
    is_live: bool
    now: float | None
    proposed: float
    stands: float
    gain: float | None
    why: str
    limit: str
    course: tuple[float, ...]
    decision: State
    state: State
    told: str
    change: PriceChange | None

    @property
    def id(self) -> str:
        """Store and product in one text, unique on the desk."""
        return f"{self.store}|{self.sku}"

    @property
    def moved(self) -> float | None:
        """Change of the proposed price against `now`, as a share of it; None when unknown."""
        return self.proposed / self.now - 1 if self.now else None


@dataclass(frozen=True)
class Known:
    """What rows are made from.

    Attributes
    ----------
    courses, shown
        Opening prices of the last days, and prices that live stores show, by store and product.
    proposals
        What policies proposed, by business date.
    people
        What people asked for.
    """

    clocks: Mapping[str, StoreClock]
    outlooks: Mapping[dt.date, Outlook]
    courses: Mapping[tuple[str, str], tuple[float, ...]]
    shown: Mapping[tuple[str, str], float]
    proposals: Mapping[dt.date, Sequence[PriceChange]]
    people: Sequence[PriceChange]


def rows_of(catalog: Catalog, known: Known) -> list[Row]:
    """Return a row for each product of each store for whose date there is a price book, in the order of both."""
    newest = {date: newest_of_each(changes) for date, changes in known.proposals.items()}
    offers = {date: _offers(catalog, outlook) for date, outlook in known.outlooks.items()}
    return [
        row
        for store in catalog.store.stores
        if (date := known.clocks[store].date) in known.outlooks
        for row in _of_store(catalog, known, store, offers[date], newest.get(date, {}))
    ]


def _offers(catalog: Catalog, outlook: Outlook) -> list[tuple[float, str, float]]:
    """Return each product's opening price, EUR, the limit that binds it, in words, and its chance of sale or NaN.

    They are the same in every store.
    """
    prices = [outlook.opening_price(sku) for sku in catalog.skus]
    limits = [limit_in_words(outlook.binding_rule(sku)) for sku in catalog.skus]
    chances = outlook.curves.p_sale_at(np.arange(len(prices)), np.array(prices))
    return list(zip(prices, limits, chances.tolist(), strict=True))


def _of_store(
    catalog: Catalog,
    known: Known,
    store: str,
    offers: Sequence[tuple[float, str, float]],
    newest: Mapping[Place, PriceChange],
) -> Iterator[Row]:
    clock = known.clocks[store]
    outlook = known.outlooks[clock.date]
    wall = catalog.store.clock_of(store)
    covering = _covering(known.people, clock.now, wall.closing_of(clock.date))
    holding = _covering(known.people, clock.now, clock.now + _MOMENT)
    courses = [known.courses.get((store, sku), ()) for sku in catalog.skus]
    opened = [course[-1] if course else None for course in courses]
    now = [known.shown.get((store, sku), price) for sku, price in zip(catalog.skus, opened, strict=True)]
    prices = np.array([np.nan if price is None else price for price in now])
    gains = outlook.gains(np.arange(len(prices)), prices)
    why = _reasons(outlook, offers, prices)
    for position, product in enumerate(catalog.products):
        proposed, limit, _ = offers[position]
        change = newest.get((store, product.sku))
        decision, stands, told = _decision(catalog, product, change, opened[position], proposed)
        cover = _strongest(covering, store, product.sku)
        if cover is not None:
            told = _overridden(cover, product, clock, wall)
        if (holds := _strongest(holding, store, product.sku)) is not None:
            stands = _price_of(holds, product)
        yield Row(
            store=store,
            sku=product.sku,
            name=product.name,
            category=product.category,
            date=clock.date,
            is_live=clock.is_live,
            now=now[position],
            proposed=proposed,
            stands=stands,
            gain=None if np.isnan(gains[position]) else float(gains[position]),
            why=why[position],
            limit=limit,
            course=courses[position],
            decision=decision,
            state=decision if cover is None else "overridden",
            told=told,
            change=change,
        )


def _reasons(outlook: Outlook, offers: Sequence[tuple[float, str, float]], now: Floats) -> list[str]:
    """Say why each price is proposed: how many buy at it and at the one now, and where it comes from.

    Parameters
    ----------
    now
        EUR, shape (n_products,); NaN where there is none.
    """
    origin, chances = why_of(outlook), outlook.curves.p_sale_at(np.arange(len(now)), now)
    return [
        origin
        if np.isnan(then)
        else f"{share(then, 0)} buy at {euros(price)}; {origin}"
        if np.isnan(today) or price == shown
        else f"{share(then, 0)} buy at {euros(price)}, {share(today, 0)} at {euros(shown)}; {origin}"
        for (price, _, then), today, shown in zip(offers, chances, now, strict=True)
    ]


def why_of(outlook: Outlook) -> str:
    """Say where a price comes from: which book, and which model or belief is behind it."""
    version = outlook.book.model_version
    model = f"model version {version}" if version.isdigit() else "belief without a model"
    return f"price book of {outlook.book.published_at:%Y-%m-%d}, {model}"


def limit_in_words(rule: str) -> str:
    """Say which limit binds a price; empty where the policy has its own price."""
    return RULES[rule] if rule in LIMITS else ""


def _decision(
    catalog: Catalog, product: Product, change: PriceChange | None, old: float | None, proposed: float
) -> tuple[State, float, str]:
    """Return what became of a proposal, what stands by it, and both in words."""
    if change is None:
        if not catalog.store.approval.is_asked_for or passes(catalog, product, old, proposed):
            return "passes", proposed, "passes"
        before = _nearest(catalog, product, old, proposed)  # nobody has recorded yet that it waits
        return "waits", before, f"waits; until then {euros(before)}"
    wanted = proposed if change.terms.new_price is None else change.terms.new_price
    before, by = _before(catalog, product, change.terms.old_price, wanted), change.events[-1].by
    if change.last == "proposed":
        return "waits", before, f"waits; until then {euros(before)}"
    if change.last == "approved":
        return ("passes", wanted, "passes") if by == THE_RULE else ("approved", wanted, f"approved by {by}")
    return "rejected", before, f"rejected by {by}"


def _before(catalog: Catalog, product: Product, old: float | None, wanted: float) -> float:
    """Return what stands until a price is approved, EUR: the old price, else the nearest one that passes by itself."""
    return _nearest(catalog, product, None, wanted) if old is None else old


def _nearest(catalog: Catalog, product: Product, old: float | None, wanted: float) -> float:
    """Return the price nearest to a wanted one that passes by itself, EUR."""
    lowest, highest = passing(catalog, product, old)
    return min(max(wanted, lowest), highest)


def _covering(people: Iterable[PriceChange], start: dt.datetime, end: dt.datetime) -> dict[Place, PriceChange]:
    """Return the strongest change of people that holds at some time from a start until before an end, by place."""
    found = dict[Place, PriceChange]()
    for change in sorted(people, key=lambda change: change.rank):
        span = change.in_force
        if span is not None and span[0] < end and (span[1] is None or span[1] > start):
            found[change.terms.store, change.terms.sku] = change
    return found


def _strongest(covering: Mapping[Place, PriceChange], store: str, sku: str) -> PriceChange | None:
    places: tuple[Place, ...] = ((store, sku), (store, None), (None, sku), (None, None))
    found = [covering[place] for place in places if place in covering]
    return max(found, key=lambda change: change.rank, default=None)


def _price_of(change: PriceChange, product: Product) -> float:
    """Return the price that a person set, EUR; the kill switch sets the base price."""
    return product.base_price if change.terms.new_price is None else change.terms.new_price


def _overridden(change: PriceChange, product: Product, clock: StoreClock, wall: WallClock) -> str:
    """Say what a person set, and when it holds."""
    terms, price = change.terms, _price_of(change, product)
    what = {"override": "set to", "freeze": "frozen at", "kill_switch": "kill switch:"}.get(terms.kind, "")
    start = f" from {wall.local(terms.valid_from):%H:%M}" if terms.valid_from > clock.now else ""
    end = None if terms.valid_until is None else wall.local(terms.valid_until)
    until = f" until {end:%H:%M}" if end is not None and end.date() == clock.date else ""
    return f"{what} {euros(price)} by {change.proposer}{start}{until}"
