"""Ask every place of the product what holds, and hold its answers against the model."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from asgi_client import AsgiClient
from flask import Flask

from catalog.decisions.pricing import Shelf
from catalog.errors import ShelfpriceError
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.reader import Reader
from dashboard.desk.tags import wire_tags
from etl.calendar import stores_now
from plugins.connect.api.app import application
from plugins.connect.labels.wanted import wanted_of
from plugins.desk.alerts.rules import found_now
from plugins.desk.next_ticks import next_tick
from plugins.desk.price_changes.listing import rows_of
from plugins.desk.price_changes.record import all_changes
from serving.quote import NoBookError, PriceQuestion, QuoteDesk, StoresDifferError
from serving.store.in_force import pricing_on
from tests.standing.read_once import read_once
from tests.standing.world import TICKS, RetailersWorld, World

_TAG = re.compile(r'<p class="tag-price[^"]*">€(.*?)</p>.*?<span>(\w+), ', re.DOTALL)
_STANDS = re.compile(r"stands at ([\d.]+) EUR")
_CENT = 1e-9
RETAILERS = 0.2
"""Share of the walks that are in a retailer's lake."""


class Examiner:
    """Asks the places of one world again and again."""

    def __init__(self, world: World) -> None:
        self.world = world
        settings = world.settings
        self.client = AsgiClient(application(settings, world.folder, look_every=0))
        self.client.__enter__()
        self.desk = PriceDesk(settings, Reader(settings), lambda: world.catalog)
        server = Flask("tags")
        wire_tags(server, self.desk)
        self.tags = server.test_client()

    def close(self) -> None:
        """Ask no more."""
        self.client.__exit__(None, None, None)

    def differences(self) -> Iterator[str]:
        """Yield each answer that is another one than the model's, or than another place's."""
        world, catalog = self.world, self.world.catalog
        stores = stores_now(world.lake, catalog, catalog.store.stores)
        for store, now in stores.items():
            if (now.date, now.tick) != (world.clocks[store].date, world.clocks[store].tick % TICKS):
                yield f"{store} stands at tick {now.tick} of {now.date}, not {world.clocks[store]}"
        exported = {
            (store, own.sku): own.price
            for store, prices in wanted_of(world.lake, catalog, stores).items()
            for own in prices
        }
        expected = self._expected()
        for key, price in expected.items():
            if abs(exported.get(key, np.nan) - price) > _CENT or key not in exported:
                yield f"export sends {exported.get(key)} for {key}, the model says {price}"
        yield from self._desk_and_tags(exported)
        yield from self._storefront(exported)
        yield from self._quotes(exported)
        if world.rng.random() < 0.3:
            yield from self._history()
            yield from self._alerts(exported)

    def _expected(self) -> dict[tuple[str, str], float]:
        """Return what the model says: of stores that open next all, of others what people set."""
        world, found = self.world, dict[tuple[str, str], float]()
        for store in world.clocks:
            found |= {(store, sku): price for sku, price in world.expected_at_tick(store).items()}
        return found

    def _desk_and_tags(self, exported: dict[tuple[str, str], float]) -> Iterator[str]:
        rows = {(row.store, row.sku): row for row in self.desk.sheet().rows}
        if rows.keys() != exported.keys():
            yield f"the desk has other prices than the export: {sorted(rows.keys() ^ exported.keys())}"
        for key, row in rows.items():
            if abs(row.stands - exported.get(key, row.stands)) > _CENT:
                yield f"the desk says {row.stands} stands for {key}, the export sends {exported[key]}"
        text = self.tags.get("/desk/tags").get_data(as_text=True)
        printed = sorted((store, float(re.sub("<[^>]*>|,", "", price))) for price, store in _TAG.findall(text))
        if printed != sorted((store, price) for (store, _), price in exported.items()):
            yield f"tags print {printed}, the export sends {exported}"

    def _storefront(self, exported: dict[tuple[str, str], float]) -> Iterator[str]:
        world, catalog = self.world, self.world.catalog
        for store, clock in world.clocks.items():
            if clock.tick or world.rng.random() < 0.5:
                continue
            policy = pricing_on(world.lake, catalog, clock.date, stores=(store,)).policy
            stock = catalog.par_stock[None].astype(np.int64)
            shelf = Shelf(
                stock,
                np.full(stock.shape, np.nan),
                catalog.store.opening.ticks,
                np.full(stock.shape, 0.5),
                None,
                (store,),
            )
            decided = policy.decide(shelf)
            for sku, price, is_tried in zip(
                catalog.skus, decided.prices[0].tolist(), decided.explored[0].tolist(), strict=True
            ):
                if (
                    not is_tried and abs(price - exported[store, sku]) > _CENT
                ):  # a trial that costs nothing needs no budget
                    yield f"the storefront shows {price} for {store} {sku}, the export sends {exported[store, sku]}"

    def _quotes(self, exported: dict[tuple[str, str], float]) -> Iterator[str]:
        world, catalog = self.world, self.world.catalog
        desk = QuoteDesk(world.lake, catalog, world.folder)
        asked = list[tuple[str, PriceQuestion, int]]()
        for store, clock in world.clocks.items():
            stock = world.stock(store) if clock.tick else {own.sku: own.par_stock for own in catalog.products}
            shown = world.shown(store) if clock.tick else {}
            skus = [sku for sku in stock if sku in catalog.skus]
            asked += [(store, PriceQuestion(sku, stock[sku], None, shown.get(sku)), clock.tick) for sku in skus]
        answers: dict[tuple[str, str], float | None] = {}
        for store, question, tick in asked:
            try:
                answers[store, question.sku] = desk.answer(question, store).price
            except NoBookError as error:
                answers[store, question.sku] = None
                named = _STANDS.search(str(error))
                if named is None or abs(float(named[1]) - exported[store, question.sku]) > _CENT:
                    yield f"a refusal says {error}, the export sends {exported[store, question.sku]} for {store}"
                continue
            price = answers[store, question.sku]
            is_set = world.model.is_peoples(store, question.sku, world.moment(store))
            if price is not None and (tick == 0 or is_set) and abs(price - exported[store, question.sku]) > _CENT:
                yield f"quote says {price} for {store} {question.sku}, the export sends {exported[store, question.sku]}"
        yield from self._api(asked, answers)
        yield from self._without_a_store(desk)

    def _api(
        self, asked: list[tuple[str, PriceQuestion, int]], answers: dict[tuple[str, str], float | None]
    ) -> Iterator[str]:
        body = [
            {"sku": question.sku, "stock": question.stock, "store": store}
            | ({} if question.shown is None else {"shown": question.shown})
            for store, question, _ in asked
        ]
        posted = self.client.post("/v1/quotes", json=body).json()
        for (store, question, _), one, other in zip(asked, body, posted, strict=True):
            answers_to = [("POST", other)]
            if self.world.rng.random() < 0.25:  # each asks the lake again
                answers_to.append(("GET", self.client.get("/v1/quotes", params=one).json()))
            for place, answer in answers_to:
                told = answers[store, question.sku]
                if answer.get("price") != told:
                    yield f"{place} says {answer} for {store} {question.sku}, the command {told}"

    def _without_a_store(self, desk: QuoteDesk) -> Iterator[str]:
        catalog = self.world.catalog
        for product in catalog.products:
            question = PriceQuestion(product.sku, product.par_stock)
            each = set()
            try:
                for store in catalog.store.stores:
                    own = desk.answer(question, store)
                    each.add((own.price, own.binding_rule))
            except ShelfpriceError:
                continue
            try:
                answer = desk.answer(question)
            except StoresDifferError:
                if len(each) == 1:
                    yield f"a question without a store is refused for {product.sku}, where all stores say {each}"
                continue
            if each != {(answer.price, answer.binding_rule)}:
                yield f"a question without a store says {answer.price} for {product.sku}, the stores {each}"

    def _history(self) -> Iterator[str]:
        world = self.world
        rows = {row["change"]: row for row in rows_of(world.workspace, all_changes(world.lake))}
        for name, order in world.orders.items():
            if order.store is None or order.sku is None:
                continue
            now = world.moment(order.store)
            strongest = world.model.order_of(order.store, order.sku, now)
            if (rows[name]["state"] == "in_force") != (strongest is order):
                yield f"history says {name} is {rows[name]['state']}, the model that {strongest} holds"

    def _alerts(self, exported: dict[tuple[str, str], float]) -> Iterator[str]:
        workspace = self.world.workspace
        told = {alert.subject for alert in found_now(workspace, next_tick(workspace.lake, workspace.catalog))}
        for (store, sku), price in exported.items():
            product = self.world.model.products.get(sku)
            if product is not None and price < product.cost - _CENT and f"{store} {sku}" not in told:
                yield f"{store} {sku} is to be shown at {price}, below its cost of {product.cost}, and nobody is told"


def examine(seed: int, states: int, walk: int = 12) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield each state's number, what differs in it, and how it came about."""
    done = 0
    while done < states:
        rng = random.Random(seed * 1_000_003 + done)
        with TemporaryDirectory(prefix="standing-") as folder, read_once():
            world = (RetailersWorld if rng.random() < RETAILERS else World)(Path(folder), rng)
            examiner = Examiner(world)
            try:
                for _ in range(min(walk, states - done)):
                    found = [*world.step(), *examiner.differences()]
                    done += 1
                    yield done, found, list(world.notes)
                    if found:
                        break
            finally:
                examiner.close()
