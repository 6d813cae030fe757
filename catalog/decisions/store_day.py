"""The records of a played business date, which `etl` turns into tables, and how visits are spread over its ticks."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.pricing import Lesson, PriceDecision
from catalog.records.store import Store


def tick_profile(store: Store) -> Floats:
    """Share of the day's visits in each tick, sums to 1, shape (n_ticks,).

    The profile's weights cover equal parts of the opening hours; a tick takes its overlap with each.
    """
    n_ticks = store.opening.ticks
    edges = np.linspace(0.0, 1.0, len(store.hourly_profile) + 1)
    cumulative = np.concatenate([[0.0], np.cumsum(store.hourly_profile)])
    shares = np.diff(np.interp(np.linspace(0.0, 1.0, n_ticks + 1), edges, cumulative))
    return shares / shares.sum()


def hours_of_ticks(store: Store) -> Ints:
    """Return the hour of the day, local time, in which each tick begins, shape (n_ticks,)."""
    return (store.opening.opens_minute + np.arange(store.opening.ticks) * store.opening.tick_minutes) // 60


def hour_shares(store: Store) -> Floats:
    """Share of the day's visits in each hour of the day, local time, sums to 1, shape (24,)."""
    opening = store.opening
    minute = opening.opens_minute + np.arange(opening.minutes)
    of_minute = np.repeat(tick_profile(store) / opening.tick_minutes, opening.tick_minutes)
    return np.bincount(minute // 60, of_minute, 24).astype(float)


OUTCOMES = ("bought", "too_expensive", "out_of_stock")
BOUGHT, TOO_EXPENSIVE, OUT_OF_STOCK = range(3)


@dataclass(frozen=True)
class KeptStock:
    """What some stores have after a closing; units are counted as in `catalog.stock_rules`.

    Attributes
    ----------
    units
        Units by the days on which they may still be sold, from the next day on, shape (n_stores, n_products, n_lives).
    on_order
        Units that are ordered and have not come, shape (n_stores, n_products).
    known
        Whether anybody knows it of a product, shape (n_stores, n_products): one of which nobody does opens with a full
        shelf. Of the twin's stores all is known or nothing.
    """

    units: Ints
    on_order: Ints
    known: Flags

    @classmethod
    def unknown(cls, n_stores: int, n_products: int, n_lives: int) -> "KeptStock":
        """Return what is known of stores of which nobody knows anything."""
        units = np.zeros((n_stores, n_products, n_lives), dtype=np.int64)
        return cls(units, np.zeros(units.shape[:2], dtype=np.int64), np.zeros(units.shape[:2], dtype=np.bool_))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all of it, as the twin's stores have it."""
        parts = (self.units, self.on_order, self.known.any(axis=1))
        return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


@dataclass(frozen=True)
class StockMoves:
    """What became of the units of some stores on a business date; nothing is hidden: carried + delivered = the rest.

    Units are counted by the days on which they may still be sold, shape (n_stores, n_products, n_lives), all as of the
    date; `kept` counts what stays from the next day on. Products whose shelf is simply full at each opening have none.
    """

    carried: Ints
    delivered: Ints
    sold: Ints
    spoiled: Ints
    kept: KeptStock


@dataclass(frozen=True)
class Taken:
    """Units that shoppers took instead of the product they came for, in order of their visits; n_taken rows.

    Attributes
    ----------
    visit
        Row of the visit that did not buy, shape (n_taken,): it tells store, tick, time and shopper.
    product
        Position on the shelf of what was taken, shape (n_taken,).
    price, inventory
        Its price, EUR, and its stock before, units, shape (n_taken,).
    """

    visit: Ints
    product: NDArray[np.int16]
    price: Floats
    inventory: NDArray[np.int32]


class Bought(NamedTuple):
    """Units that were sold: positions of store, tick and product, and the price paid, EUR, each shape (n_units,)."""

    store: NDArray[np.integer[Any]]
    tick: NDArray[np.integer[Any]]
    product: NDArray[np.integer[Any]]
    price: Floats


@dataclass(frozen=True)
class ShelfState:
    """Stock and prices at the start of a tick. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    tick
        The tick about to be sold.
    stock
        Units on the shelf.
    shown, opened_at
        Prices in the tick before and in the first tick, EUR; NaN at opening.
    changes
        How often each price has changed since the opening.
    by_life, opened_with
        The same units, and those at opening, by the days on which they may still be sold, shape (n_stores, n_products,
        n_lives); None where the whole shelf is simply full at each opening.
    sticker
        Prices on the stickers since opening, EUR, NaN where there is none; None where nobody sticks any, and before.
    lately
        Prices of the ticks of the last hour, EUR, each shape (n_stores, n_products).
    """

    tick: int
    stock: Ints
    shown: Floats
    opened_at: Floats
    changes: Ints
    by_life: Ints | None = None
    opened_with: Ints | None = None
    sticker: Floats | None = None
    lately: tuple[Floats, ...] = ()


class Told(NamedTuple):
    """How prices that are other ones than in the tick before came about, as in `PriceDecision`, shape (n_changes,).

    `changed` is where they stand among all prices, one after another, ascending.
    """

    changed: Ints
    p_sale: Floats
    unit_value: Floats
    unconstrained: Floats
    clamp_cost: Floats

    @classmethod
    def of(cls, answer: PriceDecision, shown: Floats, first: int = 0) -> Self:
        """Return it of a tick before which other prices were shown, EUR; its own prices begin at `first` among all."""
        changed = np.flatnonzero(answer.prices != shown)
        return cls(changed + first, *(getattr(answer, name).ravel()[changed] for name in cls._fields[1:]))


@dataclass(frozen=True)
class DayPrices:
    """The prices of some ticks, as in `PriceDecision`. Arrays have shape (n_ticks, n_stores, n_products).

    A long shelf in many stores has tens of millions of them: how one came about is kept where it changed.
    """

    prices: Floats
    propensity: Floats
    explored: Flags
    rule: Ints
    clamps: NDArray[Any]
    told: Told
    sticker: Floats | None = None


@dataclass(frozen=True)
class StoreDay:
    """One business date of some stores, or a range of its ticks. Visits are in order of store and time.

    Attributes
    ----------
    business_date, stores
        When and where: ids of the stores, shape (n_stores,).
    policy, model_version, rules
        What set the prices, and the names of the rules that can bind a decision.
    store, product, shopper
        Positions in `stores`, on the shelf and in the shopper pool, shape (n_visits,).
    tick, since_opening_us
        When: tick of the day and microseconds since opening, shape (n_visits,).
    price, propensity
        Price of the unit bought, or the lowest that was seen, EUR, and the chance with which it was chosen, shape
        (n_visits,).
    inventory
        Stock before the decision, units, shape (n_visits,).
    multiplier
        Hidden budget multiplier, shape (n_visits,).
    outcome
        Index into `OUTCOMES`, shape (n_visits,).
    decisions, stock
        The prices and the stock at the start of each tick, shape (n_ticks, n_stores, n_products).
    began
        Stock and prices when the first of these ticks began.
    lessons
        What the policy learned from the day, in order of time.
    moves
        What became of each unit, once the day is over; None before, and where the shelf is simply full each day.
    taken
        Units that were taken instead of what a visit was for; None where nobody takes a substitute.
    sticker
        Price on the sticker that stood before each shopper, EUR, NaN where none did, shape (n_visits,); None where
        nobody sticks any.
    """

    business_date: dt.date
    stores: tuple[str, ...]
    policy: str
    model_version: str | None
    rules: tuple[str, ...]
    store: NDArray[np.int32]
    product: NDArray[np.int16]
    shopper: NDArray[np.int32]
    tick: NDArray[np.int16]
    since_opening_us: Ints
    price: Floats
    propensity: Floats
    inventory: NDArray[np.int32]
    multiplier: NDArray[np.float32]
    outcome: NDArray[np.int8]
    decisions: DayPrices
    stock: Ints
    began: ShelfState
    lessons: tuple[Lesson, ...] = ()
    moves: StockMoves | None = None
    taken: Taken | None = None
    sticker: Floats | None = None

    def bought(self) -> Bought:
        """Return the units sold: those of visits that bought, and then those taken instead of another product."""
        sold = np.flatnonzero(self.outcome == BOUGHT)
        if self.taken is None:
            return Bought(self.store[sold], self.tick[sold], self.product[sold], self.price[sold])
        visit = np.concatenate([sold, self.taken.visit])
        product = np.concatenate([self.product[sold], self.taken.product])
        price = np.concatenate([self.price[sold], self.taken.price])
        return Bought(self.store[visit], self.tick[visit], product, price)


@dataclass(frozen=True)
class Repriced:
    """A store whose prices were remade: after how many ticks and from how many visits of its day."""

    store: str
    business_date: dt.date
    ticks: int
    visits: int
