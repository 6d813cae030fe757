"""What a peer has seen so far, as counts: every store of its zone together, day after day.

Footfall is a gamma-Poisson: a prior of 100 visits to each product a store day, with the weight of a third of a day, and
the visits that came. They are spread over the day by a profile that is flat at first and learned from closed days.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Sold
from plugins.evaluation.peers.known_shelf import KnownShelf

PRIOR_VISITS = 100.0
"""Visits to each product on a store day that a peer expects before the first, visits."""

PRIOR_DAYS = 1 / 3
"""How many store days that expectation weighs, store days."""


@dataclass(frozen=True)
class ShelfCounts:
    """Counts until now.

    Attributes
    ----------
    offered, bought
        Visits that found stock at each candidate, and those of them that bought, shape (n_products, n_prices).
    visits
        Visits to each product, shape (n_products,).
    by_tick
        Visits of closed days in each tick, all products together, shape (n_ticks,).
    today_by_tick
        The same of today.
    lowest, highest
        Lowest and highest candidate shown today, shape (n_products,); beyond the ladder before the first.
    n_stores
        Stores that sell today, 0 before the first tick.
    store_days
        Store days that are closed.
    day
        Days that are closed.
    tick
        The tick about to be sold.
    """

    offered: Floats
    bought: Floats
    visits: Floats
    by_tick: Floats
    today_by_tick: Floats
    lowest: Ints
    highest: Ints
    n_stores: int = 0
    store_days: int = 0
    day: int = 0
    tick: int = 0

    def profile(self) -> Floats:
        """Return the share of a day's visits in each tick, sums to 1, shape (n_ticks,)."""
        n_products, n_ticks = len(self.visits), len(self.by_tick)
        weights = self.by_tick + PRIOR_VISITS * PRIOR_DAYS * n_products / n_ticks
        return weights / weights.sum()

    def footfall(self) -> tuple[Floats, float]:
        """Return shape, (n_products,), and rate of the gamma distribution of visits to each product on a store day."""
        passed = self.n_stores * float(self.profile()[: self.tick].sum())
        return PRIOR_VISITS * PRIOR_DAYS + self.visits, PRIOR_DAYS + self.store_days + passed

    def visits_ahead(self, per_day: Floats) -> Floats:
        """Spread visits a store day, shape (n_products,), over the ticks left today, shape (n_products, n_left)."""
        return per_day[:, None] * self.profile()[self.tick :]

    def dice(self, seed: int) -> np.random.Generator:
        """Return a random stream of this tick alone, so that a peer that draws holds no random state."""
        return np.random.default_rng(np.random.SeedSequence((seed, self.day, self.tick)))


def nothing_seen(known: KnownShelf) -> ShelfCounts:
    """Return the counts before the first sale."""
    n_products, n_prices = known.candidates.shape
    nothing, no_tick = np.zeros((n_products, n_prices)), np.zeros(known.n_ticks)
    unshown = np.full(n_products, n_prices), np.full(n_products, -1)
    return ShelfCounts(nothing, nothing, np.zeros(n_products), no_tick, no_tick, *unshown)


def seen_after(seen: ShelfCounts, known: KnownShelf, sold: Sold) -> ShelfCounts:
    """Return the counts after one tick more; after the last one the day is closed."""
    position = known.position_of(sold.prices)
    offered, bought = seen.offered.copy(), seen.bought.copy()
    cell = np.broadcast_to(np.arange(len(offered)), position.shape), position
    np.add.at(offered, cell, sold.met)
    np.add.at(bought, cell, sold.bought)
    today = seen.today_by_tick.copy()
    today[sold.tick] += sold.visits.sum()
    after = replace(
        seen,
        offered=offered,
        bought=bought,
        visits=seen.visits + sold.visits.sum(axis=0),
        today_by_tick=today,
        lowest=np.minimum(seen.lowest, position.min(axis=0)),
        highest=np.maximum(seen.highest, position.max(axis=0)),
        n_stores=len(position),
        tick=sold.tick + 1,
    )
    return _closed(after, known) if after.tick == known.n_ticks else after


def _closed(seen: ShelfCounts, known: KnownShelf) -> ShelfCounts:
    """Close the day: tomorrow begins with nothing shown."""
    tomorrow = nothing_seen(known)
    return replace(
        tomorrow,
        offered=seen.offered,
        bought=seen.bought,
        visits=seen.visits,
        by_tick=seen.by_tick + seen.today_by_tick,
        store_days=seen.store_days + seen.n_stores,
        day=seen.day + 1,
    )
