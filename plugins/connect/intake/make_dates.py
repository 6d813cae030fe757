"""Make the tables of each business date that is over from what was taken in for it, and fold its lines into one part.

A date is made when all stores have closed, each by its own clock. It is made again whenever something it depends
on has come: late lines, lines of other dates that void or correct its own, stock, visitors, acknowledgements, or other
sales of the four weeks before. Its receipt says what it was made from, so after a kill the next process goes on.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Flags
from catalog.load import Catalog
from catalog.names import INTAKE_GROUP, LIVE_GROUP
from catalog.tables.contracts import TABLES
from catalog.tables.table import Table
from etl.open_days import LiveDay
from plugins.connect.intake.day_sales import DayLines, ShelfStock, unit_sales_of
from plugins.connect.intake.decisions import MadeDecisions, VisitedDay, decisions_of
from plugins.connect.intake.exposures import DayEvidence, exposures_of, hours_open
from plugins.connect.intake.take_sales import LOCK, KnownLines, first_date
from plugins.connect.labels.export_log import ExportHistory, ExportLog
from plugins.desk.live_shelf import clear_away
from plugins.own_store.draws.drawn_prices import newest_draw
from plugins.own_store.history.day_units import DAYS
from warehouse.commits.locks import waited_for
from warehouse.lake import CODE_VERSION, Lake, Partition
from warehouse.partition import between
from warehouse.workspace import Workspace

DATES_LOCK = "intake-dates"
"""Held while dates are made, and while their lines are folded."""

_ONE_DAY = dt.timedelta(days=1)
_FOLDED = f"{INTAKE_GROUP}-all-"
_MOST_SMALL = {False: 200, True: 16}  # small parts of a date that is not folded, by whether it is over
_ACKNOWLEDGED_WITHIN = (15, 2)  # days before a date, and after it, whose exports and acknowledgements tell its prices
_BEFORE = ["store_id", "sku", "price", "units", "is_sudden_zero"]


@dataclass(frozen=True)
class MadeDates:
    """The business dates whose tables were made, and those whose lines were folded."""

    made: tuple[dt.date, ...]
    folded: tuple[dt.date, ...]


@dataclass
class DatesUnderway:
    """What was read of the lake while dates are made."""

    workspace: Workspace
    known: KnownLines
    log: ExportLog
    before: dict[dt.date, pd.DataFrame] = field(default_factory=dict)
    receipts: dict[dt.date, str] = field(default_factory=dict)


def make_dates(
    workspace: Workspace, now: dt.datetime, lines: KnownLines | None = None, log: ExportLog | None = None
) -> MadeDates:
    """Fold lines, and make the unit sales and exposures of every date that is over and not current.

    Parameters
    ----------
    now
        The time, UTC.
    known, log
        What the lake holds; those that were used before read new parts alone.
    """
    lake, lines = workspace.lake, lines or KnownLines(workspace.lake)
    with waited_for(workspace.settings.locks, DATES_LOCK):
        lake.finish_interrupted()
        lines.look(first_date(now))
        folded = [date for date in lines.dates if _fold(workspace, lines, date, is_over=is_over(workspace, date, now))]
        reading = DatesUnderway(workspace, lines, log or ExportLog(lake))
        over = [date for date in lines.dates if is_over(workspace, date, now)]
        made = [date for date in over if _make(reading, date)]
    return MadeDates(tuple(made), tuple(folded))


def is_over(workspace: Workspace, date: dt.date, now: dt.datetime) -> bool:
    """Return whether every store has closed on a business date."""
    return now >= max(clock.closing_of(date) for clock in workspace.catalog.store.clocks)


def _fold(workspace: Workspace, known: KnownLines, date: dt.date, *, is_over: bool) -> bool:
    """Put many parts of a date into one, and all of a date that is over; return whether that was done."""
    parts = list(known.parts_on(date))
    small = [part for part in parts if not part.group.startswith(_FOLDED)]
    is_first = is_over and len(parts) > 1 and len(parts) - len(small) != 1
    if not is_first and len(small) < _MOST_SMALL[is_over]:
        return False
    with waited_for(workspace.settings.locks, LOCK):
        known.look()  # whatever came meanwhile is folded with it
        parts = [part for part in known.parts_on(date) if is_over or not part.group.startswith(_FOLDED)]  # once each
        lines = known.lines(date, parts)
        digest = hashlib.sha256(repr(sorted(part.group for part in parts)).encode()).hexdigest()
        part = Partition("receipt_lines", date, f"{_FOLDED}{digest[:20]}")
        with workspace.lake.commit(f"intake-lines-{date}", inputs=digest) as commit:
            for old in parts:
                commit.remove(old)
            commit.publish(part, lines)
        known.look()
    return True


def _make(reading: DatesUnderway, date: dt.date) -> bool:
    """Make the tables of a date, unless they are current; tell whether they were made."""
    lake, sales = reading.workspace.lake, Partition("unit_sales", date, INTAKE_GROUP)
    inputs = _fingerprint(reading, date)
    if lake.is_current(sales, inputs):
        return False
    evidence = evidence_on(reading, date)
    decisions = _decided(reading, evidence)
    exposures, units = _tables_of(reading, evidence, decisions.pairs)
    _publish_decisions(lake, date, decisions, inputs)
    with lake.commit(f"intake-sales-{date}", inputs=inputs) as commit:
        commit.publish(Partition("exposures", date, INTAKE_GROUP), exposures)
        commit.publish(sales, units)
    for read in (reading.before, reading.receipts):
        read.pop(date, None)
    return True


def evidence_on(reading: DatesUnderway, date: dt.date) -> DayEvidence:
    """Return what is known of a date."""
    catalog, known, lake = reading.workspace.catalog, reading.known, reading.workspace.lake
    lines, counts = _lines_of(known, date)
    lines_before, counts_before = _lines_of(known, date - _ONE_DAY)
    events = pa.concat_tables(_read(lake, TABLES["stock_events"], day) for day in (date - _ONE_DAY, date))
    stock = ShelfStock(
        catalog.store, date, events, pa.concat_tables([lines_before, lines]), np.r_[counts_before, counts]
    )
    visitors = {
        (row["store_id"], row["hour_at"]): row["visitors"] for row in _read(lake, TABLES["traffic"], date).to_pylist()
    }
    visits = {
        (row["store_id"], row["sku"], row["hour_at"]): row["visits"]
        for row in _read(lake, TABLES["product_visits"], date).to_pylist()
    }
    draw = newest_draw(lake, date)
    draws = {(row["store_id"], row["sku"]): row for row in (lake.read(draw).to_pylist() if draw else ())}
    sold = lines.group_by(["store_id", "sku"]).aggregate([])
    pairs = {*draws, *zip(*(sold[name].to_pylist() for name in ("store_id", "sku")), strict=True)}
    history = _history(reading, date, pairs)
    return DayEvidence(date, catalog.store, history, lines, counts, stock, visitors, draws, visits)


def remade_on(lake: Lake, date: dt.date) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return the prices of outside stores that were remade during a date, by store and product, in order of time."""
    by_pair: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for part in lake.partitions_on("hourly_draws", date):
        for row in lake.read(part).sort_by("tick").to_pylist():
            by_pair.setdefault((row["store_id"], row["sku"]), []).append(row)
    return by_pair


def _decided(reading: DatesUnderway, evidence: DayEvidence) -> MadeDecisions:
    """Return the decisions of a date that is over; none where no visits are said."""
    if not evidence.visits:
        return MadeDecisions({}, frozenset())
    catalog, date = reading.workspace.catalog, evidence.date
    until = {store: catalog.store.clock_of(store).closing_of(date) for store in catalog.store.stores}
    return decisions_of(VisitedDay(catalog, evidence, until, remade_on(reading.workspace.lake, date)))


def _publish_decisions(lake: Lake, date: dt.date, made: MadeDecisions, inputs: str) -> None:
    """Make an ordinary batch of each store's decisions, with its price decisions if they were made during the day."""
    groups = [partition.group for partition in lake.partitions_on("interactions", date)]
    stores = {group.removeprefix(LIVE_GROUP) for group in groups if group.startswith(LIVE_GROUP)}
    nothing = TABLES["interactions"].schema.empty_table()
    for store in sorted(stores | set(made.by_store)):
        day = LiveDay(store, date)
        with lake.commit(day.commit, inputs=inputs, amends=True) as commit:
            if lake.holds(day.part("live_repricings")):
                commit.publish(day.part("repricings"), lake.read(day.part("live_repricings")))
            commit.publish(day.part("interactions"), made.by_store.get(store, nothing))
        clear_away(lake, day)


def _tables_of(
    reading: DatesUnderway, evidence: DayEvidence, decided: Collection[tuple[str, str]]
) -> tuple[pa.Table, pa.Table]:
    """Return the exposures and the unit sales of a date, without those of what was decided."""
    catalog, lake, date = reading.workspace.catalog, reading.workspace.lake, evidence.date
    exposures = exposures_of(evidence)
    of_day = {}
    for store in catalog.store.stores:
        counted = [evidence.visitors.get((store, hour)) for hour in hours_open(catalog.store, store, date)]
        known_counts = [count for count in counted if count is not None]
        if len(known_counts) == len(counted):
            of_day[store] = sum(known_counts)
    before = {day: _sold_on(reading, day) for day in _days_before(date)}
    elsewhere = {
        pair
        for part in lake.partitions_on("unit_sales", date)
        if part.group != INTAKE_GROUP
        for pair in zip(*(lake.read(part)[name].to_pylist() for name in ("store_id", "sku")), strict=True)
    }
    lines, counts, stock = evidence.lines, evidence.counts, evidence.stock
    day = DayLines(date, lines, counts, exposures, stock, of_day, before, {*elsewhere, *decided})
    return exposures, unit_sales_of(catalog, day)


def _lines_of(known: KnownLines, date: dt.date) -> tuple[pa.Table, Flags]:
    return (lines := known.lines(date)), known.counted(date, lines)


def _history(reading: DatesUnderway, date: dt.date, pairs: Collection[tuple[str, str]]) -> ExportHistory:
    """Return what was sent and acknowledged about a date.

    A price is sent once, however long it stands. So the record is read back until it has a price of each store and
    product that is asked about, or begins.
    """
    begins = min(reading.workspace.lake.dates("export_batches"), default=date)
    days, last = _ACKNOWLEDGED_WITHIN[0], date + dt.timedelta(days=_ACKNOWLEDGED_WITHIN[1])
    while True:
        first = date - dt.timedelta(days=days)
        history = reading.log.history(between(first, last))
        if first <= begins or _sent_before(history, date).issuperset(pairs):
            return history
        days *= 2


def _sent_before(history: ExportHistory, date: dt.date) -> set[tuple[str, str]]:
    """Return the stores and products of which a price was sent before a date."""
    batches = (batch for batch in history.batches if batch.effective_at.date() < date)
    return {(batch.store, price.sku) for batch in batches for price in batch.prices}


def _sold_on(reading: DatesUnderway, date: dt.date) -> pd.DataFrame:
    if date not in reading.before:
        parts = reading.workspace.lake.partitions_on("unit_sales", date)
        tables = [reading.workspace.lake.read(part).select(_BEFORE) for part in parts]
        rows = pa.concat_tables([TABLES["unit_sales"].schema.empty_table().select(_BEFORE), *tables]).to_pandas()
        reading.before[date] = rows.astype({"store_id": "str", "sku": "str"})
    return reading.before[date]


def _read(lake: Lake, table: Table, date: dt.date) -> pa.Table:
    part = Partition(table.name, date, INTAKE_GROUP)
    return lake.read(part) if lake.holds(part) else table.schema.empty_table()


def _fingerprint(reading: DatesUnderway, date: dt.date) -> str:
    """Return the fingerprint of everything that the tables of a date are made from."""
    lake, lines = reading.workspace.lake, reading.known
    near = [date + dt.timedelta(days=day) for day in range(-_ACKNOWLEDGED_WITHIN[0], _ACKNOWLEDGED_WITHIN[1] + 1)]
    facts = (
        [part.group for day in (date - _ONE_DAY, date) for part in lines.parts_on(day)],
        [lines.told_elsewhere(day) for day in (date - _ONE_DAY, date)],
        [proof_of(lake, table, day) for table in ("stock_events", "traffic") for day in (date - _ONE_DAY, date)],
        [
            part.group
            for table in ("export_batches", "label_states")
            for day in near
            for part in lake.partitions_on(table, day)
        ],
        proof_of(lake, "product_visits", date),
        proof_of(lake, "hourly_draws", date),
        [_proof_of_sales(reading, day) for day in _days_before(date)],
        proof_of(lake, "unit_sales", date, but=INTAKE_GROUP),
        None if (draw := newest_draw(lake, date)) is None else lake.sha256(draw),
        _shelf(reading.workspace.catalog),
        CODE_VERSION,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _proof_of_sales(reading: DatesUnderway, date: dt.date) -> str:
    if date not in reading.receipts:
        reading.receipts[date] = proof_of(reading.workspace.lake, "unit_sales", date)
    return reading.receipts[date]


def proof_of(lake: Lake, table: str, date: dt.date, but: str | None = None) -> str:
    """Return the SHA-256 of each part of a date, but that of one group."""
    receipts = (lake.receipt(part) for part in lake.partitions_on(table, date) if part.group != but)
    return " ".join(receipt.sha256 for receipt in receipts if receipt is not None)


def _shelf(catalog: Catalog) -> tuple[object, ...]:
    """Return what a date takes from the catalog."""
    store = catalog.store
    products: Mapping[str, object] = {
        product.sku: (product.name, product.chances_per_day) for product in catalog.products
    }
    return products, store.stores, store.opening, store.timezone, store.timezones, store.hourly_profile


def _days_before(date: dt.date) -> Iterator[dt.date]:
    return (date - dt.timedelta(days=day) for day in range(DAYS, 0, -1))
