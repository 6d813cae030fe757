"""A grocer's modes: down only, few changes, markdowns only, one price for a zone, events; and the old limits hold."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from free_prices import freely
from hypothesis import given, settings
from hypothesis import strategies as st
from wild_prices import Wild, shelf_with

from catalog.arrays import Floats
from catalog.decisions.pricing import PriceDecision, Shelf
from catalog.decisions.rules import LIMITS
from catalog.decisions.store_day import ShelfState, StoreDay
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import read_settings
from etl.extract import repricings_of
from etl.load import rows_of
from etl.twin.store_day import Stretch, play
from etl.twin.visits import draw_visits
from plugins.desk.live_shelf import standing_after
from plugins.evaluation.truth import chance_of_sale, expected_visits_on, true_curves
from serving.book.make import tabulate
from serving.learning.exploration import ExplorationPlan
from serving.limits.limits import ShelfLimits, limits_of
from serving.limits.orders import Orders, PriceOrder, orders_on
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import GreedyPolicy, ShelfPrices, StaticPolicy, policy_with_model
from serving.quote import PriceQuestion, QuotedBook
from serving.store.in_force import pricing_on
from serving.store.storefront import Storefront, storefront_before_champion
from warehouse.lake import Lake

SHELF = freely(load(CLASSIC))
LADDER = price_ladder(SHELF)
CURVES = DemandCurves(SHELF.skus, LADDER, chance_of_sale(SHELF, LADDER / SHELF.base_prices[:, None]), "7")
STORES = SHELF.store.stores
SHAPE = (len(STORES), len(SHELF.skus))
DATE = dt.date(2026, 1, 5)
EVENT = {"first": DATE, "through": DATE + dt.timedelta(days=2), "prices": {"MILK": 1.29, "MEAT": 6.99}}
HOSTILE = [np.nan, np.inf, -np.inf, -1.0, 0.0, 1e308, 1.2345]
MODES = {
    "down_only_within_day": {"down_only_within_day": True},
    "changes_per_day": {"changes_per_day": 2},
    "markdown_only": {"markdown_only": "all"},
    "one_price": {"one_price": "zone"},
    "event": {"frozen_during": [EVENT]},
}
HOLDING = {"down_only_within_day", "changes_per_day"}  # a price that stays where it is has no row of its own


def lake_in(folder: Path) -> Lake:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(folder)}))
    lake.prepare()
    return lake


def wild_day(catalog: Catalog, seed: int, n_ticks: int = 8, orders: Orders | None = None) -> list[PriceDecision]:
    """Walk through a day of three stores whose policy asks for anything, half of the time against a trial."""
    dice, limits = np.random.default_rng(seed), limits_of(catalog, orders)
    shown, changes = np.full(SHAPE, np.nan), np.zeros(SHAPE, dtype=np.int64)
    opened, day = shown, list[PriceDecision]()
    for tick in range(n_ticks):
        sensible = np.round(SHELF.base_prices * dice.uniform(0.5, 2.0, SHAPE), 2)
        asked = np.where(dice.random(SHAPE) < 0.2, dice.choice(HOSTILE, SHAPE), sensible)
        shelf = Shelf(dice.integers(0, 4, SHAPE), shown, 48 - tick, dice.random(SHAPE), opened, STORES, changes)
        answer = Storefront(Wild(asked), exploration=ExplorationPlan(0.5, LADDER), limits=limits).decide(shelf)
        changes = changes + ((answer.prices != shown) & np.isfinite(shown))
        shown = answer.prices
        opened = shown if tick == 0 else opened
        day.append(answer)
    return day


def check_day(catalog: Catalog, prices: np.ndarray) -> None:
    """Hold the prices of a day, shape (n_ticks, n_stores, n_products), against modes and bounds, written plainly."""
    rails = catalog.store.guardrails
    cost = np.array([own.unit_cost for own in catalog.products]) * (1 + rails.minimum_margin)
    assert (prices >= np.maximum([own.floor for own in catalog.products], cost) - 1e-9).all()
    assert (prices <= np.array([own.ceiling for own in catalog.products]) + 1e-9).all()
    assert (np.rint(prices * 100) / 100 == prices).all()
    if rails.kill_switch:
        assert (prices == catalog.base_prices).all()
        return
    if rails.down_only_within_day:
        assert (np.diff(prices, axis=0) <= 0).all()
    if rails.changes_per_day is not None:
        assert ((np.diff(prices, axis=0) != 0).sum(axis=0) <= rails.changes_per_day).all()
    if rails.one_price is not None:
        assert (prices == prices[:, :1]).all()
    for place, own in enumerate(catalog.products):
        if rails.markdown_only == "all" or {own.sku, own.category} & set(rails.markdown_only or ()):
            assert (prices[:, :, place] <= own.base_price).all()
        if own.sku in rails.frozen:
            assert (prices[:, :, place] == rails.frozen[own.sku]).all()


def check_trail(answer: PriceDecision, rules: tuple[str, ...]) -> None:
    """Follow every price from what was asked for through each change to what is shown, in the order of the limits."""
    for place in np.ndindex(answer.prices.shape):
        price, flat = answer.unconstrained[place], np.ravel_multi_index(place, answer.prices.shape)
        own = answer.clamps[answer.clamps["decision"] == flat]
        order = [LIMITS.index(rules[rule]) for rule in own["rule"]]
        assert order == sorted(order)
        if np.isfinite(price):
            price = np.rint(np.clip(price, -1e6, 1e6) * 100) / 100
        for clamp in own:
            assert clamp["before"] == price or not np.isfinite(price)
            assert clamp["before"] != clamp["after"]
            price = clamp["after"]
        assert price == answer.prices[place]


OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "down_only_within_day": st.just(value=True),
        "changes_per_day": st.integers(1, 4),
        "markdown_only": st.sampled_from(["all", ("MILK",), ("bakery", "MEAT")]),
        "one_price": st.just("zone"),
        "minimum_margin": st.just(0.3),
        "largest_step": st.just(0.15),
        "largest_daily_move": st.just(0.3),
        "moving_share": st.just(0.4),
        "price_ending": st.just(9),
        "frozen": st.just({"MILK": 1.45}),
        "kill_switch": st.booleans(),
    },
)


@settings(deadline=None, max_examples=150)
@given(rails=OTHERS, seed=st.integers(0, 10_000))
def test_a_day_keeps_every_mode_among_any_other_limits_and_its_trail_explains_each_change(
    rails: dict[str, object], seed: int
) -> None:
    catalog = shelf_with(**rails)
    day = wild_day(catalog, seed)
    check_day(catalog, np.stack([answer.prices for answer in day]))
    rules = Storefront(StaticPolicy(SHELF.base_prices), limits=limits_of(catalog)).rules
    for answer in day:
        assert ((answer.propensity > 0) & (answer.propensity <= 1 + 1e-12)).all()
        check_trail(answer, rules)


@settings(deadline=None, max_examples=40)
@given(rails=OTHERS, seed=st.integers(0, 10_000))
def test_an_events_price_stands_in_every_store_and_tick_unless_the_kill_switch_is_on(
    rails: dict[str, object], seed: int
) -> None:
    catalog = shelf_with(**{**rails, "frozen": {}})
    orders = Orders(tuple(event_orders()), SHELF.skus, 48)
    prices = np.stack([answer.prices for answer in wild_day(catalog, seed, orders=orders)])
    check_day(catalog, prices)
    for sku, price in EVENT["prices"].items():
        shown = prices[:, :, SHELF.skus.index(sku)]
        expected = SHELF.product(sku).base_price if rails.get("kill_switch") else price
        assert (shown == expected).all()


def event_orders() -> list[PriceOrder]:
    return [PriceOrder(sku, None, price, price, "event", 0, 48) for sku, price in EVENT["prices"].items()]


def test_the_price_of_an_event_stands_on_its_dates_alone_and_nobody_tries_another(tmp_path: Path) -> None:
    catalog, lake = shelf_with(frozen_during=[EVENT]), lake_in(tmp_path)
    for days, is_on in ((-1, False), (0, True), (2, True), (3, False)):
        date = DATE + dt.timedelta(days=days)
        orders = orders_on(lake, catalog, date).orders
        assert {order.sku: order.lowest for order in orders} == (EVENT["prices"] if is_on else {})
        day = play(catalog, pricing_on(lake, catalog, date).policy, STORES, date, 7)
        milk = day.decisions.prices[:, :, 0]
        assert (milk == 1.29).all() == is_on
        assert (day.decisions.explored[:, :, 0].any()) != is_on
        if is_on:
            assert {day.rules[rule] for rule in day.decisions.rule[:, :, 0].ravel()} == {"event"}


@pytest.mark.parametrize(("kind", "price"), [("override", 1.35), ("freeze", 1.35), ("kill_switch", 1.5)])
def test_an_order_of_a_person_ends_an_event_in_the_store_that_it_is_for(kind: str, price: float) -> None:
    of_person = PriceOrder("MILK", "S02", 1.35, 1.35, kind, 0, 48)  # type: ignore[arg-type]
    orders = Orders((*event_orders(), of_person), SHELF.skus, 48)
    shelf = Shelf(np.ones(SHAPE, int), np.full(SHAPE, np.nan), 48, np.zeros(SHAPE), stores=STORES)
    prices = ShelfLimits(limits_of(shelf_with(), orders), shelf).apply(np.tile(SHELF.base_prices, (3, 1)))
    assert prices[:, 0].tolist() == [1.29, price, 1.29]


def test_an_event_stands_over_a_frozen_price_on_its_dates() -> None:
    limits = limits_of(shelf_with(frozen={"MILK": 1.45}), Orders(tuple(event_orders()), SHELF.skus, 48))
    shelf = Shelf(np.ones(SHAPE, int), np.full(SHAPE, np.nan), 48, np.zeros(SHAPE), stores=STORES)
    assert (ShelfLimits(limits, shelf).apply(np.tile(SHELF.base_prices, (3, 1)))[:, 0] == 1.29).all()


def played(tmp_path: Path, **rails: object) -> tuple[Catalog, StoreDay]:
    """Play a whole twin day of the default stores, which learn and explore."""
    catalog = shelf_with(**rails)
    orders = orders_on(lake_in(tmp_path), catalog, DATE)
    return catalog, play(catalog, storefront_before_champion(catalog, None, orders), STORES, DATE, 7)


@pytest.mark.parametrize("mode", MODES)
def test_a_whole_twin_day_keeps_each_mode_and_says_what_it_costs_in_euros(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, of_ticks = Stretch._keep, list[Floats]()

    def heard(stretch: Stretch, answer: PriceDecision, now: ShelfState) -> None:
        of_ticks.append(answer.clamp_cost)
        keep(stretch, answer, now)

    monkeypatch.setattr(Stretch, "_keep", heard)
    catalog, day = played(tmp_path, **MODES[mode])
    check_day(catalog, day.decisions.prices)
    clamps = day.decisions.clamps[np.array(day.rules)[day.decisions.clamps["rule"]] == mode]
    assert len(clamps)
    costs = np.stack(of_ticks).ravel()[clamps["decision"]]
    assert np.isfinite(costs).all()
    assert (costs != 0).any()
    rows = repricings_of(day, catalog)
    bound = [any(own["rule"] == mode for own in row or ()) for row in rows["clamps"].to_pylist()]
    assert any(bound) == (mode not in HOLDING)
    assert rows.filter(bound)["clamp_cost"].null_count == 0


def test_a_day_that_goes_on_from_its_rows_counts_on_where_it_stopped() -> None:
    catalog = shelf_with(changes_per_day=3)
    visits = draw_visits(catalog, STORES[:1], DATE, 7)
    front = Storefront(
        StaticPolicy(SHELF.base_prices), exploration=ExplorationPlan(0.9, LADDER), limits=limits_of(catalog)
    )
    whole = Stretch(catalog, front, STORES[:1], DATE, visits)
    for tick in range(1, 48):
        whole.sell_tick()
        again = standing_after(rows_of(whole.played(), catalog), catalog, tick)
        assert again.changes.tolist() == whole.standing.changes.tolist()
    assert whole.standing.changes.max() >= 2


def explored_from(shown: float, changes: int, usual: float = 1.5, **rails: object) -> set[float]:
    """Return the prices of milk that trials may lead to, from a price that is shown after some changes."""
    dice = np.tile(np.linspace(0, 0.999, 400)[:, None], (1, 5))
    shape, own = dice.shape, np.tile(SHELF.base_prices, (400, 1))
    own[:, 0], before = usual, np.tile([shown, 1.1, 1.0, 6.5, 7.67], (400, 1))
    plan = ExplorationPlan(1.0, LADDER)
    shelf = Shelf(np.ones(shape, int), before, 5, dice, before, None, np.full(shape, changes))
    answer = Storefront(Wild(own), exploration=plan, limits=limits_of(shelf_with(**rails))).decide(shelf)
    assert (answer.prices[~answer.explored[:, 0], 0] == answer.prices[~answer.explored[:, 0], 0].max(initial=0)).all()
    return set(answer.prices[answer.explored[:, 0], 0].tolist())


def test_a_price_is_tried_only_while_the_change_back_is_left() -> None:
    milk = set(LADDER[0].tolist())
    tried = float(LADDER[0, 3])
    assert explored_from(np.nan, 0, changes_per_day=0) == milk  # the opening price may stand all day
    assert explored_from(1.5, 0, changes_per_day=2) == milk
    assert explored_from(1.5, 1, changes_per_day=2) == {1.5}
    assert explored_from(tried, 1, changes_per_day=2) == {tried}  # it stands for its while
    assert explored_from(1.5, 2, changes_per_day=2) == set()


def test_where_prices_only_fall_a_trial_never_goes_below_what_the_policy_wants() -> None:
    lower, higher = float(LADDER[0, 6]), float(LADDER[0, 15])
    assert explored_from(np.nan, 0, down_only_within_day=True) == set(LADDER[0].tolist())
    found = explored_from(higher, 1, usual=lower, down_only_within_day=True)
    assert found == {price for price in LADDER[0].tolist() if lower <= price <= higher}


@pytest.mark.parametrize("rails", [{"changes_per_day": 1}, {"changes_per_day": 2}, {"down_only_within_day": True}])
def test_prices_are_shown_as_often_as_their_logged_chance_says(rails: dict[str, object]) -> None:
    n_throws, dice = 20_000, np.random.default_rng(3)
    shape, budget = (n_throws, 5), np.array([0.03, np.nan, 0.03, 0.01, 0.2])
    shown = np.tile([1.62, 1.09, 1.09, 5.99, 7.99], (n_throws, 1))
    plan, limits = ExplorationPlan(0.4, LADDER, budget), limits_of(shelf_with(**rails))
    policy = Storefront(GreedyPolicy(CURVES), CURVES, exploration=plan, limits=limits)
    answer = policy.decide(Shelf(np.full(shape, 9), shown, 10, dice.random(shape), shown, None, np.zeros(shape, int)))
    for place in range(5):
        _, first, times = np.unique(answer.prices[:, place], return_index=True, return_counts=True)
        chance = answer.propensity[first, place]
        assert chance.sum() == pytest.approx(1)
        error = np.sqrt(chance * (1 - chance) / n_throws)
        assert (np.abs(times / n_throws - chance) <= 4.5 * error + 1e-12).all()


def test_a_zone_shows_the_middle_price_of_the_stores_that_have_stock() -> None:
    asked = np.array([[1.2, 1.0], [1.4, 1.1], [1.9, 1.2], [1.1, 1.3]])
    stock = np.array([[5, 0], [5, 0], [5, 0], [0, 0]])
    shelf = Shelf(stock, np.full((4, 2), np.nan), 9, np.zeros((4, 2)), stores=("A", "B", "C", "D"))
    catalog = Catalog(SHELF.products[:2], shelf_with(one_price="zone").store)
    limits = limits_of(catalog)
    of_zone = ShelfLimits(limits, shelf).in_zone(asked)
    assert of_zone.tolist() == [[1.4, 1.1]] * 4  # of milk three have stock, of bread none
    assert ShelfLimits(limits, replace(shelf, stores=None)).in_zone(asked) is asked
    assert ShelfLimits(limits_of(Catalog(SHELF.products[:2], SHELF.store)), shelf).in_zone(asked) is asked
    set_by_people = (PriceOrder("MILK", store, 1.9, 1.9, "override", 0, 48) for store in ("A", "B"))
    ordered = limits_of(catalog, Orders(tuple(set_by_people), SHELF.skus[:2], 48))
    assert ShelfLimits(ordered, shelf).in_zone(asked)[:, 0].tolist() == [1.9] * 4  # C alone is free and has stock


@pytest.mark.parametrize("units", [(90, 10, 0), (60, 40, 20)])
def test_a_zone_throws_one_die_so_a_price_is_tried_in_all_of_its_stores_or_in_none(units: tuple[int, ...]) -> None:
    limits, curves = limits_of(shelf_with(one_price="zone")), true_curves(SHELF, DATE)
    policy = policy_with_model(SHELF, curves, expected_visits_on(SHELF, DATE))
    plan = ExplorationPlan(0.0, LADDER, np.full(5, 0.02))
    front, dice = Storefront(policy, curves, exploration=plan, limits=limits), np.random.default_rng(4)
    stock, times, n_throws = np.array([[own] * 5 for own in units]), np.zeros(5), 1_000
    for _ in range(n_throws):
        shelf = Shelf(stock, np.full(SHAPE, np.nan), 30, dice.random(SHAPE), stores=STORES)
        answer = front.decide(shelf)
        for own in (answer.prices, answer.explored, answer.propensity):
            assert (own == own[:1]).all()
        times += answer.explored[0]
    assert (times > 0.02 * n_throws).all()  # what one price costs a store is not taken from its budget for trials
    assert (times < 0.2 * n_throws).all()


def test_in_a_zone_the_same_prices_move_and_no_more_than_may() -> None:
    curves, dice = true_curves(SHELF, DATE), np.random.default_rng(8)
    policy = policy_with_model(SHELF, curves, expected_visits_on(SHELF, DATE))
    limits = limits_of(shelf_with(one_price="zone", moving_share=0.4))
    moved = []
    for _ in range(200):
        shown = np.tile(dice.choice(LADDER.T), (3, 1))
        shelf = Shelf(dice.integers(0, 100, SHAPE), shown, int(dice.integers(1, 49)), np.ones(SHAPE), shown, STORES)
        prices = Storefront(policy, curves, limits=limits).decide(shelf).prices
        assert (prices == prices[:1]).all()
        moved.append(int((prices[0] != shown[0]).sum()))
    assert max(moved) == 2


def test_a_book_knows_no_zone_and_no_day_so_far() -> None:
    day_limits = shelf_with(down_only_within_day=True, changes_per_day=0, one_price="zone")
    moment = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    curves = true_curves(SHELF, DATE)
    policy = policy_with_model(SHELF, curves, expected_visits_on(SHELF, DATE))
    book, plain = (tabulate(policy, own, moment, curves) for own in (day_limits, SHELF))
    np.testing.assert_array_equal(book.of().prices, plain.of().prices)
    marked = tabulate(policy, shelf_with(markdown_only=["MILK"]), moment, curves)
    assert (marked.of().prices[0] <= 1.5).all()
    assert (marked.of().prices[1] > 1.1).any()
    assert "markdown_only" in marked.rules
    assert "one_price" not in marked.rules


def test_a_quote_names_the_mode_that_holds_a_price() -> None:
    curves = true_curves(SHELF, DATE)
    policy = policy_with_model(SHELF, curves, expected_visits_on(SHELF, DATE))
    for rails, shown, rule in (
        ({"down_only_within_day": True}, 1.2, "down_only_within_day"),
        ({"changes_per_day": 0}, 1.2, "changes_per_day"),
        ({"markdown_only": ["dairy"]}, 1.2, "markdown_only"),
    ):
        catalog = shelf_with(**rails)
        book = tabulate(policy, catalog, dt.datetime(2026, 3, 2, tzinfo=dt.UTC), curves)
        answer = QuotedBook(catalog, book, curves).answer(PriceQuestion("MILK", 3, 40, shown=shown))
        assert answer.binding_rule == rule
        assert answer.clamps[-1]["rule"] == rule
        assert answer.clamp_cost is not None
        assert answer.clamp_cost > 0
        assert answer.price == (1.5 if rule == "markdown_only" else 1.2)


def test_a_person_raises_a_price_within_the_day_but_not_above_the_base_price_of_a_markdown() -> None:
    rails = {"down_only_within_day": True, "changes_per_day": 0, "one_price": "zone", "markdown_only": ["BREAD"]}
    raised = [PriceOrder(sku, "S02", price, price, "override", 0, 48) for sku, price in (("MILK", 1.9), ("BREAD", 1.4))]
    limits = limits_of(shelf_with(**rails), Orders(tuple(raised), SHELF.skus, 48))
    shown = np.tile([1.3, 0.9, 1.0, 6.5, 7.67], (3, 1))
    shelf = Shelf(np.ones(SHAPE, int), shown, 9, np.zeros(SHAPE), shown, STORES, np.ones(SHAPE, int))
    prices, clamps = ShelfLimits(limits, shelf).trail(np.tile(SHELF.base_prices, (3, 1)))
    assert prices[:, 0].tolist() == [1.3, 1.9, 1.3]
    assert prices[:, 1].tolist() == [0.9, 1.1, 0.9]
    assert [limits.rules[own["rule"]] for own in clamps if own["decision"] == 6] == [*("override", "markdown_only")]


def test_the_highest_price_of_a_markdown_has_the_price_ending_unless_a_person_set_it() -> None:
    of_person = PriceOrder("MILK", "S02", 1.8, 1.8, "override", 0, 48)
    rails = {"markdown_only": "all", "price_ending": 9}
    limits = limits_of(shelf_with(**rails), Orders((of_person,), SHELF.skus, 48))
    shelf = Shelf(np.ones(SHAPE, int), np.full(SHAPE, np.nan), 9, np.zeros(SHAPE), stores=STORES)
    assert ShelfLimits(limits, shelf).apply(np.full(SHAPE, 1.8))[:, 0].tolist() == [1.49, 1.5, 1.49]


def test_in_a_retailers_store_a_markdown_is_from_its_own_price() -> None:
    standing = ShelfPrices(STORES, np.tile([[1.3], [1.6], [np.nan]], (1, 5)))
    limits = limits_of(shelf_with(markdown_only=["MILK"]), None, standing)
    shelf = Shelf(np.ones(SHAPE, int), np.full(SHAPE, np.nan), 9, np.zeros(SHAPE), stores=STORES)
    assert ShelfLimits(limits, shelf).apply(np.full(SHAPE, 1.8))[:, 0].tolist() == [1.3, 1.6, 1.8]
