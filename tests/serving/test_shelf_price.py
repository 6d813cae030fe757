"""In a retailer's stores the last regular shelf price stands until another one is drawn, wherever anybody asks."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from outside_grocer import Grocer

from catalog.ladder import price_ladder
from catalog.load import Catalog, load
from catalog.settings import Settings
from etl.calendar import stores_now
from etl.transform import transform
from plugins.connect.labels.wanted import wanted_of
from plugins.desk.law.shown import by_place
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.standing import standings
from plugins.operations.checks.proving import verify
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import ingest
from plugins.own_store.shelf_price import regular_prices
from serving.book.make import publish_book
from serving.optimise.curves import DemandCurves
from serving.quote import NoBookError, PriceQuestion, QuoteDesk
from tests.support.believing import first_belief
from warehouse.lake import Lake
from warehouse.workspace import Workspace

NOW = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
FIRST = dt.date(2026, 1, 5)  # a Monday
STORES = ("S01", "S02", "S03", "S04")
Price = Callable[[int, int], float | None]
"""The price on a day in a store; None where the store does not have the product."""


@dataclass
class Retailer:
    """A retailer's lake, made as `shelfprice ingest` makes it."""

    settings: Settings
    folder: Path
    shelf: Path | None = None

    def sells(self, prices: Mapping[str, Price], days: range, *, offers: Mapping[str, Price] | None = None) -> None:
        """Ingest the units of some days."""
        rows = ["date,store,sku,price,qty" + ("" if offers is None else ",promotion")]
        for day in days:
            for place, store in enumerate(STORES):
                for sku, price in prices.items():
                    at = price(day, place)
                    if at is not None:
                        row = f"{FIRST + dt.timedelta(days=day)},{store},{sku},{at:.2f},{5 + (day + place) % 3}"
                        rows.append(row if offers is None else f"{row},{int(bool(offers[sku](day, place)))}")
        file = self.folder / f"units-{days.start}.csv"
        file.write_text("\n".join(rows) + "\n", encoding="utf-8")
        found = ingest(self.settings, file, Reading(), None, NOW)
        self.shelf = self.shelf or found.shelf
        transform(self.workspace)

    @property
    def catalog(self) -> Catalog:
        assert self.shelf is not None
        return load(self.shelf)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.settings, self.catalog, self.lake)

    @property
    def lake(self) -> Lake:
        return Lake(self.settings)

    def sent(self) -> dict[str, dict[str, float]]:
        """What tills are sent, EUR, by product and store, once everybody who can be asked has given the same answer."""
        lake, catalog = self.lake, self.catalog
        now = stores_now(lake, catalog, STORES)
        found: dict[str, dict[str, float]] = {sku: {} for sku in catalog.skus}
        for store, prices in wanted_of(lake, catalog, now).items():
            for own in prices:
                found[own.sku][store] = own.price
        held = standings(lake, catalog, now)
        for sku in catalog.skus:
            for store in STORES:
                standing = held[store].of(sku)
                assert (None if standing is None else standing.price) == found[sku].get(store)
        return found


@pytest.fixture
def retailer(settings: Settings, tmp_path: Path) -> Retailer:
    return Retailer(settings, tmp_path)


def always(price: float) -> Price:
    return lambda _day, _store: price


def everywhere(price: float) -> dict[str, float]:
    return dict.fromkeys(STORES, price)


def test_after_a_decline_tills_are_sent_the_price_that_stands_on_the_shelf(retailer: Retailer) -> None:
    weekly = (2.04, 2.30, 1.90, 2.16)
    retailer.sells({"A": lambda day, _: weekly[day // 7], "OIL": lambda day, _: 6.17 if day < 20 else 6.76}, range(28))
    assert retailer.sent() == {"A": everywhere(2.16), "OIL": everywhere(6.76)}


def test_prices_that_rose_half_way_are_not_sent_back(retailer: Retailer) -> None:
    old = {f"P{number}": round(1.0 + 0.37 * number, 2) for number in range(9)}
    new = {sku: round(1.08 * price, 2) for sku, price in old.items()}
    retailer.sells({sku: lambda day, _, sku=sku: old[sku] if day < 15 else new[sku] for sku in old}, range(30))
    assert retailer.sent() == {sku: everywhere(price) for sku, price in new.items()}


def test_each_store_keeps_its_own_price_and_is_sent_none_where_it_has_none(retailer: Retailer) -> None:
    own: tuple[float | None, ...] = (1.99, 2.09, None, 2.19)
    retailer.sells({"A": lambda _day, store: own[store], "B": always(3.0)}, range(10))
    assert retailer.sent() == {"A": {"S01": 1.99, "S02": 2.09, "S04": 2.19}, "B": everywhere(3.0)}
    question = PriceQuestion("A", 10)
    with pytest.raises(NoBookError, match=r"A stands at 2\.19 EUR in S04, nobody released another price"):
        QuoteDesk(retailer.lake, retailer.catalog).answer(question, "S04")
    with pytest.raises(NoBookError, match=r"expected a price of A in S03 in the last 182 days of the log, found none"):
        QuoteDesk(retailer.lake, retailer.catalog).answer(question, "S03")


def test_an_offer_that_the_log_names_is_not_the_price_that_stands(retailer: Retailer) -> None:
    prices: dict[str, Price] = {"A": lambda day, _: 1.50 if day >= 25 else 2.0, "B": always(3.0)}
    retailer.sells(prices, range(28), offers={"A": lambda day, _: day >= 25, "B": always(0.0)})
    assert retailer.sent() == {"A": everywhere(2.0), "B": everywhere(3.0)}


def test_an_offer_of_a_pattern_is_not_the_price_that_stands_and_a_cut_that_never_came_back_is(
    retailer: Retailer,
) -> None:
    offered = {3, 8, 13, 15}  # weeks; the log ends in the last one
    retailer.sells(
        {
            "OFFERED": lambda day, _: 1.50 if day // 7 in offered else 2.0,
            "CUT": lambda day, _: 1.80 if day >= 108 else 2.0,
        },
        range(112),
    )
    assert retailer.sent() == {"OFFERED": everywhere(2.0), "CUT": everywhere(1.8)}


def test_the_kill_switch_and_orders_of_people_bind_what_stands(retailer: Retailer) -> None:
    retailer.sells({"A": lambda day, store: 2.0 if day < 20 else 2.2 + 0.1 * store, "B": always(3.0)}, range(28))
    ask(
        retailer.workspace,
        PriceRequest("override", "a competitor", sku="B", store="S01", price=2.9, ignore_conflicts=True),
        "anna",
    )
    assert retailer.sent()["B"] == everywhere(3.0) | {"S01": 2.9}
    ask(retailer.workspace, PriceRequest("kill_switch", "an audit", ignore_conflicts=True), "anna")
    shelf = {store: round(2.2 + 0.1 * place, 2) for place, store in enumerate(STORES)}
    assert retailer.sent() == {"A": shelf, "B": everywhere(3.0)}
    held = standings(retailer.lake, retailer.catalog, stores_now(retailer.lake, retailer.catalog, STORES))
    standing = held["S02"].of("A")
    assert standing is not None
    assert (standing.rule, standing.unmet) == ("kill_switch", None)


def test_the_price_that_the_last_visit_saw_stands(retailer: Retailer) -> None:
    file = retailer.folder / "visits.csv"
    seen = (("09:00", "S01", 2.00), ("11:00", "S01", 2.20), ("10:00", "S02", 2.10), ("17:00", "S02", 2.10))
    rows = [f"2026-01-{day:02d} {at},{store},A,{price},{day % 2}" for day in (5, 6) for at, store, price in seen]
    file.write_text("\n".join(["time,store,sku,price,bought", *rows]) + "\n", encoding="utf-8")
    shelf = ingest(retailer.settings, file, Reading(), None, NOW).shelf
    found = regular_prices(retailer.lake, load(shelf))
    assert found is not None
    assert by_place(load(shelf), found) == {("S01", "A"): 2.20, ("S02", "A"): 2.10}


def test_a_book_in_a_retailers_lake_prices_nothing(retailer: Retailer) -> None:
    retailer.sells({"A": lambda day, _: 2.0 if day < 20 else 2.2, "B": always(3.0)}, range(28))
    ladder = price_ladder(retailer.catalog)
    curves = DemandCurves(retailer.catalog.skus, ladder, np.full(ladder.shape, 0.25), "1")
    visits = np.full((2, retailer.catalog.store.opening.ticks), 1.0)
    publish_book(
        retailer.lake, retailer.catalog, curves, visits, FIRST + dt.timedelta(days=28), first_belief(retailer.catalog)
    )
    assert retailer.sent() == {"A": everywhere(2.2), "B": everywhere(3.0)}
    with pytest.raises(NoBookError, match=r"A stands at 2\.20 EUR in S01"):
        QuoteDesk(retailer.lake, retailer.catalog).answer(PriceQuestion("A", 10), "S01")
    assert not verify(retailer.lake).findings


def limits_a_week(shop: Grocer, price: float) -> None:
    """Sell P001 for a week at a price of ours, as a till that follows it does."""
    first = max(shop.lake.dates("unit_sales")) + dt.timedelta(days=1)
    for date in (first + dt.timedelta(days=day) for day in range(7)):
        own = [(store, sku) for store in shop.catalog.store.stores for sku in shop.catalog.skus]
        base = dict(zip(shop.catalog.skus, shop.catalog.base_prices.tolist(), strict=True)) | {"P001": price}
        rows: dict[str, list[object]] = {
            "store_id": [store for store, _ in own],
            "sku": [sku for _, sku in own],
            "price": [base[sku] for _, sku in own],
            "units": [9.0] * len(own),
        }
        some = {"product_name": rows["sku"], "returned_units": [0.0] * len(own), "chances": [50] * len(own)}
        shop.publish("unit_sales", date, rows | some | {"is_sudden_zero": [False] * len(own)})
        opens, closes = (shop.catalog.store.clock_of(None).moment_of(date, tick) for tick in (0, 1))
        spans = {"starts_at": [opens] * len(own), "ends_at": [closes] * len(own), "charged_price": rows["price"]}
        shop.publish("exposures", date, rows | spans | {"is_acknowledged": [True] * len(own)})


@pytest.mark.parametrize(
    ("limit", "shown"), [("ceiling_price: 2.20", 2.2), ("floor_price: 2.80, ceiling_price: 3.50", 2.8)]
)
def test_a_limit_moves_the_price_while_it_stands_and_the_owner_s_price_is_his_again_after_it(
    tmp_path: Path, limit: str, shown: float
) -> None:
    shop = Grocer(tmp_path, more="sales: outside\n")
    file, owner = shop.folder / "products.yaml", 2.49
    text = file.read_text(encoding="utf-8")
    base = "base_price: 2.20" if shown < owner else "base_price: 2.80"
    file.write_text(text.replace("base_price: 2.49", f"{base}, {limit}"), encoding="utf-8")
    shop.catalog = load(shop.folder)
    now = stores_now(shop.lake, shop.catalog, ("S01",))
    limited = standings(shop.lake, shop.catalog, now)["S01"].of("P001")
    assert limited is not None
    assert limited.price == shown
    limits_a_week(shop, shown)
    found = regular_prices(shop.lake, shop.catalog)
    assert found is not None
    assert by_place(shop.catalog, found)["S01", "P001"] == owner
    file.write_text(text, encoding="utf-8")
    shop.catalog = load(shop.folder)
    free = standings(shop.lake, shop.catalog, stores_now(shop.lake, shop.catalog, ("S01",)))["S01"].of("P001")
    assert free is not None
    assert free.price == owner
