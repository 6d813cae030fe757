"""Close a business date: whatever was not sold of it yet is sold, at the prices in force."""

import datetime as dt
import logging
from dataclasses import replace

from catalog.priced_by import PricedBy
from etl.batches import Batch, batches_of, is_committed, play_batch, stores_of, without_live_days
from etl.business_dates import comes_from_outside
from etl.live.day import days_sold_live, is_live, sold_so_far
from etl.live.player import Player
from etl.trial_days import is_of_a_trial
from serving.in_force import pricing_on
from serving.live_prices import LivePrices
from warehouse.lake import Lake
from warehouse.locks import held
from warehouse.origin import origin_of
from warehouse.workspace import Workspace

_LOG = logging.getLogger(__name__)


def close_day(workspace: Workspace, date: dt.date, seed: int) -> int:
    """Sell what is left of a business date; return how many batches of decisions that brought.

    Stores with an open live day sell the rest of it at once; those that were not sold live are played by the twin.
    Decisions that are there stay as they are, and a batch of which some tables are missing, or of another run, is made
    whole. In a retailer's lake nothing is ever played, and in a mixture no date
    that was ingested.

    Raises
    ------
    Declined
        When someone is selling one of the stores live right now.
    """
    return _sell_the_rest(workspace, date, seed) + _play_what_is_missing(workspace, date, seed)


def play_again(workspace: Workspace, date: dt.date) -> None:
    """Play a date's batches of the twin anew, with their own stores and seeds, at the prices in force on the date.

    Days that were sold live, in a trial, or ingested are left as they are.
    """
    priced_by = pricing_on(workspace.lake, workspace.catalog, date)
    for part in list(workspace.lake.partitions_on("interactions", date)):
        receipt = workspace.lake.receipt(part)
        stays = is_live(part) or is_of_a_trial(part)
        if receipt and receipt.seed is not None and not stays:
            batch = Batch(date, part.group, stores_of(workspace, part))
            play_batch(workspace, batch, priced_by, receipt.seed, anew=True)


def _sell_the_rest(workspace: Workspace, date: dt.date, seed: int) -> int:
    """Close the live days that were left open, with the shoppers they began with."""
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


def _is_a_retailers(lake: Lake) -> bool:
    now = origin_of(lake.store)
    return now is not None and now.holds == "retailer"


def _play_what_is_missing(workspace: Workspace, date: dt.date, seed: int) -> int:
    lake, catalog = workspace.lake, workspace.catalog
    if _is_a_retailers(lake) or comes_from_outside(lake, date):
        return 0
    batches = without_live_days(lake, batches_of(catalog, [date], None))
    missing = [batch for batch in batches if not is_committed(lake, batch.partition)]
    if missing:
        priced_by = pricing_on(lake, catalog, date)
        for batch in missing:
            _play_whole(workspace, batch, priced_by, seed)
    return len(missing)


def _play_whole(workspace: Workspace, batch: Batch, priced_by: PricedBy, seed: int) -> None:
    """Play a batch; one whose tables are not all of one run is played as its decisions were: stores and seed."""
    receipt = workspace.lake.receipt(batch.partition)
    if receipt is not None and receipt.seed is not None:
        batch, seed = replace(batch, stores=stores_of(workspace, batch.partition)), receipt.seed
    play_batch(workspace, batch, priced_by, seed)
