"""The random draws of one store day: how busy it is, who comes, and what they would pay.

They come from a stream of their own that (seed, store, date) seed. Shoppers are numbers with invented names; behaviour
never depends on them. What they would pay is a mixture of normals over personas. A shopper would pay base price x
multiplier for one unit. A product without personas of its own has the store's.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numba
import numpy as np
from faker import Faker
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.records.shoppers import Persona


def stream_of(seed: int, store_id: str, business_date: dt.date, *spawned: int) -> np.random.Generator:
    """Return the random stream of a store day, or one that is spawned by it."""
    entropy = (seed, _number_of(store_id), business_date.toordinal())
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy, spawn_key=spawned)))


def streams_of(seed: int, stores: Sequence[str], business_date: dt.date, *spawned: int) -> list[np.random.Generator]:
    """Return the stream of each store, as `stream_of` does."""
    return [stream_of(seed, store, business_date, *spawned) for store in stores]


def stream_of_date(seed: int, business_date: dt.date, *spawned: int) -> np.random.Generator:
    """Return a random stream of a date that all stores and all seeds of a world share, or one that is spawned by it."""
    entropy = (seed, business_date.toordinal())
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy, spawn_key=spawned)))


@lru_cache(maxsize=100_000)
def _number_of(store_id: str) -> int:
    return int.from_bytes(hashlib.sha256(store_id.encode()).digest()[:8], "big")


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


def draw_store_days(
    streams: Sequence[np.random.Generator], expected: Floats, dice_shape: tuple[int, int], pool: int
) -> Draws:
    """Draw some store days, each always in the same order, into arrays that all of them share.

    Parameters
    ----------
    streams
        The random stream of each.
    expected
        Mean visits in each tick, shape (n_stores, n_ticks).
    dice_shape, pool
        Shape of the dice of a store, and number of shoppers with a name.
    """
    dice = np.empty((len(streams), *dice_shape))
    counts = np.empty(expected.shape, dtype=np.int64)
    for stream, thrown, count, mean in zip(streams, dice, counts, expected, strict=True):
        stream.random(out=thrown)
        count[:] = stream.poisson(mean)
    ends = np.cumsum(counts.sum(axis=1)).tolist()
    n_visits = ends[-1] if ends else 0
    times, shopper = np.empty(n_visits), np.empty(n_visits, dtype=np.int32)
    product, persona, deviation = np.empty((3, n_visits), dtype=np.float32)
    spans = [slice(*span) for span in pairwise([0, *ends])]
    for stream, span in zip(streams, spans, strict=True):
        stream.random(out=times[span])
        stream.random(dtype=np.float32, out=product[span])
        stream.random(dtype=np.float32, out=persona[span])
        stream.standard_normal(dtype=np.float32, out=deviation[span])
        shopper[span] = stream.integers(0, pool, span.stop - span.start, dtype=np.int32)
    times += np.repeat(np.tile(np.arange(expected.shape[1], dtype=float), len(streams)), counts.ravel())
    for span in spans:
        times[span].sort()
    return Draws(dice.swapaxes(0, 1), counts, times, product, persona, deviation, shopper)


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
        described = np.isin(product, products)
        drawn[described] = _mixture(personas, persona[described], deviation[described])
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
