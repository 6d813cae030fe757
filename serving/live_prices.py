"""The prices in force while a store sells: read again between ticks, when what they are made of has changed."""

import datetime as dt
from collections.abc import Callable

from catalog.load import Catalog
from etl.batches import Batch, batch_inputs
from etl.live.day import LiveDay
from etl.live.player import PricesInForce
from serving.in_force import pricing_on
from warehouse.lake import Lake


class LivePrices:
    """The prices of one store and date; they change with the catalog and with the newest price book."""

    def __init__(self, lake: Lake, current_catalog: Callable[[], Catalog], day: LiveDay, seed: int) -> None:
        """Read the prices in force now.

        Parameters
        ----------
        current_catalog
            Returns the catalog in force, the same object while it has not changed.
        """
        self._lake, self._current_catalog, self._day, self._seed = lake, current_catalog, day, seed
        self._catalog = current_catalog()
        self._books = self._newest_books()
        self._in_force = self._read()

    def in_force(self) -> PricesInForce:
        """Return the prices in force now."""
        catalog, books = self._current_catalog(), self._newest_books()
        if catalog is not self._catalog or books != self._books:
            self._catalog, self._books = catalog, books
            self._in_force = self._read()
        return self._in_force

    def _read(self) -> PricesInForce:
        priced_by = pricing_on(self._lake, self._catalog, self._day.business_date)
        batch = Batch(self._day.business_date, self._day.part("interactions").group, (self._day.store,))
        return PricesInForce(self._catalog, batch, priced_by, batch_inputs(self._catalog, batch, priced_by, self._seed))

    def _newest_books(self) -> dict[dt.date, int]:
        return self._lake.changes("price_book")
