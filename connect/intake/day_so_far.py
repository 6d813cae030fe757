"""What was taken in of an outside store's day so far. Implements `serving.outside_day.OutsideSales`."""

import datetime as dt

import numpy as np
import pyarrow as pa

from catalog.arrays import Floats, Ints
from catalog.tables.decisions import INTERACTIONS
from connect.export.export_log import ExportLog
from connect.intake.decisions import VisitedDay, decisions_of, known_until
from connect.intake.exposures import DayEvidence
from connect.intake.intake import Intake
from connect.intake.known_lines import KnownLines
from connect.intake.make_dates import DatesUnderway, evidence_on, remade_on
from connect.intake.stock_days import books_on
from etl.stock import days_left, opens_with
from serving.hourly_prices import released_in, visited_lately
from serving.outside_day import SoFar
from warehouse.workspace import Workspace

_ONE_DAY = dt.timedelta(days=1)


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
        released = [sku for sku, own in zip(catalog.skus, released_in(lake, catalog, store, date), strict=True) if own]
        opens, until = clock.opening_of(date), min(known_until(evidence, store, released), now)
        found = None
        if until > opens:
            day = VisitedDay(catalog, evidence, {store: until}, remade_on(lake, date))
            found = decisions_of(day).by_store.get(store)
        units, stock, opening = (np.full(len(catalog.skus), own) for own in (0.0, np.nan, np.nan))
        lines = evidence.lines.to_pylist()
        for row, counts in zip(lines, evidence.counts.tolist(), strict=True):
            if counts and row["store_id"] == store and row["units"] and row["sku"] in catalog.skus:
                units[catalog.skus.index(row["sku"])] += row["units"]
        for place, sku in enumerate(catalog.skus):
            at_opening = evidence.stock.at_opening(store, sku)
            opening[place] = np.nan if at_opening is None else at_opening
            known = [level for since, level in evidence.stock.levels(store, sku) if since <= now]
            stock[place] = known[-1] if known else np.nan
        opened_with, left = _stock_that_lives(workspace, store, evidence, now)
        if catalog.stock_rules is not None and opened_with is not None:
            lives_on = catalog.stock_rules.lives_on
            opening, stock = np.where(lives_on, opened_with.sum(axis=1), opening), np.where(lives_on, left, stock)
        return SoFar(
            decisions=INTERACTIONS.schema.empty_table() if found is None else found,
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
