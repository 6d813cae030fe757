"""The twin as an outside store that says who came, priced hourly.

The same shoppers come to the embedded twin and to the outside one. What the outside one sold, who came and what is on
its shelf goes through the intake, and prices come back through the export: each hour it tells, is repriced, and shows
what its tills and labels were sent. The night is the product's. So what is lost beyond the embedded twin is the cost of
the way: prices of an hour instead of a quarter of one, and seconds and names that nobody knows.

A day counts what its prices bring on average: each visit that found the product adds what its price gains times the
true chance of a sale. Whether this shopper bought is luck, and would take hundreds of days to average out.

Dates lie ahead of this machine's clock, so that a price is never shown before its batch was made.
"""

import datetime as dt
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import PriceDecision, Shelf
from catalog.decisions.rules import NO_CLAMPS
from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, OUTCOMES, StoreDay
from catalog.load import Catalog
from catalog.records.pricing import DrawnPriceRules
from catalog.settings import read_settings
from etl.twin.stock import opening_stock
from etl.twin.store_day import Stretch, meet
from etl.twin.visits import budget_shifts_on, draw_visits, stores_alike
from plugins.evaluation.as_shipped.lived_days import with_stores
from plugins.evaluation.clairvoyant import Clairvoyants
from plugins.evaluation.living_store import LivingStore
from plugins.evaluation.outside_store.engine import InProcess
from plugins.evaluation.reporting import MeanInterval, interval, markdown
from plugins.evaluation.truth import chance_of_sale
from plugins.evaluation.worlds import asked_worlds
from serving.optimise.policies import costs_that_count
from serving.store.storefront import Storefront
from training.night import price_date
from warehouse.lake import Lake

FIRST_DATE = dt.date(2035, 1, 1)
"""A Monday ahead of the clock."""
WIDEST = DrawnPriceRules(products="all", changes="hourly", band=0.5, step=0.5)
_ONE_DAY = dt.timedelta(days=1)
Ask = Callable[[Shelf], Floats]
"""Prices for one tick, EUR, shape (n_stores, n_products)."""


@dataclass(frozen=True)
class AskedPrices:
    """A policy of the twin: whatever somebody answers."""

    ask: Ask
    name: str = "outside"
    model_version: None = None
    rules: tuple[str, ...] = ("shelf_price",)

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Price every product of every store for one tick."""
        prices = np.asarray(self.ask(shelf), dtype=np.float64)
        unknown, zeros = np.full(prices.shape, np.nan), np.zeros(prices.shape, dtype=np.int64)
        return PriceDecision(
            prices=prices,
            propensity=unknown,
            explored=np.zeros(prices.shape, dtype=bool),
            rule=zeros,
            p_sale=unknown,
            unit_value=unknown,
            unconstrained=prices,
            clamp_cost=unknown,
            clamps=NO_CLAMPS,
        )


@dataclass(frozen=True)
class DaySold:
    """A day at the tills and doors of the twin, or its first hours, as they are sent.

    `lines` are its receipts, `visitors` who came and looked by store and hour.
    """

    lines: list[dict[str, Any]]
    visitors: list[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class TwinStore:
    """The twin's stores as outside ones: they ask for prices at each tick, and tell what their tills and doors see.

    Attributes
    ----------
    tells_visits
        Whether they say who looked at each product in each hour, beside who came.
    """

    seed: int
    catalog: Catalog
    first_date: dt.date = FIRST_DATE
    tells_visits: bool = True

    @property
    def stores(self) -> tuple[str, ...]:
        """Ids."""
        return tuple(self.catalog.store.stores)

    @property
    def owner_prices(self) -> Floats:
        """The base prices in every store, EUR, shape (n_stores, n_products)."""
        return np.tile(self.catalog.base_prices, (len(self.stores), 1))

    def sell_hours(self, date: dt.date, ask: Ask) -> Iterator[DaySold]:
        """Sell a business date, and yield what its tills and doors tell after each hour, all of the day so far.

        Prices are asked for at the start of each tick, the first of the next hour after what was yielded was heard.
        """
        visits, ticks = draw_visits(self.catalog, self.stores, date, self.seed), self.catalog.store.opening.ticks
        stretch = Stretch(self.catalog, AskedPrices(ask), self.stores, date, visits)
        an_hour = 60 // self.catalog.store.opening.tick_minutes
        for first in range(0, ticks, an_hour):
            for _ in range(min(an_hour, ticks - first)):
                stretch.sell_tick()
            yield self._told(date, stretch.played())

    def shelf_at_opening(self, date: dt.date) -> list[dict[str, Any]]:
        """Return the counts of the shelf before opening, as they are sent."""
        stock = opening_stock(self.catalog, date).tolist()
        return [
            {"event_id": f"{store}-{date:%Y%m%d}-{sku}-opening", "store_id": store, "sku": sku, "kind": "count"}
            | {"happened_at": self.catalog.store.clock_of(store).opening_of(date).isoformat(), "units": units}
            for store in self.stores
            for sku, units in zip(self.catalog.skus, stock, strict=True)
        ]

    def _told(self, date: dt.date, day: StoreDay) -> DaySold:
        """Return what the tills and doors tell of a day, or of its first ticks."""
        opened = [self.catalog.store.clock_of(store).opening_of(date) for store in self.stores]
        bought = [
            (number, "", product, price)
            for number, product, price in _rows(
                np.flatnonzero(day.outcome == BOUGHT),
                day.product[day.outcome == BOUGHT],
                day.price[day.outcome == BOUGHT],
            )
        ]
        if day.taken is not None:
            instead = _rows(day.taken.visit, day.taken.product, day.taken.price)
            bought += [(number, "-instead", product, price) for number, product, price in instead]
        lines, came = list[dict[str, Any]](), Counter[tuple[int, int, dt.datetime]]()
        moments = [
            opened[store] + dt.timedelta(microseconds=since)
            for store, since in zip(day.store.tolist(), day.since_opening_us.tolist(), strict=True)
        ]
        for number, (store, product) in enumerate(_rows(day.store, day.product)):
            came[store, product, moments[number].replace(minute=0, second=0, microsecond=0)] += 1
        for number, what, product, price in bought:
            store = int(day.store[number])
            name = f"{self.stores[store]}-{date:%Y%m%d}-{number:05d}{what}"
            line = {"event_id": name, "receipt": name, "line": 1, "store_id": self.stores[store], "units": 1}
            lines.append(
                line | {"sku": self.catalog.skus[product], "sold_at": moments[number].isoformat(), "price": price}
            )
        return DaySold(lines, self._visitors(day, came, opened))

    def _visitors(
        self, day: StoreDay, came: Counter[tuple[int, int, dt.datetime]], opened: Sequence[dt.datetime]
    ) -> list[dict[str, Any]]:
        hours = Counter[tuple[int, dt.datetime]]()
        for (store, _, hour), count in came.items():
            hours[store, hour] += count
        visitors: list[dict[str, Any]] = [
            {"store_id": self.stores[store], "hour_at": hour.isoformat(), "visitors": count}
            for (store, hour), count in sorted(hours.items())
        ]
        if self.tells_visits:
            minutes = len(day.stock) * self.catalog.store.opening.tick_minutes
            visitors += [
                {
                    "store_id": self.stores[store],
                    "sku": sku,
                    "hour_at": at.isoformat(),
                    "visits": came[store, product, at],
                }
                for store in range(len(self.stores))
                for product, sku in enumerate(self.catalog.skus)
                for at in (opened[store] + dt.timedelta(minutes=minute) for minute in range(0, minutes, 60))
            ]
        return visitors


def _rows(*columns: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.tolist() for column in columns), strict=True)


@dataclass(frozen=True)
class HourlyLoss:
    """What the prices of each day bring on average, EUR, shape (n_days,), and those of the outside shelf.

    `most` is what the clairvoyant's bring. `prices` are EUR, shape (n_days, n_hours, n_stores, n_products).
    """

    embedded: Floats
    outside: Floats
    most: Floats
    prices: Floats

    @property
    def more(self) -> float:
        """By how much more the outside store lost over all days, as a share of what the clairvoyant earned."""
        return float((self.embedded - self.outside).sum() / self.most.sum())


def outside_catalog(catalog: Catalog, rules: DrawnPriceRules = WIDEST) -> Catalog:
    """Return a twin's catalog as that of an outside store that changes hourly."""
    return Catalog(catalog.products, catalog.store.model_copy(update={"sales": "outside", "drawn_prices": rules}))


def sell_outside(world: TwinStore, engine: InProcess, days: int) -> Floats:
    """Sell a day at the owner's prices and then some at those that the engine sends; each hour is told when it is over.

    Returns the prices of each hour, EUR, shape (n_days, n_hours, n_stores, n_products).
    """
    shown = []
    for number in range(-1, days):
        date = world.first_date + number * _ONE_DAY
        prices = _sell_date(world, engine, date, is_owners=number < 0)
        engine.night(date)
        if number >= 0:
            shown.append(prices)
    return np.array(shown)


def _sell_date(world: TwinStore, engine: InProcess, date: dt.date, *, is_owners: bool) -> Floats:
    opening, clock = world.catalog.store.opening, world.catalog.store.clock_of(world.stores[0])
    an_hour, hours = 60 // opening.tick_minutes, list[Floats]()
    counted = world.shelf_at_opening(date)
    engine.tell("stock", counted, clock.opening_of(date))

    def ask(shelf: Any) -> Floats:
        tick = opening.ticks - int(shelf.ticks_left)
        if is_owners:
            return world.owner_prices
        if tick % an_hour == 0:
            now = clock.moment_of(date, tick)
            engine.remake(now)
            hours.append(engine.prices(now, world.owner_prices))
        return hours[-1]

    told = 0
    for number, sold in enumerate(world.sell_hours(date, ask), start=1):
        _tell_hour(engine, sold, told, clock.moment_of(date, min(number * an_hour, opening.ticks)))
        told = len(sold.lines)
    return np.array(hours)


def _tell_hour(engine: InProcess, sold: DaySold, told: int, now: dt.datetime) -> None:
    engine.tell("sales", sorted(sold.lines, key=lambda line: str(line["sold_at"]))[told:], now)
    engine.tell("traffic", sold.visitors, now)


def hourly_loss(
    catalog: Catalog, seed: int, days: int, rules: DrawnPriceRules = WIDEST, *, trains: bool = True
) -> HourlyLoss:
    """Let the embedded twin and the outside one meet the same shoppers, and compare both with the clairvoyant.

    Parameters
    ----------
    trains
        Whether nights train models. The embedded twin's gate judges them on shoppers whose budgets it knows, which no
        outside store has: without models, what is compared is the way alone.
    """
    clairvoyants, dates = Clairvoyants(catalog), [FIRST_DATE + day * _ONE_DAY for day in range(days)]
    with tempfile.TemporaryDirectory(prefix="shelfprice-embedded-") as home:
        own = LivingStore(read_settings({"SHELFPRICE_HOME": home}), catalog, seed)
        for date in dates:
            own.sell(date)
            if trains:
                own.night(date)
            else:
                price_date(own.workspace, own.registry, date + _ONE_DAY)
        embedded = [_expected_of(own.workspace.lake, catalog, date) for date in dates]
    with tempfile.TemporaryDirectory(prefix="shelfprice-outside-") as home:
        engine = InProcess(
            read_settings({"SHELFPRICE_HOME": home}), outside_catalog(catalog, rules), seed, trains=trains
        )
        world = TwinStore(seed, catalog)
        prices = sell_outside(world, engine, days)
        outside = [_expected_of(engine.workspace.lake, catalog, date) for date in dates]
    most = [_most_of(catalog, clairvoyants, date, seed) for date in dates]
    return HourlyLoss(np.array(embedded), np.array(outside), np.array(most), prices)


def _expected_of(lake: Lake, catalog: Catalog, date: dt.date) -> float:
    """Return what the decisions of a date bring on average, EUR."""
    position, places = ({name: at for at, name in enumerate(names)} for names in (catalog.skus, catalog.store.stores))
    gain = 0.0
    for part in lake.partitions_on("interactions", date):
        rows = lake.read(part)
        product = np.array([position[sku] for sku in rows["sku"].to_pylist()], dtype=np.int64)
        store = np.array([places[name] for name in rows["store_id"].to_pylist()], dtype=np.int64)
        was_met = rows["outcome"].cast(pa.string()).to_numpy(zero_copy_only=False) != OUTCOMES[OUT_OF_STOCK]
        met = (own[was_met] for own in (store, rows["tick"].to_numpy(), product, rows["price_offered"].to_numpy()))
        gain += _worth(catalog, date, *met)
    return gain


def _most_of(catalog: Catalog, clairvoyants: Clairvoyants, date: dt.date, seed: int) -> float:
    """Return what the clairvoyant's prices bring on average from the same visits, EUR."""
    visits = draw_visits(catalog, catalog.store.stores, date, seed)
    day = meet(catalog, Storefront(clairvoyants.on(date)), catalog.store.stores, date, visits)
    was_met = day.outcome != OUT_OF_STOCK
    return _worth(catalog, date, *(own[was_met] for own in (day.store, day.tick, day.product, day.price)))


def _worth(catalog: Catalog, date: dt.date, store: Ints, tick: Ints, product: Ints, prices: Floats) -> float:
    """Return the sum over visits that found a product of what its price gains times the true chance of a sale, EUR."""
    examples, group = stores_alike(catalog, catalog.store.stores)
    shifts = np.stack([budget_shifts_on(catalog, date, name) for name in examples])[group[store], tick, product]
    chance = chance_of_sale(catalog, prices / catalog.base_prices[product], shifts, product)
    forgone = np.broadcast_to(costs_that_count(catalog), len(catalog.skus))[product]
    return float(((prices - forgone) * chance).sum())


def measure(worlds: Sequence[str], stores: int, days: int, seeds: int, train_every: int) -> None:
    """Play the twin in some worlds of `shelfprice compare`, and print a row for each."""
    columns = ["world", "stores", "days", "seeds", "embedded lost %", "outside lost %", "more lost, points"]
    rows = []
    for world in asked_worlds(list(worlds)):
        catalog, found = with_stores(world.catalog, stores), list[HourlyLoss]()
        if train_every:
            catalog = trained_every(catalog, train_every)
        for seed in range(1, seeds + 1):
            found.append(hourly_loss(catalog, seed, days, trains=train_every > 0))
            lost = ", ".join(f"{name} {_lost(found[-1:], name).percent()} %" for name in ("embedded", "outside"))
            sys.stderr.write(f"{world.name}, seed {seed}: {lost}, {100 * found[-1].more:+.3f} points\n")
        shares = [_lost(found, name).percent() for name in ("embedded", "outside")]
        more = interval([own.more for own in found]).percent()
        rows.append([world.name, str(stores), str(days), str(seeds), *shares, more])
    sys.stdout.write("\n".join(markdown(columns, rows)) + "\n")


def trained_every(catalog: Catalog, days: int) -> Catalog:
    """Return a catalog whose models are trained every so many days."""
    learning = catalog.store.learning.model_copy(update={"train_every_days": days})
    return Catalog(catalog.products, catalog.store.model_copy(update={"learning": learning}))


def _lost(found: Sequence[HourlyLoss], name: str) -> MeanInterval:
    return interval([1 - float(getattr(own, name).sum() / own.most.sum()) for own in found])
