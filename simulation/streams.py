"""The random streams of the twin: of a store day, of a date, and of what they spawn; those of many stores at once.

NumPy hashes what a stream is seeded by in Python, one stream after another, which takes a tenth of playing a day of
five hundred visits. `streams_of` hashes that of all stores at once, as `numpy.random.SeedSequence` does and promises to
go on doing (O'Neill, "Developing a seed_seq alternative", 2015): each stream is the one of `stream_of`.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count, pairwise

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

_Words = NDArray[np.uint32]
_POOL, _BITS, _HALF = 4, 32, np.uint32(16)
_MASK = 2**_BITS - 1
_OF_ENTROPY, _OF_STATE = (0x43B0D7E5, 0x931E8875), (0x8B51F9DD, 0x58F38DED)
_LEFT, _RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_STATE_WORDS = 6  # three numbers of 64 bits


def stream_of(seed: int, store_id: str, business_date: dt.date, *spawned: int) -> np.random.Generator:
    """Return the random stream of a store day, or one that is spawned by it."""
    entropy = (seed, _number_of(store_id), business_date.toordinal())
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy, spawn_key=spawned)))


def stream_of_date(seed: int, business_date: dt.date, *spawned: int) -> np.random.Generator:
    """Return a random stream of a date that all stores and all seeds of a world share, or one that is spawned by it."""
    entropy = (seed, business_date.toordinal())
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy, spawn_key=spawned)))


def streams_of(seed: int, stores: Sequence[str], business_date: dt.date, *spawned: int) -> list[np.random.Generator]:
    """Return the stream of each store, as `stream_of` does."""
    states = states_of(seed, stores, business_date, *spawned)
    streams = (np.random.SFC64(_Seeded(state)) for state in states)  # type: ignore[arg-type]  # stubs miss the interface
    return [np.random.Generator(stream) for stream in streams]


def states_of(seed: int, stores: Sequence[str], business_date: dt.date, *spawned: int) -> NDArray[np.uint64]:
    """Return what the stream of each store is seeded with, shape (n_stores, 3)."""
    numbers = np.array([_number_of(store) for store in stores], dtype=np.uint64)
    date = business_date.toordinal()
    if seed < 0 or (numbers <= _MASK).any():  # refused by NumPy, or hashed as fewer words than the others
        seeds = [np.random.SeedSequence((seed, int(own), date), spawn_key=spawned) for own in numbers]
        return np.stack([own.generate_state(_STATE_WORDS // 2, np.uint64) for own in seeds])
    words = [*_words(seed), numbers & _MASK, numbers >> _BITS, *_words(date)]
    words += [word for key in spawned for word in _words(key)]
    return _states_from([np.broadcast_to(word, numbers.shape).astype(np.uint32) for word in words])


class _Seeded(ISeedSequence):
    """Hands out a state that was made before."""

    def __init__(self, state: NDArray[np.uint64]) -> None:
        self._state = state

    def generate_state(self, n_words: int, dtype: object = np.uint32) -> NDArray[np.uint64]:  # noqa: ARG002
        """Return the state of an SFC64, which asks for three numbers of 64 bits."""
        return self._state


def _words(number: int) -> list[int]:
    """Cut a number into words of 32 bits, the lowest first."""
    return [number >> shift & _MASK for shift in range(0, max(number.bit_length(), 1), _BITS)]


def _states_from(words: list[_Words]) -> NDArray[np.uint64]:
    """Hash words, at least `_POOL` of shape (n_streams,), into the states of streams, shape (n_streams, 3)."""
    factors = _factors(*_OF_ENTROPY)
    pool = [_hashed(word, factors) for word in words[:_POOL]]
    for source in range(_POOL):
        for target in range(_POOL):
            if source != target:
                pool[target] = _mixed(pool[target], _hashed(pool[source], factors))
    for word in words[_POOL:]:
        pool = [_mixed(own, _hashed(word, factors)) for own in pool]
    factors = _factors(*_OF_STATE)
    return np.stack([_hashed(pool[at % _POOL], factors) for at in range(_STATE_WORDS)], axis=1).view(np.uint64)


def _factors(first: int, by: int) -> Iterator[tuple[np.uint32, np.uint32]]:
    """Yield the two factors of each hash; the second is the first of the next hash."""
    return pairwise(np.uint32(first * pow(by, power, 2**_BITS) & _MASK) for power in count())


def _hashed(words: _Words, factors: Iterator[tuple[np.uint32, np.uint32]]) -> _Words:
    before, after = next(factors)
    hashed = (words ^ before) * after
    return hashed ^ (hashed >> _HALF)


def _mixed(left: _Words, right: _Words) -> _Words:
    mixed = left * _LEFT - right * _RIGHT
    return mixed ^ (mixed >> _HALF)


@lru_cache(maxsize=100_000)
def _number_of(store_id: str) -> int:
    return int.from_bytes(hashlib.sha256(store_id.encode()).digest()[:8], "big")
