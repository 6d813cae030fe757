"""Evidence from prices that a retailer set: a plugin reads it; without one, a retailer's lake is refused.

Explored prices are randomised: those of the twin, and of a store that sells from our price book. Exported prices are
not, so they give only a first guess of demand, from the plugin registered for `shelfprice.evidence`.

A retailer's own prices are what its stores show where none was drawn.
"""

import datetime as dt
from functools import cache

import duckdb
import numpy as np

from catalog.arrays import Floats
from catalog.hooks import EVIDENCE
from catalog.load import Catalog
from serving.optimise.policies import ShelfPrices
from warehouse.checks.proof import Span
from warehouse.lake import Lake
from warehouse.origin import origin_of

LOOKS_BACK = 182
"""Days of the log before a date that tell its regular prices: the widest window of the pattern of offers."""


class Evidence:
    """What exported sales say: here nothing, as in a lake that holds none. Prices in EUR."""

    def changes_of_shelves(self, lake: Lake) -> tuple[object, ...]:
        """Return a version tag of the retailer's log; constant for other lakes."""
        return ()

    def shelf_prices(self, lake: Lake, catalog: Catalog, before: dt.date | None = None) -> ShelfPrices | None:
        """Return the last regular prices before a date, or of all; None in a lake that is not a retailer's."""
        _refuse_a_retailers(lake)
        return None

    def holds_exported(self, connection: duckdb.DuckDBPyConnection, after: dt.date, through: dt.date) -> bool:
        """Return whether a decision after a date, up to another, was made at a price that somebody else set."""
        return False

    def spans_read(self, lake: Lake, date: dt.date) -> tuple[Span, ...]:
        """Return what exported sales lie in, and what is read beside them to know a date before it begins."""
        return ()

    def slopes(
        self, connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date
    ) -> tuple[Floats, Floats]:
        """Return the change of log units per log price that exported sales up to a date suggest, and its error.

        Both of shape (n_products,), NaN where they suggest none.
        """
        return np.full(len(catalog.skus), np.nan), np.full(len(catalog.skus), np.nan)


def _refuse_a_retailers(lake: Lake) -> None:
    """Refuse a retailer's lake that nothing here can read: base prices would stand on its labels.

    Raises
    ------
    SettingError
        When the lake holds a retailer's decisions.
    """
    if origin_of(lake.store) == "retailer":
        EVIDENCE.needed("a retailer's lake")


def unknown_price(sku: str, store: str | None) -> str:
    """Say that a product has no price in a store, and what helps."""
    of = "any store" if store is None else store
    return (
        f"expected a price of {sku} in {of} in the last {LOOKS_BACK} days of the log, found none; nothing is quoted or "
        f"sent: ingest sales of it there, or set one with `shelfprice override`"
    )


@cache
def evidence() -> Evidence:
    """Return what tells of exported prices."""
    kind = EVIDENCE.only()
    return Evidence() if kind is None else kind()
