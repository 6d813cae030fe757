"""Stores that sell by units in a lake of their own: at their own prices for a week, then at those that are drawn."""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from once_a_run import made_once
from price_shop import Shop

from catalog.load import load
from catalog.settings import read_settings
from catalog.tables.contracts import TABLES
from plugins.own_store.draws.drawn_prices import PriceDraw, draw_on
from training.evening import Evening
from training.night import decide
from training.schedule import Night
from warehouse.lake import Lake, Partition
from warehouse.origin import claim
from warehouse.workspace import Workspace

MONDAY = dt.date(2026, 1, 19)
DRAWN = "sales: outside\ndrawn_prices: {products: all, held_share: 0.2}\n"
SIX_WEEKS = dt.timedelta(weeks=6)
SLOPE, UNITS = -3.0, 40.0
BEFORE = "2026-01-05T00:00:00+00:00"
"""The shop's clock, which is behind: its dates go by what has sold."""


class NoRegistry:
    """An outside store's night asks no registry."""


class Grocer(Shop):
    """Stores that sell by units, at their own prices for a week, then at those that are drawn."""

    def __init__(
        self, folder: Path, more: str = DRAWN, n_stores: int = 4, changed: Callable[[Path], None] | None = None
    ) -> None:
        super().__init__(folder, more=f"{more}rehearsal: true\n", size=(3, n_stores), changed=changed)
        claim(self.lake.store, "retailer")
        self.workspace = self.workspace_at(BEFORE)
        self.settings = self.workspace.settings
        self.dice = np.random.default_rng(5)
        self.carry = 0.0  # how sales answer to the price of the week before
        for day in range(7):
            self._sell(MONDAY - dt.timedelta(days=7 - day), None)

    @classmethod
    def after_six_weeks(cls, factory: pytest.TempPathFactory, folder: Path) -> "Grocer":
        """Return eight stores that have sold for six weeks at drawn prices: they did so once a run, and are copied."""
        sold = made_once(factory, "six-weeks-of-draws", lambda own: cls(own, n_stores=8).weeks(6))
        shutil.copytree(sold, folder, dirs_exist_ok=True)
        own = cls.__new__(cls)
        own.folder, own.settings = folder / "catalog", read_settings({"SHELFPRICE_HOME": str(folder / "home")})
        own.catalog, own.lake = load(own.folder), Lake(own.settings)
        own.workspace = own.workspace_at(BEFORE)
        return own

    def workspace_at(self, moment: str) -> Workspace:
        return Workspace(self.settings.model_copy(update={"now": moment}), self.catalog, self.lake)

    def night(self, date: dt.date) -> Night:
        return decide(Evening(self.workspace, NoRegistry(), date, 7))  # type: ignore[arg-type]

    def draw(self, date: dt.date) -> PriceDraw:
        found = draw_on(self.lake, self.catalog, date)
        assert found is not None
        return found

    def week(self, first: dt.date, n_days: int = 7) -> None:
        """Sell a week, or some days, at the prices that are in force."""
        for day in range(n_days):
            date = first + dt.timedelta(days=day)
            self._sell(date, draw_on(self.lake, self.catalog, date))

    def weeks(self, count: int) -> dt.date:
        """Draw and sell so many weeks; return the Monday after."""
        for week in range(count):
            first = MONDAY + dt.timedelta(days=7 * week)
            self.night(first - dt.timedelta(days=1))
            self.week(first)
        return MONDAY + dt.timedelta(days=7 * count)

    def _sell(self, date: dt.date, draw: PriceDraw | None) -> None:
        own = np.broadcast_to(self.catalog.base_prices, (len(self.catalog.store.stores), len(self.catalog.skus)))
        prices = own if draw is None else np.where(np.isfinite(draw.prices), draw.prices, own)
        last = None if draw is None else draw_on(self.lake, self.catalog, date - dt.timedelta(days=7))
        before = own if last is None else np.where(np.isfinite(last.prices), last.prices, own)
        units = self.dice.poisson(UNITS * (prices / own) ** SLOPE * (before / own) ** self.carry)
        places = [(s, p) for s in range(own.shape[0]) for p in range(own.shape[1])]
        common = {
            "store_id": [self.catalog.store.stores[s] for s, _ in places],
            "sku": [self.catalog.skus[p] for _, p in places],
            "price": [float(prices[place]) for place in places],
            "units": [float(units[place]) for place in places],
        }
        sales = common | {
            "product_name": common["sku"],
            "hour": [None] * len(places),
            "returned_units": [0.0] * len(places),
            "chances": [int(units[place]) + 50 for place in places],
            "is_sudden_zero": [False] * len(places),
        }
        self.publish("unit_sales", date, sales)
        clock = self.catalog.store.clock_of(None)
        opens, closes = clock.opening_of(date), clock.closing_of(date)
        self.publish(
            "exposures",
            date,
            common
            | {
                "charged_price": common["price"],
                "starts_at": [opens] * len(places),
                "ends_at": [closes] * len(places),
                "is_acknowledged": [True] * len(places),
                "not_ours": ["no price released" if draw is None else None] * len(places),
                "open_minutes": [(closes - opens).total_seconds() / 60] * len(places),
            },
        )

    def publish(self, table: str, date: dt.date, columns: dict[str, list[object]]) -> None:
        schema = TABLES[table].schema
        rows = len(columns["sku"])
        whole = {name: columns.get(name, [None] * rows) for name in schema.names}
        self.lake.publish(Partition(table, date, "intake"), pa.table(whole, schema=schema), inputs=f"{date}")
