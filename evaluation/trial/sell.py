"""Sell a store day under two policies by turns: one stretch of ticks after another, the shelf as the last one left it.

A stretch begins with the policy as it is at opening: one that learns while it sells learns within a stretch, and from
the stores of its own batch alone. So whole days suit such a policy; blocks of hours make it begin anew.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby

from catalog.arrays import Flags
from catalog.load import Catalog
from catalog.pricing import Policy
from catalog.store_day import StoreDay
from simulation.store_day import Stretch
from simulation.visits import draw_visits


def turns(is_b: Flags, block_ticks: int) -> list[tuple[bool, int, int]]:
    """Return who prices from which tick to before which, for the blocks of a day, shape (n_blocks,)."""
    found, first = [], 0
    for own, blocks in groupby(is_b.tolist()):
        end = first + block_ticks * len(list(blocks))
        found.append((own, first, end))
        first = end
    return found


def sell_by_turns(
    catalog: Catalog,
    policies: tuple[Policy, Policy],
    taking: Sequence[tuple[bool, int, int]],
    stores: Sequence[str],
    date: dt.date,
    seed: int,
) -> Iterator[StoreDay]:
    """Sell one date of some stores, and yield each turn as it was sold.

    Parameters
    ----------
    policies
        A and B.
    taking
        As from `turns`.
    """
    visits, standing = draw_visits(catalog, stores, date, seed), None
    for is_b, first, end in taking:
        stretch = Stretch(catalog, policies[is_b], stores, date, visits, standing)
        for _ in range(first, end):
            stretch.sell_tick()
        standing = stretch.standing
        yield stretch.played()
