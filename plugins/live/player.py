"""One store sells one business date, tick after tick, and every tick is in the lake before the next begins."""

import datetime as dt
import logging
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow.compute as pc

from catalog.decisions.pricing import PricedBy
from catalog.errors import DataError
from catalog.load import Catalog
from etl.batches import Batch, in_force
from etl.calendar import has_the_shoppers_of
from etl.ledger import write_down
from etl.load import DayRows, rows_of
from etl.open_days import LiveDay, Mark, before, sold_so_far, taught
from etl.stock import kept_before, stock_movements_of
from etl.twin.store_day import Stretch
from etl.twin.visits import Visits, draw_visits
from plugins.desk.live_shelf import Units, standing_after, units_after
from plugins.live.days import close_day, joined, publish_tick
from warehouse.lake import Lake

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tick:
    """What one tick brought. `opens_at` is the time of day it began; revenue in EUR, units and visits in all so far."""

    number: int
    of: int
    opens_at: dt.time
    revenue_eur: float
    units: int
    visits: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class SoldDay:
    """A day that was sold to the end and has become a batch: its decisions, revenue (EUR) and units."""

    business_date: dt.date
    decisions: int
    revenue_eur: float
    units: int


@dataclass(frozen=True)
class PricesInForce:
    """A catalog, the policy that prices by it, and the fingerprint of everything that decides a day under them."""

    catalog: Catalog
    batch: Batch
    priced_by: PricedBy
    fingerprint: str


class PriceSource(Protocol):
    """Where a store looks for its prices before each tick."""

    def in_force(self) -> PricesInForce:
        """Return the prices in force now."""
        ...

    def in_force_on(self, shelf: Catalog) -> PricesInForce:
        """Return the prices in force now on the shelf that the day opened with, under the limits of now."""
        ...


class Player:
    """Plays one store day from opening, or from where it stopped.

    The shoppers are drawn once. Whenever the prices in force change, what was sold stands and a new stretch begins
    under the new ones; a catalog with other products or shoppers waits for the next day, its limits do not. After an
    interruption the newest stretch is played again up to the tick that was published, which gives the same rows, so
    that the day ends with the same bytes as one that was never interrupted.
    """

    def __init__(self, lake: Lake, prices: PriceSource, day: LiveDay, seed: int) -> None:
        self._lake, self._prices, self._day, self._seed = lake, prices, day, seed
        self._in_force = prices.in_force()
        self._opened_with = self._in_force.catalog
        self._strange: str | None = None  # fingerprint of a catalog with other products or shoppers
        self._visits = draw_visits(self._in_force.catalog, (day.store,), day.business_date, seed)
        if self._visits.first_visit is not None:
            raise DataError(
                "expected a store without waiting_share to sell live, found shoppers who wait; nothing was sold, set "
                "waiting_share to 0, or play whole days with `shelfprice simulate`"
            )
        self._kept = kept_before(lake, self._in_force.catalog, (day.store,), day.business_date)
        self._since = 0  # first tick of the stretch
        self._past: DayRows | None = None  # rows of earlier stretches
        self._rows: DayRows | None = None  # rows of all of them
        sold = sold_so_far(lake, day)
        if sold is None:
            _refuse_one_price(self._opened_with)
            self._stretch = self._begin()
            return
        _refuse_other_shoppers(sold.rows, self._in_force.catalog, self._visits, sold.mark.tick, day)
        self._since = sold.mark.since if sold.mark.priced_by == self._in_force.fingerprint else sold.mark.tick
        self._past = before(sold.rows, self._since) if self._since else None
        self._rows = sold.rows
        self._stretch = self._begin()
        while self.next_tick < sold.mark.tick:
            self._stretch.sell_tick()

    @property
    def next_tick(self) -> int:
        """The tick that comes next; the number of ticks in a day when the day is over."""
        return self._stretch.standing.tick

    @property
    def is_over(self) -> bool:
        """Whether every tick is sold."""
        return self.next_tick == len(self._visits.dice)

    def sell_tick(self) -> Tick:
        """Sell the next tick at the prices in force and publish it."""
        self._begin_anew_at_other_prices()
        number = self.next_tick
        self._stretch.sell_tick()
        new = rows_of(self._stretch.played(), self._in_force.catalog)
        self._rows = joined(self._past, new) if self._past else new
        publish_tick(self._lake, self._day, self._rows, self._mark())
        return self._tick_of(self._rows, number)

    def close(self) -> SoldDay:
        """Make the day an ordinary batch."""
        assert self._rows is not None  # noqa: S101 - a day that is over has rows
        moved = stock_movements_of(self._stretch.played(), self._in_force.catalog)
        rows = replace(self._rows, stock_movements=moved)
        published = close_day(self._lake, self._in_force.catalog, self._day, rows, self._mark())
        return SoldDay(self._day.business_date, published.receipt.rows, *takings(self._rows))

    def _begin_anew_at_other_prices(self) -> None:
        """Begin a new stretch when other prices are in force, unless their world has other shoppers."""
        now = self._prices.in_force()
        if now.fingerprint == self._in_force.fingerprint:
            return
        if not self._is_of_this_day(now.catalog):
            now = self._prices.in_force_on(self._opened_with)
            if now.fingerprint == self._in_force.fingerprint:
                return
        self._since, self._past = self.next_tick, self._rows
        self._in_force = now
        self._stretch = self._begin()

    def _is_of_this_day(self, catalog: Catalog) -> bool:
        """Return whether a catalog has the products and the shoppers that the day began with."""
        if catalog.fingerprint == self._strange:
            return False
        if has_the_shoppers_of(catalog, self._opened_with, self._day):
            return True
        self._strange = catalog.fingerprint
        _LOG.warning(
            "the catalog now has other products or shoppers; today goes on with those it opened with, under the limits "
            "of now"
        )
        return False

    def _begin(self) -> Stretch:
        now: PricesInForce = self._in_force
        day = self._day
        began = standing_after(self._past, now.catalog, self._since, self._units()) if self._past else None
        row = in_force(now.catalog, now.batch, now.priced_by, self._seed, self._since)
        write_down(self._lake, now.catalog, day.business_date, now.batch.group, row)
        policy = taught(now.priced_by.policy, self._past, now.catalog, self._since)
        return Stretch(now.catalog, policy, (day.store,), day.business_date, self._visits, began, self._kept)

    def _units(self) -> Units | None:
        """Return what is on the shelves when the newest stretch begins."""
        assert self._past is not None  # noqa: S101 - the caller asked
        past, day, picks = self._past, self._day, self._visits.picks_in(self._since)
        key = ((day.store,), day.business_date, self._kept, picks, past.substitutions)
        return units_after(self._in_force.catalog, past.interactions, *key)

    def _mark(self) -> Mark:
        return Mark(self._in_force.fingerprint, self._since, self.next_tick, self._seed)

    def _tick_of(self, rows: DayRows, number: int) -> Tick:
        opening, changes = self._in_force.catalog.store.opening, rows.repricings
        minute = opening.opens_minute + number * opening.tick_minutes
        revenue, units = takings(rows)
        return Tick(
            number=number,
            of=len(self._visits.dice),
            opens_at=dt.time(minute // 60, minute % 60),
            revenue_eur=revenue,
            units=units,
            visits=rows.interactions.num_rows,
            reasons=tuple(changes["reason"].filter(pc.equal(changes["tick"], number)).to_pylist()),
        )


def takings(rows: DayRows) -> tuple[float, int]:
    """Return revenue, EUR, and units of some rows."""
    sold = rows.bought
    return pc.sum(sold["price_offered"]).as_py() or 0.0, sold.num_rows


def _refuse_one_price(catalog: Catalog) -> None:
    """Refuse to begin a live day of one store of several where one price holds in all: a live store is priced alone."""
    mode, n_stores = catalog.store.guardrails.one_price, len(catalog.store.stores)
    if mode is not None and n_stores > 1:
        raise DataError(
            f"guardrails.one_price: expected a chain of one store to sell live, found {mode} and {n_stores} stores, of "
            "which each would have prices of its own; nothing was sold, leave one_price out, or play whole days with "
            "`shelfprice simulate`"
        )


def _refuse_other_shoppers(rows: DayRows, catalog: Catalog, visits: Visits, tick: int, day: LiveDay) -> None:
    """Refuse to go on with a day whose shoppers so far are not those of this catalog and seed."""
    expected = slice(0, visits.starts[0, tick] if tick < visits.starts.shape[1] else None)
    skus = np.array(catalog.skus)[visits.product[expected]]
    same = (
        np.array_equal(rows.interactions["shopper_id"].to_numpy(), visits.shopper[expected])
        and np.array_equal(rows.interactions["budget_multiplier"].to_numpy(), visits.multiplier[expected])
        and rows.interactions["sku"].to_pylist() == skus.tolist()
    )
    if not same:
        raise DataError(
            f"expected the shoppers that {day.store} has met on {day.business_date} so far, found others: the catalog "
            "or the seed has changed; nothing was sold, put them back, or play the day from its opening with --again"
        )
