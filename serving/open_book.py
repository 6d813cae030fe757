"""A price book with what stores begin its day with: worked out once for all who ask of it.

To work out what a belief makes of prices, and of what keeps of each shelf, takes far longer than to look a price up. So
who asks for more than one thing opens the book once and hands it on.
"""

import datetime as dt
from collections.abc import Callable
from functools import cached_property

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.pricing import Shelf
from serving.belief.belief import Belief
from serving.belief.policy import Morning, Outlook
from serving.belief.table import belief_from_table
from serving.book_store import BookInForce, book_in_force
from serving.kinds_of_stores import kind_of, morning_in
from serving.policies import StockAwarePolicy
from warehouse.lake import Lake


class OpenBook:
    """A price book in force, on the shelf of a catalog.

    Attributes
    ----------
    found
        The book, and what it stands on.
    """

    def __init__(self, catalog: Catalog, found: BookInForce) -> None:
        """Work nothing out yet."""
        self.found, self._catalog = found, catalog
        self._mornings: dict[tuple[str, ...], Morning] = {}

    @cached_property
    def belief(self) -> tuple[Belief, str | None]:
        """The belief behind the book, and its champion's version."""
        return belief_from_table(self.found.belief, self._catalog)

    def morning(self, store: str | None = None) -> Morning:
        """Return what a store's day begins with, the same for all stores of its kind; without a store, that of all."""
        kind = None if store is None else kind_of(self._catalog, self.belief[0], store)
        key = () if kind is None else kind.stores
        if key not in self._mornings:
            self._mornings[key] = morning_in(self._catalog, *self.belief, store)
        return self._mornings[key]


Worths = Callable[[str, int, int], Floats | None]
"""Returns by sku, stock and ticks left what `StockAwarePolicy.worths` does; None where no belief tells."""


def worths_in(
    outlook: Callable[[], Outlook],
    opened: tuple[dt.date, Ints | None],
    sticker: Floats | None,
    sku: str,
    stock: int,
    left: int,
) -> Floats | None:
    """Return what each candidate of a product is worth to the policy of an outlook; see `Worths`.

    `opened` are the date and the units that one store opened with; `sticker` is as in `serving.tabulate.tabulate`.
    """
    policy = outlook().policy
    if not isinstance(policy, StockAwarePolicy) or sku not in policy.skus:
        return None
    shape = 1, len(policy.skus)
    at = np.full(shape, stock), np.full(shape, np.nan), left, np.zeros(shape)
    date, units = opened
    stuck = None if sticker is None else sticker[None]
    return policy.worths(Shelf(*at, opened_with=units, business_date=date, sticker=stuck), policy.skus.index(sku))


Books = Callable[[Catalog, dt.date], OpenBook | None]
"""Opens the price book in force on a date on the shelf of a catalog; None without one."""


def opened_once(lake: Lake) -> Books:
    """Return what opens the price books of a lake, each once on the shelf of a catalog."""
    opened = dict[tuple[str, dt.date], OpenBook | None]()

    def books(catalog: Catalog, date: dt.date) -> OpenBook | None:
        key = catalog.fingerprint, date
        if key not in opened:
            found = book_in_force(lake, date)
            opened[key] = None if found is None else OpenBook(catalog, found)
        return opened[key]

    return books
