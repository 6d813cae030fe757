"""The prices of a store that sells live, read again before each tick, and the closing of days that were left open."""

import datetime as dt
import logging
from collections.abc import Callable

from catalog.load import Catalog
from etl.batches import Batch, batch_inputs
from etl.open_days import LiveDay, days_sold_live, sold_so_far, ticks_sold
from etl.stock import kept_before
from plugins.live.player import Player, PricesInForce
from serving.limits.orders import at_once_now, orders_stamp
from serving.store.in_force import pricing_on
from warehouse.commits.locks import held
from warehouse.lake import Lake
from warehouse.workspace import Workspace

_LOG = logging.getLogger(__name__)


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
        kept = kept_before(lake, catalog, batch.stores, day.business_date)
        return PricesInForce(catalog, batch, priced_by, batch_inputs(catalog, batch, priced_by, self._seed, kept))

    def _newest_decisions(self) -> tuple[dict[dt.date, int], ...]:
        """Return the version of price books and orders: it changes with either."""
        return self._lake.changes("booked_prices"), orders_stamp(self._lake)


def close_open_days(workspace: Workspace, date: dt.date, seed: int) -> int:
    """Sell the rest of a date's open days, with the shoppers they began with, and return how many were closed.

    A store with sales of its own sells without this.

    Raises
    ------
    Declined
        When another process is selling one of the stores.
    """
    if workspace.catalog.store.sales == "outside":
        return 0
    of_date = days_sold_live(workspace.lake, {date}.__contains__)
    left_open = [day for day in of_date if not day.is_closed(workspace.lake)]
    for day in left_open:
        with held(workspace.settings.locks, f"live-{day.store}"):
            sold = sold_so_far(workspace.lake, day)
            began_with = sold.mark.seed if sold else seed
            prices = LivePrices(workspace.lake, lambda: workspace.catalog, day, began_with)
            player = Player(workspace.lake, prices, day, began_with)
            _LOG.info("%s goes on from tick %d", day.store, player.next_tick)
            while not player.is_over:
                player.sell_tick()
            player.close()
    return len(left_open)
