"""Shoppers who wait for a lower price: they look again once, later in the day, when the price was too high for them.

They are the patient customers of Lobel ("Dynamic pricing with heterogeneous patience levels", Operations Research
68(4), 2020), who buy when the price falls to what they would pay, except that they look twice rather than all the time.
Who would wait, and when they would look again, is drawn before any price is known, from a stream of its own: the other
draws stay as they are. Whether they do follows from their first visit. Those who bought, or found the shelf empty, stay
away; the others buy if the price is now at most what they would pay, so only if it has fallen since. At prices that
do not change during the day, waiting brings no sale and costs none. A log has both visits and no word that it was the
same shopper's wait: a planner sees more visits, and those that came again pay less than others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints

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
