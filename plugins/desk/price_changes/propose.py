"""What stores want to open a date with by their price book: some prices pass, and others wait for a person.

A night records it once, and whoever looks reads the record.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from catalog.tables.table import MOMENT
from etl.stock import opens_with
from plugins.desk.law.shown import day_prices_before
from plugins.desk.price_changes.change import Event, EventName, Terms
from plugins.desk.price_changes.consequence import DayForecast, outlook_of, with_forecast
from plugins.desk.price_changes.proposals import PASSES, THE_RULE, Proposals, passing, proposals_on, waiting_on
from plugins.desk.price_changes.reasons import reason_beside, reason_for
from plugins.desk.price_changes.record import LOCK, PATIENCE, TABLE, next_number, record_rows, rows_of_events
from plugins.desk.standing import openings_without_orders
from plugins.desk.stickers import stickers_on
from plugins.desk.tables import PREDICTED
from serving.book.store import BookInForce, book_in_force
from warehouse.commits.locks import held
from warehouse.lake import Lake, Partition
from warehouse.origin import sells_outside
from warehouse.parquet import texts
from warehouse.workspace import Workspace

MOST_TOLD = 10_000
"""Prices of an action that pass by rule and have a reason and a forecast of their own; of more, nobody reads them."""
_TOLD = ("reason", "expected_cost", *PREDICTED)
_Places = tuple[Ints, ...]
"""Rows and columns of the catalog's stores and products."""


@dataclass(frozen=True)
class Proposed:
    """How many of a date's opening prices passed by themselves, and how many wait for a person."""

    passed: int
    waiting: int


def propose_for(workspace: Workspace, date: dt.date) -> str | None:
    """Propose the prices of the book that was just made for a date, and say what waits and what that costs."""
    book = book_in_force(workspace.lake, date) if workspace.catalog.store.approval.is_asked_for else None
    if book is None:
        return None
    propose(workspace, book, date)
    return waiting_on(workspace.lake, date).in_words(workspace.catalog.store.money)


def propose(workspace: Workspace, book: BookInForce, date: dt.date, seen: Floats | None = None) -> Proposed:
    """Record what a book proposes for a date where the catalog lets prices wait; what is proposed already stays.

    A price that the book would now set otherwise is withdrawn and proposed anew: an approval is of one price.

    Parameters
    ----------
    seen
        Prices that a person looked at, EUR, shape (n_stores, n_products), NaN for the others: they alone are recorded,
        where nothing is proposed yet. None is what each store wants to open with.

    Raises
    ------
    Declined
        When somebody is deciding on price changes right now.
    """
    lake, catalog = workspace.lake, workspace.catalog
    if not catalog.store.approval.is_asked_for or sells_outside(lake.store, catalog.store):
        return Proposed(0, 0)
    wanted = openings_without_orders(lake, catalog, date) if seen is None else seen
    with held(workspace.settings.locks, LOCK, PATIENCE):
        lake.finish_interrupted()
        earlier = proposals_on(lake, catalog, date)
        if seen is not None:
            wanted = np.where(earlier.are_recorded, np.nan, seen)
        if (new := _new_of(lake, catalog, book, date, earlier, wanted)).is_other.any():
            _record(lake, catalog, new)
            earlier = proposals_on(lake, catalog, date)
    last = Counter(change.last for change in earlier.documents.values())
    return Proposed(int((earlier.number > 0).sum()) + last["approved"], last["proposed"])


@dataclass(frozen=True)
class _New:
    """What a book proposes otherwise than before. Arrays have shape (n_stores, n_products), prices in EUR.

    Attributes
    ----------
    earlier
        What was proposed before.
    old, new
        The middle price of a store's newest day, NaN where that is not known, and what the store wants to open with.
    lowest, highest
        Between which prices one passes by rule.
    is_other
        Which prices are proposed anew.
    """

    date: dt.date
    found: BookInForce
    earlier: Proposals
    old: Floats
    new: Floats
    lowest: Floats
    highest: Floats
    is_other: Flags


def _new_of(lake: Lake, catalog: Catalog, book: BookInForce, date: dt.date, earlier: Proposals, wanted: Floats) -> _New:
    """Compare what stores want to open with, EUR, NaN for nothing, with what was proposed before."""
    old = day_prices_before(lake, catalog, date)
    stands = earlier.price.copy()
    for place, change in earlier.documents.items():
        stands[place] = np.nan if change.terms.new_price is None else change.terms.new_price
    lowest, highest = passing(catalog, slice(None), old)
    has_stock = opens_with(lake, catalog, catalog.store.stores, date).stock > 0  # without any, the label stays
    is_other = np.isfinite(wanted) & (stands != wanted) & has_stock
    return _New(date, book, earlier, old, wanted, lowest, highest, is_other)


def _record(lake: Lake, catalog: Catalog, new: _New) -> None:
    """Record what has to be, so that the newest proposals are those of the book."""
    number, published_at, by = next_number(lake), new.found.book.published_at, new.found.book.policy
    documents = [
        Event(number, change.id, "withdrawn", published_at, change.terms.valid_from, by, change.terms)
        for place, change in new.earlier.documents.items()
        if new.is_other[place] and change.last != "withdrawn"
    ]
    passes = new.is_other & (new.lowest <= new.new) & (new.new <= new.highest)
    is_listed, gone = new.is_other if passes.sum() <= MOST_TOLD else new.is_other & ~passes, new.earlier.number > 0
    why = _told(lake, catalog, new, is_listed, passes)

    def rows(event: EventName, which: Flags, numbers: Ints | int = number, prices: Floats = new.new) -> pa.Table:
        places = np.nonzero(which)
        who = THE_RULE if event == "approved" else by
        columns = {
            "number": number,
            "event": event,
            "recorded_at": published_at,
            "done_by": who,
            "new_price": prices[places],
        }
        columns |= {name: values[places] for name, values in why.items()}
        return _rows(catalog, new, places, np.broadcast_to(numbers, which.shape)[places], columns)

    waiting = pa.concat_tables([rows("proposed", new.is_other & ~passes), rows_of_events(documents)])
    back = rows("withdrawn", new.is_other & gone, new.earlier.number, new.earlier.price)
    passed = pa.concat_tables([back, rows("proposed", passes), rows("approved", passes)])
    tables = {"proposals": waiting, "passed": passed}
    parts = {Partition(TABLE, new.date, f"{of}-{number:08d}"): table for of, table in tables.items() if len(table)}
    record_rows(lake, number, parts)


def _rows(catalog: Catalog, new: _New, places: _Places, numbers: Ints, known: Mapping[str, Any]) -> pa.Table:
    """Return an event of prices as rows of the table; `numbers` are those of the actions that proposed them."""
    stores = catalog.store.stores
    clocks = [catalog.store.clock_of(store) for store in stores]
    opens = pa.array([clock.opening_of(new.date) for clock in clocks], MOMENT).take(pa.array(places[0]))
    closes = pa.array([clock.closing_of(new.date) for clock in clocks], MOMENT).take(pa.array(places[0]))
    store, sku = (
        texts(names).take(pa.array(place)) for names, place in zip((stores, catalog.skus), places, strict=True)
    )
    action = pc.binary_join_element_wise("p", pc.cast(pa.array(numbers), pa.string()), "")
    own = {
        "change": pc.binary_join_element_wise(action, store, sku, "."),
        "effective_at": opens,
        "kind": "price",
        "sku": sku,
        "store_id": store,
        "old_price": pa.array(new.old[places], from_pandas=True),
        "valid_from": opens,
        "valid_until": closes,
        "announced": False,
        **{name: pa.array(value) if isinstance(value, np.ndarray) else value for name, value in known.items()},
    }
    columns = (
        own[field.name].cast(field.type)
        if isinstance(own.get(field.name), pa.Array)
        else pa.repeat(pa.scalar(own.get(field.name), field.type), len(numbers))
        for field in TABLES["price_changes"].schema
    )
    return pa.Table.from_arrays(list(columns), schema=TABLES["price_changes"].schema)


def _told(lake: Lake, catalog: Catalog, new: _New, which: Flags, passes: Flags) -> dict[str, NDArray[Any]]:
    """Return reasons, what waiting costs, and forecasts by column, shape (n_stores, n_products); None of all others."""
    columns = {name: np.full(which.shape, None, dtype=object) for name in _TOLD}
    columns["reason"][:] = PASSES
    if not which.any():
        return columns
    brings, stickers = cache(DayForecast.of), stickers_on(lake, catalog, new.date)
    opened, money = opens_with(lake, catalog, catalog.store.stores, new.date), catalog.store.money
    outlook = outlook_of(lake, catalog, new.found, new.date)
    for row in np.flatnonzero(which.any(axis=1)):
        store = catalog.store.stores[row]
        units = None if opened.opened_with is None else opened.opened_with[row : row + 1]
        shelves = outlook.on_shelves(opened.stock[row], 0, units)
        for column in np.flatnonzero(which[row]):
            sku, shelf, price = catalog.skus[column], shelves[column], float(new.new[row, column])
            old = None if np.isnan(new.old[row, column]) else float(new.old[row, column])
            terms = _terms(catalog, new.date, store, sku, (old, price))
            if (sticker := stickers.get((store, sku))) is not None:
                terms = replace(terms, reason=reason_beside(sticker, price, money))
            else:
                terms = with_forecast(catalog, lambda _: outlook, terms, partial(brings, shelf=shelf))
                terms = replace(terms, reason=reason_for(outlook, sku, shelf, price, old, money))
            if not passes[row, column]:
                bounds = float(new.lowest[row, column]), float(new.highest[row, column])
                terms = replace(terms, expected_cost=outlook.cost_of_waiting(sku, shelf, *bounds))
            for name in _TOLD:
                columns[name][row, column] = getattr(terms, name)
    return columns


def _terms(catalog: Catalog, date: dt.date, store: str, sku: str, old_and_new: tuple[float | None, float]) -> Terms:
    clock = catalog.store.clock_of(store)
    return Terms("price", sku, store, *old_and_new, clock.opening_of(date), clock.closing_of(date), PASSES)
