"""Stores of several kinds sell side by side, each from a belief of its own; stores that are alike sell as ever."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from believing import believed_after
from price_shop import DATE, Shop

from catalog.load import CLASSIC, Catalog, load
from catalog.pricing import PriceDecision, Shelf, Sold
from catalog.records.guardrails import Guardrails
from catalog.store_day import BOUGHT, StoreDay
from desk.price_changes.examine import examined
from desk.price_changes.request import PriceRequest
from etl.live.store_now import stores_now
from evaluation.learner_worlds import asked_worlds
from serving.belief.belief import Belief, StoreKind, believed_before_anybody_came
from serving.belief.gaussian import Counts, Knots
from serving.belief.policy import Morning, morning_of
from serving.belief.table import belief_from_table, belief_to_table
from serving.book_store import book_in_force
from serving.in_force import present_book, pricing_on, stores_apart
from serving.kinds_of_stores import StorefrontOfKinds, kinds_in_words, morning_in, storefront_of_stores, watching
from serving.make_book import publish_book
from serving.quote import PriceQuestion
from serving.quote_desk import StoresDifferError, open_desk
from serving.standing import standings
from serving.storefront import LearningStorefront, storefront_before_champion, storefront_that_learns
from simulation.store_day import play
from simulation.truth import chance_of_sale

(WORLD,) = asked_worlds(["rich and poor stores"])
STORES = WORLD.catalog.store.stores
RICH, POOR = STORES[:3], STORES[3:]
ALIKE = ("S01", "S02", "S03")
TOGETHER = ("prices", "propensity", "explored", "rule", "p_sale", "unit_value", "unconstrained", "clamp_cost")


def opening(catalog: Catalog) -> LearningStorefront:
    front = storefront_before_champion(catalog)
    assert isinstance(front, LearningStorefront)
    return front


def earned(day: StoreDay) -> float:
    return float(day.price[day.outcome == BOUGHT].sum())


def of_kinds(catalog: Catalog, *kinds: tuple[tuple[str, ...], float]) -> Belief:
    """What is believed where budgets of some stores are shifted, as a share of base prices."""

    def known(shift: float) -> Belief:
        knots = Knots.of(catalog)
        met = np.full(knots.shape, 200.0)
        return believed_after(catalog, Counts(met, met * chance_of_sale(catalog, knots.ratios, shift)))

    found = [StoreKind(stores, own.states, own.hours) for stores, shift in kinds for own in [known(shift)]]
    return replace(known(0.0), kinds=tuple(found))


def test_rich_and_poor_stores_part_on_their_first_day_and_earn_more_than_together() -> None:
    together = play(WORLD.catalog, opening(WORLD.catalog), STORES, DATE, 3)
    parted = play(WORLD.catalog, watching(opening(WORLD.catalog), STORES), STORES, DATE, 3)
    assert earned(parted) > 1.05 * earned(together)
    at_closing = parted.decisions.prices[-1]
    assert (at_closing[:3].mean(axis=0) > 1.1 * at_closing[3:].mean(axis=0)).all()
    lessons = [lesson.ticks for lesson in parted.lessons]
    assert lessons == sorted(set(lessons))
    last = next(own for own in reversed(parted.lessons) if own.ticks % WORLD.catalog.store.belief.update_ticks == 0)
    assert last.met.sum() == (parted.inventory[parted.tick < last.ticks] > 0).sum()


def test_each_kind_is_a_zone_with_one_price_and_no_change_is_forgotten_when_stores_part() -> None:
    rails = Guardrails(one_price="zone", changes_per_day=12)
    catalog = replace(WORLD.catalog, store=WORLD.catalog.store.model_copy(update={"guardrails": rails}))
    prices = play(catalog, watching(opening(catalog), STORES), STORES, DATE, 3).decisions.prices
    assert (prices[:, :3] == prices[:, :1]).all()
    assert (prices[:, 3:] == prices[:, 3:4]).all()
    assert (prices[0] == prices[0, 0]).all()
    assert (prices[-1, 0] != prices[-1, 3]).any()
    assert (np.diff(prices, axis=0) != 0).sum(axis=0).max() == 12


def test_stores_that_are_alike_sell_to_the_last_bit_as_if_nobody_watched() -> None:
    catalog = load(CLASSIC)
    fronts = opening(catalog), watching(opening(catalog), ALIKE)
    one, other = (play(catalog, front, ALIKE, DATE, 3) for front in fronts)
    days = one.decisions, other.decisions
    for name in ("prices", "propensity", "explored", "rule", "clamps"):
        assert np.array_equal(*(getattr(day, name) for day in days))
    assert all(np.array_equal(*own, equal_nan=True) for own in zip(*(day.told for day in days), strict=True))
    assert [lesson.ticks for lesson in one.lessons] == [lesson.ticks for lesson in other.lessons]


@pytest.mark.parametrize("crowd", [1.0, 1.2, 1.4, 1.6])
def test_stores_part_also_where_a_crowd_brings_an_update_out_of_turn(crowd: float) -> None:
    catalog = WORLD.catalog
    nobody = believed_before_anybody_came(catalog)
    footfall = replace(nobody.footfall, store_days=300.0, day_spread=0.1)
    front = watching(
        storefront_that_learns(catalog, morning_of(catalog, replace(nobody, footfall=footfall), None)), STORES
    )
    told = []
    for tick in range(12):
        visits = np.tile(np.maximum(np.round(crowd * footfall.by_tick[:, tick]), 1).astype(np.int64), (len(STORES), 1))
        bought = visits.copy()
        bought[3:] = 0
        before, prices = front.lesson, np.tile(catalog.base_prices, (len(STORES), 1))
        front = front.learned(Sold(tick, prices, visits, visits, bought, STORES))
        if front.lesson is not before and front.lesson is not None:
            told.append((tick + 1, front.lesson.ticks))
    assert isinstance(front, StorefrontOfKinds)
    assert [stores for stores, _ in front.kinds] == [POOR, RICH]
    assert all(at == ticks for at, ticks in told)


@pytest.mark.parametrize("known", [(("S01", "S02", "S04", "S05"), ("S03", "S06")), (("S03", "S06"),)])
def test_a_batch_of_stores_of_one_kind_or_of_none_is_priced_as_in_the_whole_chain(
    known: tuple[tuple[str, ...], ...],
) -> None:
    nobody = believed_before_anybody_came(WORLD.catalog)
    belief = replace(nobody, kinds=tuple(StoreKind(stores, nobody.states, nobody.hours) for stores in known))
    batch = ("S01", "S02", "S04", "S05")  # rich and poor, whatever the night took them for
    whole, own = (
        storefront_of_stores(WORLD.catalog, belief, mornings(WORLD.catalog, belief), None, asked)
        for asked in (None, batch)
    )
    one, other = (play(WORLD.catalog, front, batch, DATE, 3) for front in (whole, own))
    assert np.array_equal(one.decisions.prices, other.decisions.prices)


def mornings(catalog: Catalog, belief: Belief) -> Callable[[str | None], Morning]:
    return partial(morning_in, catalog, belief, None)


def with_limits(catalog: Catalog) -> Catalog:
    rails = catalog.store.guardrails.model_copy(update={"largest_step": 0.05, "price_ending": 9})
    return replace(catalog, store=catalog.store.model_copy(update={"guardrails": rails}))


def shelf_of(catalog: Catalog, stores: tuple[str, ...], dice: Any) -> Shelf:
    shape = (len(stores), len(catalog.skus))
    shown = np.round(catalog.base_prices * (0.9 + 0.2 * dice.random(shape)), 2)
    stock = dice.integers(0, 90, shape)
    return Shelf(stock, shown, 20, dice.random(shape), shown, stores)


def test_each_store_is_decided_as_its_kind_alone_would_be_limits_and_their_trail_too() -> None:
    catalog = with_limits(WORLD.catalog)
    belief = of_kinds(catalog, (RICH, 0.25), (POOR, -0.25))
    mixed = ("S04", "S01", "S06", "S03", "S05", "S02")
    shelf = shelf_of(catalog, mixed, np.random.default_rng(4))
    whole = storefront_of_stores(catalog, belief, mornings(catalog, belief), None, mixed).decide(shelf)
    for row, store in enumerate(mixed):
        own = Shelf(
            shelf.stock[[row]], shelf.shown_prices[[row]], 20, shelf.dice[[row]], shelf.shown_prices[[row]], (store,)
        )
        alone = storefront_of_stores(catalog, belief, mornings(catalog, belief), None, (store,)).decide(own)
        for name in TOGETHER:
            assert np.array_equal(getattr(whole, name)[[row]], getattr(alone, name), equal_nan=True)
        assert clamps_of(whole, row) == clamps_of(alone, 0)
    assert len(whole.clamps)


def clamps_of(decision: PriceDecision, row: int) -> list[tuple[int, int, float, float]]:
    n_products = decision.prices.shape[1]
    return [
        (int(own["decision"]) % n_products, int(own["rule"]), float(own["before"]), float(own["after"]))
        for own in decision.clamps
        if own["decision"] // n_products == row
    ]


def test_kinds_come_back_from_the_table_to_the_last_bit() -> None:
    belief = of_kinds(WORLD.catalog, (RICH, 0.25), (POOR, -0.25))
    back, _ = belief_from_table(belief_to_table(WORLD.catalog, belief, None), WORLD.catalog)
    for own, other in zip(back.kinds, belief.kinds, strict=True):
        assert own.stores == other.stores
        assert np.array_equal(own.hours, other.hours)
        for state, known in zip(own.states, other.states, strict=True):
            assert np.array_equal(state.demand.mean, known.demand.mean)
            assert np.array_equal(state.demand.shared, known.demand.shared)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop in whose first store budgets are higher, and in whose other two they are lower."""
    return two_kinds(Shop(tmp_path))


def two_kinds(shop: Shop) -> Shop:
    belief = of_kinds(shop.catalog, (ALIKE[:1], 0.25), (ALIKE[1:], -0.25))
    curves = morning_in(shop.catalog, belief, None, None).outlook().curves
    table = belief_to_table(shop.catalog, belief, None)
    publish_book(shop.lake, shop.catalog, curves, belief.footfall.by_tick, DATE, table)
    shop.sell(1)
    return shop


def quoted(shop: Shop, store: str) -> float:
    return open_desk(shop.lake, shop.catalog).answer(PriceQuestion("MILK", int(shop.catalog.par_stock[0])), store).price


def test_a_quote_says_what_stands_in_a_store_of_each_kind(shop: Shop) -> None:
    found = standings(shop.lake, shop.catalog, stores_now(shop.lake, shop.catalog, ALIKE))
    for store in ALIKE[1:]:  # the first is sold to its second tick, and tries prices
        own = found[store].of("MILK")
        assert own is not None
        assert quoted(shop, store) == own.price
    assert quoted(shop, "S01") > quoted(shop, "S02") == quoted(shop, "S03")


def opening_of(shop: Shop, store: str) -> float:
    found = book_in_force(shop.lake, DATE)
    assert found is not None
    return float(present_book(shop.lake, shop.catalog, found, store).book.of().prices[0][-1, -1])


def test_without_a_store_a_quote_names_the_prices_of_both_kinds(shop: Shop) -> None:
    with pytest.raises(StoresDifferError, match=r"in S01; .* in S02, S03"):
        open_desk(shop.lake, shop.catalog).answer(PriceQuestion("MILK", 40))


def test_a_store_alone_is_priced_by_its_kind(shop: Shop) -> None:
    opened = {}
    for store in ALIKE:
        front = pricing_on(shop.lake, shop.catalog, DATE, stores=(store,)).policy
        shape = (1, len(shop.catalog.skus))
        full, nothing = np.broadcast_to(shop.catalog.par_stock, shape), np.full(shape, np.nan)
        shelf = Shelf(full, nothing, shop.catalog.store.opening.ticks, np.full(shape, 0.5), None, (store,))
        opened[store] = front.decide(shelf).prices[0]
    assert (opened["S01"] > 1.1 * opened["S02"]).all()
    assert np.array_equal(opened["S02"], opened["S03"])


def test_where_prices_wait_for_a_person_all_stores_sell_from_the_one_book(tmp_path: Path) -> None:
    shop = two_kinds(Shop(tmp_path, "{within_of_base: 0.0}"))
    found = book_in_force(shop.lake, DATE)
    assert found is not None
    assert found.belief is not None
    assert stores_apart(shop.catalog, found) == frozenset()
    assert len({quoted(shop, store) for store in ALIKE}) == 1
    assert "one price book holds in all of them" in str(kinds_in_words(shop.catalog, found.belief))


def test_it_is_said_which_stores_are_of_which_kind() -> None:
    belief = belief_to_table(WORLD.catalog, of_kinds(WORLD.catalog, (RICH, 0.25), (POOR, -0.25)), None)
    said = str(kinds_in_words(WORLD.catalog, belief))
    assert "stores are of 2 kinds (S01, S02, S03; S04, S05, S06): each kind sells from a belief of its own" in said
    alike = belief_to_table(WORLD.catalog, believed_before_anybody_came(WORLD.catalog), None)
    assert kinds_in_words(WORLD.catalog, alike) is None


def test_what_an_override_costs_is_weighed_against_the_price_of_the_stores_own_kind(shop: Shop) -> None:
    for store in ("S01", "S02"):
        request = PriceRequest("override", "a competitor is cheaper", sku="MILK", store=store, price=1.29)
        found = examined(shop.workspace, request).consequence
        assert found is not None
        assert found.policy_price == pytest.approx(opening_of(shop, store))


def test_a_kind_explores_for_its_own_stores_alone() -> None:
    belief = of_kinds(WORLD.catalog, (RICH[:1], 0.25), (STORES[1:], -0.25))
    mornings = [morning_in(WORLD.catalog, belief, None, store) for store in (RICH[0], STORES[1], None)]
    assert [own.learners for own in mornings] == [1, 5, None]
