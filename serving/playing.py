"""Play batches of the twin wherever there is room: each is independent of every other.

A policy may be large, so it does not travel: whoever plays a batch elsewhere reads what prices it from the lake, and
plays only if that is what was meant.
"""

import datetime as dt
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from catalog.errors import Declined
from catalog.load import Catalog
from catalog.pricing import PricedBy
from catalog.spread import Spread
from etl.batches import Batch, BatchResult, play_batch
from serving.in_force import pricing_on
from warehouse.workspace import Whereabouts, Workspace, whereabouts

_POLICIES_KEPT = 2
_READ, _READING = OrderedDict[tuple[Any, ...], PricedBy](), Lock()


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


def batches_to_play(
    workspace: Workspace,
    batches: Sequence[Batch],
    priced_by: Mapping[dt.date, PricedBy],
    policy: str | None,
    seed: int,
    spread: Spread,
) -> list[BatchToPlay]:
    """Return what is sent to those who play batches.

    Parameters
    ----------
    priced_by
        What prices each date.
    policy
        The policy's name where one was asked for.
    """
    where = whereabouts(workspace, spread)
    priced = [(batch, priced_by[batch.business_date]) for batch in batches]
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
            _READ[key] = pricing_on(workspace.lake, workspace.catalog, date, policy)
            while len(_READ) > _POLICIES_KEPT:
                _READ.popitem(last=False)
        found = _READ[key]
        if found.fingerprint != priced_by:
            del _READ[key]
            raise Declined(
                f"{date} {batch.group}: other prices came into force for {date} while batches were sent out; this one "
                "was not played, run the same command again"
            )
    return found
