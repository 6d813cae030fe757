"""The rows of the desk: each store's opening price of each product, why it is so, and what will stand."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.pricing import LIMITS, RULES
from dashboard.data.desk.proposal_states import State, covering, decision_on, overridden
from dashboard.formats import euros, shown_currency
from desk.price_changes.change import PriceChange, newest_of_each
from desk.price_changes.consequence import DayForecast, OnShelf
from desk.price_changes.planned_day import Proceeds
from desk.price_changes.reasons import reason_beside, reason_for
from serving.drawn_prices import DrawnPolicy
from serving.markdowns import Sticker
from serving.standing import Standing, StoreStanding

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
    sticker
        What units on their last day carry beside the label; None where none does.
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
    plan: Proceeds | None = None
    kept: Proceeds | None = None
    sticker: Sticker | None = None
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
    covered = covering(evidence.people, at.store, at.moment, wall.closing_of(at.date))
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
    shelves = {} if outlook is None else outlook.shelves_in(standing)
    for position, product in enumerate(catalog.products):
        held = standing.of(product.sku)
        if held is None:  # no price of it is known in the store
            continue
        offer = opened[position], proposed[position]
        decision, told = decision_on(catalog, product, changes[position], offer, held)
        stronger = (covered.get(product.sku), covered.get(None), standing.order_of(product.sku))
        cover = max((own for own in stronger if isinstance(own, PriceChange)), key=lambda own: own.rank, default=None)
        if cover is not None:
            told = overridden(cover, product, held, at, wall)
        weighed = _weighed(outlook, standing, position, shelves.get(product.sku), (offer[1], now[position]))
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


def _weighed(
    outlook: DayForecast | None,
    standing: StoreStanding,
    position: int,
    shelf: OnShelf | None,
    prices: tuple[float, float | None],
) -> dict[str, Any]:
    """Return what is known of the proposed price and the one now, EUR, as fields of a row."""
    (proposed, now), money = prices, shown_currency()
    sticker, rule = _sticker(standing, position), standing.rules[position]
    if sticker is not None:
        return {"gain": None, "why": reason_beside(sticker, proposed, money), "sticker": sticker}
    if outlook is None or shelf is None:
        return {"gain": None, "why": RULES[rule] if rule in DrawnPolicy.rules else _NO_BOOK}
    sku, version = standing.catalog.skus[position], outlook.book.model_version
    compared = None if now is None else outlook.compared(sku, shelf, proposed, now)
    known: dict[str, Any] = {"gain": None}
    if compared is not None:
        known = {"gain": compared.gain, "plan": compared.plan, "kept": compared.kept}
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
