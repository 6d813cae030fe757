"""The random draws of one store day, from a stream of its own that (seed, store, date) seed."""

import datetime as dt
import hashlib
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints

_FEW_ENDS = 16

WAITING = 0
"""The spawned stream of who waits."""


class Draws(NamedTuple):
    """Every random draw of one store day; counts (n_ticks,), dice (n_holds, n_products), the others (n_visits,).

    `product` and `persona` are uniform numbers, `deviation` is standard normal, `times` are in ticks since opening.
    """

    dice: Floats
    counts: Ints
    times: Floats
    product: NDArray[np.float32]
    persona: NDArray[np.float32]
    deviation: NDArray[np.float32]
    shopper: NDArray[np.int32]


def draw_store_day(stream: np.random.Generator, expected: Floats, dice_shape: tuple[int, int], pool: int) -> Draws:
    """Draw a store day, always in the same order.

    Parameters
    ----------
    stream
        Its random stream.
    expected
        Mean visits in each tick, shape (n_ticks,).
    dice_shape, pool
        Shape of the dice, and number of shoppers with a name.
    """
    dice = stream.random(dice_shape)
    counts = stream.poisson(expected)
    n_visits = int(counts.sum())
    times = stream.random(n_visits)
    times += np.repeat(np.arange(len(expected)), counts)
    times.sort()
    return Draws(
        dice,
        counts,
        times,
        stream.random(n_visits, dtype=np.float32),
        stream.random(n_visits, dtype=np.float32),
        stream.standard_normal(n_visits, dtype=np.float32),
        stream.integers(0, pool, n_visits, dtype=np.int32),
    )


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


def stream_of(seed: int, store_id: str, business_date: dt.date, *spawned: int) -> np.random.Generator:
    """Return the random stream of a store day, or one that is spawned by it."""
    entropy = (seed, _number_of(store_id), business_date.toordinal())
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy, spawn_key=spawned)))


@lru_cache(maxsize=100_000)
def _number_of(store_id: str) -> int:
    return int.from_bytes(hashlib.sha256(store_id.encode()).digest()[:8], "big")
