"""The random draws of one store day: how busy it is, who comes, and what they would pay.

They come from a stream of their own that (seed, store, date) seed. Shoppers are numbers with invented names; behaviour
never depends on them. What they would pay is a mixture of normals over personas. A shopper would pay base price x
multiplier for one unit. A product without personas of its own has the store's.
"""

import datetime as dt
from typing import NamedTuple

import numba
import numpy as np
from faker import Faker
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.records.shoppers import Persona
from simulation.sfc64 import fill_below, fill_narrow_normal, fill_narrow_uniform, fill_poisson, fill_uniform
from simulation.streams import stream_of_date


def footfall_factor_on(catalog: Catalog, business_date: dt.date) -> float:
    """Visits of a date over those of an average day, beside its shocks: the weekday's factor times the date's own.

    The date's own factor is lognormal with mean 1. It is the town's, so that all stores and all seeds of a world share
    it: the catalog and the date alone say how busy a day is. On a closed day nobody comes.
    """
    if not catalog.store.is_open_on(business_date):
        return 0.0
    footfall = catalog.store.footfall
    factor = footfall.weekday_factors[business_date.weekday()] if footfall.weekday_factors else 1.0
    if footfall.day_variation == 0:
        return factor
    stream = stream_of_date(footfall.busy_days_seed, business_date)
    variance = np.log1p(footfall.day_variation**2)
    return float(factor * np.exp(np.sqrt(variance) * stream.standard_normal() - variance / 2))


def shopper_names(pool: int, seed: int) -> list[str]:
    """Return invented names, shape (pool,); equal seeds give equal names."""
    invent = Faker("en_GB")
    invent.seed_instance(seed)
    firsts = [invent.first_name() for _ in range(min(pool, 500))]
    lasts = [invent.last_name() for _ in range(min(pool, 499))]
    return [f"{firsts[number % len(firsts)]} {lasts[number % len(lasts)]}" for number in range(pool)]


_FEW_ENDS = 16

WAITING, PICKING, SWITCHING = 0, 1, 2
"""The spawned streams of who waits, of who takes the freshest unit, and of who takes a substitute."""


class Draws(NamedTuple):
    """Every random draw of some store days; n_visits rows, by store and then by time.

    `dice` is (n_holds, n_stores, n_products), `counts` (n_stores, n_ticks), the others (n_visits,). `product` and
    `persona` are uniform numbers, `deviation` is standard normal, `times` are in ticks since opening.
    """

    dice: Floats
    counts: Ints
    times: Floats
    product: NDArray[np.float32]
    persona: NDArray[np.float32]
    deviation: NDArray[np.float32]
    shopper: NDArray[np.int32]


def draw_store_days(streams: NDArray[np.uint64], expected: Floats, dice_shape: tuple[int, int], pool: int) -> Draws:
    """Draw some store days, each always in the same order, into arrays that all of them share.

    Parameters
    ----------
    streams
        The random stream of each, as `simulation.sfc64.begun` returns it, shape (n_stores, 6).
    expected
        Mean visits in each tick, shape (n_stores, n_ticks).
    dice_shape, pool
        Shape of the dice of a store, and number of shoppers with a name.
    """
    dice = np.empty((len(streams), *dice_shape))
    counts = np.empty(expected.shape, dtype=np.int64)
    _throw_and_count(streams, expected, dice.reshape(len(streams), -1), counts)
    ends = np.cumsum(counts.sum(axis=1))
    n_visits = int(ends[-1]) if len(ends) else 0
    times, shopper = np.empty(n_visits), np.empty(n_visits, dtype=np.int32)
    product, persona, deviation = np.empty((3, n_visits), dtype=np.float32)
    _draw_visits(streams, counts, times, (product, persona), deviation, shopper, pool)
    for begin, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        times[begin:end].sort()
    return Draws(dice.swapaxes(0, 1), counts, times, product, persona, deviation, shopper)


@numba.njit(cache=True, nogil=True)
def _throw_and_count(streams: NDArray[np.uint64], expected: Floats, dice: Floats, counts: Ints) -> None:
    """Draw the dice of each store day and then its visits by tick."""
    for store in range(len(streams)):
        fill_uniform(streams[store], dice[store])
        fill_poisson(streams[store], expected[store], counts[store])


@numba.njit(cache=True, nogil=True)
def _draw_visits(
    streams: NDArray[np.uint64],
    counts: Ints,
    times: Floats,
    uniform: tuple[NDArray[np.float32], NDArray[np.float32]],
    deviation: NDArray[np.float32],
    shopper: NDArray[np.int32],
    pool: int,
) -> None:
    """Draw what belongs to each visit, store day by store day; times are not in order yet."""
    end = 0
    for store in range(len(streams)):
        begin, end, stream = end, end + counts[store].sum(), streams[store]
        fill_uniform(stream, times[begin:end])
        visit = begin
        for tick in range(counts.shape[1]):
            for _ in range(counts[store, tick]):
                times[visit] += tick
                visit += 1
        fill_narrow_uniform(stream, uniform[0][begin:end])
        fill_narrow_uniform(stream, uniform[1][begin:end])
        fill_narrow_normal(stream, deviation[begin:end])
        fill_below(stream, pool, shopper[begin:end])


def parts_of(ends: Floats, uniform: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return in which part each number lies, shape (n,): the first ends at `ends[0]`, the last has no end.

    A number at an end lies in the part after it. To compare with few ends one after another is faster than to search.
    """
    if len(ends) > _FEW_ENDS:
        return np.searchsorted(ends, uniform, side="right").astype(np.int16)
    part = np.zeros(len(uniform), dtype=np.int16)
    for end in ends:
        part += uniform >= end
    return part


Personas = tuple[Persona, ...]


def products_by_personas(catalog: Catalog) -> list[tuple[Personas, Ints]]:
    """Return each set of personas with the positions of the products whose shoppers it describes."""
    positions: dict[Personas, list[int]] = {}
    for position, product in enumerate(catalog.products):
        positions.setdefault(product.personas or catalog.store.personas, []).append(position)
    return [(personas, np.array(products)) for personas, products in positions.items()]


def multipliers(
    catalog: Catalog, product: NDArray[np.int16], persona: NDArray[np.float32], deviation: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Turn draws into budget multipliers: a persona by its share, then a normal around its mean.

    Parameters
    ----------
    product, persona, deviation
        Position of the product, a uniform number and a standard normal one for each visit, shape (n_visits,).
    """
    kinds = products_by_personas(catalog)
    if len(kinds) == 1:
        return _mixture(kinds[0][0], persona, deviation)
    drawn = np.empty(len(product), dtype=np.float32)
    for personas, products in kinds:
        own = np.isin(product, products)
        drawn[own] = _mixture(personas, persona[own], deviation[own])
    return drawn


def _mixture(personas: Personas, uniform: NDArray[np.float32], deviation: NDArray[np.float32]) -> NDArray[np.float32]:
    means = np.array([persona.mean for persona in personas], dtype=np.float32)
    deviations = np.array([persona.standard_deviation for persona in personas], dtype=np.float32)
    share_ends = np.cumsum([persona.share for persona in personas])[:-1]
    return np.asarray(_mixed(share_ends, means, deviations, uniform, deviation))


@numba.njit(cache=True, nogil=True)
def _mixed(
    ends: Floats,
    means: NDArray[np.float32],
    deviations: NDArray[np.float32],
    uniform: NDArray[np.float32],
    deviation: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the mean of the part in which each uniform number lies, as in `parts_of`, and its deviation around it."""
    drawn = np.empty(len(uniform), dtype=np.float32)
    for row in range(len(uniform)):
        part = 0
        for end in ends:
            part += uniform[row] >= end
        drawn[row] = means[part] + deviations[part] * deviation[row]
    return drawn
