"""What passes by rule on a date: sets of rows, of which nothing is a document unless somebody decides about it.

A chain's night has millions of such prices, and nobody reads them one by one. A set lies in partitions
`passed-<number>-<block>` of `price_changes`, in the columns of every price change, a row for each event, so a
query finds what passed beside what people decided. Here it is read by column. A set counts for its whole date.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from catalog.table import MOMENT
from catalog.tables.operations import PRICE_CHANGES
from desk.price_changes.change import PriceChange, newest_of_each
from desk.price_changes.record import TABLE, changes_on, number_of, parts_on
from desk.price_changes.states import EventName
from warehouse.lake import Lake, Partition
from warehouse.parquet import cells, in_one_piece, texts

THE_RULE = "the rule"
"""Who approves what passes by itself."""
PASSES = "it passes by the rules"
"""The reason of a price of which nothing is forecast, since too many pass at once."""

_BLOCK = 250_000  # prices of a partition


@dataclass(frozen=True)
class PassedPrices:
    """The newest prices of a date that pass by rule. Arrays have shape (n_stores, n_products), of the catalog.

    Attributes
    ----------
    number
        Of the action that recorded it; 0 where none passed, or it does not hold any more.
    price
        EUR; NaN where `number` is 0.
    """

    number: Ints
    price: Floats

    def without(self, places: Flags) -> "PassedPrices":
        """Return those of other places."""
        return PassedPrices(np.where(places, 0, self.number), np.where(places, np.nan, self.price))


@dataclass(frozen=True)
class Proposals:
    """The newest proposals of a date: those that passed as arrays, and the others by row and column of the catalog.

    `passed` has none of the places that a document is of.
    """

    passed: PassedPrices
    documents: Mapping[tuple[int, int], PriceChange]

    @cached_property
    def are_recorded(self) -> Flags:
        """Of which prices there is a proposal, shape (n_stores, n_products)."""
        found = self.passed.number > 0
        if self.documents:
            found[tuple(np.array(list(self.documents)).T)] = True
        return found

    @cached_property
    def documents_of_rows(self) -> Mapping[int, Mapping[int, PriceChange]]:
        """The documents by row, and of each row by column."""
        found = defaultdict[int, dict[int, PriceChange]](dict)
        for (row, column), change in self.documents.items():
            found[row][column] = change
        return found


def proposals_on(lake: Lake, catalog: Catalog, date: dt.date) -> Proposals:
    """Return the newest proposal of each store and product of the catalog."""
    passed = _passed_on(lake, catalog, date)
    rows = {store: row for row, store in enumerate(catalog.store.stores)}
    documents = dict[tuple[int, int], PriceChange]()
    proposals = [change for change in changes_on(lake, date) if change.terms.kind == "price"]
    for (store, sku), change in newest_of_each(proposals).items():
        place = rows.get(store or "", -1), catalog.positions.get(sku or "", -1)
        if min(place) >= 0 and change.number >= passed.number[place]:
            documents[place] = change
            passed.number[place], passed.price[place] = 0, np.nan
    return Proposals(passed, documents)


def _passed_on(lake: Lake, catalog: Catalog, date: dt.date) -> PassedPrices:
    stores, skus = texts(catalog.store.stores), texts(catalog.skus)
    number, price = np.zeros((len(stores), len(skus)), dtype=np.int64), np.full((len(stores), len(skus)), np.nan)
    for part in parts_on(lake, date, "passed"):
        rows = lake.read(part, ("event", "sku", "store_id", "new_price"), coded=True)
        events = in_one_piece(rows["event"].unify_dictionaries())
        names, codes = events.dictionary.to_pylist(), events.indices.to_numpy()
        for event in ("withdrawn", "approved"):  # an action takes back what it proposes anew
            if event in names:
                own, holds = _together(rows, codes == names.index(event)), event == "approved"
                places, known = cells(own, stores, skus)
                np.put(number, places, number_of(part) if holds else 0)
                np.put(price, places, own["new_price"].to_numpy()[known] if holds else np.nan)
    return PassedPrices(number, price)


def _together(rows: pa.Table, which: Flags) -> pa.Table:
    """Return the rows of an event; those of a set are together, and are not copied."""
    first, length = int(which.argmax()), int(np.count_nonzero(which))
    are_together = which[first : first + length].all()
    return rows.slice(first, length) if are_together else rows.filter(pa.array(which))


@dataclass(frozen=True)
class NewSet:
    """What passes in one action. Arrays have shape (n_stores, n_products), prices in EUR.

    Attributes
    ----------
    at, by
        When the book was made whose prices they are, UTC, and its policy.
    passes
        Which prices are recorded.
    old, new
        What stands without them, NaN where it is not known, and what is proposed.
    earlier
        What is withdrawn: prices that passed before, and are others now.
    """

    date: dt.date
    number: int
    at: dt.datetime
    by: str
    passes: Flags
    old: Floats
    new: Floats
    earlier: PassedPrices

    def parts(self, catalog: Catalog) -> Iterator[tuple[Partition, pa.Table]]:
        """Yield the partitions of the set, each of some stores, one at a time: a chain's would not fit in memory."""
        step = max(1, _BLOCK // len(catalog.skus))
        for block, first in enumerate(range(0, len(self.passes), step)):
            own = slice(first, first + step)
            gone = self._rows(catalog, "withdrawn", first, self.earlier.number[own] > 0)
            come = [self._rows(catalog, event, first, self.passes[own]) for event in ("proposed", "approved")]
            rows = pa.concat_tables([gone, *come])
            if len(rows):
                yield part_of_set(self.date, self.number, block), rows

    def _rows(self, catalog: Catalog, event: EventName, first: int, which: Flags) -> pa.Table:
        """Return an event of some prices as rows of the table; `which` begins with the store in row `first`."""
        row, column = np.nonzero(which)
        place, stores = (row + first, column), catalog.store.stores
        number, price = (
            (self.earlier.number[place], self.earlier.price[place])
            if event == "withdrawn"
            else (np.full(len(row), self.number), self.new[place])
        )
        store, sku, opens, closes = (
            pa.array(own, kind).take(pa.array(at))
            for own, kind, at in (
                (list(stores), pa.string(), place[0]),
                (list(catalog.skus), pa.string(), column),
                ([catalog.store.clock_of(own).opening_of(self.date) for own in stores], MOMENT, place[0]),
                ([catalog.store.clock_of(own).closing_of(self.date) for own in stores], MOMENT, place[0]),
            )
        )
        action = pc.binary_join_element_wise("p", pc.cast(pa.array(number), pa.string()), "")
        known = {
            "number": self.number,
            "change": pc.binary_join_element_wise(action, store, sku, "."),
            "event": event,
            "recorded_at": self.at,
            "effective_at": opens,
            "done_by": THE_RULE if event == "approved" else self.by,
            "kind": "price",
            "sku": sku,
            "store_id": store,
            "old_price": pa.array(self.old[place], from_pandas=True),
            "new_price": pa.array(price),
            "valid_from": opens,
            "valid_until": closes,
            "announced": False,
            "reason": PASSES,
        }
        columns = [
            own
            if isinstance(own := known.get(field.name), pa.Array)
            else pa.repeat(pa.scalar(own, field.type), len(row))
            for field in PRICE_CHANGES.schema
        ]
        return pa.Table.from_arrays(columns, schema=PRICE_CHANGES.schema)


def part_of_set(date: dt.date, number: int, block: int = 0) -> Partition:
    """Return where a block of the set of an action is kept."""
    return Partition(TABLE, date, f"passed-{number:08d}-{block:04d}")
