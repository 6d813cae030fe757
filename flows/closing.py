"""Close a business date: whatever was not sold of it yet is sold, at the prices in force."""

import datetime as dt

from prefect import get_run_logger

from etl.live.day import days_sold_live, is_live, sold_so_far
from etl.live.player import Player
from flows.edge import Surroundings
from flows.nights import comes_from_outside
from flows.progress import tell
from flows.simulate import Batch, batches_of, play_batch, pricing_on, without_live_days
from serving.live_prices import PriceDesk
from warehouse.lake import Partition
from warehouse.locks import held


def close_day(around: Surroundings, date: dt.date, seed: int) -> int:
    """Sell what is left of a business date; return how many batches of decisions that brought.

    Stores with an open live day sell the rest of it at once; those that were not sold live are played by the twin.
    Decisions that are there stay as they are, and a date that was ingested is never played.

    Raises
    ------
    Declined
        When someone is selling one of the stores live right now.
    """
    return _sell_the_rest(around, date, seed) + _play_what_is_missing(around, date, seed)


def _sell_the_rest(around: Surroundings, date: dt.date, seed: int) -> int:
    """Close the live days that were left open, with the shoppers they began with."""
    of_date = [day for day in days_sold_live(around.lake) if day.business_date == date]
    left_open = [day for day in of_date if not day.is_closed(around.lake)]
    for done, day in enumerate(left_open, start=1):
        with held(around.settings.locks, f"live-{day.store}"):
            found = sold_so_far(around.lake, day)
            began_with = found.mark.seed if found else seed
            desk = PriceDesk(around.lake, around.catalog_dir, day, began_with)
            player = Player(around.lake, desk, day, began_with)
            get_run_logger().info("%s goes on from tick %d", day.store, player.next_tick)
            while not player.is_over:
                player.sell_tick()
            player.close()
        tell(f"closing {date}: stores sold live", done, len(left_open))
    return len(left_open)


def _play_what_is_missing(around: Surroundings, date: dt.date, seed: int) -> int:
    if comes_from_outside(around.lake, date):
        return 0
    batches = without_live_days(around.lake, batches_of(around.catalog, [date], None))
    missing = [batch for batch in batches if around.lake.receipt(batch.partition) is None]
    if not missing:
        return 0
    priced_by = pricing_on(around.lake, around.catalog, date, None)
    for done, batch in enumerate(missing, start=1):
        play_batch(around, batch, priced_by, seed)
        tell(f"closing {date}: batches played", done, len(missing))
    return len(missing)


def play_again(around: Surroundings, date: dt.date) -> None:
    """Play a date's batches of the twin anew, with their own stores and seeds, at the prices in force on the date.

    Days that were sold live or ingested are left as they are.
    """
    priced_by = pricing_on(around.lake, around.catalog, date, None)
    for part in list(around.lake.partitions("interactions")):
        receipt = around.lake.receipt(part)
        if part.business_date == date and receipt and receipt.seed is not None and not is_live(part):
            batch = Batch(date, part.group, _stores_of(around, part))
            play_batch(around, batch, priced_by, receipt.seed, anew=True)


def _stores_of(around: Surroundings, part: Partition) -> tuple[str, ...]:
    """Return the stores of a partition in the order in which a batch names them: the catalog's first."""
    found = set(around.lake.read(part)["store_id"].unique().to_pylist())
    named = [store for store in around.catalog.store.stores if store in found]
    return (*named, *sorted(found.difference(named)))
