"""A store that learns while it sells: pure, on time, with true propensities, on a budget, and within its guardrails."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from believing import believed_after
from free_prices import freely
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.pricing import PriceDecision, Shelf, Sold
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from etl.twin.store_day import play
from plugins.evaluation.truth import chance_of_sale
from serving.belief.belief import believed_before_anybody_came
from serving.belief.gaussian import Counts
from serving.learning.outlook import start_of_day
from serving.learning.updates import LearningPolicy
from serving.limits.limits import limits_of
from serving.store.storefront import LearningStorefront, storefront_before_champion, storefront_that_learns

CATALOG = freely(load(CLASSIC))
DATE = dt.date(2026, 1, 19)
STORES = ("S01", "S02", "S03")


def at_opening(catalog: Catalog = CATALOG) -> LearningStorefront:
    store = storefront_before_champion(catalog)
    assert isinstance(store, LearningStorefront)
    return store


def at_a_later_opening(catalog: Catalog = CATALOG) -> LearningStorefront:
    """Return a store that is believed to be as before anybody came, though something was sold."""
    nobody = believed_before_anybody_came(catalog)
    belief = replace(nobody, sold=Counts(*(np.ones_like(own) for own in (nobody.sold.met, nobody.sold.bought))))
    return storefront_that_learns(catalog, start_of_day(catalog, belief))


def shelf_at(tick: int, dice: np.ndarray, stock: int = 100, catalog: Catalog = CATALOG) -> Shelf:
    nothing = np.full(dice.shape, np.nan)
    return Shelf(np.full(dice.shape, stock), nothing, catalog.store.opening.ticks - tick, dice)


def sold_in(tick: int, visits: int, bought: int, ratio: float = 1.0, n_stores: int = 1) -> Sold:
    count = np.full((n_stores, 5), visits)
    prices = np.tile(np.round(CATALOG.base_prices * ratio, 2), (n_stores, 1))
    return Sold(tick, prices, count, count, np.full((n_stores, 5), bought))


def after(store: LearningStorefront, *sold: Sold) -> LearningStorefront:
    for tick in sold:
        store = store.learned(tick)
    return store


def assert_same(one: PriceDecision, other: PriceDecision) -> None:
    for name in ("prices", "propensity", "explored", "rule", "p_sale", "unit_value", "clamp_cost"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)


DICE = np.random.default_rng(5).random((40, 5))


def test_learning_leaves_the_store_that_it_came_from_as_it_was() -> None:
    store, shelf = at_opening(), shelf_at(4, DICE)
    before = store.decide(shelf)
    learned = after(store, *[sold_in(tick, 20, 19) for tick in range(4)])
    assert (learned.decide(shelf).prices != before.prices).any()
    assert_same(before, store.decide(shelf))
    assert store.lesson is None


@pytest.mark.parametrize(
    ("opening", "update_ticks", "every"),
    [
        *((at_a_later_opening, ticks, ticks) for ticks in (1, 4, 7)),
        *((at_opening, ticks, every) for ticks, every in ((1, 1), (4, 1), (12, 3))),
    ],
)
def test_prices_are_remade_after_every_so_many_ticks_and_not_between_and_on_a_first_day_four_times_as_often(
    with_store: Callable[..., Catalog], opening: Callable[[Catalog], LearningStorefront], update_ticks: int, every: int
) -> None:
    catalog = with_store(belief={"update_ticks": update_ticks})
    store, late = opening(catalog), shelf_at(20, DICE[:1])
    for tick in range(15):
        earlier, store = store, store.learned(sold_in(tick, 4, 2))
        is_due = (tick + 1) % every == 0
        assert (store.curves is not earlier.curves) == is_due
        assert (store.lesson is not earlier.lesson) == is_due
        if not is_due:
            assert_same(store.decide(late), earlier.decide(late))


def long_shelf(n_products: int) -> Catalog:
    products = [CATALOG.products[number % 5] for number in range(n_products)]
    renamed = (own.model_copy(update={"sku": f"P{number}"}) for number, own in enumerate(products))
    return Catalog(tuple(renamed), CATALOG.store.model_copy(update={"popularity": {}}))


@settings(deadline=None, max_examples=30)
@given(
    size=st.tuples(st.integers(201, 260), st.just(1)) | st.tuples(st.just(5), st.integers(201, 260)),
    each=st.integers(1, 400),
)
def test_a_long_shelf_or_many_stores_are_updated_while_that_teaches_much_and_in_each_quarter_of_a_day(
    size: tuple[int, int], each: int
) -> None:
    n_products, n_stores = size
    catalog, seen = long_shelf(n_products), each * n_stores
    start = start_of_day(catalog, believed_before_anybody_came(catalog))
    profile, ticks = start.footfall.profile, catalog.store.opening.ticks
    usual = replace(start, footfall=replace(start.footfall, daily=np.full(n_products, each / profile[0])))
    policy, updated = LearningPolicy(usual.outlook()), []
    prices, count = np.tile(catalog.base_prices, (n_stores, 1)), np.full((n_stores, n_products), each)
    for tick in range(ticks):
        policy = policy.learned(Sold(tick, prices, count, count, count // 2))
        updated.append(policy.outlook.today.ticks)
    at = sorted(set(updated) - {0})
    assert np.diff([0, *at, ticks]).max() <= ticks / 4
    assert len(at) <= np.log(1 + seen * ticks / 4) / np.log(1.5) + 3
    begun, known = np.diff([0, *at]), 4 + seen * np.array([0, *at])
    assert ((known[1:] >= 1.5 * known[:-1]) | (begun == ticks / 4)).all()


def test_a_tick_that_was_heard_of_before_teaches_nothing() -> None:
    ticks = [sold_in(tick, 4, 2) for tick in range(6)]
    store = after(at_opening(), *ticks)
    assert store.learned(ticks[3]).policy == store.policy
    assert store.learned(ticks[5]).policy == store.policy


def test_a_crowd_makes_prices_anew_before_the_hour_is_over() -> None:
    quiet = [sold_in(tick, 4, 2) for tick in range(5)]
    store = after(at_a_later_opening(), *quiet)
    assert isinstance(store.policy, LearningPolicy)
    assert store.policy.outlook.today.ticks == 4
    crowded = store.learned(sold_in(5, 40, 20))
    assert isinstance(crowded.policy, LearningPolicy)
    assert crowded.policy.outlook.today.ticks == 6
    assert crowded.policy.outlook.visits.sum() > 1.15 * store.policy.outlook.visits[:, 2:].sum()


@pytest.mark.parametrize("ticks", [0, 4, 16])
@pytest.mark.parametrize("stock", [1, 30, 100])
def test_prices_are_shown_as_often_as_their_propensity_says_and_propensities_sum_to_one(ticks: int, stock: int) -> None:
    opening = at_opening if ticks else at_a_later_opening
    store = after(opening(), *[sold_in(tick, 8, 5) for tick in range(ticks)])
    n_throws = 20_000
    dice = np.random.default_rng(3).random((n_throws, 5))
    answer = store.decide(shelf_at(ticks, dice, stock))
    assert answer.explored.any()
    for product in range(5):
        shown, first, times = np.unique(answer.prices[:, product], return_index=True, return_counts=True)
        chance = answer.propensity[first, product]
        assert chance.sum() == pytest.approx(1)
        assert (np.abs(times / n_throws - chance) < 4.5 * np.sqrt(chance * (1 - chance) / n_throws) + 1e-9).all()
        assert len(shown) > 1


def test_a_new_store_opens_at_the_owners_prices_and_moves_once_sales_tell() -> None:
    owners = np.round(CATALOG.base_prices * 1.1, 2)
    start = replace(start_of_day(CATALOG, believed_before_anybody_came(CATALOG)), owners=owners)
    for store, prices in ((at_opening(), CATALOG.base_prices), (storefront_that_learns(CATALOG, start), owners)):
        first = store.decide(shelf_at(0, DICE))
        assert (first.prices == prices).all()
        assert not first.explored.any()
        assert (first.propensity == 1).all()
        assert {store.rules[rule] for rule in first.rule.ravel()} == {"base_price"}
        assert np.isfinite(first.p_sale).all()
        learned = after(store, *[sold_in(tick, 20, 19) for tick in range(2)])
        then = learned.decide(shelf_at(2, DICE))
        assert (then.prices != prices).any()
        assert {learned.rules[rule] for rule in then.rule.ravel()} <= {"stock_value", "exploration"}


def test_a_later_day_opens_at_what_was_learned_before() -> None:
    store = at_a_later_opening()
    assert (store.decide(shelf_at(0, DICE)).prices != CATALOG.base_prices).any()
    assert "base_price" not in store.rules


states = st.lists(st.tuples(st.integers(0, 60), st.floats(0, 1), st.floats(0.7, 1.6)), min_size=4, max_size=12)


@settings(deadline=None, max_examples=60)
@given(day=states, stock=st.integers(1, 100), most=st.sampled_from([0.0, 0.01, 0.05]))
def test_exploration_never_costs_more_than_the_budget(
    day: list[tuple[int, float, float]], stock: int, most: float
) -> None:
    rules = CATALOG.store.exploration.model_copy(update={"budget": most})
    catalog = Catalog(CATALOG.products, CATALOG.store.model_copy(update={"exploration": rules}))
    sold = [
        sold_in(tick, visits, round(visits * share), ratio) for tick, (visits, share, ratio) in enumerate(day)
    ]  # fmt: skip
    store = after(at_opening(catalog), *sold)
    plan, curves = store.exploration, store.curves
    assert plan is not None
    assert plan.budget is not None
    assert curves is not None
    assert (plan.budget <= most).all()
    shelf = shelf_at(len(day), np.ones((1, 5)) - 1e-9, stock)  # dice that explore nothing
    asked, answer = store.policy.ask(shelf), store.decide(shelf)
    assert np.array_equal(answer.prices, asked.prices)
    curves = curves.at(shelf.ticks_left)
    usual = (asked.prices - asked.unit_value)[0] * asked.p_sale[0]
    candidates = (curves.prices - asked.unit_value[0][:, None]) * curves.p_sale
    explored = np.where(plan.choice, candidates, 0.0).sum(axis=1) / plan.counts
    is_usual = (plan.choice & (curves.prices == asked.prices[0][:, None])).sum(axis=1) / plan.counts
    others = np.maximum(1 - is_usual, 1e-12)
    chance = (1 - answer.propensity[0]) / others  # the usual price is shown where it is drawn, too
    cost = chance * (usual - explored)
    assert (cost <= plan.budget * asked.prices[0] * asked.p_sale[0] + 1e-9).all()


def test_nothing_is_explored_once_demand_is_known(explored_sales: Callable[..., Counts]) -> None:
    counts = explored_sales(CATALOG, 2_000_000)
    known = believed_after(CATALOG, counts)
    sure, new = (
        storefront_that_learns(CATALOG, start_of_day(CATALOG, belief)).exploration
        for belief in (known, believed_before_anybody_came(CATALOG))
    )
    assert sure is not None
    assert new is not None
    assert sure.budget is not None
    assert new.budget is not None
    assert (sure.budget < 0.02 * new.budget).all()
    assert (sure.counts < new.counts).all()
    assert (sure.counts <= 3).all()


def test_a_price_that_cannot_be_best_is_not_explored_and_the_best_one_may_be(
    explored_sales: Callable[..., Counts],
) -> None:
    counts = explored_sales(CATALOG, 3_000)
    outlook = start_of_day(CATALOG, believed_after(CATALOG, counts)).outlook()
    allowed = outlook.exploration.choice
    best = outlook.policy.ask(shelf_at(0, DICE[:1])).prices[0]
    for product, price in enumerate(best):
        assert allowed[product][price_ladder(CATALOG)[product] == price].any()
    assert 0.05 < allowed.mean() < 0.6


GUARDRAILS: tuple[dict[str, object], ...] = (
    {"largest_step": 0.05},
    {"largest_daily_move": 0.1},
    {"moving_share": 0.4},
    {"price_ending": 9},
    {"frozen": {"MILK": 1.49}},
    {"minimum_margin": 0.4},
    {"largest_step": 0.08, "largest_daily_move": 0.2, "moving_share": 0.6, "price_ending": 5},
)


@pytest.mark.parametrize("guardrails", GUARDRAILS, ids=[", ".join(own) for own in GUARDRAILS])
def test_guardrails_hold_while_the_store_learns(
    with_store: Callable[..., Catalog], guardrails: dict[str, object]
) -> None:
    catalog = with_store(guardrails=guardrails)
    decisions = play(catalog, at_opening(catalog), STORES, DATE, 11).decisions
    prices, rules = decisions.prices, catalog.store.guardrails
    lowest = np.maximum([own.floor for own in catalog.products], catalog.unit_costs * (1 + rules.minimum_margin))
    assert (prices >= lowest - 1e-9).all()
    assert (prices <= np.array([own.ceiling for own in catalog.products]) + 1e-9).all()
    cent = 0.0101  # a limit is kept to the cent
    steps, moves = np.abs(np.diff(prices, axis=0)), np.abs(prices - prices[0])
    if rules.largest_step is not None and rules.price_ending is None:
        assert (steps <= rules.largest_step * prices[:-1] + cent).all()
    if rules.largest_daily_move is not None and rules.price_ending is None:
        assert (moves <= rules.largest_daily_move * prices[0] + cent).all()
    if rules.moving_share < 1:
        assert ((steps > 0).sum(axis=2) <= np.ceil(rules.moving_share * 5)).all()
    if rules.price_ending is not None:
        assert (np.round(prices[0] * 100).astype(int) % 10 == rules.price_ending).mean() > 0.5
    for sku, price in rules.frozen.items():
        assert (prices[:, :, catalog.skus.index(sku)] == price).all()
    assert (decisions.propensity > 0).all()
    assert (decisions.propensity <= 1 + 1e-9).all()
    assert limits_of(catalog) is not None


def test_a_batch_of_stores_learns_from_all_of_them_together() -> None:
    one = after(at_opening(), *[sold_in(tick, 30, 12) for tick in range(4)])
    three = after(at_opening(), *[sold_in(tick, 10, 4, n_stores=3) for tick in range(4)])
    assert isinstance(one.policy, LearningPolicy)
    assert isinstance(three.policy, LearningPolicy)
    found = [own.policy.outlook.understanding.chance for own in (one, three)]
    assert found[1] == pytest.approx(found[0])
    assert three.policy.outlook.visits.sum() < 0.6 * one.policy.outlook.visits.sum()


def test_lessons_say_what_was_learned_of_the_day() -> None:
    day = play(CATALOG, at_opening(), ("S01",), DATE, 7)
    last = day.lessons[-1]
    early = day.tick < last.ticks
    met = early & (day.inventory > 0)
    assert last.met.tolist() == np.bincount(day.product[met], minlength=5).tolist()
    assert last.bought.tolist() == np.bincount(day.product[met & (day.outcome == 0)], minlength=5).tolist()
    truth = chance_of_sale(CATALOG, np.ones(5))
    mean, low, high = last.p_base.T
    assert np.abs(mean - truth).max() < 0.25
    assert ((low <= mean) & (mean <= high)).all()
    first = day.lessons[0].p_base
    assert ((high - low) < (first[:, 2] - first[:, 1])).all()
    assert [lesson.ticks for lesson in day.lessons] == sorted({lesson.ticks for lesson in day.lessons})


def test_learning_from_the_day_earns_more_than_the_prices_of_the_morning() -> None:
    earned = {}
    for name, store in (("learning", at_opening()), ("start", Unteachable.like(at_opening()))):
        day = play(CATALOG, store, tuple(f"T{number:02d}" for number in range(10)), DATE, 3)  # type: ignore[arg-type]
        earned[name] = day.price[day.outcome == 0].sum()
    assert earned["learning"] > 1.02 * earned["start"]


class Unteachable:
    """A double that plays the same storefront and never learns."""

    def __init__(self, store: LearningStorefront) -> None:
        self.decide, self.name, self.rules, self.model_version = store.decide, store.name, store.rules, None

    @classmethod
    def like(cls, store: LearningStorefront) -> "Unteachable":
        return cls(replace(store))
