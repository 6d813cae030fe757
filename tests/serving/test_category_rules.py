"""The rules that a category manager has bind every price that is shown, unless a stronger limit is named."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from free_prices import freely, freely_in
from hypothesis import given, settings
from hypothesis import strategies as st
from price_shop import Shop
from wild_prices import Wild, shelf_with

from catalog.bounds import link_conflicts, price_links
from catalog.decisions.pricing import Shelf
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from catalog.records.product import Measure
from etl.calendar import DEFAULT_START, stores_now
from plugins.desk.price_changes.change import Terms
from plugins.desk.price_changes.conflicts import below_cost
from plugins.desk.price_changes.proposals import passing
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.standing import standings
from serving.learning.exploration import ExplorationPlan
from serving.limits.limits import limits_of
from serving.limits.orders import Kind, Orders, PriceOrder
from serving.quote import PriceQuestion, QuoteDesk
from serving.store.storefront import Storefront

SHELF = freely(load(CLASSIC))
LADDER = np.linspace(0.5, 2.0, 20) * SHELF.base_prices[:, None]
SHAPE = (len(SHELF.store.stores), len(SHELF.skus))
NOW = dt.datetime(2026, 1, 20, 8, tzinfo=dt.UTC)


@settings(deadline=None, max_examples=100)
@given(
    margins=st.dictionaries(st.sampled_from(["dairy", "bakery", "butcher"]), st.floats(0, 0.9)),
    chains=st.floats(0, 0.9),
    seed=st.integers(0, 10_000),
)
def test_no_price_is_below_cost_and_the_higher_of_the_two_margins(
    margins: dict[str, float], chains: float, seed: int
) -> None:
    catalog, dice = shelf_with(margins=margins, minimum_margin=chains), np.random.default_rng(seed)
    asked = np.round(SHELF.base_prices * dice.uniform(0.4, 2.0, SHAPE), 2)
    shelf = Shelf(np.ones(SHAPE, int), np.full(SHAPE, np.nan), 48, dice.random(SHAPE))
    front = Storefront(Wild(asked), exploration=ExplorationPlan(0.5, LADDER), limits=limits_of(catalog))
    shares = np.array([max(chains, margins.get(own.category, 0.0)) for own in SHELF.products])
    assert (front.decide(shelf).prices >= SHELF.unit_costs * (1 + shares) - 1e-6).all()


def test_a_person_is_told_the_margin_of_the_category_and_nothing_below_it_passes_by_itself() -> None:
    catalog = shelf_with(margins={"dairy": 0.5}, minimum_margin=0.1)
    milk, bread = (Terms("override", sku, None, None, 1.10, NOW, None, "a rival") for sku in ("MILK", "BREAD"))
    assert "minimum margin of 50%" in (below_cost(catalog, milk) or "")
    assert below_cost(catalog, bread) is None
    assert passing(catalog, np.array([catalog.positions["MILK"]]), np.array([np.nan]))[0] == 1.35


def packs(*skus: str) -> dict[str, Any]:
    return {"skus": list(skus)}


MILKS = (
    ("MILK", 1.0, 1.50),
    ("MILK_LARGE", 1.5, 2.10),
    ("MILK_HUGE", 3.0, 4.00),
    ("OWN_MILK", 1.0, 1.20),
    ("OWN_LARGE", 2.0, 2.20),
)


def shelf_of_packs(seed: int = 0, **rails: Any) -> Catalog:
    """A shelf of packs, the first five in random order with other products, with floors that sometimes win."""
    dice, model = np.random.default_rng(seed), SHELF.products[0]
    products = [
        model.model_copy(
            update={
                "sku": sku,
                "base_price": price,
                "unit_cost": round(price * dice.uniform(0.2, 0.6), 2),
                "floor_price": round(price * dice.uniform(0.6, 0.9), 2),
                "measure": Measure(amount=litres, unit="l"),
            }
        )
        for sku, litres, price in MILKS
    ]
    products.append(SHELF.products[1])
    order = dice.permutation(len(products)) if seed else range(len(products))
    limits = {"guardrails": Guardrails.model_validate(rails), "popularity": {}}
    return Catalog(tuple(products[own] for own in order), SHELF.store.model_copy(update=limits))


KINDS: list[Kind] = ["price", "event", "override", "freeze", "kill_switch"]
RULES_OF_PACKS: dict[str, Any] = {
    "families": [packs("MILK_HUGE", "MILK", "MILK_LARGE"), packs("OWN_MILK", "OWN_LARGE")],
    "own_brands": [{"sku": "OWN_MILK", "brand": "MILK", "below": 0.1}],
}
STRONGER = {"not_approved", "frozen", "event", "override", "floor", "minimum_margin", "kill_switch"}
RAILS = st.fixed_dictionaries(
    {},
    optional={
        "down_only_within_day": st.just(value=True),
        "changes_per_day": st.integers(1, 4),
        "markdown_only": st.just("all"),
        "one_price": st.just("zone"),
        "margins": st.just({"dairy": 0.5}),
        "largest_step": st.just(0.15),
        "moving_share": st.just(0.4),
        "price_ending": st.just(9),
        "frozen": st.sampled_from([{"MILK": 1.25}, {"MILK_LARGE": 2.45}]),
        "kill_switch": st.booleans(),
    },
)


@st.composite
def orders_of_people(draw: st.DrawFn) -> list[PriceOrder]:
    """Draw what people ordered of some packs."""
    found = []
    for sku, _, price in draw(st.lists(st.sampled_from(MILKS), max_size=3, unique=True)):
        kind: Kind = draw(st.sampled_from(KINDS))
        low = round(price * draw(st.floats(0.7, 1.3)), 2)
        high = round(low * 1.1, 2) if kind == "price" else low
        found.append(PriceOrder(sku, draw(st.sampled_from([None, "S02"])), low, high, kind, 0, 48))
    return found


def litre_prices(catalog: Catalog, prices: np.ndarray) -> dict[str, np.ndarray]:
    """Prices by litre of each pack, written anew and plainly, shape (n_stores,)."""
    return {sku: prices[:, catalog.skus.index(sku)] / litres for sku, litres, _ in MILKS}


@settings(deadline=None, max_examples=300)
@given(rails=RAILS, orders=orders_of_people(), seed=st.integers(1, 100_000))
def test_no_pack_is_dearer_than_a_smaller_one_or_the_brand_unless_a_stronger_limit_is_named(
    rails: dict[str, Any], orders: list[PriceOrder], seed: int
) -> None:
    catalog, dice = shelf_of_packs(seed, **RULES_OF_PACKS, **rails), np.random.default_rng(seed)
    shape = (len(catalog.store.stores), len(catalog.skus))
    limits = limits_of(catalog, Orders(tuple(orders), catalog.skus, 48))
    shown = opened = np.full(shape, np.nan)
    for tick in range(3):
        asked = np.round(catalog.base_prices * dice.uniform(0.5, 2.0, shape), 2)
        stock = dice.integers(0, 40, shape)
        shelf = Shelf(stock, shown, 48 - tick, dice.random(shape), opened, catalog.store.stores)
        front = Storefront(Wild(asked), exploration=ExplorationPlan(0.5, price_ladder(catalog)), limits=limits)
        answer = front.decide(shelf)
        of = litre_prices(catalog, answer.prices)
        for small, large, share in (
            ("MILK", "MILK_LARGE", 1.0),
            ("MILK", "MILK_HUGE", 1.0),
            ("MILK_LARGE", "MILK_HUGE", 1.0),
            ("OWN_MILK", "OWN_LARGE", 1.0),
            ("MILK", "OWN_MILK", 0.9),
        ):
            for store in np.flatnonzero(of[large] > of[small] * share + 1e-6):
                flat = store * shape[1] + catalog.skus.index(large)
                named = {front.rules[clamp["rule"]] for clamp in answer.clamps if clamp["decision"] == flat}
                assert STRONGER & (named | {front.rules[answer.rule.flat[flat]]})
        assert ((answer.propensity > 0) & (answer.propensity <= 1 + 1e-12)).all()
        shown, opened = answer.prices, answer.prices if tick == 0 else opened


def decided(prices: list[float], orders: tuple[PriceOrder, ...] = (), **rails: object) -> tuple[Any, Storefront]:
    catalog = shelf_of_packs(**rails)
    asked = np.array([[*prices, 1.10]])
    shelf = Shelf(np.ones(asked.shape, int), np.full(asked.shape, np.nan), 48, np.zeros(asked.shape), stores=("S01",))
    front = Storefront(Wild(asked), limits=limits_of(catalog, Orders(orders, catalog.skus, 48)))
    return front.decide(shelf), front


def test_a_larger_pack_follows_the_smaller_one_down_and_the_own_brand_its_brand() -> None:
    asked = [1.20, 2.40, 4.80, 1.50, 2.80]
    answer, front = decided(asked, **RULES_OF_PACKS)
    assert answer.prices[0, :5].tolist() == [1.20, 1.80, 3.60, 1.08, 2.16]
    assert [front.rules[rule] for rule in answer.rule[0, 1:5]] == ["families", "families", "own_brands", "families"]
    plain, _ = decided(asked)
    assert plain.prices[0, :5].tolist() == asked


def test_a_pack_follows_what_a_person_ordered_and_its_own_order_stands() -> None:
    asked = [1.50, 2.20, 4.20, 1.30, 2.40]
    ordered = (PriceOrder("MILK", None, 1.20, 1.20, "override", 0, 48),)
    answer, _ = decided(asked, ordered, **RULES_OF_PACKS)
    assert answer.prices[0, :3].tolist() == [1.20, 1.80, 3.60]
    both = (*ordered, PriceOrder("MILK_LARGE", None, 2.10, 2.10, "override", 0, 48))
    answer, front = decided(asked, both, **RULES_OF_PACKS)
    assert answer.prices[0, :2].tolist() == [1.20, 2.10]
    assert front.rules[answer.rule[0, 1]] == "override"


def test_what_others_stay_below_is_not_tried_and_the_packs_below_it_are() -> None:
    catalog = shelf_of_packs(**RULES_OF_PACKS)
    shape = (400, len(catalog.skus))
    shelf = Shelf(np.ones(shape, int), np.full(shape, np.nan), 48, np.random.default_rng(1).random(shape))
    asked = np.tile(catalog.base_prices, (400, 1))
    plan = ExplorationPlan(0.5, price_ladder(catalog))
    explored = Storefront(Wild(asked), exploration=plan, limits=limits_of(catalog)).decide(shelf).explored
    assert [sku for own, sku in enumerate(catalog.skus) if not explored[:, own].any()] == [
        "MILK",
        "MILK_LARGE",
        "OWN_MILK",
    ]


REFUSED: dict[str, dict[str, Any]] = {
    "not on the shelf": {"families": [packs("MILK", "WINE")]},
    "BREAD has no measure": {"families": [packs("MILK", "BREAD")]},
    "is not on the shelf": {"own_brands": [{"sku": "MILK", "brand": "WINE", "below": 0.1}]},
    "stay below the next": {
        "own_brands": [
            {"sku": "MILK", "brand": "OWN_MILK", "below": 0.1},
            {"sku": "OWN_MILK", "brand": "MILK", "below": 0.1},
        ]
    },
    "can never hold": {"own_brands": [{"sku": "OWN_MILK", "brand": "MILK", "below": 0.9}]},
}


@pytest.mark.parametrize("why", REFUSED)
def test_rules_that_cannot_hold_are_refused_by_name(why: str) -> None:
    catalog = shelf_of_packs(**REFUSED[why])
    conflicts = list(link_conflicts(catalog.products, catalog.store))
    assert conflicts
    assert all(why in own for own in conflicts)


def test_packs_of_other_units_or_of_one_size_are_refused() -> None:
    catalog = shelf_of_packs(families=[packs("MILK", "OWN_MILK")])
    [same] = link_conflicts(catalog.products, catalog.store)
    assert "holds as much as" in same
    by_weight = catalog.products[0].model_copy(update={"measure": Measure(amount=1, unit="kg")})
    both: list[dict[str, Any]] = [
        {"families": [packs("MILK", "OWN_LARGE")]},
        {"own_brands": RULES_OF_PACKS["own_brands"]},
    ]
    for rules in both:
        store = shelf_of_packs(**rules).store
        [other] = link_conflicts((by_weight, *catalog.products[1:]), store)
        assert "priced by the" in other


def test_the_chances_of_all_prices_that_a_pack_may_show_add_up_to_one() -> None:
    catalog = shelf_of_packs(**RULES_OF_PACKS)
    shape = (4_000, len(catalog.skus))
    shelf = Shelf(np.ones(shape, int), np.full(shape, np.nan), 48, np.random.default_rng(1).random(shape))
    asked = np.tile([1.30, 2.40, 4.80, 1.50, 2.80, 1.10], (4_000, 1))
    plan = ExplorationPlan(0.5, price_ladder(catalog))
    answer = Storefront(Wild(asked), exploration=plan, limits=limits_of(catalog)).decide(shelf)
    for own in range(shape[1]):
        chances = dict(zip(answer.prices[:, own].tolist(), answer.propensity[:, own].tolist(), strict=True))
        assert sum(chances.values()) == pytest.approx(1)
        for price, chance in chances.items():
            assert np.mean(answer.prices[:, own] == price) == pytest.approx(chance, abs=0.03)


def with_an_own_brand(folder: Path) -> None:
    """Let milk, which is dearer, stay below bread, and eggs far below cheese."""
    file = folder / "store.yaml"
    rules = "[{sku: MILK, brand: BREAD, below: 0.0}, {sku: EGGS, brand: CHEESE, below: 0.5}]"
    text = file.read_text(encoding="utf-8").replace("frozen: {}", f"frozen: {{}}\n  own_brands: {rules}")
    file.write_text(text, encoding="utf-8")


def test_quote_and_shelf_and_what_stands_next_name_the_same_price(tmp_path: Path) -> None:
    def with_an_own_brand_and_free_prices(folder: Path) -> None:
        with_an_own_brand(folder)
        freely_in(folder)

    shop = Shop(tmp_path, changed=with_an_own_brand_and_free_prices)
    shop.publish(DEFAULT_START)

    def same(price: float) -> None:
        standing = standings(shop.lake, shop.catalog, stores_now(shop.lake, shop.catalog, shop.catalog.store.stores))
        desk = QuoteDesk(shop.lake, shop.catalog)
        for store, own in standing.items():
            for position, sku in enumerate(shop.catalog.skus):
                answer = desk.answer(PriceQuestion(sku, int(own.stock[position])), store)
                assert (answer.price, store, sku) == (own.prices[position], store, sku)
        milk = desk.answer(PriceQuestion("MILK", 100), "S01")
        assert (milk.price, milk.binding_rule) == (price, "own_brands")
        assert (milk.clamp_cost or 0) > 0
        assert "the own brand stays below the brand" in milk.reason

    bread = QuoteDesk(shop.lake, shop.catalog).answer(PriceQuestion("BREAD", 100), "S01").price
    same(bread)
    ask(shop.workspace, PriceRequest("override", "clearance", "BREAD", "S01", 1.06), "anna")
    same(1.06)
    shop.sell(3, date=DEFAULT_START)
    assert [shop.price_in(2, sku, DEFAULT_START) for sku in ("MILK", "BREAD")] == [1.06, 1.06]
    same(1.06)
    ask(shop.workspace, PriceRequest("override", "more", "BREAD", "S01", 1.05, ignore_conflicts=True), "anna")
    same(1.05)
    shop.sell(5, date=DEFAULT_START)
    assert shop.price_in(4, "MILK", DEFAULT_START) == 1.05


def test_a_day_whose_shelf_has_not_all_packs_keeps_the_rules_of_those_it_has() -> None:
    now, bread = shelf_of_packs(**RULES_OF_PACKS), SHELF.products[1]
    unmeasured = now.products[1].model_copy(update={"measure": None})
    day = Catalog((bread, now.products[0], unmeasured, now.products[2]), SHELF.store).with_limits_of(now)
    assert price_links(day.products, day.store) == (("families", 3, 1, 3.0),)
