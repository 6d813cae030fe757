"""What scenarios are made of: prices by week, regular prices, drifts, and the days of an offer.

Arrays have shape (n_stores, n_days, n_products). The first day is a Monday.
"""

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from evaluation.planted.planted_world import DAYS_A_WEEK, Size

LEVELS = np.log(np.array([0.8, 0.9, 1.0, 1.1, 1.2]))
"""Logs of the price ratios that randomised prices take."""
FRIDAY, THURSDAY = 4, 3
_MOST_CHANGES = 4  # of a regular price in a year
_DAYS_A_YEAR = 364


def weeks_of(size: Size, first_weekday: int = 0) -> Ints:
    """Return the number of each day's week, shape (n_days,); weeks begin on a weekday, 0 is Monday."""
    return (np.arange(size.days) + DAYS_A_WEEK - first_weekday) // DAYS_A_WEEK


def weekdays_of(size: Size) -> Ints:
    """Return each day's weekday, shape (n_days,); 0 is Monday."""
    return np.arange(size.days) % DAYS_A_WEEK


def levels_by_week(size: Size, rng: np.random.Generator) -> Floats:
    """Return a level for each store, week and product at random."""
    week = weeks_of(size)
    return rng.choice(LEVELS, (size.stores, week[-1] + 1, size.products))[:, week]


def weeks_at_random(size: Size, rng: np.random.Generator, share: float, first_weekday: int = 0) -> Flags:
    """Flag the days of a share of the weeks, for each store and product at random."""
    week = weeks_of(size, first_weekday)
    return rng.random((size.stores, week[-1] + 1, size.products))[:, week] < share


def chain_weeks_at_random(size: Size, rng: np.random.Generator, share: float, first_weekday: int = 0) -> Flags:
    """Flag the days of a share of the weeks, for each product at random and the same in all stores."""
    one = weeks_at_random(Size(1, size.days, size.products), rng, share, first_weekday)
    return np.broadcast_to(one, size.shape)


def regular_prices(size: Size, rng: np.random.Generator, most: float = 0.08) -> Floats:
    """Return regular prices, log, that each store changes two to four times a year by up to `most`."""
    places = (size.stores, size.products, _MOST_CHANGES)
    on = rng.integers(0, _DAYS_A_YEAR, places)
    is_made = np.arange(_MOST_CHANGES) < rng.integers(2, _MOST_CHANGES + 1, places[:2])[..., None]
    on = np.sort(np.where(is_made, on, _DAYS_A_YEAR))
    steps = rng.uniform(-most, most, (*places[:2], _MOST_CHANGES + 1))
    changes = (np.arange(size.days) >= on[..., None]).sum(axis=2)  # made so far, shape (n_stores, n_products, n_days)
    return np.asarray(np.take_along_axis(steps, changes, axis=2).transpose(0, 2, 1))


def walks(size: Size, rng: np.random.Generator, daily: float) -> Floats:
    """Return random walks, one per store and product, that begin at 0 and move by `daily` (standard deviation)."""
    steps = rng.normal(0, daily, size.shape)
    steps[:, 0] = 0
    return np.cumsum(steps, axis=1)


def held(values: Floats, size: Size, rng: np.random.Generator, every: int) -> Floats:
    """Hold each store and product at the value of its last change; changes come every so many days, from a random one.

    So prices move now and then, while what they follow moves every day.
    """
    offset = rng.integers(0, every, (size.stores, 1, size.products))
    day = np.arange(size.days)[None, :, None]
    changed = np.maximum(day - (day + offset) % every, 0)
    return np.asarray(np.take_along_axis(values, changed, axis=1))
