"""The rows of the desk: each store's opening price of each product, why it is so, and what will stand."""

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from catalog.load import Catalog
from catalog.pricing import LIMITS, RULES
from catalog.records.product import Product
from catalog.wall_clock import WallClock
from dashboard.formats import euros, shown_currency
from desk.price_changes.change import PriceChange, newest_of_each
from desk.price_changes.consequence import DayForecast, OnShelf
from desk.price_changes.passing import passes
from desk.price_changes.planned_day import Expected
from desk.price_changes.propose import THE_RULE
from desk.price_changes.reasons import reason_beside, reason_for
from etl.live.store_now import StoreNow
from serving.drawn_prices import DrawnPolicy
from serving.markdowns import Sticker
from serving.standing import Standing, StoreStanding

State = Literal["waits", "passes", "approved", "rejected", "overridden"]
_NO_BOOK = "no price book yet"
Place = tuple[str | None, str | None]
"""Store and product; None is every one."""


@dataclass(frozen=True)
class Row:
    """One product in one store. Prices in EUR.

    Attributes
    ----------
    now
        What a live store shows, else what the store opened with last; None when it never sold the product.
    proposed
        What waits or was decided; where nothing did, what the policy wants within the limits.
    stands
        What holds at the next tick: see `serving.standing`.
    gain
        What the plan that begins with the proposed price is expected to bring until closing more than `now` would, if
        it were kept, EUR; None where no model knows.
    why
        The reason for the proposed price, in a sentence.
    limit
        The limit that binds what stands, in words; empty where none does.
    course
        The opening prices of the last days, the oldest first.
    decision, change
        What became of the proposal, and its price change; None where none was recorded.
    state, told
        `overridden` where a person's price covers it, else the decision; and the same in words.
    unit_cost
        What a unit costs; 0 when it is not known.
    shelf
        How the product stands in the store at the next tick; None where no book knows it.
    plan, kept
        What the plan brings until closing, and what `now` would; None where no model knows.
    model_version, book_date
        The model behind the price, and the date that its price book was made for; None where there is none.
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
    unit_cost: float = 0.0
    shelf: OnShelf | None = None
    plan: Expected | None = None
    kept: Expected | None = None
    model_version: str | None = None
    book_date: dt.date | None = None

    @property
    def id(self) -> str:
        """Store and product in one text, unique on the desk."""
        return f"{self.store}|{self.sku}"

    @property
    def moved(self) -> float | None:
        """Change of the proposed price against `now`, as a share of it; None when unknown."""
        return self.proposed / self.now - 1 if self.now else None


@dataclass(frozen=True)
class RowEvidence:
    """What rows are made from.

    Attributes
    ----------
    standings
        What holds in each store.
    outlooks
        What prices bring, by business date; a date without a price book has none.
    courses, shown
        Opening prices of the last days, and prices that live stores show, by store and product.
    proposals
        What policies proposed, by business date.
    people
        What people asked for.
    """

    standings: Mapping[str, StoreStanding]
    outlooks: Mapping[dt.date, DayForecast]
    courses: Mapping[tuple[str, str], tuple[float, ...]]
    shown: Mapping[tuple[str, str], float]
    proposals: Mapping[dt.date, Sequence[PriceChange]]
    people: Sequence[PriceChange]


def rows_of(evidence: RowEvidence) -> list[Row]:
    """Return a row for each product on the shelf of each store, in the order of both."""
    newest = {date: newest_of_each(changes) for date, changes in evidence.proposals.items()}
    return [
        row
        for standing in evidence.standings.values()
        for row in _of_store(evidence, standing, newest.get(standing.now.date, {}))
    ]


def _of_store(evidence: RowEvidence, standing: StoreStanding, newest: Mapping[Place, PriceChange]) -> Iterator[Row]:
    at, catalog = standing.now, standing.catalog
    wall = catalog.store.clock_of(at.store)
    covering = _covering(evidence.people, at.store, at.moment, wall.closing_of(at.date))
    courses = [evidence.courses.get((at.store, sku), ()) for sku in catalog.skus]
    opened = [course[-1] if course else None for course in courses]
    now = [evidence.shown.get((at.store, sku), price) for sku, price in zip(catalog.skus, opened, strict=True)]
    changes = [newest.get((at.store, sku)) for sku in catalog.skus]
    of_date = evidence.outlooks.get(at.date)
    outlook = None if of_date is None else of_date.in_store(at.store)
    proposed = [
        _proposed(change, wanted, outlook if at.day is not None else None, sku)
        for change, wanted, sku in zip(changes, standing.without.tolist(), catalog.skus, strict=True)
    ]
    shelves = {} if outlook is None else _on_shelves(outlook, standing)
    for position, product in enumerate(catalog.products):
        held = standing.of(product.sku)
        if held is None:  # no price of it is known in the store
            continue
        offer = opened[position], proposed[position]
        decision, told = _decision(catalog, product, changes[position], offer, held)
        holding = standing.order_of(product.sku)
        stronger = (_strongest(covering, product.sku), holding)
        cover = max((own for own in stronger if isinstance(own, PriceChange)), key=_rank, default=None)
        if cover is not None:
            told = _overridden(cover, product, held, at, wall)
        sticker = _sticker(standing, position)
        weighed: dict[str, Any]
        if sticker is not None:
            weighed = {"gain": None, "why": reason_beside(sticker, offer[1], shown_currency())}
        elif outlook is not None and product.sku in shelves:
            weighed = _weighed(outlook, product.sku, shelves[product.sku], (offer[1], now[position]))
        else:
            weighed = {"gain": None, "why": RULES[held.rule] if held.rule in DrawnPolicy.rules else _NO_BOOK}
        yield Row(
            store=at.store,
            sku=product.sku,
            name=product.name,
            category=product.category,
            date=at.date,
            is_live=at.day is not None,
            now=now[position],
            proposed=proposed[position],
            stands=held.price,
            limit=limit_in_words(held.rule),
            course=courses[position],
            decision=decision,
            state=decision if cover is None else "overridden",
            told=told,
            change=changes[position],
            unit_cost=product.unit_cost,
            shelf=shelves.get(product.sku),
            **weighed | {"why": with_trial(held, weighed["why"])},
        )


def _on_shelves(outlook: DayForecast, standing: StoreStanding) -> dict[str, OnShelf]:
    """Return how each product of a store stands that its book knows; its day may have another shelf than the book."""
    if standing.catalog.skus == outlook.skus:
        found = outlook.on_shelves(standing.stock, standing.now.tick, standing.opened_with)
        return dict(zip(outlook.skus, found, strict=True))
    full = dict(zip(outlook.skus, outlook.full_shelves, strict=True))
    return {sku: full[sku] for sku in standing.catalog.skus if sku in full}


def _sticker(standing: StoreStanding, position: int) -> Sticker | None:
    """Return the sticker of a product; None where there is none."""
    price = None if standing.sticker is None else float(standing.sticker[position])
    if price is None or standing.opened_with is None or math.isnan(price):
        return None
    saving = 0.0 if standing.saving is None else float(standing.saving[position])
    return Sticker(int(standing.opened_with[0, position, 0]), price, saving)


def _proposed(change: PriceChange | None, wanted: float, outlook: DayForecast | None, sku: str) -> float:
    """Return the price that somebody decides about, EUR: the recorded one, else what the policy wants.

    Parameters
    ----------
    outlook
        Of a store that is being sold, whose book is proposed as it opened; None of any other.
    """
    if change is not None and change.terms.new_price is not None:
        return change.terms.new_price
    return wanted if outlook is None or sku not in outlook.skus else outlook.opening_price(sku)


def _weighed(outlook: DayForecast, sku: str, shelf: OnShelf, prices: tuple[float, float | None]) -> dict[str, Any]:
    """Return what is known of the proposed price and the one now, EUR, as fields of a row."""
    (proposed, now), money = prices, shown_currency()
    compared = None if now is None else outlook.compared(sku, shelf, proposed, now)
    known: dict[str, Any] = {"gain": None}
    if compared is not None:
        known = {"gain": compared.gain, "plan": compared.plan, "kept": compared.kept}
    version = outlook.book.model_version
    return known | {
        "why": reason_for(outlook, sku, shelf, proposed, now, money),
        "model_version": version if version.isdigit() else None,
        "book_date": outlook.book.published_at.date(),
    }


def with_trial(held: Standing, why: str) -> str:
    """Say before a reason that the price that stands is tried to learn demand, where it is."""
    return f"{euros(held.price)} is tried to learn demand; {why}" if held.rule == "exploration" else why


def limit_in_words(rule: str) -> str:
    """Say which limit binds a price; empty where the policy has its own price."""
    return RULES[rule] if rule in LIMITS else ""


def _decision(
    catalog: Catalog, product: Product, change: PriceChange | None, offer: tuple[float | None, float], held: Standing
) -> tuple[State, str]:
    """Return what became of a proposal, in words too.

    Parameters
    ----------
    offer
        The price before, EUR, None where none is known, and the proposed one.
    """
    if change is None:  # nobody has recorded yet that it waits
        is_drawn = held.rule in DrawnPolicy.rules  # of a design that was approved
        passing = not catalog.store.approval.is_asked_for or is_drawn or passes(catalog, product, *offer)
        return ("passes", "passes") if passing else ("waits", f"waits; until then {euros(held.price)}")
    by = change.events[-1].by
    if change.last == "proposed":
        return "waits", f"waits; until then {euros(held.price)}"
    if change.last == "approved":
        return ("passes", "passes") if by == THE_RULE else ("approved", f"approved by {by}")
    is_kept = held.rule == "not_approved" or held.price != change.terms.new_price
    return "rejected", f"rejected by {by}" if is_kept else f"rejected by {by}; no other price is known, so it stands"


def _rank(change: PriceChange) -> tuple[int, int]:
    return change.rank


def _covering(
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


def _strongest(covering: Mapping[str | None, PriceChange], sku: str) -> PriceChange | None:
    return max((covering[own] for own in (sku, None) if own in covering), key=lambda change: change.rank, default=None)


def _overridden(change: PriceChange, product: Product, held: Standing, at: StoreNow, wall: WallClock) -> str:
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
