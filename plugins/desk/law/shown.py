"""What was shown where from when to when, from the price decisions in the lake, and what a reduction has to name."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Floats, Ints
from catalog.clocks import WallClock
from catalog.load import Catalog
from etl.open_days import LiveDay, days_with_live_parts
from plugins.desk.law.prior_price import PriceSpell, PriorPrice, Reduction, prior_price
from plugins.desk.price_changes.change import PriceChange, Terms
from plugins.desk.records import PriceLaw
from serving.optimise.policies import ShelfPrices
from warehouse.lake import Lake, Partition
from warehouse.origin import seller_of
from warehouse.parquet import cells, in_one_piece, texts
from warehouse.partition import between
from warehouse.query.connection import queries_beside

StoreDecisions = Callable[[Partition, str], pa.Table]
"""Returns the price decisions of a store in a partition."""
_MOST_DAYS = 14
"""Days with sales that are looked at for a price that the newest of them does not have."""
_COLUMNS = ("new_price", "tick", "explored", "inventory_level")
_query = queries_beside(__file__)
Prices = dict[tuple[str, str], float]
"""Prices, EUR, by store and product."""
_Which = Literal["last_price", "middle_price"]


def read_once(lake: Lake) -> StoreDecisions:
    """Return what reads price decisions, no partition of them twice: for the many products of one action."""
    read = cache(lambda part: lake.read(part).select(["store_id", "sku", "tick", "new_price"]))
    return cache(lambda part, store: (rows := read(part)).filter(pc.equal(rows["store_id"], store)))


def with_prior_price(
    lake: Lake,
    catalog: Catalog,
    terms: Terms,
    begins: dt.datetime,
    others: Sequence[PriceChange],
    decisions: StoreDecisions | None = None,
) -> Terms:
    """Return terms with the price that their announcement has to name; in several stores, the lowest of theirs.

    Parameters
    ----------
    begins
        When the reduction can begin: what is wanted from an earlier moment on looks back from there.
    decisions
        See `read_once`.
    """
    if not terms.announced or terms.sku is None or terms.new_price is None:
        return terms
    stores = catalog.store.stores if terms.store is None else (terms.store,)
    prices = [
        prior_price_of(lake, catalog, (store, terms.sku), begins, terms.new_price, list(others), decisions).price
        for store in stores
    ]
    return replace(terms, prior_price=min((price for price in prices if price is not None), default=None))


def prior_price_of(
    lake: Lake,
    catalog: Catalog,
    product: tuple[str, str],
    start: dt.datetime,
    price: float,
    changes: list[PriceChange],
    decisions: StoreDecisions | None = None,
) -> PriorPrice:
    """Return the price that a reduction of a product has to name, from what its store showed before.

    Days are local ones: between times of one zone, 30 days are 30 dates, whatever its clocks do.

    Parameters
    ----------
    product
        Store and sku.
    start, price
        When the reduction begins, and its price, EUR.
    changes
        The price changes that there are: those that were announced tell which reductions came before.
    decisions
        See `read_once`.
    """
    (store, sku), law = product, catalog.store.section(PriceLaw)
    clock = catalog.store.clock_of(store)
    start = clock.local(start)
    announced = [
        announcement for change in changes if (announcement := _announced(change, store, sku, clock)) is not None
    ]
    since = min([start, *(span.start for span in announced)]) - dt.timedelta(days=law.days)
    found = shown_of(lake, catalog, product, since, start, decisions)
    if law.new_arrival_days is not None and not (found and found[0].start <= since):
        found = [*_shown_earlier(lake, catalog, product, since, law.days), *found]
    shown = [replace(stretch, start=clock.local(stretch.start), end=clock.local(stretch.end)) for stretch in found]
    spoils = catalog.product(sku).category in law.perishable_categories
    return prior_price(shown, announced, start, price, law, spoils=spoils)


def shown_of(
    lake: Lake,
    catalog: Catalog,
    product: tuple[str, str],
    since: dt.datetime,
    until: dt.datetime,
    decisions: StoreDecisions | None = None,
) -> list[PriceSpell]:
    """Return what a store showed of a product between two moments, in order of time; a price ends at closing."""
    clock, found = catalog.store.clock_of(product[0]), list[PriceSpell]()
    dates = clock.date_of(since), clock.date_of(until)
    for date, rows in sorted(_decisions(lake, product, *dates, decisions or read_once(lake))):
        ends = [*(clock.moment_of(date, tick) for tick, _ in rows[1:]), clock.closing_of(date)]
        for (tick, price), end in zip(rows, ends, strict=True):
            begin = clock.moment_of(date, tick)
            if begin < until and end > since:
                found.append(PriceSpell(begin, min(end, until), price))
    return found


def _shown_earlier(
    lake: Lake, catalog: Catalog, product: tuple[str, str], before: dt.datetime, dates: int
) -> list[PriceSpell]:
    """Return what was shown of a product on the newest date before a moment: it is new where nothing was.

    A store that was closed at that moment, or for weeks, has no new goods for that.

    Parameters
    ----------
    dates
        How many dates on which any store showed prices are looked at.
    """
    clock = catalog.store.clock_of(product[0])
    last = clock.date_of(before)
    for date in islice((date for date in lake.newest_dates("repricings") if date <= last), dates):
        shown = shown_of(lake, catalog, product, clock.opening_of(date), min(before, clock.closing_of(date)))
        if shown:
            return shown
    return []


def _decisions(
    lake: Lake, product: tuple[str, str], first: dt.date, last: dt.date, decisions: StoreDecisions
) -> Iterator[tuple[dt.date, list[tuple[int, float]]]]:
    """Yield each date with the ticks and prices that a store decided on, in order of time."""
    store, sku = product
    live = [day for day in days_with_live_parts(lake) if day.store == store and not day.is_closed(lake)]
    parts = [*lake.partitions("repricings", between(first, last)), *_live_parts(live, first, last)]
    for part in parts:
        rows = decisions(part, store)
        of_product = rows.filter(pc.equal(rows["sku"], sku))
        if of_product.num_rows and part.business_date is not None:
            yield (
                part.business_date,
                list(zip(of_product["tick"].to_pylist(), of_product["new_price"].to_pylist(), strict=True)),
            )


def _live_parts(days: list[LiveDay], first: dt.date, last: dt.date) -> Iterator[Partition]:
    return (day.part("live_repricings") for day in days if first <= day.business_date <= last)


def _announced(change: PriceChange, store: str, sku: str, clock: WallClock) -> Reduction | None:
    """Return a change as a reduction that was announced of a product in a store; None where it is none."""
    terms, span = change.terms, change.span(store)
    is_of_it = terms.announced and terms.sku == sku and terms.store in {None, store}
    if not is_of_it or span is None or terms.new_price is None:
        return None
    end = dt.datetime.max.replace(tzinfo=clock.zone.info) if span[1] is None else clock.local(span[1])
    return Reduction(clock.local(span[0]), end, terms.new_price)


def _regular_prices(lake: Lake, catalog: Catalog, before: dt.date | None = None) -> ShelfPrices | None:
    seller = seller_of(lake.store, catalog.store)
    return None if seller is None else seller.regular_prices(lake, catalog, before)


def prices_shown(lake: Lake, catalog: Catalog) -> Prices:
    """Return the price shown last, EUR, by store and product; stores that never sold are left out.

    In a retailer's lake it is the last regular price of the log. A damaged part says nothing; the others go on.
    """
    regular = _regular_prices(lake, catalog)
    if regular is not None:
        return by_place(catalog, regular)
    stores = catalog.store.stores
    batches = (list(lake.partitions_on("repricings", date)) for date in lake.newest_dates("repricings"))
    shown = _newest(lake, catalog, stores, (list(filter(lake.receipt, parts)) for parts in batches), "last_price")
    live = [day for day in days_with_live_parts(lake) if not day.is_closed(lake) and day.store in stores]
    with duckdb.connect() as connection:
        for part in (day.part("live_repricings") for day in live):
            if lake.receipt(part) is not None:
                np.put(shown, *_prices_in(connection, lake, catalog, stores, part, "last_price"))
    return by_place(catalog, ShelfPrices(stores, shown))


def day_prices_before(lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str] | None = None) -> Floats:
    """Return the price, EUR, of each store and product on its newest day before a date that is closed.

    It is the middle one of the day: the shelf showed lower ones for half of the time. Prices that exploration tried,
    and those of an empty shelf, do not count, and what stood for a few ticks, such as before the first shopper came, is
    not the middle. Stores need not have sold on the same dates: one alone may have sold a live day. Those that sold on
    none of the last days of the lake have NaN. In a retailer's lake it is the last regular price of the log.

    Parameters
    ----------
    stores
        The stores that are asked about: what others opened with is not read. None is every store of the catalog.

    Returns
    -------
    Floats
        Shape (n_stores, n_products), of these stores and the catalog; NaN where none is known.
    """
    named = catalog.store.stores if stores is None else tuple(stores)
    regular = _regular_prices(lake, catalog, date)
    if regular is not None:
        return regular.of(named, len(named))
    batches = (lake.partitions_on("repricings", day) for day in lake.newest_dates("repricings") if day < date)
    in_stores = ([part for part in parts if stores is None or _is_in(lake, part, named)] for parts in batches)
    return _newest(lake, catalog, named, in_stores, "middle_price")


def last_day_prices(lake: Lake, catalog: Catalog, since: dt.date, last: dt.date) -> Floats:
    """Return the price of each store and product on the last of some dates that has one, EUR.

    As in `day_prices_before`; a damaged part says nothing.

    Returns
    -------
    Floats
        Shape (n_stores, n_products), of the catalog; NaN where none is known.
    """
    dates = (date for date in lake.newest_dates("repricings") if since <= date <= last)
    batches = (list(filter(lake.receipt, lake.partitions_on("repricings", date))) for date in dates)
    return _newest(lake, catalog, catalog.store.stores, batches, "middle_price")


def _newest(
    lake: Lake, catalog: Catalog, stores: Sequence[str], batches: Iterable[list[Partition]], which: _Which
) -> Floats:
    """Return each price of the newest day that has it, from each day's partitions, newest first."""
    prices = np.full((len(stores), len(catalog.skus)), np.nan)
    with duckdb.connect() as connection:
        for parts in islice(batches, _MOST_DAYS):
            before = prices.copy()
            for part in parts:
                places, shown = _prices_in(connection, lake, catalog, stores, part, which)
                np.put(prices, places, np.where(np.isnan(before.take(places)), shown, before.take(places)))
            if not np.isnan(prices).any():
                break
    return prices


def _prices_in(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    catalog: Catalog,
    stores: Sequence[str],
    part: Partition,
    which: _Which,
) -> tuple[Ints, Floats]:
    """Return what a partition shows, EUR, by place in an array of shape (n_stores, n_products)."""
    rows = lake.read(part, ("store_id", "sku", *_COLUMNS), coded=True)
    places, cell_of_row = cells(rows, texts(stores), texts(catalog.skus))
    decisions = {"place": places} | {name: rows[name].to_numpy()[cell_of_row] for name in _COLUMNS}
    connection.register("decisions", pa.table(decisions))
    parameters = {"n_ticks": catalog.store.opening.ticks}
    table: pa.Table = connection.sql(_query("prices_of_day"), params=parameters).to_arrow_table()
    return table["place"].to_numpy(), table[which].to_numpy()


def _is_in(lake: Lake, part: Partition, stores: Sequence[str]) -> bool:
    """Tell whether a partition shows prices of one of the stores."""
    (column,) = lake.read(part, ("store_id",), coded=True).columns
    names = in_one_piece(column.unify_dictionaries()).dictionary
    return bool(pc.any(pc.is_in(names, value_set=pa.array(stores, pa.string()))).as_py())


def by_place(catalog: Catalog, standing: ShelfPrices) -> Prices:
    """Return the prices that are known, EUR, by store and product."""
    return {
        (standing.stores[row], catalog.skus[own]): float(standing.prices[row, own])
        for row, own in np.argwhere(np.isfinite(standing.prices))
    }
