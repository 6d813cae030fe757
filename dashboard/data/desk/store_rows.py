"""What is known of the prices of one store's shelf, by column; a row of it is made when somebody looks at it."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats
from catalog.clocks import WallClock
from catalog.decisions.rules import LIMITS, RULES
from catalog.records.product import Product
from dashboard.data.desk.rows import RivalPrice, Row, State
from dashboard.formats import euros, shown_currency
from etl.calendar import StoreNow
from plugins.desk.price_changes.change import PriceChange
from plugins.desk.price_changes.consequence import Comparison, DayForecast, OnShelf
from plugins.desk.price_changes.proposals import THE_RULE, Proposals, passing
from plugins.desk.price_changes.reasons import reason_beside, reason_for
from plugins.desk.standing import Standing, StoreStanding
from plugins.desk.stickers import Sticker
from plugins.own_store.draws.drawn_prices import DrawnPolicy
from serving.limits.orders import STRENGTH

STATES: tuple[State, ...] = get_args(State)
PASSES = STATES.index("passes")
Codes = NDArray[np.int8]
"""Positions in `STATES`."""

_NO_BOOK = "no price book yet"


class StoreRows:
    """The prices of one store. Arrays have shape (n_products,), of its shelf, in EUR, NaN where nothing is known.

    Parameters
    ----------
    standing
        What holds there.
    outlook
        What prices bring; None where its date has no price book.
    opened
        The middle price of its newest day.
    shown
        What it shows while it is being sold; None where it opens next.
    proposals
        What policies proposed for its date, of the catalog of its shelf.
    people
        What people asked for.
    rivals
        Prices of rivals that count on its date, by sku, the cheapest first.
    """

    def __init__(
        self,
        standing: StoreStanding,
        outlook: DayForecast | None,
        opened: Floats,
        shown: Floats | None,
        proposals: Proposals,
        people: Sequence[PriceChange],
        rivals: Mapping[str, tuple[RivalPrice, ...]],
    ) -> None:
        now, catalog = standing.now, standing.catalog
        self.standing, self.store, self.products, self._opened = standing, now.store, catalog.products, opened
        self.positions = catalog.positions
        self._outlook, self._rivals = None if outlook is None else outlook.in_store(now.store), rivals
        self._wall, row = catalog.store.clock_of(now.store), catalog.store.stores.index(now.store)
        self._covered = covering(people, now.store, now.moment, self._wall.closing_of(now.date))
        self._passed = proposals.number[row]
        self._documents = {place[1]: change for place, change in proposals.documents.items() if place[0] == row}
        self.now = opened if shown is None else np.where(np.isnan(shown), opened, shown)
        is_told, self.proposed = self._passed > 0, proposals.price[row].copy()
        for column, change in self._documents.items():
            if change.terms.new_price is not None:
                is_told[column], self.proposed[column] = True, change.terms.new_price
        if not is_told.all():
            np.copyto(self.proposed, self._wanted(), where=~is_told)

    @property
    def stands(self) -> Floats:
        """What holds at the next tick."""
        return self.standing.prices

    @property
    def rival(self) -> Floats:
        """The cheapest price of a rival that counts."""
        cheapest = {sku: prices[0].price for sku, prices in self._rivals.items()}
        return np.array([cheapest.get(product.sku, np.nan) for product in self.products])

    @property
    def are_known(self) -> Flags:
        """Which of its prices are known; the others are no rows."""
        return self.standing.are_known

    @property
    def forecast(self) -> DayForecast | None:
        """What says what its prices bring; None where nobody knows of any."""
        return self._outlook

    @cached_property
    def is_recorded(self) -> Flags:
        """Of which prices a proposal was recorded."""
        passes = self._passed > 0
        passes[list(self._documents)] = True
        return passes

    @cached_property
    def decision(self) -> Codes:
        """What became of each proposal: what nobody has recorded yet passes or waits by the rules."""
        codes, catalog = np.full(len(self.products), PASSES, dtype=np.int8), self.standing.catalog
        positions = (
            np.flatnonzero(~self.is_recorded) if catalog.store.approval.is_asked_for else np.array([], dtype=int)
        )
        if len(positions):
            lowest, highest = passing(catalog, positions, self._opened[positions])
            passes = (lowest <= self.proposed[positions]) & (self.proposed[positions] <= highest)
            passes |= self.standing.are_by(DrawnPolicy.rules)[positions]  # an approved design's
            codes[positions[~passes]] = STATES.index("waits")
        for column, change in self._documents.items():
            codes[column] = STATES.index(state_of(change))
        return codes

    @cached_property
    def state(self) -> Codes:
        """What became of each proposal, or that a person's price covers it."""
        orders, now = self.standing.orders, self.standing.now
        is_set = np.full(len(self.products), None in self._covered)
        is_set[[self.positions[sku] for sku in self._covered if sku in self.positions]] = True
        if orders is not None:
            kinds = orders.windows((now.store,), 1, orders.n_ticks - now.tick).kind[0]
            by_people = (orders.skus[own] for own in np.flatnonzero(kinds > STRENGTH.index("event")))
            is_set[[self.positions[sku] for sku in by_people if sku in self.positions]] = True
        return np.where(is_set, STATES.index("overridden"), self.decision).astype(np.int8)

    def row(self, position: int) -> Row:
        """Return the row of a product of the shelf whose price is known."""
        now, product, held = self.standing.now, self.products[position], self._held(position)
        limits, passed = self._weighed(position), self._passed[position]
        return Row(
            store=now.store,
            sku=product.sku,
            name=product.name,
            category=product.category,
            date=now.date,
            is_live=now.day is not None,
            now=_known(self.now[position]),
            proposed=float(self.proposed[position]),
            stands=held.price,
            limit=limit_in_words(held.rule),
            decision=STATES[self.decision[position]],
            state=STATES[self.state[position]],
            told=self.told(position),
            change=self._documents.get(position),
            unit_cost=product.unit_cost,
            shelf=self._shelf(position),
            rivals=self._rivals.get(product.sku, ()),
            passed=f"p{passed}.{now.store}.{product.sku}" if passed else None,
            **limits | {"why": with_trial(held, limits["why"])},
        )

    def told(self, position: int) -> str:
        """Say what became of a proposal, and what a person set in its place."""
        held, product = self._held(position), self.products[position]
        stronger = self._covered.get(product.sku), self._covered.get(None), self.standing.order_of(product.sku)
        cover = max(
            (order for order in stronger if isinstance(order, PriceChange)), key=lambda order: order.rank, default=None
        )
        if cover is not None:
            return overridden(cover, product, held, self.standing.now, self._wall)
        return in_words(STATES[self.decision[position]], self._documents.get(position), held)

    def compared(self, position: int) -> Comparison | None:
        """Compare the plan from the proposed price on with keeping the one now; None where no model knows."""
        shelf, now = self._shelf(position), _known(self.now[position])
        if self._outlook is None or shelf is None or now is None or self._sticker(position) is not None:
            return None
        return self._outlook.compared(self.products[position].sku, shelf, float(self.proposed[position]), now)

    def _wanted(self) -> Floats:
        """Return what the policy wants: of a store that is being sold, what its book opened with."""
        if self.standing.now.day is None or self._outlook is None:
            return self.standing.details.without
        opened = self._outlook.opening_prices(self.standing.catalog.skus)
        return np.where(np.isnan(opened), self.standing.details.without, opened)

    def _held(self, position: int) -> Standing:
        held = self.standing.of(self.products[position].sku)
        assert held is not None  # noqa: S101 - rows are of known prices
        return held

    def _shelf(self, position: int) -> OnShelf | None:
        """Return how a product stands at the next tick; None where no book knows it."""
        return None if self._shelves is None else self._shelves[position]

    @cached_property
    def _shelves(self) -> list[OnShelf | None] | None:
        return None if self._outlook is None else self._outlook.shelves_in(self.standing)

    def _sticker(self, position: int) -> Sticker | None:
        """Return the sticker of a product; None where there is none."""
        if not self.standing.catalog.uses_stickers:
            return None
        belief, opened_with = self.standing.details, self.standing.opened_with
        price = None if belief.sticker is None else float(belief.sticker[position])
        if price is None or opened_with is None or math.isnan(price):
            return None
        saving = 0.0 if belief.saving is None else float(belief.saving[position])
        return Sticker(int(opened_with[0, position, 0]), price, saving)

    def _weighed(self, position: int) -> dict[str, Any]:
        """Return what is known of the proposed price and the one now, as fields of a row."""
        proposed, money = float(self.proposed[position]), shown_currency()
        sticker, rule, shelf = self._sticker(position), self.standing.rule_of(position), self._shelf(position)
        if sticker is not None:
            return {"gain": None, "why": reason_beside(sticker, proposed, money), "sticker": sticker}
        if self._outlook is None or shelf is None:
            return {"gain": None, "why": RULES[rule] if rule in DrawnPolicy.rules else _NO_BOOK}
        version, compared = self._outlook.book.model_version, self.compared(position)
        cells: dict[str, Any] = {"gain": None}
        if compared is not None:
            cells = {"gain": compared.gain, "plan": compared.plan, "kept": compared.kept}
        sku, now = self.products[position].sku, _known(self.now[position])
        return cells | {
            "why": reason_for(self._outlook, sku, shelf, proposed, now, money),
            "model_version": version if version.isdigit() else None,
            "book_date": self._outlook.book.published_at.date(),
        }


def _known(price: float) -> float | None:
    return None if math.isnan(price) else float(price)


def with_trial(held: Standing, why: str) -> str:
    """Say before a reason that the price that stands is tried to learn demand, where it is."""
    return f"{euros(held.price)} is tried to learn demand; {why}" if held.rule == "exploration" else why


def limit_in_words(rule: str) -> str:
    """Say which limit binds a price; empty where the policy has its own price."""
    return RULES[rule] if rule in LIMITS else ""


def state_of(change: PriceChange) -> State:
    """Return what became of a proposal that was recorded."""
    if change.last == "approved":
        return "passes" if change.events[-1].by == THE_RULE else "approved"
    return "waits" if change.last == "proposed" else "rejected"


def in_words(state: State, change: PriceChange | None, held: Standing) -> str:
    """Say what became of a proposal; `change` is None where nobody has recorded one, or it passes by rule."""
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
    changes = dict[str | None, PriceChange]()
    for change in sorted(people, key=lambda change: change.rank):
        span = change.span(store)
        if span is not None and span[0] < end and (span[1] is None or span[1] > start):
            changes[change.terms.sku] = change
    return changes


def overridden(change: PriceChange, product: Product, held: Standing, store_now: StoreNow, wall: WallClock) -> str:
    """Say what a person set and when it holds, and what stands in its place where a limit keeps it from standing."""
    terms = change.terms
    price = product.base_price if terms.new_price is None else terms.new_price
    what = {"override": "set to", "freeze": "frozen at", "kill_switch": "kill switch:"}.get(terms.kind, "")
    span = change.span(store_now.store)
    is_later = span is not None and span[0] > store_now.moment and held.order != change.id
    start = f" from {wall.local(span[0]):%H:%M}" if span is not None and is_later else ""
    end = None if span is None or span[1] is None else wall.local(span[1])
    until = f" until {end:%H:%M}" if end is not None and end.date() == store_now.date else ""
    unmet = f"; {euros(held.price)} stands, {RULES[held.rule]}" if held.order == change.id and held.unmet else ""
    return f"{what} {euros(price)} by {change.proposer}{start}{until}{unmet}"
