"""Between which prices products pass without a person: the weakest of all orders, and the only one that most have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats


@dataclass(frozen=True, eq=False)
class PriceRanges:
    """Between which prices products of some stores pass without a person, all day.

    They are worked out when somebody asks, of the stores asked about: a chain's desk shows few of them.

    Attributes
    ----------
    of
        Returns the lowest and the highest prices of stores, EUR, shape (n_stores, n_products); NaN where they do not
        pass, or where an order says more.
    source
        The record behind them, as of an order.
    """

    stores: tuple[str, ...]
    of: Callable[[Sequence[str]], tuple[Floats, Floats]]
    source: object = None

    @cached_property
    def bounds(self) -> tuple[Floats, Floats]:
        """The lowest and the highest prices of all these stores."""
        return self.of(self.stores)

    def only(self, column: int) -> "PriceRanges":
        """Return those of one product, for a shelf that holds it alone."""
        return ranges_between(self.stores, *(own[:, [column]] for own in self.bounds))

    def allow(self, prices: Floats) -> Flags:
        """Tell which prices, EUR, shape (n_products, n_prices), pass in some store, of those that have a range."""
        found = np.zeros(prices.shape, dtype=bool)
        for least, most in zip(*(own[..., None] for own in self.bounds), strict=True):
            found |= (least < most) & (least <= prices) & (prices <= most)
        return found


def ranges_between(stores: tuple[str, ...], lowest: Floats, highest: Floats) -> PriceRanges:
    """Return ranges that are known, EUR, shape (n_stores, n_products)."""
    return PriceRanges(stores, _Known(stores, lowest, highest))


@dataclass(frozen=True)
class _Known:
    stores: tuple[str, ...]
    lowest: Floats
    highest: Floats

    def __call__(self, stores: Sequence[str]) -> tuple[Floats, Floats]:
        own = [self.stores.index(store) for store in stores]
        return self.lowest[own], self.highest[own]
