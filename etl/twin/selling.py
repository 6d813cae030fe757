"""What shoppers do: they meet prices and stock, one tick at a time, for many stores at once.

A shopper buys one unit if the shelf has one and the price is at most base price x multiplier. Within a tick prices do
not change and shoppers come in order of time, so the last unit goes to the first shopper who can pay.

Some shoppers wait for a lower price: they look again once, later in the day, when the price was too high for them. They
are the patient customers of Lobel ("Dynamic pricing with heterogeneous patience levels", Operations Research 68(4),
2020), except that they look twice rather than all the time. Who would wait, and until when, is drawn from a stream of
its own before any price is known. Whether they do follows from their first visit: shoppers who bought, found the shelf
empty or took a substitute stay away. At prices that do not change during the day, waiting brings no sale and costs
none. A log has both visits as two shoppers: a planner sees more visits, and those that came again pay less.

A shopper who found her product too dear or sold out may take a substitute j on the shelf, with the chance
w_j / (1 + sum of all w), where w_j = strength x exp((multiplier - price of j / its base price) / noise): a multinomial
logit on value less price (McFadden, "Conditional logit analysis of qualitative choice behavior", 1974), in which
leaving has the weight 1. One uniform number of her visit decides, drawn before any price is known, so that two policies
meet the same shoppers. A return takes no substitute.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, TOO_EXPENSIVE
from catalog.load import Catalog

NOTHING = -1
"""Marks a visit after which nothing was taken instead."""


def chooses_substitutes(catalog: Catalog) -> bool:
    """Return whether any shopper of the twin takes a substitute."""
    return catalog.store.substitution.strength > 0 and catalog.names_substitutes


class Choice(NamedTuple):
    """How the visitors of some stores choose, and what they took; n_visits is 0 where nobody does.

    Attributes
    ----------
    uniform, multiplier
        Of each visit: the number that decides, and the hidden budget multiplier, shape (n_visits,).
    substitutes
        Which products may be taken instead of which, shape (n_products, n_products).
    base_prices
        EUR, shape (n_products,).
    strength, noise
        As in `catalog.records.shoppers.Substitution`.
    taken, inventory, outcome
        Written in place, shape (n_visits,): position of the product taken, or `NOTHING`, its stock before, and whether
        it was taken, as `BOUGHT` or `TOO_EXPENSIVE`.
    """

    uniform: Floats
    multiplier: NDArray[np.float32]
    substitutes: Flags
    base_prices: Floats
    strength: float
    noise: float
    taken: NDArray[np.int16]
    inventory: NDArray[np.int32]
    outcome: NDArray[np.int8]

    @classmethod
    def of(cls, catalog: Catalog, multiplier: NDArray[np.float32], uniform: Floats | None) -> "Choice":
        """Return the choices of visits; `uniform` is None where nobody takes a substitute."""
        rules, drawn = catalog.store.substitution, np.empty(0) if uniform is None else uniform
        pairs = np.empty((0, 0), np.bool_) if uniform is None else catalog.substitutes  # of a long shelf a gigabyte
        shelf = (pairs, catalog.base_prices, rules.strength, rules.noise)
        return cls(
            drawn,
            multiplier,
            *shelf,
            taken=np.full(len(drawn), NOTHING, dtype=np.int16),
            inventory=np.zeros(len(drawn), dtype=np.int32),
            outcome=np.full(len(drawn), TOO_EXPENSIVE, dtype=np.int8),
        )


@numba.njit(cache=True, nogil=True)
def take_substitute(row: int, item: int, prices: Floats, stock: Ints, choice: Choice) -> None:
    """Let the shopper of a visit that did not buy take a substitute of its product, or leave.

    Parameters
    ----------
    row, item
        Row of the visit, and position of its product.
    prices, stock
        Prices, EUR, and units on the shelf of its store, shape (n_products,); stock is reduced in place.
    """
    n_products = len(stock)
    weights = np.zeros(n_products)
    for other in range(n_products):
        if choice.substitutes[item, other] and stock[other] > 0:
            value = choice.multiplier[row] - prices[other] / choice.base_prices[other]
            weights[other] = choice.strength * np.exp(value / choice.noise)
    left = choice.uniform[row] * (1.0 + weights.sum())
    for other in range(n_products):
        left -= weights[other]
        if weights[other] > 0 and left < 0:
            choice.taken[row] = other
            choice.inventory[row] = stock[other]
            choice.outcome[row] = BOUGHT
            stock[other] -= 1
            return


FIRST = -1
"""Marks a visit that is no return."""


@dataclass(frozen=True)
class Waiting:
    """Draws for each visit, shape (n_visits,): whether its shopper would wait, and how far into the rest of the day."""

    waits: NDArray[np.bool_]
    when: Floats


@dataclass(frozen=True)
class WithReturns:
    """Visits and possible returns, by store and then by time; n_rows rows.

    Attributes
    ----------
    visit
        Row of the visit among the first visits: its own, or that of the one which it repeats, shape (n_rows,).
    first_visit
        Row, among these, of the visit that a return repeats; `FIRST` where it is none, shape (n_rows,).
    since_opening_us
        Time since opening, microseconds, shape (n_rows,).
    starts
        Row of the first visit of each tick, shape (n_stores, n_ticks + 1).
    """

    visit: Ints
    first_visit: Ints
    since_opening_us: Ints
    starts: Ints


def draw_waiting(stream: np.random.Generator, n_visits: int, share: float) -> Waiting:
    """Draw who of a store day's visitors would wait, and when they would look again."""
    return Waiting(stream.random(n_visits) < share, stream.random(n_visits))


def with_returns(since_opening_us: Ints, starts: Ints, tick_us: int, waiting: Waiting) -> WithReturns:
    """Add the returns of those who would wait, each in a later tick than its first visit.

    Parameters
    ----------
    since_opening_us, starts
        Visits by store and then by time, as in `WithReturns`.
    tick_us
        Length of a tick, microseconds. From the last tick nobody comes back.
    """
    n_stores, n_ticks = starts.shape[0], starts.shape[1] - 1
    store = np.repeat(np.arange(n_stores), starts[:, -1] - starts[:, 0])
    tick = since_opening_us // tick_us
    visit = np.flatnonzero(waiting.waits & (tick < n_ticks - 1))
    earliest, closing = (tick[visit] + 1) * tick_us, n_ticks * tick_us
    again_us = earliest + (waiting.when[visit] * (closing - earliest)).astype(np.int64)
    times = np.concatenate([since_opening_us, np.minimum(again_us, closing - 1)])
    stores = np.concatenate([store, store[visit]])
    order = np.lexsort((times, stores))
    row = np.empty_like(order)
    row[order] = np.arange(len(order))
    first_visit = np.full(len(order), FIRST)
    first_visit[row[len(store) :]] = row[visit]
    counts = np.bincount(stores * n_ticks + times // tick_us, minlength=n_stores * n_ticks)
    flat = np.concatenate([[0], np.cumsum(counts)])
    return WithReturns(
        visit=np.concatenate([np.arange(len(store)), visit])[order],
        first_visit=first_visit,
        since_opening_us=times[order],
        starts=flat[np.arange(n_stores)[:, None] * n_ticks + np.arange(n_ticks + 1)],
    )


STAYED_AWAY = -1
"""Marks a return that did not take place: no visit, and no outcome."""


@numba.njit(cache=True, nogil=True)
def sell_tick(
    spans: Ints,
    visits: tuple[NDArray[np.int16], NDArray[np.float32], Ints],
    prices: Floats,
    stock: Ints,
    inventory: NDArray[np.int32],
    outcome: NDArray[np.int8],
    choice: Choice,
) -> None:
    """Sell one tick: decide the outcome of each of its visits, and what is taken instead.

    Parameters
    ----------
    spans
        First row of the tick's visits in each store, and the one after its last, shape (n_stores, 2).
    visits
        Product that each visit looks at, the most it would pay for it (EUR), and the row of the visit that a return
        repeats, below 0 where it is none: each shape (n_visits,), the last one empty where nobody waits.
    prices
        Prices shown in this tick, EUR, shape (n_stores, n_products).
    stock
        Units on the shelf, shape (n_stores, n_products); reduced in place.
    inventory, outcome
        Written in place, shape (n_visits,): stock before each decision, index into
        `catalog.decisions.store_day.OUTCOMES`, or `STAYED_AWAY`.
    choice
        How visitors take substitutes; what they take is written there.
    """
    product, willing_price, first_visit = visits
    some_wait, some_switch = len(first_visit) > 0, len(choice.taken) > 0
    for store in range(len(spans)):
        for row in range(spans[store, 0], spans[store, 1]):
            is_return = some_wait and first_visit[row] >= 0
            if is_return and (
                outcome[first_visit[row]] != TOO_EXPENSIVE
                or (some_switch and choice.taken[first_visit[row]] != NOTHING)
            ):
                outcome[row] = STAYED_AWAY
                continue
            item = product[row]
            left = stock[store, item]
            inventory[row] = left
            if left == 0:
                outcome[row] = OUT_OF_STOCK
            elif prices[store, item] <= willing_price[row]:
                outcome[row] = BOUGHT
                stock[store, item] = left - 1
            else:
                outcome[row] = TOO_EXPENSIVE
            if some_switch and not is_return and outcome[row] != BOUGHT:
                take_substitute(row, item, prices[store], stock[store], choice)


@numba.njit(cache=True, nogil=True)
def sell_tick_with_stickers(
    spans: Ints,
    visits: tuple[NDArray[np.int16], NDArray[np.float32], Ints],
    picks_freshest: NDArray[np.bool_],
    prices: tuple[Floats, Floats],
    by_life: Ints,
    decided: tuple[NDArray[np.int32], NDArray[np.int8], Floats, Floats],
    marked: tuple[Ints, Ints],
) -> None:
    """Sell one tick and take the units: what `sell_tick` and `take_units` do, in one pass, and with stickers.

    A sticker stands while units on their last day are left and it is below the price on the label. A shopper who does
    not look for freshness takes such a unit if she can pay the sticker. One who takes the freshest takes a young unit
    if she can pay its price, else one with a sticker if she can pay that.

    Parameters
    ----------
    spans, visits, picks_freshest, by_life
        As in `sell_tick` and `etl.twin.stock.take_units`; `by_life` is reduced in place.
    prices
        Prices on the labels and on the stickers, EUR, NaN where there is none, each shape (n_stores, n_products).
    decided
        Written in place, each shape (n_visits,): stock before each decision; outcome; the price of the unit that was
        bought, or the lowest one seen, EUR; and the sticker that stood, EUR, NaN where none did.
    marked
        Counts that are added to, each shape (n_stores, n_products): visits before a sticker, and those that bought.
    """
    product, willing_price, first_visit = visits
    inventory, outcome, price, sticker = decided
    some_wait, some_pick = len(first_visit) > 0, len(picks_freshest) > 0
    for store in range(len(spans)):
        for row in range(spans[store, 0], spans[store, 1]):
            if some_wait and first_visit[row] >= 0 and outcome[first_visit[row]] != TOO_EXPENSIVE:
                outcome[row] = STAYED_AWAY
                continue
            item = product[row]
            units, label, on_sticker = by_life[store, item], prices[0][store, item], prices[1][store, item]
            left, takes_freshest = units.sum(), some_pick and picks_freshest[row]
            inventory[row], price[row], sticker[row] = left, label, np.nan
            if left == 0:
                outcome[row] = OUT_OF_STOCK
                continue
            stands = units[0] > 0 and on_sticker < label
            if stands:
                sticker[row] = on_sticker
                marked[0][store, item] += 1
                takes_freshest = takes_freshest and left > units[0] and label <= willing_price[row]
                price[row] = label if takes_freshest else on_sticker
            if price[row] > willing_price[row]:
                outcome[row] = TOO_EXPENSIVE
                continue
            outcome[row] = BOUGHT
            marked[1][store, item] += stands
            column = len(units) - 1 if takes_freshest else 0
            while units[column] == 0:
                column += -1 if takes_freshest else 1
            units[column] -= 1


@numba.njit(cache=True, nogil=True)
def count_tick(
    spans: Ints, product: NDArray[np.int16], outcome: NDArray[np.int8], visits: Ints, met: Ints, bought: Ints
) -> None:
    """Count one tick's visits, those that found stock, and those that bought, of each store and product.

    `visits`, `met` and `bought`, shape (n_stores, n_products), are added to in place; the rest is as in `sell_tick`.
    """
    for store in range(len(spans)):
        for row in range(spans[store, 0], spans[store, 1]):
            if outcome[row] == STAYED_AWAY:
                continue
            item = product[row]
            visits[store, item] += 1
            met[store, item] += outcome[row] != OUT_OF_STOCK
            bought[store, item] += outcome[row] == BOUGHT
