"""Admit the dates of an export wherever there is room: a date of visits is a job, for no date depends on another.

What must hold: whoever admits a date elsewhere sees the staged rows under the home, and publishes only while they are
there. They go when whoever staged them goes on or is succeeded, so what a killed run had sent out does not publish over
what the next one does. Units and receipts are admitted here, one date after another: each date needs those before it.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from catalog.spread import HERE, InThisProcess, Progress, Spread, silent
from own_data.exports.admission import EPOCH, Admitted, Admitting, FileAdmission, clear_other_dates, published
from own_data.exports.stage import refuse_gone, staged_again
from own_data.exports.visits import AdmittingVisits, Shares
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
    """A date of visits to be admitted by whoever has room for it.

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
    at_hand
        What admits it in this process; it does not travel.
    """

    where: Whereabouts
    date: int
    given: FileAdmission
    shares: Shares
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
        where = whereabouts(workspace, spread)
        jobs = [DateToAdmit(where, date, given.on(date), admitting.shares, admitting) for date in dates]
        days = spread(admit_one, jobs, progressed)
    else:
        days = list[Admitted]()
        for date in dates:
            days.append(published(given, admitting.check(date)))
            progressed(len(days), len(dates))
    clear_other_dates(given)
    return days


def admit_one(job: DateToAdmit) -> Admitted:
    """Validate and publish one date.

    Raises
    ------
    DataError
        When its rows are staged no longer; nothing of it was published.
    """
    if job.at_hand is not None:
        return published(job.at_hand.given, job.at_hand.check(job.date))
    workspace = job.where.opened()
    folder = workspace.settings.scratch
    with staged_again(job.given.staged, folder) as staged:
        given = replace(job.given, lake=workspace.lake, staged=staged)
        checked = AdmittingVisits(given, job.shares).check(job.date)
        refuse_gone(staged, folder)
        return published(given, checked)
