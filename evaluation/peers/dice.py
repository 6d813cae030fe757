"""Chance for peers that draw: a stream of its own for each moment, so that a peer holds no random state."""

import numpy as np


def stream_at(seed: int, day: int, tick: int) -> np.random.Generator:
    """Return the stream of one tick; equal arguments give equal draws.

    Days are counted from 0, and ticks from opening.
    """
    return np.random.default_rng(np.random.SeedSequence((seed, day, tick)))
