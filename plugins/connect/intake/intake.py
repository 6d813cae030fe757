"""The intake of one process: it makes a lake ready, keeps in memory what the lake holds, and makes dates meanwhile.

`TakenIn` tells pricing what came of the day so far. It implements `plugins.own_store.draws.outside_day.OutsideSales`.
"""

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.arrays import Floats, Ints
from catalog.errors import Declined, ShelfpriceError
from catalog.tables.contracts import TABLES
from etl.stock import days_left, opens_with
from flows.workspace import now_of, prepared
from plugins.connect.intake.decisions import VisitedDay, decisions_of, known_until
from plugins.connect.intake.exposures import DayEvidence
from plugins.connect.intake.make_dates import DatesUnderway, MadeDates, evidence_on, make_dates, remade_on
from plugins.connect.intake.rival_prices import take_rivals
from plugins.connect.intake.sale_lines import IntakeResult, Kind
from plugins.connect.intake.sales_files import objects_of
from plugins.connect.intake.stock_and_visitors import take_stock, take_traffic
from plugins.connect.intake.stock_days import books_on, make_stock
from plugins.connect.intake.take_sales import LOCK, KnownLines, take_sales
from plugins.connect.labels.export_log import ExportLog
from plugins.own_store.draws.hourly_prices import released_in, visited_lately
from plugins.own_store.draws.outside_day import SoFar
from warehouse.commits.locks import waited_for
from warehouse.lake import Lake
from warehouse.workspace import Workspace

_LOOK_EVERY = 60.0  # s; a date ends even if nobody sends anything
_SETTLES = 1.0  # s, in which more of the same may come
_LOG = logging.getLogger(__name__)
_ONE_DAY = dt.timedelta(days=1)


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
        """Make the tables of the dates that are over; see `plugins.connect.intake.make_dates` and `stock_days`."""
        self._make_ready(workspace)
        now = self._clock(workspace)
        made = make_dates(workspace, now, self._of_dates, self._log)
        make_stock(workspace, self._of_dates, now)
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


class TakenIn:
    """Reads the intake's tables; parts that were read before are read once."""

    def __init__(self) -> None:
        self._known: KnownLines | None = None
        self._log: ExportLog | None = None

    @staticmethod
    def close_days(workspace: Workspace, now: dt.datetime) -> None:
        """Make the tables of the dates that are over at a moment, UTC."""
        Intake(workspace.lake, lambda _: now).make_dates(workspace)

    def so_far(self, workspace: Workspace, store: str, date: dt.date, now: dt.datetime) -> SoFar:
        """Return what is known of a store's date at a moment, UTC."""
        catalog, lake = workspace.catalog, workspace.lake
        self._known, self._log = self._known or KnownLines(lake), self._log or ExportLog(lake)
        self._known.look(date - _ONE_DAY)
        evidence = evidence_on(DatesUnderway(workspace, self._known, self._log), date)
        clock = catalog.store.clock_of(store)
        released = [
            sku
            for sku, is_released in zip(catalog.skus, released_in(lake, catalog, store, date), strict=True)
            if is_released
        ]
        opens, until = clock.opening_of(date), min(known_until(evidence, store, released), now)
        found = None
        if until > opens:
            day = VisitedDay(catalog, evidence, {store: until}, remade_on(lake, date))
            found = decisions_of(day).by_store.get(store)
        units, stock, opening = (np.full(len(catalog.skus), fill) for fill in (0.0, np.nan, np.nan))
        lines = evidence.lines.to_pylist()
        for row, counts in zip(lines, evidence.counts.tolist(), strict=True):
            if counts and row["store_id"] == store and row["units"] and row["sku"] in catalog.skus:
                units[catalog.skus.index(row["sku"])] += row["units"]
        for place, sku in enumerate(catalog.skus):
            at_opening = evidence.stock.at_opening(store, sku)
            opening[place] = np.nan if at_opening is None else at_opening
            levels = [level for since, level in evidence.stock.levels(store, sku) if since <= now]
            stock[place] = levels[-1] if levels else np.nan
        opened_with, left = _stock_that_lives(workspace, store, evidence, now)
        if catalog.stock_rules is not None and opened_with is not None:
            lives_on = catalog.stock_rules.lives_on
            opening, stock = np.where(lives_on, opened_with.sum(axis=1), opening), np.where(lives_on, left, stock)
        return SoFar(
            decisions=TABLES["interactions"].schema.empty_table() if found is None else found,
            ticks=max(0, clock.tick_of(until)[1]),
            unsaid=tuple(sorted(set(released) - visited_lately(lake, store, date))),
            opening_stock=opening,
            stock=stock,
            units=units,
            opened_with=opened_with,
        )


def _stock_that_lives(
    workspace: Workspace, store: str, evidence: DayEvidence, now: dt.datetime
) -> tuple[Ints | None, Floats]:
    """Return what there was to sell by the days on which it may be sold, and what is left, NaN where nobody told.

    A product of which no delivery and no count was told yet today opened as the catalog's orders say. Shapes are
    (n_products, n_lives), or None where no stock lives over days, and (n_products,).
    """
    lake, catalog, date = workspace.lake, workspace.catalog, evidence.date
    left = np.full(len(catalog.skus), np.nan)
    rules, opened_with = catalog.stock_rules, opens_with(lake, catalog, (store,), date).opened_with
    if rules is None or opened_with is None:
        return None, left
    for (of_store, sku), books in books_on(lake, catalog, date, (evidence.lines, evidence.counts), now).items():
        if of_store == store and books.is_told:
            lots, place = books.lots, catalog.skus.index(sku)
            life = days_left(rules, pa.array(list(lots), pa.date32()), np.full(len(lots), place), date)
            to_sell = [lot.left + lot.sold for lot in lots.values()]
            opened_with[0, place] = np.bincount(life, to_sell, rules.columns)
            left[place] = sum(lot.left for lot in lots.values())
    return opened_with[0], left
