"""The prices in force while a store sells: read again between ticks, when what they are made of has changed."""

import datetime as dt
from collections.abc import Callable

from catalog.load import Catalog
from etl.batches import Batch, batch_inputs
from etl.live.day import LiveDay
from etl.live.player import PricesInForce
from etl.live.store_now import ticks_sold
from serving.in_force import pricing_on
from serving.orders import at_once_now
from warehouse.lake import Lake


class LivePrices:
    """The prices of one store and date; they change with the catalog, the newest price book, and what people decide."""

    def __init__(self, lake: Lake, current_catalog: Callable[[], Catalog], day: LiveDay, seed: int) -> None:
        """Read the prices in force now.

        Parameters
        ----------
        current_catalog
            Returns the catalog in force, the same object while it has not changed.
        """
        self._lake, self._current_catalog, self._day, self._seed = lake, current_catalog, day, seed
        self._catalog = current_catalog()
        self._decided = self._newest_decisions()
        self._in_force = self._read(self._catalog)
        self._on_shelf: PricesInForce | None = None

    def in_force(self) -> PricesInForce:
        """Return the prices in force now."""
        catalog, decided = self._current_catalog(), self._newest_decisions()
        if catalog is not self._catalog or decided != self._decided:
            self._catalog, self._decided = catalog, decided
            self._in_force, self._on_shelf = self._read(catalog), None
        return self._in_force

    def in_force_on(self, shelf: Catalog) -> PricesInForce:
        """Return the prices in force now on the shelf that the day opened with, under the limits of now."""
        now = self.in_force().catalog
        if self._on_shelf is None:
            self._on_shelf = self._read(shelf.with_limits_of(now))
        return self._on_shelf

    def _read(self, catalog: Catalog) -> PricesInForce:
        lake, day = self._lake, self._day
        tick = catalog.store.clock_of(day.store).moment_of(day.business_date, ticks_sold(lake, day))
        at_once = at_once_now(lake, {day.store: tick})
        priced_by = pricing_on(lake, catalog, day.business_date, stores=(day.store,), at_once=at_once)
        batch = Batch(day.business_date, day.part("interactions").group, (day.store,))
        return PricesInForce(catalog, batch, priced_by, batch_inputs(catalog, batch, priced_by, self._seed))

    def _newest_decisions(self) -> tuple[dict[dt.date, int], ...]:
        """Return what is another one whenever a price book was made, or somebody decided about a price."""
        return self._lake.changes("price_book"), self._lake.changes("price_changes")
