"""Play batches of the twin wherever there is room: each is independent of every other.

A policy may be large, so it does not travel: whoever plays a batch elsewhere reads what prices it from the lake, and
plays only if that is what was meant.
"""

import datetime as dt
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from catalog.decisions.pricing import PricedBy
from catalog.errors import Declined
from catalog.hooks import OPEN_DAYS
from catalog.load import Catalog
from catalog.spread import HERE, Spread
from etl.batches import (
    Batch,
    BatchResult,
    Kinds,
    batches_of,
    is_committed,
    play_batch,
    stores_of,
    without_live_days,
)
from etl.open_days import is_live
from serving.book.store import opened_once
from serving.store.in_force import kinds_on, pricing_on
from warehouse.lake import Lake
from warehouse.origin import seller_of
from warehouse.workspace import Whereabouts, Workspace, whereabouts


@dataclass(frozen=True)
class BatchToPlay:
    """A batch, and what prices it.

    Attributes
    ----------
    policy
        Policy asked for by its name; None for what is in force.
    priced_by
        Fingerprint of what prices it.
    anew
        Whether it is played although exactly this batch is there.
    at_hand
        What prices it, for those who play it in this process; it does not travel.
    """

    where: Whereabouts
    batch: Batch
    seed: int
    policy: str | None
    priced_by: str
    anew: bool = False
    at_hand: PricedBy | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Date and group of the batch."""
        return f"{self.batch.business_date} {self.batch.group}"

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "at_hand": None}


class PricesByKind:
    """What prices batches: stores of one kind, or all that are alike, have a policy in common.

    Parameters
    ----------
    name
        Policy asked for by its name; None for what is in force.
    """

    def __init__(self, lake: Lake, catalog: Catalog, name: str | None = None) -> None:
        self._lake, self._catalog, self._name, self._books = lake, catalog, name, opened_once(lake)
        self._found: dict[tuple[dt.date, tuple[str, ...] | None], PricedBy] = {}

    def kinds(self, date: dt.date) -> Kinds:
        """Return the kinds of stores that are priced apart on a date."""
        return kinds_on(self._lake, self._catalog, date, self._name, self._books)

    def alike(self, batch: Batch) -> tuple[str, ...] | None:
        """Return the stores that a batch is priced with; None for all stores."""
        kinds = self.kinds(batch.business_date)
        return next((kind for kind in kinds if batch.stores[0] in kind), batch.stores) if kinds else None

    def of(self, batch: Batch) -> PricedBy:
        """Return what prices a batch."""
        date, stores = batch.business_date, self.alike(batch)
        if (date, stores) not in self._found:
            own = pricing_on(self._lake, self._catalog, date, self._name, stores, books=self._books)
            self._found[date, stores] = own
        return self._found[date, stores]


_POLICIES_KEPT = 2
_READ, _READING = OrderedDict[tuple[Any, ...], PricesByKind](), Lock()


def priced_batches(
    workspace: Workspace, dates: Sequence[dt.date], n_stores: int | None, policy: str | None = None
) -> list[tuple[Batch, PricedBy]]:
    """Return the batches of some dates with what prices each; stores that sold a date live are left out.

    Parameters
    ----------
    n_stores
        Number of stores, by default those of the catalog.
    policy
        Policy asked for by its name; None for what is in force.
    """
    lake, catalog = workspace.lake, workspace.catalog
    prices = PricesByKind(lake, catalog, policy)
    batches = [batch for date in dates for batch in batches_of(catalog, [date], n_stores, prices.kinds(date))]
    return [(batch, prices.of(batch)) for batch in without_live_days(lake, batches)]


def batches_to_play(
    workspace: Workspace, priced: Sequence[tuple[Batch, PricedBy]], policy: str | None, seed: int, spread: Spread
) -> list[BatchToPlay]:
    """Return what is sent to those who play batches; `priced` and `policy` as in `priced_batches`."""
    where = whereabouts(workspace, spread)
    return [BatchToPlay(where, batch, seed, policy, found.fingerprint, at_hand=found) for batch, found in priced]


def in_order(catalog: Catalog, jobs: Sequence[BatchToPlay]) -> list[list[BatchToPlay]]:
    """Return batches that may be played at once, together: those of a date, where a shelf begins with what was left."""
    if catalog.stock_rules is None:
        return [list(jobs)]
    dates = sorted({job.batch.business_date for job in jobs})
    return [[job for job in jobs if job.batch.business_date == date] for date in dates]


def play_one(job: BatchToPlay) -> BatchResult:
    """Play one batch and publish it.

    Raises
    ------
    Declined
        When something else prices its date by now.
    """
    workspace = job.where.opened()
    priced_by = job.at_hand or pricing_meant(workspace, job.batch, job.policy, job.priced_by)
    return play_batch(workspace, job.batch, priced_by, job.seed, anew=job.anew)


def pricing_meant(workspace: Workspace, batch: Batch, policy: str | None, priced_by: str) -> PricedBy:
    """Return what prices a batch; what was read last is kept, for the next batch is often of the same date.

    Parameters
    ----------
    policy
        Policy asked for by its name; None for what is in force.
    priced_by
        Fingerprint of what is to price it.

    Raises
    ------
    Declined
        When something else prices its date by now.
    """
    date = batch.business_date
    key = (workspace.lake.address, workspace.catalog.fingerprint, date, policy, priced_by)
    with _READING:
        if key not in _READ:
            _READ[key] = PricesByKind(workspace.lake, workspace.catalog, policy)
            while len(_READ) > _POLICIES_KEPT:
                _READ.popitem(last=False)
        found = _READ[key].of(batch)
        if found.fingerprint != priced_by:
            del _READ[key]
            raise Declined(
                f"{date} {batch.group}: other prices came into force for {date} while batches were sent out; this one "
                "was not played, run the same command again"
            )
    return found


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
    return sum(close_open_days(workspace, date, seed) for close_open_days in OPEN_DAYS.all()) + _play_what_is_missing(
        workspace, date, seed, spread
    )


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


def _play_what_is_missing(workspace: Workspace, date: dt.date, seed: int, spread: Spread) -> int:
    lake, catalog = workspace.lake, workspace.catalog
    if seller_of(lake.store, catalog.store) is not None:
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
