"""The prices in force while a store sells, and the closing of a day, which sells whatever was not sold of it yet.

Prices are read again between ticks, when what they are made of has changed.
"""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import replace

from catalog.load import Catalog
from catalog.spread import HERE, Spread
from etl.batches import Batch, batch_inputs, batches_of, is_committed, stores_of, without_live_days
from etl.live.day import LiveDay, days_sold_live, is_live, sold_so_far
from etl.live.player import Player, PricesInForce
from etl.live.store_now import ticks_sold
from etl.stock import kept_before
from serving.in_force import kinds_on, pricing_on
from serving.order_book import at_once_now
from serving.playing import BatchToPlay, PricesByKind, play_one
from warehouse.lake import Lake
from warehouse.locks import held
from warehouse.origin import sells_outside
from warehouse.workspace import Workspace, whereabouts


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
        """Return what is another one whenever a price book was made, or somebody decided about a price."""
        return tuple(self._lake.changes(table) for table in ("booked_prices", "price_changes"))


_LOG = logging.getLogger(__name__)


def close_day(workspace: Workspace, date: dt.date, seed: int, spread: Spread = HERE) -> int:
    """Sell what is left of a business date; return how many batches of decisions that brought.

    Stores with an open live day sell the rest of it at once; those that were not sold live are played by the twin.
    Decisions that are there stay as they are, and a batch of which some tables are missing, or of another run, is made
    whole. In a retailer's lake, and of stores that sell outside, nothing is ever played.

    Raises
    ------
    Declined
        When someone is selling one of the stores live right now.
    """
    return _sell_the_rest(workspace, date, seed) + _play_what_is_missing(workspace, date, seed, spread)


def play_again(workspace: Workspace, date: dt.date, spread: Spread = HERE) -> None:
    """Play a date's batches of the twin anew, with their own stores and seeds, at the prices in force on the date.

    Days that were sold live or ingested are left as they are.
    """
    own: list[tuple[Batch, int]] = []
    for part in list(workspace.lake.partitions_on("interactions", date)):
        receipt = workspace.lake.receipt(part)
        if receipt and receipt.seed is not None and not is_live(part):
            own.append((Batch(date, part.group, stores_of(workspace, part)), receipt.seed))
    _play(workspace, own, spread, anew=True)


def _sell_the_rest(workspace: Workspace, date: dt.date, seed: int) -> int:
    """Close the live days that were left open, with the shoppers they began with; an outside store sells by itself."""
    if workspace.catalog.store.sales == "outside":
        return 0
    of_date = days_sold_live(workspace.lake, {date}.__contains__)
    left_open = [day for day in of_date if not day.is_closed(workspace.lake)]
    for day in left_open:
        with held(workspace.settings.locks, f"live-{day.store}"):
            found = sold_so_far(workspace.lake, day)
            began_with = found.mark.seed if found else seed
            prices = LivePrices(workspace.lake, lambda: workspace.catalog, day, began_with)
            player = Player(workspace.lake, prices, day, began_with)
            _LOG.info("%s goes on from tick %d", day.store, player.next_tick)
            while not player.is_over:
                player.sell_tick()
            player.close()
    return len(left_open)


def _play_what_is_missing(workspace: Workspace, date: dt.date, seed: int, spread: Spread) -> int:
    lake, catalog = workspace.lake, workspace.catalog
    if sells_outside(lake.store, catalog.store):
        return 0
    kinds = kinds_on(lake, catalog, date)
    batches = without_live_days(lake, batches_of(catalog, [date], None, kinds))
    missing = [batch for batch in batches if not is_committed(lake, batch.partition)]
    _play(workspace, [_made_whole(workspace, batch, seed) for batch in missing], spread)
    return len(missing)


def _made_whole(workspace: Workspace, batch: Batch, seed: int) -> tuple[Batch, int]:
    """Return a batch and its seed; one whose tables are not all of one run has the stores and seed of its decisions."""
    receipt = workspace.lake.receipt(batch.partition)
    if receipt is not None and receipt.seed is not None:
        return replace(batch, stores=stores_of(workspace, batch.partition)), receipt.seed
    return batch, seed


def _play(workspace: Workspace, own: list[tuple[Batch, int]], spread: Spread, *, anew: bool = False) -> None:
    """Play batches, each with its own seed, at the prices in force."""
    if not own:
        return
    where, prices = whereabouts(workspace, spread), PricesByKind(workspace.lake, workspace.catalog)
    priced = [(batch, seed, prices.of(batch)) for batch, seed in own]
    spread(play_one, [BatchToPlay(where, batch, seed, None, by.fingerprint, anew, by) for batch, seed, by in priced])
