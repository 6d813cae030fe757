"""The intake of one process: it makes a lake ready, keeps in memory what the lake holds, and makes dates meanwhile."""

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from catalog.errors import Declined, ShelfpriceError
from connect.export.export_log import ExportLog
from connect.intake.known_lines import KnownLines
from connect.intake.make_dates import MadeDates, make_dates
from connect.intake.rival_prices import take_rivals
from connect.intake.sale_lines import IntakeResult, Kind
from connect.intake.sales_files import objects_of
from connect.intake.stock_and_visitors import take_stock, take_traffic
from connect.intake.stock_days import StockDays
from connect.intake.take_sales import LOCK, take_sales
from flows.clock import now_of
from flows.workspace import prepared
from warehouse.lake import Lake
from warehouse.locks import waited_for
from warehouse.workspace import Workspace

_LOOK_EVERY = 60.0  # s; a date ends even if nobody sends anything
_SETTLES = 1.0  # s, in which more of the same may come
_LOG = logging.getLogger(__name__)


class Intake:
    """Takes lines in, from requests and from files alike.

    Parameters
    ----------
    clock
        Returns the time, UTC; asked once for each request or file.
    """

    def __init__(self, lake: Lake, clock: Callable[[Workspace], dt.datetime] = now_of) -> None:
        self._clock = clock
        self._known, self._of_dates, self._log = KnownLines(lake), KnownLines(lake), ExportLog(lake)
        self._stock = StockDays()
        self._ready_for: str | None = None
        self._taking = threading.Lock()  # what is known is of one thread at a time

    def take(self, workspace: Workspace, kind: Kind, lines: pa.Table | Sequence[Any], by: str) -> IntakeResult:
        """Take lines in; when it returns, those that were taken are durable.

        Parameters
        ----------
        lines
            Objects, or a table with a column for each field of a file.

        Raises
        ------
        Declined
            When the twin plays the stores of this catalog, or the lake holds the twin's decisions; prices of rivals
            are taken in all the same.
        LakeError
            When the disk refuses; the lines may be sent again.
        """
        self._make_ready(workspace, kind)
        if kind == "rivals":
            return take_rivals(workspace, objects_of(lines), by, self._clock(workspace))
        if kind == "sales":
            with self._taking:
                return take_sales(workspace, lines, by, self._clock(workspace), self._known)
        take = take_stock if kind == "stock" else take_traffic
        return take(workspace, objects_of(lines), by, self._clock(workspace))

    def make_dates(self, workspace: Workspace) -> MadeDates:
        """Make the tables of the dates that are over; see `connect.intake.make_dates` and `stock_days`."""
        self._make_ready(workspace)
        now = self._clock(workspace)
        made = make_dates(workspace, now, self._of_dates, self._log)
        self._stock.make(workspace, self._of_dates, now)
        return made

    def _make_ready(self, workspace: Workspace, kind: Kind = "sales") -> None:
        if kind != "rivals":
            refuse_twin(workspace)
        catalog = workspace.catalog
        if self._ready_for != catalog.fingerprint:
            with waited_for(workspace.settings.locks, LOCK):
                prepared(workspace.settings, catalog)
            self._ready_for = catalog.fingerprint


class ServedIntake:
    """The intake of a server: dates are made in a thread, soon after lines came and whenever a date ends.

    Parameters
    ----------
    workspace
        Returns the workspace with the catalog in force.
    """

    def __init__(self, lake: Lake, workspace: Callable[[], Workspace]) -> None:
        self._intake, self._workspace = Intake(lake), workspace
        self._came = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, workspace: Workspace, kind: Kind, lines: Sequence[Any], by: str) -> IntakeResult:
        """Take lines in; see `Intake.take`."""
        result = self._intake.take(workspace, kind, lines, by)
        if kind == "rivals":  # no date is made of them
            return result
        self._came.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._make_dates, name="intake-dates", daemon=True)
            self._thread.start()
        return result

    def _make_dates(self) -> None:
        while True:
            self._came.wait(_LOOK_EVERY)
            time.sleep(_SETTLES)
            self._came.clear()
            try:
                self._intake.make_dates(self._workspace())
            except (ShelfpriceError, OSError) as error:
                _LOG.warning("dates were not made, the next lines or the next minute try again: %s", error)
            except Exception:  # noqa: BLE001 - a thread that ended would make no date any more
                _LOG.exception("dates were not made, the next lines or the next minute try again")


def refuse_twin(workspace: Workspace) -> None:
    """Refuse to take in what stores sold that the twin plays.

    Raises
    ------
    Declined
        When it does.
    """
    if workspace.catalog.store.sales == "twin":
        raise Declined(
            "expected a catalog with `sales: outside` in store.yaml, found one whose stores the twin plays; nothing "
            "was taken in: set it, or name the catalog of the stores that sell"
        )
