"""An outside store that says who came and is priced hourly, in a lake of its own, with the twin's shoppers."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np

from catalog.arrays import Floats
from catalog.load import CLASSIC, Catalog, load
from catalog.records.pricing import DrawnPriceRules
from catalog.settings import read_settings
from etl.calendar import stores_now
from plugins.desk.standing import standings
from plugins.evaluation.outside_store.engine import InProcess
from plugins.evaluation.outside_store.hourly_twin import FIRST_DATE, TwinStore, outside_catalog
from warehouse.lake import Partition

OWNERS_DATE = FIRST_DATE - dt.timedelta(days=1)
RULES = DrawnPriceRules(products="all", changes="hourly", band=0.2, step=0.2)
STORE = "S01"


def short_catalog(stores: tuple[str, ...] = (STORE,)) -> Catalog:
    """Return the classic shelf of stores that are open from eight to eleven: a day costs a quarter of a whole one."""
    shelf = load(CLASSIC)
    opening = shelf.store.opening.model_copy(update={"closes": "11:00"})
    changed = {"stores": stores, "opening": opening, "hourly_profile": (0.6, 0.8, 1.0)}
    return Catalog(shelf.products, shelf.store.model_copy(update=changed))


class HourlyStore:
    """The store of a folder, after a day at the owner's prices whose night has released all products."""

    def __init__(self, folder: Path, rules: DrawnPriceRules = RULES, *, says_visits: bool = True) -> None:
        catalog = short_catalog()
        self.world = TwinStore(1, catalog, tells_visits=says_visits)
        self.engine = InProcess(read_settings({"SHELFPRICE_HOME": str(folder)}), outside_catalog(catalog, rules), 1)
        self.lake, self.catalog = self.engine.workspace.lake, self.engine.workspace.catalog
        self.clock = catalog.store.clock_of(STORE)
        *_, whole = self.world.sell_hours(OWNERS_DATE, lambda _: self.world.owner_prices)
        self.tell(whole, OWNERS_DATE)
        self.engine.night(OWNERS_DATE)

    def tell(self, sold: Any, date: dt.date, hours: slice = slice(None)) -> None:
        """Send what a day, or some hours of it, brought."""

        def within(row: Any) -> bool:
            hour = dt.datetime.fromisoformat(row["hour_at"] if "hour_at" in row else row["sold_at"]).hour
            return hour in range(24)[hours]

        now = self.clock.closing_of(date)
        self.engine.tell("stock", self.world.shelf_at_opening(date), now)
        if lines := [row for row in sold.lines if within(row)]:
            self.engine.tell("sales", lines, now)
        self.engine.tell("traffic", [row for row in sold.visitors if within(row)], now)

    def at(self, time: str, date: dt.date = FIRST_DATE) -> dt.datetime:
        return dt.datetime.combine(date, dt.time.fromisoformat(time), dt.UTC)

    def sell(self, hour: int, prices: Floats | None = None, date: dt.date = FIRST_DATE) -> None:
        """Let an hour come at some prices, by default those that stand, and tell it."""
        shown = (self.standing() if prices is None else prices)[None]
        *_, whole = self.world.sell_hours(date, lambda _: shown)
        self.tell(whole, date, slice(hour, hour + 1))

    def standing(self) -> Floats:
        """Return what stands from the next tick on, EUR, shape (n_products,)."""
        now = stores_now(self.lake, self.catalog, (STORE,))
        return standings(self.lake, self.catalog, now)[STORE].prices

    def show(self, time: str) -> Floats:
        """Export at a time, and return what tills charge then, EUR, shape (n_products,)."""
        return self.engine.prices(self.at(time), np.full((1, len(self.catalog.skus)), np.nan))[0]

    def rows(self, table: str, date: dt.date = FIRST_DATE) -> list[dict[str, Any]]:
        part = Partition(table, date, f"live-{STORE}")
        return self.lake.read(part).to_pylist() if self.lake.holds(part) else []
