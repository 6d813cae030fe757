"""How the visits of a day are spread over its ticks."""

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.records.store import Store


def tick_profile(store: Store) -> Floats:
    """Share of the day's visits in each tick, sums to 1, shape (n_ticks,).

    The profile's weights cover equal parts of the opening hours; a tick takes its overlap with each.
    """
    n_ticks = store.opening.ticks
    edges = np.linspace(0.0, 1.0, len(store.hourly_profile) + 1)
    cumulative = np.concatenate([[0.0], np.cumsum(store.hourly_profile)])
    shares = np.diff(np.interp(np.linspace(0.0, 1.0, n_ticks + 1), edges, cumulative))
    return shares / shares.sum()


def hours_of_ticks(store: Store) -> Ints:
    """Return the hour of the day, local time, in which each tick begins, shape (n_ticks,)."""
    return (store.opening.opens_minute + np.arange(store.opening.ticks) * store.opening.tick_minutes) // 60


def hour_shares(store: Store) -> Floats:
    """Share of the day's visits in each hour of the day, local time, sums to 1, shape (24,)."""
    opening = store.opening
    minute = opening.opens_minute + np.arange(opening.minutes)
    of_minute = np.repeat(tick_profile(store) / opening.tick_minutes, opening.tick_minutes)
    return np.bincount(minute // 60, of_minute, 24).astype(float)
