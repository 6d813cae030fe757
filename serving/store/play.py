"""Play batches of the twin wherever there is room: each is independent of every other.

A policy may be large, so it does not travel: whoever plays a batch elsewhere reads what prices it from the lake, and
plays only if that is what was meant.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from threading import Lock
from typing import Any

from cachetools import LRUCache

from catalog.decisions.pricing import PricedBy
from catalog.errors import Declined
from catalog.hooks import OPEN_DAYS
from catalog.load import Catalog
from catalog.spread import HERE, Spread
from etl.batches import (
    Batch,
    BatchResult,
    batches_of,
    is_committed,
    play_batch,
    stores_of,
    without_live_days,
)
from etl.open_days import is_live
from serving.book.store import opened_once
from serving.store.in_force import kinds_on, pricing_on
from warehouse.lake import Lake, Partition
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
        self._pricing = cache(partial(pricing_on, lake, catalog, books=self._books))

    def batches(self, dates: Sequence[dt.date], n_stores: int | None = None) -> list[Batch]:
        """Return the batches of some dates, each with stores of one kind that did not sell the date live."""
        kinds = {date: kinds_on(self._lake, self._catalog, date, self._name, self._books) for date in dates}
        batches = [batch for date in dates for batch in batches_of(self._catalog, [date], n_stores, kinds[date])]
        return without_live_days(self._lake, batches)

    def alike(self, batch: Batch) -> tuple[str, ...] | None:
        """Return the stores that a batch is priced with; None for all stores."""
        kinds = kinds_on(self._lake, self._catalog, batch.business_date, self._name, self._books)
        return next((kind for kind in kinds if batch.stores[0] in kind), batch.stores) if kinds else None

    def of(self, batch: Batch) -> PricedBy:
        """Return what prices a batch."""
        return self._pricing(batch.business_date, self._name, self.alike(batch))


_READ, _READING = LRUCache[tuple[Any, ...], PricesByKind](maxsize=2), Lock()  # for the next batch is often of one date


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
    prices = PricesByKind(workspace.lake, workspace.catalog, policy)
    return [(batch, prices.of(batch)) for batch in prices.batches(dates, n_stores)]


def batches_to_play(
    workspace: Workspace, priced: Sequence[tuple[Batch, PricedBy]], policy: str | None, seed: int, spread: Spread
) -> list[BatchToPlay]:
    """Return what is sent to those who play batches; `priced` and `policy` as in `priced_batches`."""
    where = whereabouts(workspace, spread)
    return [BatchToPlay(where, batch, seed, policy, by.fingerprint, at_hand=by) for batch, by in priced]


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
    return play_batch(workspace, job.batch, job.at_hand or _pricing_meant(workspace, job), job.seed, anew=job.anew)


def _pricing_meant(workspace: Workspace, job: BatchToPlay) -> PricedBy:
    date = job.batch.business_date
    key = (workspace.lake.address, workspace.catalog.fingerprint, date, job.policy, job.priced_by)
    with _READING:
        prices = _READ.pop(key, None) or PricesByKind(workspace.lake, workspace.catalog, job.policy)
        priced_by = prices.of(job.batch)
        if priced_by.fingerprint != job.priced_by:
            raise Declined(
                f"{job.name}: other prices came into force for {date} while batches were sent out; this one was not "
                "played, run the same command again"
            )
        _READ[key] = prices
    return priced_by


def close_day(workspace: Workspace, date: dt.date, seed: int, spread: Spread = HERE) -> int:
    """Sell what is left of a business date; return how many batches of decisions that brought.

    Stores with an open live day sell the rest of it at once; those that were not sold live are played by the twin.
    Decisions that are there stay as they are, and a batch of which some tables are missing, or of another run, is made
    whole with its own stores and seed. Of stores that sell outside, nothing is ever played.

    Raises
    ------
    Declined
        When someone is selling one of the stores live right now.
    """
    lake, catalog = workspace.lake, workspace.catalog
    n_closed = sum(close_open_days(workspace, date, seed) for close_open_days in OPEN_DAYS.all())
    if seller_of(lake.store, catalog.store) is not None:
        return n_closed
    prices = PricesByKind(lake, catalog)
    missing = [batch for batch in prices.batches([date]) if not is_committed(lake, batch.partition)]
    _play(workspace, prices, [_as_played(workspace, batch.partition) or (batch, seed) for batch in missing], spread)
    return n_closed + len(missing)


def play_again(workspace: Workspace, date: dt.date, spread: Spread = HERE) -> None:
    """Play a date's batches of the twin anew, with their own stores and seeds, at the prices in force on the date.

    Days that were sold live or ingested are left as they are.
    """
    parts = [part for part in workspace.lake.partitions_on("interactions", date) if not is_live(part)]
    played = [batch for part in parts if (batch := _as_played(workspace, part)) is not None]
    _play(workspace, PricesByKind(workspace.lake, workspace.catalog), played, spread, anew=True)


def _as_played(workspace: Workspace, part: Partition) -> tuple[Batch, int] | None:
    """Return the batch of a partition of decisions and its seed; None where the twin did not play it."""
    receipt = workspace.lake.receipt(part)
    if receipt is None or receipt.seed is None or part.business_date is None:
        return None
    return Batch(part.business_date, part.group, stores_of(workspace, part)), receipt.seed


def _play(
    workspace: Workspace, prices: PricesByKind, batches: list[tuple[Batch, int]], spread: Spread, *, anew: bool = False
) -> None:
    if batches:
        where, priced = whereabouts(workspace, spread), [(batch, seed, prices.of(batch)) for batch, seed in batches]
        jobs = [BatchToPlay(where, batch, seed, None, by.fingerprint, anew, by) for batch, seed, by in priced]
        spread(play_one, jobs)
