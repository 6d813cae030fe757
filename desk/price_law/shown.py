"""What was shown where from when to when, from the price decisions in the lake."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from catalog.clocks import WallClock
from catalog.load import Catalog
from desk.price_changes.change import PriceChange
from desk.price_law.prior_price import PriceSpell, PriorPrice, Reduction, prior_price
from etl.live.day import LiveDay, days_with_live_parts
from warehouse.lake import Lake, Partition
from warehouse.partition import between

StoreDecisions = Callable[[Partition, str], pa.Table]
"""Returns the price decisions of a store in a partition."""


def read_once(lake: Lake) -> StoreDecisions:
    """Return what reads price decisions, no partition of them twice: for the many products of one action."""
    read = cache(lambda part: lake.read(part).select(["store_id", "sku", "tick", "new_price"]))
    return cache(lambda part, store: (rows := read(part)).filter(pc.equal(rows["store_id"], store)))


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
    (store, sku), law = product, catalog.store.price_law
    clock = catalog.store.clock_of(store)
    start = clock.local(start)
    announced = [own for change in changes if (own := _announced(change, store, sku, clock)) is not None]
    since = min([start, *(own.start for own in announced)]) - dt.timedelta(days=law.days)
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
        found = shown_of(lake, catalog, product, clock.opening_of(date), min(before, clock.closing_of(date)))
        if found:
            return found
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
        own = rows.filter(pc.equal(rows["sku"], sku))
        if own.num_rows and part.business_date is not None:
            yield part.business_date, list(zip(own["tick"].to_pylist(), own["new_price"].to_pylist(), strict=True))


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
