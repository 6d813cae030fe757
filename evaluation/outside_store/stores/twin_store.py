"""The digital twin as an outside store: it asks for prices, plays its shoppers tick by tick, and tells its sales.

Of this project it knows the twin and the catalog alone. The engine sees only what comes in over HTTP.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from catalog.load import CLASSIC, Catalog, load
from catalog.price_rules import NO_CLAMPS
from catalog.pricing import PriceDecision, Shelf
from catalog.store_day import BOUGHT, StoreDay
from evaluation.outside_store.stores.outside_world import RULES, WEEK, AttainableProfit, Floats, Ints, OwnersRules
from evaluation.outside_store.stores.stockpiling_grocer import price_points
from evaluation.outside_store.stores.till_lines import DaySold, TillLine
from simulation.stock import opening_stock
from simulation.store_day import Stretch, play
from simulation.truth import mean_chance_on
from simulation.visits import draw_visits, expected_visits_on

Ask = Callable[[Shelf], Floats]
"""Prices for one tick, EUR, shape (n_stores, n_products)."""
FIRST_DATE = dt.date(2026, 1, 5)


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


@dataclass(frozen=True, eq=False)
class TwinStore:
    """The twin's stores.

    Attributes
    ----------
    first_date
        Monday of the first week.
    catalog
        Its shelf, whose weeks are alike: nothing scripted changes its demand.
    tells_visits
        Whether it says who looked at each product in each hour, beside who came.
    """

    seed: int
    first_date: dt.date = FIRST_DATE
    catalog: Catalog = field(default_factory=lambda: load(CLASSIC))
    rules: OwnersRules = RULES
    tells_visits: bool = False

    @property
    def stores(self) -> tuple[str, ...]:
        """Ids."""
        return tuple(self.catalog.store.stores)

    @property
    def skus(self) -> tuple[str, ...]:
        """Stock-keeping units."""
        return tuple(self.catalog.skus)

    @property
    def owner_prices(self) -> Floats:
        """The base prices in every store, EUR, shape (n_stores, n_products)."""
        return np.tile(self.catalog.base_prices, (len(self.stores), 1))

    @cached_property
    def unit_costs(self) -> Floats:
        """EUR, shape (n_products,)."""
        return np.array([product.unit_cost for product in self.catalog.products])

    def play_day(self, date: dt.date, ask: Ask) -> StoreDay:
        """Play a business date, asking for prices at the start of each tick."""
        return play(self.catalog, AskedPrices(ask), self.stores, date, self.seed)

    def play_week(self, prices: Floats) -> Ints:
        """Return the units of the last week by day, shape (7, n_stores, n_products)."""
        monday = self.first_date + dt.timedelta(weeks=len(prices) - 1)
        return np.stack([self.units_of(self.play_day(date, lambda _: prices[-1])) for date in week_from(monday)])

    def units_of(self, day: StoreDay) -> Ints:
        """Return the units sold, shape (n_stores, n_products)."""
        units = np.zeros((len(self.stores), len(self.skus)), dtype=np.int64)
        sold = day.bought()
        np.add.at(units, (sold.store, sold.product), 1)
        return units

    def sell_day(self, date: dt.date, ask: Ask) -> DaySold:
        """Sell a business date at the prices that are asked for, and return all that its tills and doors tell.

        Each purchase is a receipt of one line. The shelf is counted before opening and after closing.
        """
        day, clocks = self.play_day(date, ask), [self.catalog.store.clock_of(store) for store in self.stores]
        told = self._told(date, day)
        closed = [clock.closing_of(date) for clock in clocks]
        return replace(told, stock=told.stock + self._count(date, closed, day.stock[0] - told.units, "closing"))

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
        opened = [self.catalog.store.clock_of(store).opening_of(date) for store in self.stores]
        return self._count(date, opened, np.tile(opening_stock(self.catalog, date), (len(self.stores), 1)), "opening")

    def _told(self, date: dt.date, day: StoreDay) -> DaySold:
        """Return what the tills and doors tell of a day, or of its first ticks, and what was counted before opening."""
        opened = [self.catalog.store.clock_of(store).opening_of(date) for store in self.stores]
        lines, came = list[TillLine](), Counter[tuple[int, int, dt.datetime]]()
        revenue = np.zeros((len(self.stores), len(self.skus)))
        rows = zip(day.store.tolist(), day.product.tolist(), day.since_opening_us.tolist(), strict=True)
        for number, (store, product, since) in enumerate(rows):
            at = opened[store] + dt.timedelta(microseconds=since)
            came[store, product, at.replace(minute=0, second=0, microsecond=0)] += 1
            if day.outcome[number] == BOUGHT:
                name, price = f"{self.stores[store]}-{date:%Y%m%d}-{number:05d}", float(day.price[number])
                lines.append(TillLine(name, name, 1, self.stores[store], self.skus[product], at, 1, price))
                revenue[store, product] += price
        if day.taken is not None:
            bought = zip(*(getattr(day.taken, name).tolist() for name in ("visit", "product", "price")), strict=True)
            for number, product, price in bought:
                store, at = day.store[number], opened[day.store[number]]
                at += dt.timedelta(microseconds=int(day.since_opening_us[number]))
                name = f"{self.stores[store]}-{date:%Y%m%d}-{number:05d}-instead"
                lines.append(TillLine(name, name, 1, self.stores[store], self.skus[product], at, 1, price))
                revenue[store, product] += price
        units = self.units_of(day)
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
                    "hour_at": (at := opened[store] + dt.timedelta(minutes=minute)).isoformat(),
                    "visits": came[store, product, at],
                }
                for store in range(len(self.stores))
                for product, sku in enumerate(self.skus)
                for minute in range(0, minutes, 60)
            ]
        return DaySold(date, units, revenue, lines, visitors, self._count(date, opened, day.stock[0], "opening"))

    def _count(self, date: dt.date, at: list[dt.datetime], stock: Ints, when: str) -> list[dict[str, Any]]:
        return [
            {
                "event_id": f"{store}-{date:%Y%m%d}-{sku}-{when}",
                "store_id": store,
                "sku": sku,
                "happened_at": at[row].isoformat(),
                "kind": "count",
                "units": int(stock[row, column]),
            }
            for row, store in enumerate(self.stores)
            for column, sku in enumerate(self.skus)
        ]

    def expected_profit(self, prices: Floats) -> Floats:
        """Return what weeks at one price each earn on average, EUR, shape (n_weeks, n_stores, n_products)."""
        ratio = (prices / self.owner_prices).reshape(-1, len(self.skus)).T
        units = self._units_at(ratio).T.reshape(prices.shape)
        return (prices - self.unit_costs) * units

    def attainable(self, n_weeks: int) -> AttainableProfit:
        """Return what so many weeks with one price each can earn: the best price, 1 % apart, that can be reached.

        Exact where these prices keep the largest step. Prices that move within a day can earn more.
        """
        points = price_points(self.rules)
        ratios = np.tile(points, (len(self.skus), 1))
        worth = (self.catalog.base_prices[:, None] * ratios - self.unit_costs[:, None]) * self._units_at(ratios)
        prices = np.empty((n_weeks, *self.owner_prices.shape))
        for week in range(n_weeks):
            low, high = self.rules.reach(week + 1)
            within = (points >= low - 1e-9) & (points <= high + 1e-9)
            prices[week] = self.owner_prices * points[np.where(within, worth, -np.inf).argmax(axis=1)]
        is_exact = bool(self.rules.kept(self.owner_prices, prices).all())
        return AttainableProfit(self.expected_profit(prices), prices, is_exact)

    def _units_at(self, ratio: Floats) -> Floats:
        """Return mean units of a week in a store at price ratios, both of shape (n_products, n_prices).

        Visits to a product are Poisson, and each buys with the same chance while a unit is left; so a day sells the
        smaller of a Poisson number and the shelf.
        """
        date = self.first_date
        mean = expected_visits_on(self.catalog, date).sum(axis=1)[:, None] * mean_chance_on(self.catalog, date, ratio)
        return WEEK * smaller_of_poisson(mean, opening_stock(self.catalog, date)[:, None])


def smaller_of_poisson(mean: Floats, most: Ints) -> Floats:
    """Return E[min(N, most)] of a Poisson N: the sum of P(N > k) over k < most."""
    expected, below, term = np.zeros(np.broadcast_shapes(mean.shape, most.shape)), np.exp(-mean), np.exp(-mean)
    for count in range(int(most.max())):
        expected += np.where(count < most, 1 - below, 0.0)
        term = term * mean / (count + 1)
        below = below + term
    return expected


def week_from(monday: dt.date) -> list[dt.date]:
    """Return the seven dates of a week."""
    return [monday + dt.timedelta(days=day) for day in range(WEEK)]
