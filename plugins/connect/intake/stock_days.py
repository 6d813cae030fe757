"""Make `stock_movements` of outside stores from what they told: deliveries, counts, losses, and what their tills sold.

A product is on the books from the first date on that something was told of its stock; of all others nothing is known,
and their shelf opens full as before. A date carries what the one before kept, so dates are made one after another, and
anew whenever something came late, with all that follow. A store's books end with the newest date that it told anything
of, and the closed days after it: nobody knows what a store has on its shelf that told nothing since.

Who throws away in the morning what the evening before was too old tells it of that evening: what is thrown away before
opening counts for the date before.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from catalog.arrays import Flags
from catalog.load import Catalog
from catalog.names import INTAKE_GROUP
from catalog.tables.contracts import TABLES
from plugins.connect.intake.day_sales import pair_of, sold_lines
from plugins.connect.intake.make_dates import DATES_LOCK, is_over, proof_of
from plugins.connect.intake.stock_books import Expiry, Lot, StockBooks, StockChange
from plugins.connect.intake.take_sales import KnownLines, first_date
from warehouse.commits.locks import waited_for
from warehouse.lake import CODE_VERSION, Lake, Partition
from warehouse.workspace import Workspace

_ONE_DAY = dt.timedelta(days=1)
_MOVED = ("carried", "delivered", "sold", "spoiled", "adjusted")
Pair = tuple[str, str]
"""A store and a product."""


@dataclass
class KeptOnBooks:
    """What one product in one store had at the closing before: its lots, and units that are ordered."""

    lots: dict[Expiry, Lot] = field(default_factory=dict)
    on_order: int = 0


def make_stock(workspace: Workspace, lines: KnownLines, now: dt.datetime) -> tuple[dt.date, ...]:
    """Make the movements of every date that is over and not current; return those that were made.

    Parameters
    ----------
    known
        The lines of the lake, up to date.
    now
        The time, UTC.
    """
    lake, catalog, made = workspace.lake, workspace.catalog, list[dt.date]()
    dates = lake.dates("stock_events")
    if catalog.stock_rules is None or not dates:
        return ()
    with waited_for(workspace.settings.locks, DATES_LOCK):
        first, last = max(dates[0], first_date(now)), now.date() + _ONE_DAY
        while not is_over(workspace, last, now):
            last -= _ONE_DAY
        through = _told_through(lake, catalog, lines, first, last)
        for date in (first + day * _ONE_DAY for day in range((last - first).days + 1)):
            stores = [store for store in catalog.store.stores if through.get(store, dt.date.min) >= date]
            if stores and _make(lake, catalog, lines, date, stores):
                made.append(date)
    return tuple(made)


def _told_through(lake: Lake, catalog: Catalog, lines: KnownLines, first: dt.date, last: dt.date) -> dict[str, dt.date]:
    """Return the date through which the books of each store go; a store that told nothing has none."""
    changes, date = dict[str, dt.date](), last
    while date >= first and len(changes) < len(catalog.store.stores):
        events = [lake.read(part)["store_id"].unique() for part in lake.partitions_on("stock_events", date)]
        stores = lines.stores_on(date).union(*(event.to_pylist() for event in events))
        for store in stores - changes.keys():
            changes[store] = date
            while changes[store] < last and not catalog.store.is_open_on(changes[store] + _ONE_DAY):
                changes[store] += _ONE_DAY
        date -= _ONE_DAY
    return changes


def books_on(
    lake: Lake, catalog: Catalog, date: dt.date, sold: tuple[pa.Table, Flags], until: dt.datetime | None = None
) -> dict[Pair, StockBooks]:
    """Return the books of a date by store and product, for what is on them.

    Parameters
    ----------
    sold
        Rows of `receipt_lines` of the date, and whether each counts, shape (n_lines,).
    until
        Moment, UTC, up to which they are written; None is the end of the date.
    """
    changes, kept = _told_on(lake, catalog, date), kept_on_books(lake, catalog, date)
    for row in sold_lines(*sold):
        pair = pair_of(row)
        if row["units"] > 0 and (pair in changes or pair in kept):
            moment = min(row["sold_at"], catalog.store.clock_of(pair[0]).closing_of(date))
            changes.setdefault(pair, []).append(StockChange(moment, "sold", row["units"]))
    books = {}
    for pair in sorted({*changes, *kept}):
        closing = StockChange(catalog.store.clock_of(pair[0]).closing_of(date), "closing")
        changes_until = [change for change in (*changes.get(pair, ()), closing) if until is None or change.at <= until]
        life = catalog.product(pair[1]).shelf_life_days
        newest = None if life is None else date + (life - 1) * _ONE_DAY
        carried = kept[pair].lots if pair in kept else {}
        books[pair] = StockBooks(date, newest, catalog.store.freshest_share, carried).write(changes_until)
    return books


def kept_on_books(lake: Lake, catalog: Catalog, date: dt.date) -> dict[Pair, KeptOnBooks]:
    """Return what is carried into a date by store and product, for what was on the books the day before."""
    part, books = Partition("stock_movements", date - _ONE_DAY, INTAKE_GROUP), dict[Pair, KeptOnBooks]()
    for row in lake.read(part).to_pylist() if lake.holds(part) else ():
        if _is_on_shelf(catalog, pair_of(row)):
            kept = books.setdefault(pair_of(row), KeptOnBooks())
            kept.on_order += row["units_on_order"]
            if row["units_kept"] > 0:
                kept.lots[row["expires_on"]] = Lot(carried=row["units_kept"], is_estimated=row["is_estimated"])
    return books


def _told_on(lake: Lake, catalog: Catalog, date: dt.date) -> dict[Pair, list[StockChange]]:
    """Return the events of a date by store and product."""
    changes = dict[Pair, list[StockChange]]()
    parts = (Partition("stock_events", day, INTAKE_GROUP) for day in (date, date + _ONE_DAY))
    for row in (row for part in parts if lake.holds(part) for row in lake.read(part).to_pylist()):
        if not _is_on_shelf(catalog, pair_of(row)):
            continue
        clock, moment = catalog.store.clock_of(row["store_id"]), row["happened_at"]
        day = clock.date_of(moment)
        if row["kind"] == "spoiled" and moment < clock.opening_of(day):
            day -= _ONE_DAY
        if day == date:
            changes.setdefault(pair_of(row), []).append(
                StockChange(moment, row["kind"], row["units"], row["expires_on"])
            )
    return changes


def _is_on_shelf(catalog: Catalog, pair: Pair) -> bool:
    """Tell whether the catalog has a store, and a product whose stock lives over days."""
    return pair[0] in catalog.store.stores and pair[1] in catalog.skus and catalog.product(pair[1]).lives_on


def _make(lake: Lake, catalog: Catalog, known: KnownLines, date: dt.date, stores: Sequence[str]) -> bool:
    """Make the movements of some stores on a date, unless they are current; tell whether they were made."""
    part, inputs = (
        Partition("stock_movements", date, INTAKE_GROUP),
        _inputs(lake, catalog, known, date, stores),
    )
    if lake.is_current(part, inputs):
        return False
    lines = known.lines(date)
    books = books_on(lake, catalog, date, (lines, known.counted(date, lines)))
    of_stores = {pair: book for pair, book in books.items() if pair[0] in stores}
    lake.publish(part, _rows(catalog, date, of_stores, kept_on_books(lake, catalog, date)), inputs=inputs)
    return True


def _rows(
    catalog: Catalog, date: dt.date, books: Mapping[Pair, StockBooks], kept: Mapping[Pair, KeptOnBooks]
) -> pa.Table:
    """Return rows of `stock_movements`; what is ordered follows the catalog's rules, for no store tells it."""
    rules, rows = catalog.stock_rules, []
    assert rules is not None  # noqa: S101 - what is on the books lives over days
    is_delivered, is_ordered = rules.is_delivered_on(date), rules.is_ordered_after(date)
    for (store, sku), book in books.items():
        book.close()
        place, lots = catalog.skus.index(sku), book.lots
        under_way = kept[store, sku].on_order if (store, sku) in kept and not is_delivered[place] else 0
        missing = max(0, int(rules.par[place]) - sum(lot.left for lot in lots.values()))
        for expires_on, lot in lots.items():
            is_newest = expires_on == book.newest
            if is_newest or any(getattr(lot, name) for name in _MOVED):
                rows.append(
                    {
                        "store_id": store,
                        "sku": sku,
                        "expires_on": expires_on,
                        **{f"units_{name}": getattr(lot, name) for name in _MOVED},
                        "units_kept": lot.left,
                        "units_on_order": (under_way + missing * int(is_ordered[place])) * is_newest,
                        "unit_cost": catalog.unit_costs[place],
                        "waste_eur": lot.spoiled * rules.lost_with_a_unit[place],
                        "holding_eur": lot.left * rules.holding_costs[place],
                        "is_estimated": lot.is_estimated,
                    }
                )
    return pa.Table.from_pylist(rows, schema=TABLES["stock_movements"].schema)


def _inputs(lake: Lake, catalog: Catalog, lines: KnownLines, date: dt.date, stores: Sequence[str]) -> str:
    """Return the fingerprint of what the movements of a date are made from.

    Costs, shelf lives and orders are not part of it: those of the past stay as they were then.
    """
    facts = (
        stores,
        [proof_of(lake, "stock_events", day) for day in (date, date + _ONE_DAY)],
        [part.group for part in lines.parts_on(date)],
        lines.told_elsewhere(date),
        proof_of(lake, "stock_movements", date - _ONE_DAY),
        [product.sku for product in catalog.products if product.lives_on],
        (catalog.store.opening, catalog.store.timezone, catalog.store.timezones),
        CODE_VERSION,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()
