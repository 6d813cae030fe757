"""How old the units are that a store carries into a delivery, by how many they are."""

import numpy as np

from catalog.arrays import Floats

_MOST_CYCLES = 60


def usual_ages(
    numbers: Floats, sales: Floats, life: int, cycle: int, freshest_share: float, par: int, quantity: int
) -> Floats:
    """Return some numbers of units that are carried into a delivery by the days on which they may still be sold.

    A store that begins with nothing is followed, without luck, at several rates of sale; ages are read between the
    numbers of units that it carries into its deliveries.

    Parameters
    ----------
    numbers
        Units that are carried, ascending, shape (n,).
    sales
        Units that would sell between two deliveries, shape (n_rates,).
    life
        Days on which a new unit may be sold, that of its delivery included.
    cycle
        Days from one delivery to the next.
    freshest_share
        Share of what is sold that is taken from the freshest units; the rest is from the oldest.
    par, quantity
        Units up to which a delivery fills the shelf, and units of each delivery or 0.

    Returns
    -------
    Floats
        Shape (n, n_lives): column i holds those with i + 1 days left, the day of the delivery included, and the last
        one those that keep as good as for ever.
    """
    cycles = -(-life // cycle)  # deliveries while a unit may be sold, its own included
    if cycles > _MOST_CYCLES:
        return numbers[:, None]
    by_life = np.zeros((len(numbers), max(life - cycle, 0) + 1))
    if life <= cycle:
        return by_life
    cohorts = np.zeros((len(sales), cycles))  # from the oldest to the newest
    seen = [cohorts]
    for _ in range(min(3 * cycles, _MOST_CYCLES)):
        new = np.full(len(sales), float(quantity)) if quantity else np.maximum(par - cohorts.sum(axis=1), 0)
        on_shelf = np.concatenate([cohorts[:, 1:], new[:, None]], axis=1)
        sold = np.minimum(sales, on_shelf.sum(axis=1))
        cohorts = _without(on_shelf, freshest_share * sold, (1 - freshest_share) * sold)
        cohorts[:, 0] = 0.0  # may not be sold any more
        seen.append(cohorts)
    known = np.concatenate(seen)
    known = known[np.argsort(known.sum(axis=1), kind="stable")]
    carried = known.sum(axis=1)
    for age in range(1, cycles):
        share = np.divide(known[:, age], carried, out=np.zeros(len(known)), where=carried > 0)
        by_life[:, life - cycle * (cycles - age) - 1] = numbers * np.interp(numbers, carried, share)
    told = by_life.sum(axis=1)
    return by_life * np.divide(numbers, told, out=np.zeros(len(numbers)), where=told > 0)[:, None]


def _without(units: Floats, from_end: Floats, from_start: Floats) -> Floats:
    """Return rows of numbers of units without so many from the end and from the start."""
    ends = np.cumsum(units, axis=1)
    lower, upper = from_start[:, None], ends[:, -1:] - from_end[:, None]
    return np.clip(np.minimum(ends, upper) - np.maximum(ends - units, lower), 0, None)


def left_of(keep: float, of: float, left: Floats, freshest_share: float) -> Floats:
    """Return how many of the units that keep are among those left, in the shape of `left`.

    Of `of` units, `keep` are the freshest. A share of what was sold is taken from the freshest, the rest from the
    oldest.
    """
    fresh_sold = freshest_share * np.maximum(of - left, 0)
    return np.clip(np.minimum(keep, left + fresh_sold) - fresh_sold, 0, left)
