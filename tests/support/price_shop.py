"""A shop whose store sells tick by tick from a price book, while people decide about its prices."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from believing import believed_after

from catalog.currency import currency_of
from catalog.load import CLASSIC, Catalog, WatchedCatalog, load
from catalog.settings import read_settings
from etl.load import DayRows, load_dimensions
from etl.open_days import LiveDay, sold_so_far
from etl.twin.draws import shopper_names
from features.cells import ALL_VIEWS
from plugins.evaluation.truth import chance_of_sale
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from serving.belief.gaussian import Counts, Knots
from serving.belief.table import belief_to_table
from serving.book.make import publish_book
from serving.book.store import BookInForce, book_in_force
from serving.learning.outlook import start_of_day
from warehouse.lake import Lake
from warehouse.query.connection import build_file
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    from dashboard.data.desk.price_desk import PriceDesk
    from dashboard.monitor import Monitor

DATE = dt.date(2026, 1, 19)
SEED = 7
SHORT_DAY = 12
"""Ticks of a day of `open_in_the_morning`."""
IN_EUROS = {"JPY": 150, "KWD": 1}
"""What the amounts of the default shelf are multiplied with in `priced_in`."""

_POORER = -0.04  # shift of budgets, as a share of base prices: opening prices are below these


def open_in_the_morning(folder: Path) -> None:
    """Let the default store close at eleven, so that its days are sold soon."""
    file = folder / "store.yaml"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("hourly_profile")]
    text = "\n".join([*lines, "hourly_profile: [0.6, 0.8, 1.0]", ""])
    file.write_text(text.replace('closes: "20:00"', 'closes: "11:00"'), encoding="utf-8")


def priced_in(code: str) -> Callable[[Path], None]:
    """Return how the default shelf gets its prices in another currency; its store closes at eleven."""

    def change(folder: Path) -> None:
        money, rate = currency_of(code), IN_EUROS[code]
        lines = ["products:"]
        for product in load(CLASSIC).products:
            base, cost = money.format_amount(product.base_price * rate), f"{product.unit_cost * rate:.4f}"
            lines.append(
                f"  - {{sku: {product.sku}, name: {product.name}, category: {product.category}, base_price: {base}, "
                f"unit_cost: {cost}, par_stock: {product.par_stock}}}"
            )
        (folder / "products.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")
        open_in_the_morning(folder)
        file = folder / "store.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("currency: EUR", f"currency: {code}"), encoding="utf-8")

    return change


class Shop:
    """A lake and a catalog folder of its own; `approval` is added to its store.yaml, and `more` lines are.

    With `size`, it has that many products and stores instead of the default ones. `changed` changes the folder before
    it is read.
    """

    def __init__(
        self,
        folder: Path,
        approval: str = "",
        size: tuple[int, int] | None = None,
        more: str = "",
        changed: Callable[[Path], None] | None = None,
    ) -> None:
        self.folder = folder / "catalog"
        self.folder.mkdir(parents=True, exist_ok=True)  # a shop may be opened again
        (self.folder / "products.yaml").write_bytes((CLASSIC / "products.yaml").read_bytes())
        store = (CLASSIC / "store.yaml").read_text(encoding="utf-8")
        added = f"approval: {approval}\n" if approval else ""
        if size is not None:
            store = self._grown(store, *size)
        (self.folder / "store.yaml").write_text(f"{store}{added}{more}", encoding="utf-8")
        if changed is not None:
            changed(self.folder)
        self.settings = read_settings({"SHELFPRICE_HOME": str(folder / "home")})
        self.catalog: Catalog = load(self.folder)
        self.lake = Lake(self.settings)
        self.lake.prepare()
        load_dimensions(self.lake, self.catalog, shopper_names(20, 1))
        self.workspace = Workspace(self.settings, self.catalog, self.lake)

    def _grown(self, store: str, products: int, stores: int) -> str:
        """Write a shelf of many products, and return a store.yaml with many stores."""
        lines = [
            f"  - {{sku: P{n:03d}, name: Product {n:03d}, category: group {n % 9}, base_price: {1 + n % 40}.49, "
            f"unit_cost: {0.6 * (1 + n % 40):.2f}, par_stock: 20}}"
            for n in range(products)
        ]
        (self.folder / "products.yaml").write_text("\n".join(["products:", *lines, ""]), encoding="utf-8")
        names = ", ".join(f"S{n:02d}" for n in range(1, stores + 1))
        kept = [line for line in store.splitlines() if not line.startswith(("stores:", "popularity:"))]
        return "\n".join([*kept, f"stores: [{names}]", ""])

    def publish(self, date: dt.date = DATE, visits: float = 50.0) -> BookInForce:
        """Publish a book on a belief that took in so many visits at each knot, of shoppers for whom less is best."""
        knots = Knots.of(self.catalog)
        met = np.full(knots.shape, visits)
        chance = chance_of_sale(self.catalog, knots.ratios, _POORER)
        belief = believed_after(self.catalog, Counts(met, met * chance))
        curves = start_of_day(self.catalog, belief).outlook().curves
        table = belief_to_table(self.catalog, belief)
        publish_book(self.lake, self.catalog, curves, belief.footfall.by_tick, date, table)
        found = book_in_force(self.lake, date)
        assert found is not None
        return found

    def player(self, date: dt.date = DATE) -> Player:
        day = LiveDay("S01", date)
        return Player(self.lake, LivePrices(self.lake, WatchedCatalog(self.folder).current, day, SEED), day, SEED)

    def sell(self, ticks: int, player: Player | None = None, date: dt.date = DATE) -> Player:
        player = player or self.player(date)
        while player.next_tick < ticks:
            player.sell_tick()
        return player

    def rows(self, date: dt.date = DATE) -> DayRows:
        found = sold_so_far(self.lake, LiveDay("S01", date))
        assert found is not None
        return found.rows

    def price_in(self, tick: int, sku: str = "MILK", date: dt.date = DATE) -> float:
        """Return the price of a product that stood in a tick, EUR."""
        changes = [row for row in self.rows(date).repricings.to_pylist() if row["sku"] == sku and row["tick"] <= tick]
        return float(changes[-1]["new_price"])

    def opened(self, ticks: int = 1) -> "Shop":
        """Publish a book and the views, and sell some ticks."""
        self.publish()
        build_file(self.settings, ALL_VIEWS)
        self.sell(ticks) if ticks else None
        return self

    def desk(self) -> "PriceDesk":
        """Return the desk of the monitor, as `monitor` has it."""
        return self.monitor().desk

    def monitor(self) -> "Monitor":
        from dashboard.monitor import Monitor
        from dashboard.prefect.control import live_control

        return Monitor(self.settings, live_control(self.settings), self.folder)
