"""No price is farther above rivals' prices than the catalog says, unless a stronger limit is named."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wild_prices import Wild

from catalog.decisions.pricing import Shelf
from catalog.decisions.rules import RULES
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from catalog.records.pricing import DrawnPriceRules
from catalog.settings import read_settings
from catalog.tables.contracts import TABLES
from plugins.desk.records import RivalRules, rival_conflicts
from plugins.desk.rival_caps import rival_caps
from plugins.evaluation.truth import chance_of_sale, expected_visits_on
from serving.book.make import tabulate
from serving.learning.exploration import ExplorationPlan
from serving.limits.limits import ShelfLimits, limits_of
from serving.limits.orders import Orders, PriceOrder, orders_on
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import ShelfPrices, policy_with_model
from serving.quote import PriceQuestion, QuotedBook
from serving.store.in_force import pricing_on
from serving.store.storefront import Storefront
from warehouse.lake import Lake, Partition

SHELF = load(CLASSIC)
LADDER = price_ladder(SHELF)
SHAPE = (len(SHELF.store.stores), len(SHELF.skus))
DATE = dt.date(2026, 1, 20)
SEEN = dt.datetime(2026, 1, 19, 8, tzinfo=dt.UTC)
RULES_OF = RivalRules(of=("Corner", "Square"), at_most_above=0.05, held=("MILK",))
NO_RULES = RivalRules()
STRONGER = {"not_approved", "frozen", "event", "override", "floor", "minimum_margin", "kill_switch"}


def shelf_with(rules: RivalRules = RULES_OF, **rails: object) -> Catalog:
    limits = {"guardrails": Guardrails.model_validate(rails), "rivals": rules}
    return Catalog(SHELF.products, SHELF.store.model_copy(update=limits))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    lake.prepare()
    return lake


def tell(lake: Lake, date: dt.date, *prices: dict[str, Any]) -> None:
    rows = pa.Table.from_pylist(list(prices), schema=TABLES["competitor_prices"].schema)
    lake.publish(Partition("competitor_prices", date, "intake"), rows, inputs=str(prices))


def seen(sku: str, eur: float, rival: str = "Corner", hour: int = 0, **more: Any) -> dict[str, Any]:
    moment = SEEN + dt.timedelta(hours=hour)
    own = {"rival": rival, "sku": sku, "ean": None, "price_eur": eur, "unit": "pack", "comparable_price_eur": eur}
    own |= {"seen_at": moment, "fresh_until": DATE, "source": None, "taken_at": moment, "taken_from": "scout"}
    return own | more


def test_the_cheapest_newest_price_that_counts_of_the_named_rivals_is_the_measure(lake: Lake) -> None:
    tell(
        lake,
        DATE,
        seen("MILK", 1.10),
        seen("MILK", 1.20, hour=1),
        seen("MILK", 1.30, "Square"),
        seen("BREAD", 2.00),
        seen("BREAD", 1.00, "Elsewhere"),
        seen("EGGS", 1.00, fresh_until=DATE - dt.timedelta(days=1)),
    )
    assert rival_caps(lake, shelf_with(), DATE) == (("MILK", 1.20), ("BREAD", 2.10))
    assert rival_caps(lake, shelf_with(NO_RULES), DATE) == ()
    assert rival_caps(lake, shelf_with(), DATE + dt.timedelta(days=1)) == ()


def test_what_is_taken_in_later_changes_no_date_that_was_priced(lake: Lake) -> None:
    tell(lake, DATE, seen("MILK", 1.20))
    before = orders_on(lake, shelf_with(), DATE)
    tell(lake, DATE + dt.timedelta(days=1), seen("MILK", 1.00, hour=2), seen("BREAD", 1.00))
    assert orders_on(lake, shelf_with(), DATE) == before
    assert orders_on(lake, shelf_with(), DATE + dt.timedelta(days=1)).rival_caps != before.rival_caps


def test_a_date_is_recorded_with_what_was_known_of_rivals(lake: Lake) -> None:
    plain = pricing_on(lake, shelf_with(NO_RULES), DATE, "static")
    assert plain.orders_sha256 is None
    without = pricing_on(lake, shelf_with(), DATE, "static")
    assert (without.orders_sha256, without.fingerprint) == (None, plain.fingerprint)
    tell(lake, DATE, seen("MILK", 1.20))
    known = pricing_on(lake, shelf_with(), DATE, "static")
    assert known.orders_sha256 is not None
    tell(lake, DATE, seen("MILK", 1.20), seen("BREAD", 1.20))
    assert pricing_on(lake, shelf_with(), DATE, "static").orders_sha256 != known.orders_sha256


RAILS = st.fixed_dictionaries(
    {},
    optional={
        "down_only_within_day": st.just(value=True),
        "changes_per_day": st.integers(1, 4),
        "markdown_only": st.just("all"),
        "one_price": st.just("zone"),
        "minimum_margin": st.just(0.3),
        "largest_step": st.just(0.15),
        "moving_share": st.just(0.4),
        "price_ending": st.just(9),
        "frozen": st.just({"EGGS": 2.45}),
        "kill_switch": st.booleans(),
    },
)
CAPS = st.dictionaries(st.sampled_from(SHELF.skus), st.floats(0.001, 20))


@st.composite
def orders_of_people(draw: st.DrawFn) -> list[PriceOrder]:
    """Draw what people ordered of some products."""
    found = []
    for sku in draw(st.lists(st.sampled_from(SHELF.skus), max_size=3, unique=True)):
        kind = draw(st.sampled_from(["price", "event", "override", "freeze", "kill_switch"]))
        low = SHELF.product(sku).base_price
        high = low * 1.1 if kind == "price" else low
        found.append(PriceOrder(sku, draw(st.sampled_from([None, "S02"])), low, round(high, 2), kind, 0, 48))
    return found


@settings(deadline=None, max_examples=200)
@given(rails=RAILS, caps=CAPS, orders=orders_of_people(), seed=st.integers(0, 10_000))
def test_no_price_is_above_its_cap_unless_a_stronger_limit_is_named(
    rails: dict[str, object], caps: dict[str, float], orders: list[PriceOrder], seed: int
) -> None:
    catalog, dice, shown = shelf_with(**rails), np.random.default_rng(seed), np.full(SHAPE, np.nan)
    limits = limits_of(catalog, Orders(tuple(orders), SHELF.skus, 48, tuple(caps.items())))
    opened, highest = shown, np.array([caps.get(sku, np.inf) for sku in SHELF.skus]) + 1e-6
    for tick in range(4):
        asked = np.round(SHELF.base_prices * dice.uniform(0.5, 2.0, SHAPE), 2)
        shelf = Shelf(np.ones(SHAPE, int), shown, 48 - tick, dice.random(SHAPE), opened, SHELF.store.stores)
        front = Storefront(Wild(asked), exploration=ExplorationPlan(0.5, LADDER), limits=limits)
        answer = front.decide(shelf)
        for place in zip(*np.nonzero(answer.prices > highest), strict=True):
            flat = np.ravel_multi_index(place, SHAPE)
            named = {front.rules[clamp["rule"]] for clamp in answer.clamps if clamp["decision"] == flat}
            assert STRONGER & (named | {front.rules[answer.rule[place]]})
        assert (answer.prices >= limits.bounds.floors - 1e-9).all() or orders
        shown, opened = answer.prices, answer.prices if tick == 0 else opened


@pytest.mark.parametrize(
    ("kind", "ordered", "price", "rule"),
    [(None, None, 1.25, "rivals"), ("override", 1.60, 1.60, "override"), ("kill_switch", 1.50, 1.50, "kill_switch")],
)
def test_what_a_person_orders_stands_over_it(kind: Any, ordered: Any, price: float, rule: str) -> None:
    by_people = () if kind is None else (PriceOrder("MILK", None, ordered, ordered, kind, 0, 48),)
    limits = limits_of(shelf_with(), Orders(by_people, SHELF.skus, 48, (("MILK", 1.2599),)))
    shelf = Shelf(np.ones(SHAPE, int), np.full(SHAPE, np.nan), 48, np.zeros(SHAPE), stores=SHELF.store.stores)
    front = Storefront(Wild(np.tile(SHELF.base_prices, (SHAPE[0], 1))), limits=limits)
    answer = front.decide(shelf)
    assert set(answer.prices[:, 0]) == {price}
    assert {front.rules[own] for own in answer.rule[:, 0]} == {rule}


def test_an_outside_stores_own_price_is_limited_and_one_that_is_not_known_stays_so() -> None:
    stores = SHELF.store.stores
    standing = ShelfPrices(stores, np.tile([[1.3], [1.1], [np.nan]], (1, len(SHELF.skus))))
    limits = limits_of(shelf_with(), Orders((), SHELF.skus, 48, (("MILK", 1.2),)), standing)
    shelf = Shelf(np.ones(SHAPE, int), np.full(SHAPE, np.nan), 48, np.zeros(SHAPE), stores=stores)
    prices = ShelfLimits(limits, shelf).apply(standing.of(stores, len(stores)))
    np.testing.assert_array_equal(prices[:, 0], [1.2, 1.1, np.nan])


def test_a_day_that_is_being_sold_follows_the_rules_of_now() -> None:
    assert shelf_with(NO_RULES).with_limits_of(shelf_with()).store.rivals == RULES_OF


def test_a_quote_names_the_cap_the_floor_that_wins_over_it_and_what_it_costs() -> None:
    catalog = shelf_with()
    curves = DemandCurves(SHELF.skus, LADDER, chance_of_sale(SHELF, LADDER / SHELF.base_prices[:, None]), "7")
    book = tabulate(policy_with_model(catalog, curves, expected_visits_on(catalog, DATE)), catalog, SEEN, curves)
    floor = SHELF.product("MILK").floor
    orders = Orders((), SHELF.skus, catalog.store.opening.ticks, (("MILK", floor - 0.2), ("BREAD", 1.0)))
    desk = QuotedBook(catalog, book, curves, orders)
    milk, bread = (desk.answer(PriceQuestion(sku, 50)) for sku in ("MILK", "BREAD"))
    assert (milk.price, [own["rule"] for own in milk.clamps]) == (floor, ["rivals", "floor"])
    assert (bread.price, bread.binding_rule) == (1.0, "rivals")
    assert RULES["rivals"] in bread.reason
    assert bread.clamp_cost is not None
    assert bread.clamp_cost > 0
    plain = QuotedBook(catalog, book, curves).answer(PriceQuestion("EGGS", 50))
    assert desk.answer(PriceQuestion("EGGS", 50)) == plain


def test_rules_that_cannot_hold_are_refused_by_name() -> None:
    rules = RivalRules(of=("Corner",), held=("MILK", "WINE"))
    assert list(rival_conflicts(rules, SHELF.products, SHELF.store)) == [
        "held: 'WINE' is not on the shelf; name products of products.yaml"
    ]
    frozen_milk = shelf_with(frozen={"MILK": 1.0})
    [frozen] = rival_conflicts(RULES_OF, SHELF.products, frozen_milk.store)
    assert frozen.startswith("held: MILK: its price is frozen")
    draws = {"sales": "outside", "drawn_prices": DrawnPriceRules(products=("BREAD",))}
    [drawn] = rival_conflicts(RULES_OF, SHELF.products, SHELF.store.model_copy(update=draws))
    assert drawn.startswith("of: BREAD: its prices are drawn")
