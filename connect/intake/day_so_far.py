"""What was taken in of an outside store's day so far. Implements `serving.outside_day.OutsideSales`."""

import datetime as dt

import numpy as np

from catalog.tables.decisions import INTERACTIONS
from connect.export.export_log import ExportLog
from connect.intake.decisions import VisitedDay, decisions_of, known_until
from connect.intake.known_lines import KnownLines
from connect.intake.make_dates import DatesUnderway, evidence_on, remade_on
from serving.hourly_prices import released_in, visited_lately
from serving.outside_day import SoFar
from warehouse.workspace import Workspace

_ONE_DAY = dt.timedelta(days=1)


class TakenIn:
    """Reads the intake's tables; parts that were read before are read once."""

    def __init__(self) -> None:
        self._known: KnownLines | None = None
        self._log: ExportLog | None = None

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
        return SoFar(
            decisions=INTERACTIONS.schema.empty_table() if found is None else found,
            ticks=max(0, clock.tick_of(until)[1]),
            unsaid=tuple(sorted(set(released) - visited_lately(lake, store, date))),
            opening_stock=opening,
            stock=stock,
            units=units,
        )
