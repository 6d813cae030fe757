"""Who comes: visits drawn from seeds, store day by store day, before any price is known.

Each store day has a random stream of its own, seeded by (seed, store, date), and draws in a fixed order: dice, visits
per tick, times, products, personas, multipliers, shoppers. So a store day does not depend on which other days are
played, or in which order, and all policies meet the same shoppers. What only some worlds have draws from further
streams: who waits, and who takes a substitute, from ones spawned by the store day's, how busy and how rich a day is
from those of the catalog and the date. Demand effects draw nothing: they change what the draws mean, by tick and by
store.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.store_day import tick_profile
from catalog.load import Catalog
from catalog.records.shoppers import DemandEffect
from etl.twin.conditions import day_shift_on, effects_on
from etl.twin.draws import (
    PICKING,
    SWITCHING,
    WAITING,
    draw_store_days,
    footfall_factor_on,
    multipliers,
    parts_of,
    products_by_personas,
    streams_of,
)
from etl.twin.selling import Waiting, chooses_substitutes, draw_waiting, with_returns
from etl.twin.stock import products_hit, shocks_of

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
        Uniform numbers in [0, 1) of each tick for policies that randomise, shape (n_stores, n_products); each holds
        for `hold_ticks` ticks, which share an array.
    first_visit
        Row of the visit that a return repeats, -1 where it is none, shape (n_visits,); None where nobody waits. A
        return takes place only when its first visit met a price that was too high: see `etl.twin.selling`.
    picks_freshest
        Whether the shopper takes the unit that keeps longest, shape (n_visits,); None where nobody does.
    switches
        Uniform number in [0, 1) that says which substitute, if any, the shopper takes, shape (n_visits,); None where
        nobody does.
    """

    starts: Ints
    since_opening_us: Ints
    product: NDArray[np.int16]
    multiplier: NDArray[np.float32]
    shopper: NDArray[np.int32]
    dice: Sequence[Floats]
    first_visit: Ints | None = None
    picks_freshest: Flags | None = None
    switches: Floats | None = None

    @property
    def count(self) -> int:
        """Number of visits."""
        return len(self.product)

    def picks_in(self, ticks: int) -> Flags | None:
        """Return `picks_freshest` of the visits in the first ticks of each store; None where nobody picks."""
        picks = self.picks_freshest
        if picks is None:
            return None
        return np.concatenate([picks[begin:end] for begin, end in self.starts[:, [0, ticks]].tolist()])


def draw_visits(catalog: Catalog, stores: Sequence[str], business_date: dt.date, seed: int) -> Visits:
    """Draw the visits of one business date.

    Parameters
    ----------
    stores
        Store ids. The result has them in this order; the order changes nothing else.
    seed
        Seed of the world.

    Returns
    -------
    Visits
        Arrivals are Poisson per tick: the day's mean visits spread by the hourly profile, split over products by
        popularity, each product's mean times its demand factor in that tick and store, and all of them times the
        date's footfall factor.
    """
    store = catalog.store
    n_ticks, n_products = store.opening.ticks, len(catalog.products)
    examples, group = stores_alike(catalog, stores)
    factors, shifts = (
        np.stack([of_one(catalog, business_date, name) for name in examples])
        for of_one in (demand_factors_on, budget_shifts_on)
    )
    weights = catalog.popularity * factors
    mean_visits = store.visits_per_day * footfall_factor_on(catalog, business_date)
    expected = mean_visits * weights.sum(axis=2) * tick_profile(store)
    hold = store.exploration.hold_ticks
    shape = (-(-n_ticks // hold), n_products)
    streams = streams_of(seed, stores, business_date)
    draws = draw_store_days(streams, expected[group], shape, store.shopper_pool)
    counts, times, thrown = draws.counts, draws.times, np.ascontiguousarray(draws.dice)
    flat = np.concatenate([[0], np.cumsum(counts.ravel())])
    tick_us = store.opening.tick_minutes * _US_PER_MINUTE

    @cache
    def row() -> Ints:
        tick = np.minimum(times.astype(np.int64), n_ticks - 1)
        return tick if len(examples) == 1 else tick + n_ticks * np.repeat(group, counts.sum(axis=1))

    product = _products(weights.reshape(-1, n_products), draws.product, row)
    drawn = multipliers(catalog, product, draws.persona, draws.deviation)
    visits = Visits(
        starts=flat[np.arange(len(stores))[:, None] * n_ticks + np.arange(n_ticks + 1)],
        since_opening_us=(times * tick_us).astype(np.int64),
        product=product,
        multiplier=drawn + _of_rows(shifts, row, product),
        shopper=draws.shopper,
        dice=[thrown[tick // hold] for tick in range(n_ticks)],
        picks_freshest=_who_picks(store.freshest_share, stores, counts.sum(axis=1), business_date, seed),
        switches=_who_switches(catalog, stores, counts.sum(axis=1), business_date, seed),
    )
    if store.waiting_share == 0:
        return visits
    waiting = streams_of(seed, stores, business_date, WAITING)
    return _with_returns(visits, waiting, store.waiting_share, tick_us)


def visits_fingerprint(catalog: Catalog, store: str, business_date: dt.date) -> str:
    """Return a fingerprint of what decides the visits of a store day, apart from the seed and substitutes."""
    chain = catalog.store
    numbers = (
        catalog.popularity * demand_factors_on(catalog, business_date, store),
        budget_shifts_on(catalog, business_date, store),
        tick_profile(chain) * chain.visits_per_day * footfall_factor_on(catalog, business_date),
    )
    settings = (
        *(chain.shopper_pool, chain.exploration.hold_ticks, chain.opening.tick_minutes),
        *(chain.freshest_share, chain.waiting_share),
        [
            ([(persona.share, persona.mean, persona.standard_deviation) for persona in personas], products.tolist())
            for personas, products in products_by_personas(catalog)
        ],
    )
    return hashlib.sha256(b"".join(array.tobytes() for array in numbers) + repr(settings).encode()).hexdigest()


def stores_alike(catalog: Catalog, stores: Sequence[str]) -> tuple[list[str], Ints]:
    """Group stores by the demand effects that name them; where none names any, all are one group.

    Returns
    -------
    tuple
        A store of each group, and the group of each store, shape (n_stores,).
    """
    naming = [frozenset(effect.stores) for effect in catalog.store.demand_effects if effect.stores]
    named = [tuple(name in group for group in naming) for name in stores]
    examples = dict(zip(reversed(named), reversed(stores), strict=True))
    groups = {group: position for position, group in enumerate(examples)}
    return list(examples.values()), np.array([groups[group] for group in named], dtype=np.int64)


def demand_factors_on(catalog: Catalog, business_date: dt.date, store: str | None = None) -> Floats:
    """Demand factor of each product in each tick of a store day, 1 as a rule, shape (n_ticks, n_products)."""
    opening = catalog.store.opening
    factors = np.ones((opening.ticks, len(catalog.products)))
    for shock in shocks_of(catalog, business_date):
        first = 0 if shock.starts is None else opening.tick_at(shock.starts)
        factors[first:, products_hit(catalog, shock)] *= shock.demand_factor
    for effect in effects_on(catalog, business_date, store):
        factors[_where(catalog, effect)] *= effect.demand_factor
    return factors


def budget_shifts_on(catalog: Catalog, business_date: dt.date, store: str | None = None) -> Floats:
    """Shift of everyone's budget multiplier in a store day, 0 as a rule, shape (n_ticks, n_products)."""
    shifts = np.full((catalog.store.opening.ticks, len(catalog.products)), day_shift_on(catalog, business_date))
    for shock in shocks_of(catalog, business_date):
        shifts[:, products_hit(catalog, shock)] += shock.budget_shift
    for effect in effects_on(catalog, business_date, store):
        shifts[_where(catalog, effect)] += effect.budget_shift
    return shifts


def _products(weights: Floats, uniform: NDArray[np.float32], row: Callable[[], Ints]) -> NDArray[np.int16]:
    """Turn uniform numbers into products by the weights of each visit's row; `weights` is (n_rows, n_products).

    `row` is asked for only where rows differ.
    """
    split = np.cumsum(weights, axis=1) / np.maximum(weights.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    distinct, of_row = np.unique(split, axis=0, return_inverse=True)
    if len(distinct) == 1:
        return parts_of(distinct[0, :-1], uniform)
    product = np.empty(len(uniform), dtype=np.int16)
    of_visit = of_row[row()]
    for number, ends in enumerate(distinct):
        alike = of_visit == number
        product[alike] = parts_of(ends[:-1], uniform[alike])
    return product


def _of_rows(shifts: Floats, row: Callable[[], Ints], product: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return the shift of each visit's budget; `shifts` is (n_groups, n_ticks, n_products)."""
    by_row = shifts.reshape(-1, shifts.shape[2]).astype(np.float32)
    return np.asarray(by_row[0][product] if (by_row == by_row[0]).all() else by_row[row(), product])


def _who_picks(share: float, stores: Sequence[str], counts: Ints, date: dt.date, seed: int) -> Flags | None:
    """Draw who of each store's visitors takes the freshest unit, shape (n_visits,); None where nobody does."""
    if share == 0:
        return None
    streams = streams_of(seed, stores, date, PICKING)
    drawn = [stream.random(count) < share for stream, count in zip(streams, counts.tolist(), strict=True)]
    return np.concatenate(drawn)


def _who_switches(catalog: Catalog, stores: Sequence[str], counts: Ints, date: dt.date, seed: int) -> Floats | None:
    """Draw the number by which each visitor chooses among substitutes, shape (n_visits,); None where nobody does."""
    if not chooses_substitutes(catalog):
        return None
    streams = streams_of(seed, stores, date, SWITCHING)
    return np.concatenate([stream.random(count) for stream, count in zip(streams, counts.tolist(), strict=True)])


def _with_returns(visits: Visits, streams: list[np.random.Generator], share: float, tick_us: int) -> Visits:
    """Draw who of each store's visitors would wait, and put their returns among the visits."""
    counts = visits.starts[:, -1] - visits.starts[:, 0]
    drawn = [draw_waiting(stream, int(count), share) for stream, count in zip(streams, counts, strict=True)]
    waiting = Waiting(np.concatenate([draw.waits for draw in drawn]), np.concatenate([draw.when for draw in drawn]))
    rows = with_returns(visits.since_opening_us, visits.starts, tick_us, waiting)
    return replace(
        visits,
        starts=rows.starts,
        since_opening_us=rows.since_opening_us,
        product=visits.product[rows.visit],
        multiplier=visits.multiplier[rows.visit],
        shopper=visits.shopper[rows.visit],
        first_visit=rows.first_visit,
        picks_freshest=None if visits.picks_freshest is None else visits.picks_freshest[rows.visit],
        switches=None if visits.switches is None else visits.switches[rows.visit],
    )


def _where(catalog: Catalog, effect: DemandEffect) -> tuple[slice, list[int]]:
    """Return the ticks and products that an effect concerns."""
    opening = catalog.store.opening
    first = None if effect.starts is None else opening.tick_at(effect.starts)
    end = None if effect.ends is None else opening.tick_at(effect.ends)
    products = [position for position, sku in enumerate(catalog.skus) if not effect.skus or sku in effect.skus]
    return slice(first, end), products
