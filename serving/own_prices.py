"""Prices that a retailer's stores show of their own: what stands where nobody released another one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog

LOOKS_BACK = 182
"""Days of the log before a date that tell its regular prices: the widest window of the pattern of offers."""


@dataclass(frozen=True)
class ShelfPrices:
    """The last regular prices of a retailer's stores, as the log before a date shows them.

    Attributes
    ----------
    stores
        The stores of the catalog.
    prices
        EUR, shape (n_stores, n_products); NaN where the log of half a year does not show one.
    seen
        Lowest and highest price of each product in any store over that time, EUR, shape (n_products, 2).
    """

    stores: tuple[str, ...]
    prices: Floats
    seen: Floats

    def of(self, stores: Sequence[str] | None, n_stores: int) -> Floats:
        """Return the prices of some shelves, EUR, shape (n_stores, n_products); NaN for nobody's shelf in particular.

        Parameters
        ----------
        n_stores
            How many shelves are asked about.
        """
        found = np.full((n_stores, self.prices.shape[1]), np.nan)
        rows = {store: row for row, store in enumerate(self.stores)}
        for place, store in enumerate(stores or ()):
            if store in rows:
                found[place] = self.prices[rows[store]]
        return found

    @property
    def usual(self) -> Floats:
        """The price in the middle of the stores, EUR, shape (n_products,); NaN where no store's is known."""
        found = np.full(self.prices.shape[1], np.nan)
        for own in np.flatnonzero(np.isfinite(self.prices).any(axis=0)):
            known = np.sort(self.prices[np.isfinite(self.prices[:, own]), own])
            found[own] = known[(len(known) - 1) // 2]
        return found

    def by_place(self, catalog: Catalog) -> dict[tuple[str, str], float]:
        """Return the known prices, EUR, by store and product."""
        return {
            (self.stores[row], catalog.skus[own]): float(self.prices[row, own])
            for row, own in np.argwhere(np.isfinite(self.prices))
        }

    def only(self, position: int) -> "ShelfPrices":
        """Return those of one product, for a shelf that holds it alone."""
        part = slice(position, position + 1)
        return replace(self, prices=self.prices[:, part], seen=self.seen[part])


@dataclass(frozen=True)
class OwnPrices:
    """What the stores of a retailer show of their own while a policy prices a date.

    Attributes
    ----------
    standing
        What stands where nobody released another price.
    stepped_from
        What the small steps of the book in force begin from.
    """

    standing: ShelfPrices
    stepped_from: ShelfPrices

    @property
    def fingerprint(self) -> str:
        """What tells these prices from any others."""
        arrays = (self.standing.prices, self.stepped_from.prices, self.stepped_from.seen)
        return hashlib.sha256(b"".join(own.tobytes() for own in arrays)).hexdigest()
