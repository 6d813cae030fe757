"""Who comes: visits drawn from seeds, store day by store day, before any price is known.

Each store day has a stream of its own, seeded by (seed, store, date), and draws in a fixed order: dice, visits
per tick, times, products, personas, multipliers, shoppers. So a store day is the same whichever days are played
with it and in whatever order, and all policies meet the same shoppers.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.records import Shock, Store

_US_PER_MINUTE = 60_000_000


@dataclass(frozen=True)
class Visits:
    """The visits of some stores on one date, by store and then by time; n_visits rows.

    Attributes
    ----------
    starts
        Row of the first visit of each tick, shape (n_stores, n_ticks + 1); a tick ends where the next starts.
    since_opening_us
        Time since opening, microseconds, ascending within a store, shape (n_visits,).
    product
        Position of the product on the shelf, shape (n_visits,).
    multiplier
        Budget multiplier: willingness to pay over base price, shape (n_visits,).
    shopper
        Number in the shopper pool, shape (n_visits,).
    dice
        Uniform numbers in [0, 1) for policies that choose by chance, shape (n_ticks, n_stores, n_products); each
        stands for `exploration.hold_ticks` ticks.
    """

    starts: Ints
    since_opening_us: Ints
    product: NDArray[np.int16]
    multiplier: NDArray[np.float32]
    shopper: NDArray[np.int32]
    dice: Floats

    @property
    def count(self) -> int:
        """Number of visits."""
        return len(self.product)


def draw_visits(catalog: Catalog, stores: Sequence[str], business_date: dt.date, seed: int) -> Visits:
    """Draw the visits of one business date.

    Parameters
    ----------
    stores
        Store ids; their order is the order of the result and changes nothing else.
    seed
        Seed of the world.

    Returns
    -------
    Visits
        Arrivals are Poisson per tick: the day's mean visits spread by the hourly profile, split over products by
        popularity, each product's mean times its demand factor on a day with a shock.
    """
    store = catalog.store
    n_ticks, n_products = store.opening.ticks, len(catalog.products)
    factors, shifts = shocks_on(catalog, business_date)
    weights = catalog.popularity * factors
    demand = weights.sum()
    ends = np.cumsum(weights) / demand if demand > 0 else np.ones(n_products)
    expected = store.visits_per_day * demand * tick_profile(store)
    hold = store.exploration.hold_ticks
    parts = [
        _draw_store_day(store, expected, ends, _stream(seed, name, business_date), -(-n_ticks // hold))
        for name in stores
    ]
    counts = np.array([part[0] for part in parts])
    flat = np.concatenate([[0], np.cumsum(counts.ravel())])
    first = np.arange(len(stores))[:, None] * n_ticks
    product = np.concatenate([part[2] for part in parts])
    return Visits(
        starts=flat[first + np.arange(n_ticks + 1)],
        since_opening_us=(
            np.concatenate([part[1] for part in parts]) * (store.opening.tick_minutes * _US_PER_MINUTE)
        ).astype(np.int64),
        product=product,
        multiplier=np.concatenate([part[3] for part in parts]) + shifts.astype(np.float32)[product],
        shopper=np.concatenate([part[4] for part in parts]),
        dice=np.repeat(np.stack([part[5] for part in parts], axis=1), hold, axis=0)[:n_ticks],
    )


def tick_profile(store: Store) -> Floats:
    """Share of the day's visits in each tick, sums to 1, shape (n_ticks,).

    The profile's weights cover equal parts of the opening hours; a tick takes its overlap with each.
    """
    n_ticks = store.opening.ticks
    edges = np.linspace(0.0, 1.0, len(store.hourly_profile) + 1)
    cumulative = np.concatenate([[0.0], np.cumsum(store.hourly_profile)])
    shares = np.diff(np.interp(np.linspace(0.0, 1.0, n_ticks + 1), edges, cumulative))
    return shares / shares.sum()


def shocks_on(catalog: Catalog, business_date: dt.date) -> tuple[Floats, Floats]:
    """Demand factor (1 without shocks) and budget shift (0) of each product on a date, both of shape (n_products,)."""
    factors, shifts = np.ones(len(catalog.products)), np.zeros(len(catalog.products))
    for shock in _shocks_of(catalog, business_date):
        hit = _products_hit(catalog, shock)
        factors[hit] *= shock.demand_factor
        shifts[hit] += shock.budget_shift
    return factors, shifts


def opening_stock(catalog: Catalog, business_date: dt.date) -> Ints:
    """Units on the shelf at opening: par, or the delivered share of it, shape (n_products,)."""
    stock = catalog.par_stock.astype(float)
    for shock in _shocks_of(catalog, business_date):
        stock[_products_hit(catalog, shock)] *= shock.delivered_share
    return np.floor(stock + 1e-9).astype(np.int64)


def _draw_store_day(
    store: Store, expected: Floats, ends: Floats, stream: np.random.Generator, n_holds: int
) -> tuple[Ints, Floats, NDArray[np.int16], NDArray[np.float32], NDArray[np.int32], Floats]:
    n_ticks = len(expected)
    dice = stream.random((n_holds, len(ends)))
    counts = stream.poisson(expected)
    n_visits = int(counts.sum())
    times = stream.random(n_visits) + np.repeat(np.arange(n_ticks), counts)
    times.sort()
    product = np.searchsorted(ends[:-1], stream.random(n_visits, dtype=np.float32), side="right").astype(np.int16)
    means = np.array([persona.mean for persona in store.personas], dtype=np.float32)
    deviations = np.array([persona.standard_deviation for persona in store.personas], dtype=np.float32)
    share_ends = np.cumsum([persona.share for persona in store.personas])[:-1]
    persona = np.searchsorted(share_ends, stream.random(n_visits, dtype=np.float32), side="right")
    multiplier = means[persona] + deviations[persona] * stream.standard_normal(n_visits, dtype=np.float32)
    shopper = stream.integers(0, store.shopper_pool, n_visits, dtype=np.int32)
    return counts, times, product, multiplier, shopper, dice


def _stream(seed: int, store_id: str, business_date: dt.date) -> np.random.Generator:
    store_number = int.from_bytes(hashlib.sha256(store_id.encode()).digest()[:8], "big")
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, store_number, business_date.toordinal()))))


def _shocks_of(catalog: Catalog, business_date: dt.date) -> list[Shock]:
    return [shock for shock in catalog.store.shocks if shock.business_date == business_date]


def _products_hit(catalog: Catalog, shock: Shock) -> list[int]:
    return [position for position, sku in enumerate(catalog.skus) if shock.sku in (None, sku)]
