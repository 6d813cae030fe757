"""Close a business date: whatever was not sold of it yet is sold, at the prices in force."""

import datetime as dt
import logging
from dataclasses import replace

from catalog.spread import HERE, Spread
from etl.batches import Batch, batches_of, is_committed, stores_of, without_live_days
from etl.live.day import days_sold_live, is_live, sold_so_far
from etl.live.player import Player
from etl.trial_days import is_of_a_trial
from serving.in_force import pricing_on
from serving.live_prices import LivePrices
from serving.playing import BatchToPlay, play_one
from warehouse.locks import held
from warehouse.origin import origin_of
from warehouse.workspace import Workspace, whereabouts

_LOG = logging.getLogger(__name__)


def close_day(workspace: Workspace, date: dt.date, seed: int, spread: Spread = HERE) -> int:
    """Sell what is left of a business date; return how many batches of decisions that brought.

    Stores with an open live day sell the rest of it at once; those that were not sold live are played by the twin.
    Decisions that are there stay as they are, and a batch of which some tables are missing, or of another run, is made
    whole. In a retailer's lake nothing is ever played.

    Raises
    ------
    Declined
        When someone is selling one of the stores live right now.
    """
    return _sell_the_rest(workspace, date, seed) + _play_what_is_missing(workspace, date, seed, spread)


def play_again(workspace: Workspace, date: dt.date, spread: Spread = HERE) -> None:
    """Play a date's batches of the twin anew, with their own stores and seeds, at the prices in force on the date.

    Days that were sold live, in a trial, or ingested are left as they are.
    """
    own: list[tuple[Batch, int]] = []
    for part in list(workspace.lake.partitions_on("interactions", date)):
        receipt = workspace.lake.receipt(part)
        stays = is_live(part) or is_of_a_trial(part)
        if receipt and receipt.seed is not None and not stays:
            own.append((Batch(date, part.group, stores_of(workspace, part)), receipt.seed))
    _play(workspace, date, own, spread, anew=True)


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


def _play_what_is_missing(workspace: Workspace, date: dt.date, seed: int, spread: Spread) -> int:
    lake, catalog = workspace.lake, workspace.catalog
    if origin_of(lake.store) == "retailer":
        return 0
    batches = without_live_days(lake, batches_of(catalog, [date], None))
    missing = [batch for batch in batches if not is_committed(lake, batch.partition)]
    _play(workspace, date, [_made_whole(workspace, batch, seed) for batch in missing], spread)
    return len(missing)


def _made_whole(workspace: Workspace, batch: Batch, seed: int) -> tuple[Batch, int]:
    """Return a batch and its seed; one whose tables are not all of one run has the stores and seed of its decisions."""
    receipt = workspace.lake.receipt(batch.partition)
    if receipt is not None and receipt.seed is not None:
        return replace(batch, stores=stores_of(workspace, batch.partition)), receipt.seed
    return batch, seed


def _play(
    workspace: Workspace, date: dt.date, own: list[tuple[Batch, int]], spread: Spread, *, anew: bool = False
) -> None:
    """Play batches of a date, each with its own seed, at the prices in force."""
    if not own:
        return
    where, priced = whereabouts(workspace, spread), pricing_on(workspace.lake, workspace.catalog, date)
    spread(
        play_one,
        [BatchToPlay(where, batch, seed, None, priced.fingerprint, anew, priced) for batch, seed in own],
    )
