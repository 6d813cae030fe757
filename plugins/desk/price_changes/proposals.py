"""What policies propose for a date: what passes by rule, what waits for a person, and what waiting costs.

A chain's night proposes hundreds of thousands of prices, and most pass by themselves: nobody reads them one by one.
They lie in partitions `passed-<number>` of `price_changes`, in the columns of every price change, a row for each event,
and are read by column. One about which somebody decides is a document from then on.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Floats, Ints
from catalog.bounds import not_above, not_below
from catalog.currency import Currency
from catalog.load import Catalog
from plugins.desk.price_changes.change import PriceChange, newest_of_each
from plugins.desk.price_changes.record import TABLE, changes_on, parts_on
from warehouse.lake import Lake
from warehouse.origin import newest_closed
from warehouse.parquet import cells, texts
from warehouse.workspace import Workspace

THE_RULE = "the rule"
"""Who approves what passes by itself."""
PASSES = "it passes by the rules"
"""The reason of a price of which nothing is forecast, since too many pass at once."""


def passing(catalog: Catalog, products: slice | Ints, yesterday: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and the highest price of products that pass without a person, in whole smallest units.

    They are within the shares of the catalog's `approval`, and above cost and margin. Where no price passes, the one of
    yesterday does alone. Without one, the base price is that of yesterday: its owner released it. An ending is no
    matter of approval.

    Parameters
    ----------
    products
        Which of the catalog they are: all of them, or their positions.
    yesterday
        Prices of the day before, EUR, shape (..., n_products), which is that of the results; NaN when unknown.
    """
    rules, money = catalog.store.approval, catalog.store.money
    bounds, base = catalog.whole_bounds.among(products), catalog.base_prices[products]
    lowest, highest = (np.broadcast_to(bound, yesterday.shape) for bound in (bounds.lowest, bounds.ceilings))
    yesterday = np.where(np.isnan(yesterday), base, yesterday)
    for center, share in ((yesterday, rules.within_of_yesterday), (base, rules.within_of_base)):
        if share is not None:
            lowest = np.fmax(lowest, not_below(center * (1 - share), money=money))
            highest = np.fmin(highest, not_above(center * (1 + share), money=money))
    return np.where(lowest > highest, yesterday, lowest), np.where(lowest > highest, yesterday, highest)


@dataclass(frozen=True)
class Proposals:
    """The newest proposals of a date. Arrays have shape (n_stores, n_products), of the catalog.

    Attributes
    ----------
    number, price
        Of what passed by rule: the action that recorded it, 0 where none does or a document says more; and EUR, NaN
        where `number` is 0.
    documents
        The others, by row and column.
    """

    number: Ints
    price: Floats
    documents: Mapping[tuple[int, int], PriceChange]

    @cached_property
    def are_recorded(self) -> Flags:
        """Of which prices there is a proposal."""
        is_known = self.number > 0
        if self.documents:
            is_known[tuple(np.array(list(self.documents)).T)] = True
        return is_known


def proposals_on(lake: Lake, catalog: Catalog, date: dt.date) -> Proposals:
    """Return the newest proposal of each store and product of the catalog."""
    stores, skus = catalog.store.stores, catalog.skus
    number, price = np.zeros((len(stores), len(skus)), dtype=np.int64), np.full((len(stores), len(skus)), np.nan)
    for part in parts_on(lake, date, "passed"):
        rows = lake.read(part, ("number", "event", "sku", "store_id", "new_price"), coded=True)
        for event in ("withdrawn", "approved"):  # an action takes back what it proposes anew
            events = rows.filter(pc.equal(rows["event"], event))
            places, cell_of_row = cells(events, texts(stores), texts(skus))
            np.put(number, places, events["number"].to_numpy()[cell_of_row] if event == "approved" else 0)
            np.put(price, places, events["new_price"].to_numpy()[cell_of_row] if event == "approved" else np.nan)
    documents, positions = dict[tuple[int, int], PriceChange](), {store: row for row, store in enumerate(stores)}
    proposed = [change for change in changes_on(lake, date) if change.terms.kind == "price"]
    for (store, sku), change in newest_of_each(proposed).items():
        place = positions.get(store or "", -1), catalog.positions.get(sku or "", -1)
        if min(place) >= 0 and change.number >= number[place]:
            documents[place] = change
            number[place], price[place] = 0, np.nan
    return Proposals(number, price, documents)


@dataclass(frozen=True)
class Waiting:
    """The prices of a business date that wait for a person.

    Attributes
    ----------
    cost
        What the prices that stand meanwhile are expected to earn less than the proposed ones, EUR a day, of the prices
        that a model knows.
    is_over
        Whether the date is sold, so that they waited in vain.
    """

    date: dt.date
    count: int
    cost: float
    is_over: bool = False

    def in_words(self, money: Currency) -> str | None:
        """Say in a sentence what waits and what that costs; None where nothing waits."""
        if not self.count:
            return None
        what = f"{self.count:,} price{' waits' if self.count == 1 else 's wait'} for approval"
        if self.is_over:
            what = f"{self.count:,} price{'' if self.count == 1 else 's'} waited for approval on {self.date}"
        if not self.costs(money):
            return f"{what}; waiting is not expected to cost anything"
        return f"{what}: waiting {'cost' if self.is_over else 'costs'} about {money.format_sum(self.cost)} a day"

    def costs(self, money: Currency) -> bool:
        """Return whether waiting is expected to cost anything."""
        return bool(self.count) and self.cost >= money.smallest / 2


def waiting_now(workspace: Workspace) -> Waiting | None:
    """Return what waits of the newest proposals; None where prices never wait, or none was proposed yet."""
    lake = workspace.lake
    if not workspace.catalog.store.approval.is_asked_for:
        return None
    made = ("proposals", "passed")
    date = next(
        (
            newest_date
            for newest_date in lake.newest_dates(TABLE)
            if any(parts_on(lake, newest_date, of) for of in made)
        ),
        None,
    )
    return None if date is None else waiting_on(lake, date)


def waiting_on(lake: Lake, date: dt.date) -> Waiting:
    """Return what waits of the proposals of a date: those of which nothing but the proposal is recorded."""
    closed = newest_closed(lake)
    columns = ("change", "event", "expected_cost")
    parts = [lake.read(part, columns) for part in parts_on(lake, date, "proposals")]
    if not parts:
        return Waiting(date, 0, 0.0, is_over=closed is not None and closed >= date)
    rows = pa.concat_tables(parts)
    is_proposed = pc.equal(rows["event"], "proposed")
    decided = rows.filter(pc.invert(is_proposed))["change"]
    waits = rows.filter(pc.and_(is_proposed, pc.invert(pc.is_in(rows["change"], value_set=decided))))
    cost = float(pc.sum(waits["expected_cost"]).as_py() or 0.0)
    return Waiting(date, len(waits), cost, is_over=closed is not None and closed >= date)
