"""Admit the dates of an export wherever there is room: a date of visits is a job, for no date depends on another.

What must hold: a worker gets the rows of a date from the lake's store, and publishes only while they are there. They go
when the command that handed them over goes on, or when another one takes its place. So a date that a killed command had
sent out is not published over the next command's. Units and receipts are admitted here, one date after another: each
needs those before it.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import uuid4

from catalog.errors import DataError
from catalog.spread import HERE, InThisProcess, Progress, Spread, silent
from etl.files.block import ahead
from own_data.exports.admission import EPOCH, Admitted, Admitting, FileAdmission, clear_other_dates, published
from own_data.exports.visits import AdmittingVisits, Shares
from warehouse.lake import Lake
from warehouse.workspace import Whereabouts, Workspace, whereabouts

_WRITERS = InThisProcess(width=2, tries_again=False)  # one date is validated while the other waits for the disk


@dataclass(frozen=True)
class Room:
    """Where the dates of an export are admitted, and who is told how far that is."""

    progress: Progress = silent
    spread: Spread = HERE


HERE_UNHEARD = Room()
"""In this process, and nobody is told."""


@dataclass(frozen=True)
class DateToAdmit:
    """A date of visits that any worker may admit.

    Attributes
    ----------
    where
        Where it is admitted.
    date
        Days since 1970.
    given
        What is to be known of the export for this date; neither its lake nor its rows travel.
    shares
        How often the whole export shows each price.
    rows
        Name of its rows in the store, where they were handed over, which those of no other run have.
    at_hand
        What admits it in this process; it does not travel.
    """

    where: Whereabouts
    date: int
    given: FileAdmission
    shares: Shares
    rows: str
    at_hand: AdmittingVisits | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The file and the date."""
        return f"{self.given.source} on {EPOCH + dt.timedelta(days=self.date)}"

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "at_hand": None}


def admit_dates(workspace: Workspace, admitting: Admitting, room: Room) -> list[Admitted]:
    """Admit every date of an export, and remove what an earlier reading of the file published on others."""
    given = admitting.given
    dates, progressed = given.dates(), partial(room.progress, "publishing dates")
    admitting.begin()
    if isinstance(admitting, AdmittingVisits):
        spread = room.spread if room.spread.is_elsewhere else _WRITERS
        where, run = whereabouts(workspace, spread), uuid4().hex[:8]
        jobs = [
            DateToAdmit(where, date, given.on(date), admitting.shares, f"{run}-{date}", admitting) for date in dates
        ]
        try:
            for job in jobs if spread.is_elsewhere else []:
                given.lake.store.hand_over(job.rows, given.staged.packed(job.date))
            days = spread(admit_one, jobs, progressed)
        finally:
            if spread.is_elsewhere:
                given.lake.store.take_back()
    else:
        days = list[Admitted]()
        for checked in ahead(map(admitting.check, dates)):
            days.append(published(given, checked))
            progressed(len(days), len(dates))
    clear_other_dates(given)
    return days


def admit_one(job: DateToAdmit) -> Admitted:
    """Validate and publish one date.

    Raises
    ------
    DataError
        When its rows were taken back; nothing of it was published.
    """
    if job.at_hand is not None:
        return published(job.at_hand.given, job.at_hand.check(job.date))
    workspace = job.where.opened()
    given = replace(job.given, lake=workspace.lake, staged=job.given.staged.unpacked(_rows_of(job, workspace.lake)))
    checked = AdmittingVisits(given, job.shares).check(job.date)
    _rows_of(job, workspace.lake)
    return published(given, checked)


def _rows_of(job: DateToAdmit, lake: Lake) -> bytes:
    """Return the rows of a date that were handed over.

    Raises
    ------
    DataError
        When they are there no longer, for the command that handed them over is gone.
    """
    rows = lake.store.handed_over(job.rows)
    if rows is None:
        raise DataError(
            f"expected the rows of {job.name} in {lake.address}, found none, for the command that sent them is gone; "
            "nothing was published of this date: ingest the file again"
        )
    return rows
