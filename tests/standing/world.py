"""A small chain that lives at random: it sells, people order, approve and undo, and the catalog is edited meanwhile."""

import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from price_shop import SEED, Shop

from catalog.decisions.pricing import Shelf
from catalog.errors import ShelfpriceError
from catalog.load import WatchedCatalog, load
from catalog.settings import read_settings
from etl.batches import Batch, play_batch
from etl.open_days import LiveDay, sold_so_far
from etl.transform import transform
from features.cells import ALL_VIEWS
from plugins.desk.live_shelf import standing_after
from plugins.desk.price_changes.change import PriceChange
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.propose import propose
from plugins.desk.price_changes.record import all_changes
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import ingest
from serving.book.store import book_in_force
from serving.store.in_force import pricing_on
from serving.store.storefront import Storefront
from tests.standing.model import Model, Order, Product, Proposal
from warehouse.lake import Lake, Partition
from warehouse.query.connection import build_file
from warehouse.workspace import Workspace

FIRST = dt.date(2026, 3, 28)  # the night after it, clocks change in Europe
ONE_DAY = dt.timedelta(days=1)
TICKS = 8
STORES = ("S01", "S02", "S03")
_APPROVALS = ("", "", "{within_of_base: 0.05}", "{within_of_yesterday: 0.04}", "{within_of_base: 0.0}")
_ZONES = (
    "",
    "timezone: Europe/Berlin\ntimezones: {S03: America/New_York}\n",
    "timezones: {S02: Asia/Tokyo}\n",
)
_NEW = {"sku": "TEA", "name": "Tea", "category": "drinks", "base_price": 3.0, "unit_cost": 1.2, "par_stock": 10}


@dataclass
class Clock:
    """Where a store stands: the date and tick that it prices next."""

    date: dt.date
    tick: int = 0
    player: Player | None = None
    shelf: tuple[str, ...] = ()
    """Products with which the day was opened; empty before."""


class World:
    """A chain, and the model that is told what is done in it."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.rng, self.number = rng, 0
        self.approval = rng.choice(
            ["", "", "{within_of_base: 0.05}", "{within_of_yesterday: 0.04}", "{within_of_base: 0.0}"]
        )
        zones = rng.choice(
            ["", "timezone: Europe/Berlin\ntimezones: {S03: America/New_York}\n", "timezones: {S02: Asia/Tokyo}\n"]
        )
        self.shop = Shop(folder, self.approval, more=zones, changed=_made_small)
        self.folder = self.shop.folder
        self.lake, self.settings = self.shop.lake, self.shop.settings
        self.has_book = rng.random() < 0.9
        if self.has_book:
            self.shop.publish(FIRST, visits=rng.choice([5.0, 50.0]))
        self.clocks = {store: Clock(FIRST) for store in STORES}
        self.orders: dict[str, Order] = {}
        self.proposed: set[dt.date] = set()
        self.model = Model({})
        self.catalog = load(self.folder)
        self._read_catalog()
        rules = yaml.safe_load(self.approval or "{}")
        self.model.within_base, self.model.within_yesterday = (
            rules.get("within_of_base"),
            rules.get("within_of_yesterday"),
        )
        self.watched = WatchedCatalog(self.folder)
        self.notes: list[str] = [f"approval {self.approval or 'off'}, zones {zones!r}, book {self.has_book}"]
        self._sell_the_day_before()
        build_file(self.shop.settings, ALL_VIEWS)

    @property
    def workspace(self) -> Workspace:
        """Where things are done."""
        return Workspace(self.settings, self.catalog, self.lake)

    def moment(self, store: str) -> dt.datetime:
        """Return when a store's next tick begins."""
        clock = self.clocks[store]
        return self.catalog.store.clock_of(store).moment_of(clock.date, clock.tick)

    def wants(self, store: str) -> dict[str, float]:
        """Return what a resting store's policy wants at opening, before any rule, EUR."""
        catalog, clock = self.catalog, self.clocks[store]
        policy = pricing_on(self.lake, catalog, clock.date).policy
        assert isinstance(policy, Storefront)
        stock = catalog.par_stock[None].astype(np.int64)
        nothing = np.full(stock.shape, np.nan)
        asked = policy.policy.ask(Shelf(stock, nothing, TICKS, np.zeros(stock.shape), None, (store,)))
        return dict(zip(catalog.skus, asked.prices[0].tolist(), strict=True))

    def step(self) -> Iterator[str]:
        """Do one thing at random; yield what a tick that was sold shows that was not to be expected."""
        deed = self.rng.choices(list(_DEEDS), weights=list(_DEEDS.values()))[0]
        with suppress(ShelfpriceError):
            yield from getattr(self, deed)() or ()

    # What can be done

    def sell(self) -> list[str]:
        """Sell some ticks of a store, each as it was to be expected."""
        store = self.rng.choice(STORES)
        clock, wrong = self.clocks[store], list[str]()
        for _ in range(self.rng.choice([1, 2, TICKS])):
            if clock.tick == 0 and clock.player is None:
                clock.player, clock.shelf = self._player(store), self.catalog.skus
            assert clock.player is not None
            expected = self.expected_at_tick(store)
            clock.player.sell_tick()
            clock.tick += 1
            shown, tried = self.shown(store), self._tried(store)
            wrong += [
                f"{store} {sku} sold at {shown[sku]} in tick {clock.tick - 1} of {clock.date}, and not at {price}"
                for sku, price in expected.items()
                if sku not in tried and abs(shown[sku] - price) > 1e-9
            ]
            if clock.tick == TICKS:
                break
        self.notes.append(f"{store} sold to tick {clock.tick} of {clock.date}")
        if clock.tick == TICKS and self.rng.random() < 0.8:
            self._close(store)
        elif clock.tick == TICKS:
            self._over(store)
        return wrong

    def expected_at_tick(self, store: str) -> dict[str, float]:
        """Return what a store has to show in its next tick as far as the model knows, EUR."""
        clock = self.clocks[store]
        now = self.moment(store)
        if clock.tick == 0:
            wants = self.wants(store)
            return {sku: self.model.price(store, sku, clock.date, now, want) for sku, want in wants.items()}
        return {
            sku: self.model.price(store, sku, clock.date, now, 1.0)
            for sku in clock.shelf
            if sku in self.model.products and self.model.is_peoples(store, sku, now)
        }

    def shown(self, store: str) -> dict[str, float]:
        """Return what a store that is being sold shows, EUR."""
        clock = self.clocks[store]
        found = sold_so_far(self.lake, LiveDay(store, clock.date))
        assert found is not None
        rows = found.rows.repricings
        return dict(zip(rows["sku"].to_pylist(), rows["new_price"].to_pylist(), strict=True))

    def _tried(self, store: str) -> set[str]:
        """Return the products that show a price that is tried: where that costs nothing, no budget is needed."""
        found = sold_so_far(self.lake, LiveDay(store, self.clocks[store].date))
        assert found is not None
        newest = {row["sku"]: row["explored"] for row in found.rows.repricings.to_pylist()}
        return {sku for sku, is_tried in newest.items() if is_tried}

    def stock(self, store: str) -> dict[str, int]:
        """Return the stock of a store that is being sold."""
        clock = self.clocks[store]
        found = sold_so_far(self.lake, LiveDay(store, clock.date))
        assert found is not None
        catalog = clock.player._in_force.catalog  # type: ignore[union-attr]
        stock = standing_after(found.rows, catalog, clock.tick).stock[0]
        return dict(zip(catalog.skus, stock.tolist(), strict=True))

    def switch(self) -> None:
        """Turn the kill switch on, by a person."""
        self._ask(PriceRequest("kill_switch", "wrong", store=self.rng.choice([None, None, *STORES])))

    def switch_in_file(self) -> None:
        """Turn the switch of the file the other way."""
        self.model.kill_in_file = not self.model.kill_in_file
        self._edit_store(lambda store: store.setdefault("guardrails", {}).update(kill_switch=self.model.kill_in_file))

    def override(self) -> None:
        """Set a price, for good or for some ticks."""
        sku = self.rng.choice(self.catalog.skus)
        base = self.model.products[sku].base
        store = self.rng.choice([None, *STORES])
        price = round(base * self.rng.choice([0.4, 0.6, 0.8, 0.95, 1.0, 1.1, 1.9]), 2)
        start = end = None
        if self.rng.random() < 0.4:
            clock = self.catalog.store.clock_of(store)
            date = self.clocks[store or "S01"].date
            first = self.rng.randrange(TICKS - 1)
            start, end = clock.moment_of(date, first), clock.moment_of(date, self.rng.randrange(first + 1, TICKS + 1))
        accepts = self.rng.random() < 0.5
        self._ask(
            PriceRequest(
                "override", "a rival", sku, store, price, start, end, ignore_conflicts=True, below_cost=accepts
            )
        )

    def freeze(self) -> None:
        """Keep what is shown."""
        self._ask(
            PriceRequest(
                "freeze",
                "broken",
                self.rng.choice(self.catalog.skus),
                self.rng.choice([None, *STORES]),
                ignore_conflicts=True,
            )
        )

    def withdraw(self) -> None:
        """Take back one of the orders."""
        if not self.orders:
            return
        name = self.rng.choice(sorted(self.orders))
        decide(self.workspace, [name], "withdrawn", "ben")
        order = self.orders.pop(name)
        order.withdrawn = {store: self.moment(store) for store in order.counts}
        self.notes.append(f"withdrew {name}")

    def propose(self) -> None:
        """Let the book propose the prices of the date that a store opens next."""
        date = self.clocks[self.rng.choice(STORES)].date
        found = book_in_force(self.lake, date)
        if found is None:
            return
        propose(self.workspace, found, date)
        self._hear_proposals()
        self.notes.append(f"proposed for {date}")

    def judge(self) -> None:
        """Approve, reject or take back what was proposed."""
        changes = [change for change in all_changes(self.lake) if change.terms.kind == "price"]
        if not changes:
            return
        change = self.rng.choice(changes)
        event = self.rng.choice(["approved", "approved", "rejected", "withdrawn"])
        decide(self.workspace, [change.id], event, "ben")  # type: ignore[arg-type]
        self._hear_proposals()
        self.notes.append(f"{event} {change.id}")

    def edit_product(self) -> None:
        """Raise a cost, or move a bound."""
        products = yaml.safe_load((self.folder / "products.yaml").read_text(encoding="utf-8"))
        own = self.rng.choice(products["products"])
        base = own["base_price"]
        kind = self.rng.choice(["cost", "ceiling", "floor"])
        if kind == "cost":
            own["unit_cost"] = round(base * self.rng.choice([0.5, 0.65, 0.8, 0.95]), 2)
            own["floor_price"] = max(own.get("floor_price") or round(0.7 * base, 2), own["unit_cost"])
        elif kind == "ceiling":
            own["ceiling_price"] = round(base * self.rng.choice([1.0, 1.04, 1.3, 2.0]), 2)
        else:
            own["floor_price"] = round(base * self.rng.choice([0.96, 1.0]), 2)
        self._write_products(products, f"{kind} of {own['sku']}")

    def edit_shelf(self) -> None:
        """Add a product, or drop one."""
        products = yaml.safe_load((self.folder / "products.yaml").read_text(encoding="utf-8"))
        skus = [own["sku"] for own in products["products"]]
        if "TEA" in skus:
            products["products"] = [own for own in products["products"] if own["sku"] != "TEA"]
        else:
            products["products"].append(dict(_NEW))
        self._write_products(products, "the shelf")

    def freeze_in_file(self) -> None:
        """Freeze a product in store.yaml, or none."""
        sku = self.rng.choice([*self.catalog.skus, None])
        product = None if sku is None else self.model.products[sku]
        price = None if product is None else max(round(product.base * 0.98, 2), product.floor, product.cost)
        frozen = {} if sku is None else {sku: price}
        self._edit_store(lambda store: store.setdefault("guardrails", {}).update(frozen=frozen))

    # How the model hears of it

    def _ask(self, wish: PriceRequest) -> None:
        ticks = {store: self.moment(store) for store in STORES if wish.store in {None, store}}
        answer = ask(self.workspace, wish, "anna")
        self.number += 1
        for change in answer.changes:
            terms = change.terms
            own = {store: at for store, at in ticks.items() if terms.store in {None, store}}
            span = wish.valid_from, terms.valid_until
            what = terms.kind, terms.sku, terms.store, terms.new_price
            order = Order(self.number, *what, *span, own, terms.accepted_cost)
            self.model.orders.append(order)
            self.orders[change.id] = order
        self.notes.append(f"{wish.kind} {wish.sku} {wish.store} {wish.price} {wish.valid_from} {wish.valid_until}")

    def _hear_proposals(self) -> None:
        newest: dict[tuple[dt.date, str, str], PriceChange] = {}
        for change in all_changes(self.lake):
            terms = change.terms
            if terms.kind == "price" and terms.store and terms.sku:
                newest[self.catalog.store.clock_of(terms.store).date_of(terms.valid_from), terms.store, terms.sku] = (
                    change
                )
        for key, change in newest.items():
            approved = [event for event in change.events if event.event == "approved"]
            assert change.terms.new_price is not None
            self.model.proposals[key] = Proposal(
                change.terms.old_price,
                change.terms.new_price,
                max(approved[-1].effective_at, change.terms.valid_from) if approved else None,
                change.last == "rejected",
                change.last == "withdrawn",
            )

    def _player(self, store: str) -> Player:
        day = LiveDay(store, self.clocks[store].date)
        return Player(self.lake, LivePrices(self.lake, self.watched.current, day, SEED), day, SEED)

    def _close(self, store: str) -> None:
        clock = self.clocks[store]
        assert clock.player is not None
        found = sold_so_far(self.lake, LiveDay(store, clock.date))
        assert found is not None
        self._hear_day(found.rows.repricings.to_pylist())
        clock.player.close()
        self._over(store)

    def _over(self, store: str) -> None:
        self.clocks[store] = Clock(self.clocks[store].date + ONE_DAY)

    def _sell_the_day_before(self) -> None:
        """Let all stores sell the day before the first one, so that each has a newest day."""
        catalog, date = self.catalog, FIRST - ONE_DAY
        play_batch(self.workspace, Batch(date, "g000", STORES), pricing_on(self.lake, catalog, date), SEED)
        self._hear_day(self.lake.read(Partition("repricings", date, "g000")).to_pylist())

    def _hear_day(self, rows: Sequence[dict[str, Any]]) -> None:
        """Remember the middle price of each product, tick by tick, of those that were not tried."""
        changes = dict[tuple[str, str], dict[int, dict[str, Any]]]()
        for row in rows:
            changes.setdefault((row["store_id"], row["sku"]), {})[row["tick"]] = row
        for place, of_day in changes.items():
            stood, now = list[float](), None
            for tick in range(self.catalog.store.opening.ticks):
                now = of_day.get(tick, now)
                if now is not None and not now["explored"] and now["inventory_level"] > 0:
                    stood.append(now["new_price"])
            if stood:
                self.model.opened[place] = sorted(stood)[(len(stood) - 1) // 2]

    def _edit_store(self, edit: Callable[[dict], object]) -> None:  # type: ignore[type-arg]
        file = self.folder / "store.yaml"
        before, store = file.read_text(encoding="utf-8"), yaml.safe_load(file.read_text(encoding="utf-8"))
        edit(store)
        file.write_text(yaml.safe_dump(store), encoding="utf-8")
        self._settle(file, before, "store.yaml")

    def _write_products(self, products: dict, what: str) -> None:  # type: ignore[type-arg]
        file = self.folder / "products.yaml"
        before = file.read_text(encoding="utf-8")
        file.write_text(yaml.safe_dump(products), encoding="utf-8")
        self._settle(file, before, what)

    def _settle(self, file: Path, before: str, what: str) -> None:
        """Keep an edit that the catalog takes; put back one that it refuses."""
        try:
            self._read_catalog()
        except ShelfpriceError:
            file.write_text(before, encoding="utf-8")
            self._read_catalog()
        else:
            self.notes.append(f"edited {what}")

    def _read_catalog(self) -> None:
        catalog = self.catalog = load(self.folder)
        rails = catalog.store.guardrails
        self.model.kill_in_file, self.model.margin = rails.kill_switch, rails.minimum_margin
        self.model.products = {
            own.sku: Product(own.base_price, own.unit_cost, own.floor, own.ceiling, rails.frozen.get(own.sku))
            for own in catalog.products
        }


_DEEDS = {
    "sell": 5.0,
    "switch": 1.0,
    "switch_in_file": 0.6,
    "override": 3.0,
    "freeze": 1.0,
    "withdraw": 2.0,
    "propose": 1.5,
    "judge": 2.0,
    "edit_product": 1.5,
    "edit_shelf": 0.4,
    "freeze_in_file": 0.6,
}
"""How often each thing is done."""


def _made_small(folder: Path) -> None:
    """Make the default shelf and store small: three products, eight ticks, no exploration."""
    products = yaml.safe_load((folder / "products.yaml").read_text(encoding="utf-8"))
    products["products"] = [own | {"par_stock": 12} for own in products["products"][:3]]
    (folder / "products.yaml").write_text(yaml.safe_dump(products), encoding="utf-8")
    file = folder / "store.yaml"
    store = yaml.safe_load(file.read_text(encoding="utf-8"))
    store["opening"] = {"opens": "08:00", "closes": "12:00", "tick_minutes": 30}
    store["hourly_profile"], store["visits_per_day"] = [1.0] * 4, 40
    store.pop("popularity", None)
    store["exploration"] = {"before_champion": 0.0, "budget": 0.0, "hold_ticks": 1}
    store["ladder_prices"] = 12
    file.write_text(yaml.safe_dump(store), encoding="utf-8")


class RetailersWorld(World):
    """A retailer's chain before a price was released: its shelf is that of the log, and nothing is ever played."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.rng, self.number, self.has_book = rng, 0, False
        self.approval = rng.choice(_APPROVALS)
        settings = read_settings({"SHELFPRICE_HOME": str(folder / "home")})
        file, days = folder / "units.csv", 14
        prices = {
            (store, sku): round(base * rng.uniform(0.9, 1.1), 2)
            for store in STORES
            for sku, base in (("OIL", 6.5), ("RICE", 2.1), ("SALT", 0.8))
        }
        rows = [
            f"{FIRST - (days - day) * ONE_DAY},{store},{sku},{price * (1.0 if day > 6 else 0.93):.2f},{4 + day % 3}"
            for day in range(days)
            for (store, sku), price in prices.items()
        ]
        file.write_text("\n".join(["date,store,sku,price,qty", *rows, ""]), encoding="utf-8")
        shelf = ingest(settings, file, Reading(), None, dt.datetime(2026, 12, 1, tzinfo=dt.UTC)).shelf
        assert shelf is not None
        self.folder, self.lake, self.settings = shelf, Lake(settings), settings
        if self.approval:
            with (shelf / "store.yaml").open("a", encoding="utf-8") as store:
                store.write(f"approval: {self.approval}\n")
        self.clocks = {store: Clock(FIRST) for store in STORES}
        self.orders, self.model = {}, Model({})
        self.catalog = load(self.folder)
        self._read_catalog()
        rules = yaml.safe_load(self.approval or "{}")
        self.model.within_base, self.model.within_yesterday = (
            rules.get(name) for name in ("within_of_base", "within_of_yesterday")
        )
        self.model.usual, self.model.opened = dict(prices), dict(prices)
        self.notes = [f"a retailer's lake, approval {self.approval or 'off'}"]
        transform(self.workspace)

    def wants(self, store: str) -> dict[str, float]:
        """Return what nobody has released another price for: the shelf price."""
        return {sku: self.model.usual[store, sku] for sku in self.catalog.skus if (store, sku) in self.model.usual}

    def sell(self) -> list[str]:
        """Play nothing."""
        return []

    def edit_shelf(self) -> None:
        """Keep the products of the log."""
