"""What is known of prices that somebody else set: a wing tells it, and without one a retailer's lake is refused.

Explored prices are randomised: those of the twin, and of a store that sells from our price book. Exported prices are
not, so what they say about demand is judged apart, by the wing that registers for `shelfprice.evidence`.

A retailer's own prices are what its stores show where nobody released another one.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import duckdb
import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.wings import needed, provider
from features.response import PriceResponse
from serving.curves import DemandCurves
from serving.price_book import PriceBook
from warehouse.lake import Lake
from warehouse.origin import origin_of
from warehouse.proof import Span

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


@dataclass(frozen=True)
class AskedCurves:
    """A model's curves, of which somebody asks which prices the decisions up to a date speak for.

    Attributes
    ----------
    version, learned_from, trained_through
        Of the model; the dates are None where it does not say.
    through
        Last business date that is looked at.
    old
        Prices that small steps begin from, EUR, shape (n_products,), NaN where nothing moves; None for those of a week
        ago.
    """

    curves: DemandCurves
    version: str
    learned_from: dt.date | None
    trained_through: dt.date | None
    through: dt.date
    old: Floats | None = None


class Evidence:
    """What exported sales say: here nothing, as in a lake that holds none. Prices in EUR."""

    def changes_of_shelves(self, lake: Lake) -> tuple[object, ...]:
        """Return what is another one whenever a retailer's log changes; the same always in any other lake."""
        return ()

    def shelf_prices(self, lake: Lake, catalog: Catalog, before: dt.date | None = None) -> ShelfPrices | None:
        """Return the last regular prices before a date, or of all; None in a lake that is not a retailer's."""
        _refuse_a_retailers(lake)
        return None

    def own_prices_under(self, lake: Lake, catalog: Catalog, date: dt.date, book_of: dt.date) -> OwnPrices | None:
        """Return a retailer's own prices on a date under the book of another; None where there are none."""
        _refuse_a_retailers(lake)
        return None

    def holds_exported(self, connection: duckdb.DuckDBPyConnection, after: dt.date, through: dt.date) -> bool:
        """Tell whether a decision after a date, up to another, was made at a price that somebody else set."""
        return False

    def supported(self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, asked: AskedCurves) -> DemandCurves:
        """Return curves that know which of their prices exported sales speak for."""
        return asked.curves

    def steps_from(self, lake: Lake, catalog: Catalog, date: dt.date) -> Floats | None:
        """Return what the book of a date steps from, EUR, shape (n_products,); None for the prices of a week ago."""
        return None

    def spans_read(self, lake: Lake, date: dt.date) -> tuple[Span, ...]:
        """Return what exported sales lie in, and what is read beside them to know a date before it begins."""
        return ()

    def responses(
        self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date
    ) -> tuple[PriceResponse, ...]:
        """Return each product's response to the price, as exported sales up to a date tell it."""
        return ()

    def kept_prices(
        self, catalog: Catalog, curves: DemandCurves, date: dt.date, own: ShelfPrices | None = None
    ) -> Mapping[str, Floats]:
        """Return by store the old prices that it keeps in the week of a date, shape (n_products,); else NaN."""
        return {}

    def stores_that_keep(
        self, catalog: Catalog, curves: DemandCurves, book: PriceBook, date: dt.date
    ) -> list[dict[str, Any]]:
        """Return each product that moves, with its old price, its new one, and the stores that keep the old one."""
        return []


def _refuse_a_retailers(lake: Lake) -> None:
    """Refuse a retailer's lake that nothing here can read: base prices would stand on its labels.

    Raises
    ------
    SettingError
        When the lake holds a retailer's decisions.
    """
    if origin_of(lake.store) == "retailer":
        needed("evidence", "a retailer's lake")


@cache
def evidence() -> Evidence:
    """Return what tells of exported prices."""
    kind: type[Evidence] | None = provider("evidence")
    return Evidence() if kind is None else kind()
