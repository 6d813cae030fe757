"""In a retailer's stores the last regular shelf price stands until another one is released, wherever anybody asks."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from catalog.errors import DataError
from catalog.load import Catalog, load
from catalog.settings import Settings
from connect.export.wanted import wanted_of
from desk.price_changes.propose import propose
from desk.price_changes.record import changes_on
from desk.price_changes.request import PriceRequest, ask
from etl.live.store_now import stores_now
from etl.transform import transform
from features.response import PriceResponse, Slope
from own_data.exports.columns import Reading
from own_data.exports.ingest import ingest
from own_data.shelf_price import shelf_prices
from own_data.small_steps import keepers
from serving.book_store import book_in_force, publish_book
from serving.day_curves import known_before
from serving.quote import PriceQuestion
from serving.quote_desk import NoBookError, open_desk
from serving.standing import standings
from warehouse.lake import Lake
from warehouse.workspace import Workspace

NOW = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
FIRST = dt.date(2026, 1, 5)  # a Monday
STORES = ("S01", "S02", "S03", "S04")
Price = Callable[[int, int], float | None]
"""The price on a day in a store; None where the store does not have the product."""


class Level:
    """A model that answers the same whatever it is asked."""

    version = "0"
    learned_from = trained_through = None

    def p_sale(self, rows: pd.DataFrame) -> np.ndarray:
        return np.full(len(rows), 0.25)


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

    def priced(self, date: dt.date) -> None:
        """Make the price book of a date."""
        known = known_before(self.lake, Level(), self.catalog, date)
        publish_book(self.lake, self.catalog, known.curves, known.visits, date)

    def sent(self) -> dict[str, dict[str, float]]:
        """What tills are sent, EUR, by product and store, once everybody who can be asked has given the same answer."""
        lake, catalog = self.lake, self.catalog
        now = stores_now(lake, catalog, STORES)
        found: dict[str, dict[str, float]] = {sku: {} for sku in catalog.skus}
        for store, prices in wanted_of(lake, catalog, now).items():
            for own in prices:
                found[own.sku][store] = own.price
        held, quotes = standings(lake, catalog, now), open_desk(lake, catalog)
        for sku in catalog.skus:
            for store in STORES:
                standing = held[store].of(sku)
                assert (None if standing is None else standing.price) == found[sku].get(store)
                if quotes.found is not None and standing is not None:
                    question = PriceQuestion(sku, catalog.product(sku).par_stock)
                    answer = quotes.answer(question, store)
                    assert (answer.price, answer.binding_rule) == (standing.price, standing.rule)
        return found

    def day(self, number: int) -> dt.date:
        return FIRST + dt.timedelta(days=number)


@pytest.fixture
def retailer(settings: Settings, tmp_path: Path) -> Retailer:
    return Retailer(settings, tmp_path)


def always(price: float) -> Price:
    return lambda _day, _store: price


def as_sent(prices: dict[str, float]) -> Price:
    return lambda _day, store: prices[STORES[store]]


def told(monkeypatch: pytest.MonkeyPatch, sku: str, elasticity: float) -> None:
    """Let the response of one product be known."""
    slope = Slope(elasticity, elasticity - 0.1, elasticity + 0.1, 0.05, 0.1, 1e-9)
    response = PriceResponse(sku, 900, 900, slope, slope, slope, "told", "", is_count=True)
    monkeypatch.setattr("own_data.evidence._responses_of", lambda *_: (response,))


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
        open_desk(retailer.lake, retailer.catalog).answer(question, "S04")
    with pytest.raises(NoBookError, match=r"expected a price of A in S03 in the last 182 days of the log, found none"):
        open_desk(retailer.lake, retailer.catalog).answer(question, "S03")


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


def test_a_told_product_leaves_the_untold_ones_where_they_are(
    retailer: Retailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices: dict[str, Price] = {
        "TOLD": lambda day, store: round((2.0 if day < 40 else 2.2) * (1 + 0.1 * store), 2),
        "UNTOLD": lambda day, store: round((3.0 if day < 40 else 3.3) + 0.1 * store, 2),
    }
    retailer.sells(prices, range(42))
    told(monkeypatch, "TOLD", -3.0)
    retailer.priced(retailer.day(42))
    found = retailer.sent()
    assert found["UNTOLD"] == {"S01": 3.3, "S02": 3.4, "S03": 3.5, "S04": 3.6}
    shelf = {"S01": 2.2, "S02": 2.42, "S03": 2.64, "S04": 2.86}
    kept = keepers(retailer.catalog, "TOLD", retailer.day(42))
    assert len(kept) == 1
    for store, price in found["TOLD"].items():
        if store in kept:
            assert price == shelf[store]
        else:
            assert 0.95 * shelf[store] <= price < 0.956 * shelf[store], "each store steps from its own price"


def test_at_the_lowest_observed_price_a_told_product_stays_there(
    retailer: Retailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def price(day: int, store: int) -> float:
        return 0.83 if day < 14 else 0.90 + 0.01 * (store == 3)

    retailer.sells({"TOLD": price, "UNTOLD": always(3.0)}, range(42))
    told(monkeypatch, "TOLD", -3.0)
    courses = []
    for week in range(6, 11):
        retailer.priced(retailer.day(7 * week))
        shown = retailer.sent()["TOLD"]
        courses.append(shown)
        retailer.sells({"TOLD": as_sent(shown), "UNTOLD": always(3.0)}, range(7 * week, 7 * week + 7))
    assert all(now[store] <= before[store] for before, now in pairwise(courses) for store in STORES)
    assert min(courses[2].values()) == min(courses[-1].values()) == 0.83, "the lowest price that was seen"
    assert sum(price == 0.83 for price in courses[-1].values()) >= 2


def test_one_step_a_week_is_taken_however_often_prices_are_made(
    retailer: Retailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def price(day: int, store: int) -> float:
        return 1.5 if day < 7 else 2.0 + 0.01 * store

    retailer.sells({"TOLD": price, "UNTOLD": always(3.0)}, range(42))
    told(monkeypatch, "TOLD", -3.0)
    courses = []
    for day in range(42, 51):
        retailer.priced(retailer.day(day))
        own = retailer.sent()["TOLD"]
        courses.append(own)
        retailer.sells({"TOLD": as_sent(own), "UNTOLD": always(3.0)}, range(day, day + 1))
    for before, now in zip(courses, courses[7:], strict=False):
        assert all(now[store] >= 0.95 * before[store] - 1e-9 for store in STORES)
    assert min(courses[0].values()) == min(courses[6].values()) == 1.91
    assert min(courses[-1].values()) < 1.83, "the next step"


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
    found = shelf_prices(retailer.lake, load(shelf))
    assert found is not None
    assert found.by_place(load(shelf)) == {("S01", "A"): 2.20, ("S02", "A"): 2.10}


def test_what_is_proposed_for_approval_is_each_stores_own_price(
    retailer: Retailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    retailer.sells(
        {
            "TOLD": lambda day, store: round((1.6 if day < 14 else 2.0) * (1 + 0.1 * store), 2),
            "UNTOLD": lambda _, store: 3.0 + 0.1 * store,
        },
        range(42),
    )
    told(monkeypatch, "TOLD", -3.0)
    date = retailer.day(42)
    retailer.priced(date)
    unlimited = retailer.sent()
    held = approval_at(retailer, 0.01)
    book = book_in_force(retailer.lake, date)
    assert book is not None
    propose(held, book, date)
    proposed = {(own.terms.sku, own.terms.store): own for own in changes_on(retailer.lake, date)}
    assert {place: own.terms.new_price for place, own in proposed.items()} == {
        (sku, store): price for sku, prices in unlimited.items() for store, price in prices.items()
    }
    assert {own.last for (sku, _), own in proposed.items() if sku == "UNTOLD"} == {"approved"}
    now = stores_now(retailer.lake, held.catalog, STORES)
    waiting = {own.terms.store for own in proposed.values() if own.last == "proposed"}
    assert waiting
    for name in waiting:
        standing = standings(retailer.lake, held.catalog, now)[str(name)].of("TOLD")
        assert standing is not None
        assert standing.price == round(2.0 * (1 + 0.1 * STORES.index(str(name))), 2)


def approval_at(retailer: Retailer, share: float) -> Workspace:
    """Return the workspace with prices farther than a share from yesterday's waiting for a person."""
    catalog = retailer.catalog
    rules = catalog.store.approval.model_copy(update={"within_of_yesterday": share})
    store = catalog.store.model_copy(update={"approval": rules})
    return Workspace(retailer.settings, replace(catalog, store=store), retailer.lake)


def test_a_product_without_a_known_price_is_quoted_none(retailer: Retailer, monkeypatch: pytest.MonkeyPatch) -> None:
    def price(day: int, store: int) -> float | None:
        return None if store == 2 else 1.5 if day < 7 else 2.0

    retailer.sells({"TOLD": price, "UNTOLD": lambda _, store: 3.0 if store else None}, range(42))
    told(monkeypatch, "TOLD", -3.0)
    retailer.priced(retailer.day(42))
    found = retailer.sent()
    assert (set(found["TOLD"]), set(found["UNTOLD"])) == ({"S01", "S02", "S04"}, {"S02", "S03", "S04"})
    desk = open_desk(retailer.lake, retailer.catalog)
    with pytest.raises(DataError, match="expected a price of UNTOLD in S01 in the last 182 days"):
        desk.answer(PriceQuestion("UNTOLD", 10), "S01")
    with pytest.raises(DataError, match=r"several prices \(none known in S01; 3.00 EUR in S02, S03, S04\)"):
        desk.answer(PriceQuestion("UNTOLD", 10))
