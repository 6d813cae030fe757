"""Stores that are not ours: what they sell follows from seed and prices alone, and their clairvoyants are right."""

import datetime as dt
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluation.outside_store.stores.count_grocer import CountGrocer, best_ratio
from evaluation.outside_store.stores.outside_world import RULES, Floats, OutsideWorld, OwnersRules, at_owner_prices
from evaluation.outside_store.stores.stockpiling_grocer import CARRIED, StockpilingGrocer, price_points
from evaluation.outside_store.stores.store_luck import WEEKDAYS, StoreLuck, poisson_of
from evaluation.outside_store.stores.substitutes_grocer import SubstitutesGrocer
from evaluation.outside_store.stores.twin_store import TwinStore, smaller_of_poisson
from evaluation.outside_store.stores.weekly_seller import OWNER_WEEKS, WeekPrices, WeeksSeen, owner_policy, play

SMALL = (2, 8.0, 4)  # stores, units a day, products
GROCERS = (CountGrocer, StockpilingGrocer, SubstitutesGrocer)


def walk(world: OutsideWorld, n_weeks: int, seed: int) -> Floats:
    """Return random prices that keep the owner's rules and end at random places of what they allow."""
    dice, prices = np.random.default_rng(seed), np.empty((n_weeks, *world.owner_prices.shape))
    before = world.owner_prices
    for week in range(n_weeks):
        low, high = world.rules.allowed(world.owner_prices, before)
        prices[week] = before = low + (high - low) * dice.choice([0.0, 0.3, 0.7, 1.0], low.shape)
    return prices


@pytest.mark.parametrize("grocer", GROCERS)
@given(seed=st.integers(0, 1000), asked=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_sales_follow_from_seed_and_prices_whoever_asks_and_whenever(
    grocer: type[CountGrocer], seed: int, asked: int
) -> None:
    world = grocer(seed, *SMALL)
    prices = walk(world, 5, asked)
    sold = [world.play_week(prices[: week + 1]) for week in range(5)]
    world.play_week(walk(world, 3, asked + 1))  # somebody else
    again = [grocer(seed, *SMALL).play_week(prices[: week + 1]) for week in reversed(range(5))]
    assert np.array_equal(sold, again[::-1])
    assert not np.array_equal(sold[-1], grocer(seed + 1, *SMALL).play_week(prices))


def test_the_stores_of_a_seed_are_the_same_in_every_process() -> None:
    world = CountGrocer(7, 2, 10.0, 3)
    assert world.owner_prices[0].tolist() == [2.73, 4.24, 3.48]
    assert world.play_week(at_owner_prices(world, 3)).sum(axis=0).tolist() == [[68, 128, 83], [26, 71, 97]]


@given(seed=st.integers(0, 100), ratio=st.floats(0.75, 1.25), product=st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_a_dearer_product_sells_no_more_and_the_luck_of_the_others_stays(seed: int, ratio: float, product: int) -> None:
    world = CountGrocer(seed, *SMALL)
    prices = at_owner_prices(world, 2)
    before = world.play_week(prices)
    prices[-1, :, product] *= ratio
    change = world.play_week(prices) - before
    assert (change[:, :, product] * np.sign(ratio - 1) <= 0).all()
    assert (np.delete(change, product, axis=2) == 0).all()


@pytest.mark.parametrize("world", [*(grocer(3, *SMALL) for grocer in GROCERS), TwinStore(3)])
def test_the_clairvoyant_earns_no_less_than_the_owner(world: OutsideWorld) -> None:
    attainable, owner = world.attainable(9), world.expected_profit(at_owner_prices(world, 9))
    assert attainable.weekly_eur.sum() > 1.005 * owner.sum()
    if not isinstance(world, StockpilingGrocer):  # whose weeks make room for each other
        assert (attainable.weekly_eur >= owner.sum(axis=(1, 2)) - 1e-9).all()
    if attainable.is_exact:
        assert world.rules.kept(world.owner_prices, attainable.prices).all()
        assert attainable.cells_eur == pytest.approx(world.expected_profit(attainable.prices))


@pytest.mark.parametrize("grocer", GROCERS)
@given(seed=st.integers(0, 50), asked=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_no_prices_that_keep_the_rules_earn_more_than_the_clairvoyant(
    grocer: type[CountGrocer], seed: int, asked: int
) -> None:
    world = grocer(seed, 1, 8.0, 2)
    earned = world.expected_profit(walk(world, 6, asked)).sum()
    assert earned <= world.attainable(6).weekly_eur.sum() * (1 + 1e-4)  # of prices between its points


@pytest.mark.parametrize("world", [CountGrocer(3, *SMALL), SubstitutesGrocer(3, *SMALL), TwinStore(3)])
def test_in_each_week_no_other_price_that_can_be_reached_earns_more(world: OutsideWorld) -> None:
    best = world.attainable(4)
    for week in range(4):
        low, high = world.rules.reach(week + 1)
        for product in range(len(world.skus)):
            for ratio in np.linspace(low, high, 25):
                prices = best.prices[week : week + 1].copy()
                prices[..., product] = world.owner_prices[:, product] * ratio
                earned = world.expected_profit(prices).sum(axis=2)[0]
                assert (earned <= best.cells_eur[week].sum(axis=1) * (1 + 1e-4)).all()  # between two of its points


@given(seed=st.integers(0, 50), week=st.integers(0, 7), step=st.sampled_from([-3, -1, 1, 3]))
@settings(max_examples=25, deadline=None)
def test_moving_one_week_of_the_clairvoyant_who_looks_ahead_loses(seed: int, week: int, step: int) -> None:
    world = StockpilingGrocer(seed, 1, 8.0, 1)
    best = world.attainable(8)
    points = price_points(RULES)
    moved = best.prices.copy()
    place = int(np.abs(points - moved[week, 0, 0] / world.owner_prices[0, 0]).argmin()) + step
    moved[week] = world.owner_prices * points[np.clip(place, 0, len(points) - 1)]
    if world.rules.kept(world.owner_prices, moved).all():
        assert world.expected_profit(moved).sum() <= best.weekly_eur.sum() + 1e-9


def test_the_clairvoyant_takes_three_weeks_to_the_end_of_the_band() -> None:
    world = CountGrocer(5, 1, 10.0, 30)
    ratio = world.attainable(5).prices[:, 0] / world.owner_prices[0]
    flat = world.shelf.slopes > -1
    assert flat.any()
    assert ratio[:, flat] == pytest.approx(np.tile([[1.1], [1.21], [1.25], [1.25], [1.25]], (1, flat.sum())))


@given(slope=st.floats(-4.5, -0.4), cost=st.floats(0.55, 0.75))
def test_the_best_price_of_a_constant_elasticity_is_the_best_of_many(slope: float, cost: float) -> None:
    ratios = np.linspace(0.75, 1.25, 2001)
    best = float(best_ratio(np.array(slope), np.array(cost), RULES))
    assert best**slope * (best - cost) >= (ratios**slope * (ratios - cost)).max() - 1e-12


def test_weeks_are_negative_binomial_around_chain_and_local_effects() -> None:
    mean, n_weeks = np.full((30, 40), 50.0), 60
    quiet = np.array([StoreLuck(1, 30, 40).sell(week, mean).sum(axis=0) for week in range(n_weeks)])
    season = np.array([StoreLuck(1, 30, 40).season(week) for week in range(n_weeks)])
    of_week = quiet.mean(axis=(1, 2)) / 50.0
    assert np.std(np.log(of_week / season)) == pytest.approx(0.08, rel=0.3)
    within = quiet.var(axis=(1, 2)) / quiet.mean(axis=(1, 2)) ** 2 - 1 / quiet.mean(axis=(1, 2))
    assert within.mean() == pytest.approx(1 / 56, rel=0.1)
    shocked = np.array([StoreLuck(1, 30, 40, has_local_shocks=True).sell(week, mean).sum(axis=0) for week in range(60)])
    local = np.log(shocked.mean(axis=2)) - np.log(shocked.mean(axis=(1, 2)))[:, None]
    assert local.std() == pytest.approx(0.15, rel=0.2)
    assert np.corrcoef(local[1:].ravel(), local[:-1].ravel())[0, 1] == pytest.approx(0.7, abs=0.1)


def test_saturdays_sell_most() -> None:
    sold = sum(StoreLuck(1, 20, 20).sell(week, np.full((20, 20), 40.0)) for week in range(20)).sum(axis=(1, 2))
    assert sold / sold.mean() == pytest.approx(WEEKDAYS, rel=0.05)


@given(uniform=st.floats(0.0, 0.999999), mean=st.floats(0.01, 300))
def test_poisson_numbers_are_quantiles(uniform: float, mean: float) -> None:
    found = poisson_of(np.array([[uniform]]), np.array([[mean]]))[0, 0]
    low, high = (stats.poisson.ppf(np.clip(uniform + noise, 0, 1), mean) for noise in (-1e-9, 1e-9))
    assert max(low, 0) <= found <= high


def test_what_is_on_the_shelf_is_what_the_page_says() -> None:
    shelves = [CountGrocer(seed, 5, 10.0).shelf for seed in range(60)]
    slopes = np.concatenate([shelf.slopes for shelf in shelves])
    costs = np.concatenate([shelf.unit_cost_ratios for shelf in shelves])
    assert slopes.min() > -4.5
    assert slopes.max() < -0.4
    assert slopes.mean() == pytest.approx(stats.truncnorm(-2.556, 2.0, -2.2, 0.9).mean(), abs=0.1)
    assert costs.min() > 0.54
    assert costs.max() < 0.76
    assert all(shelf.mean_units.mean() == pytest.approx(70) for shelf in shelves)


def test_a_low_price_takes_demand_from_the_two_weeks_after_and_a_high_one_does_not() -> None:
    world = StockpilingGrocer(2, *SMALL)
    prices = at_owner_prices(world, 5)
    prices[1] *= 0.9
    low = world.demand(prices)[:, 0]
    assert low[0] == pytest.approx(1)
    assert low[1] == pytest.approx(0.9**world.shelf.slopes)
    assert low[2] == pytest.approx(0.9 ** (-CARRIED[0] * world.shelf.slopes))
    assert low[3] == pytest.approx(0.9 ** (-CARRIED[1] * world.shelf.slopes))
    assert (low[2:4] < 1).all()
    prices[1] = world.owner_prices * 1.1
    assert world.demand(prices)[2:] == pytest.approx(1)


def test_a_dearer_product_sends_shoppers_to_its_substitute_and_nowhere_else() -> None:
    world = SubstitutesGrocer(4, *SMALL)
    prices = at_owner_prices(world, 1)
    prices[:, :, 0] *= 1.1
    demand = world.demand(prices)[0, 0]
    assert demand[0] < 1 < demand[1]
    assert demand[2:] == pytest.approx(1)
    prices = at_owner_prices(world, 1)
    nudged = np.array([np.log(world.demand(_nudged(prices, sku))[0, 0, sku]) / 1e-5 for sku in range(4)])
    one_minus = 1 - world.taken
    own = -world.sensitivity * world.owner_prices[0] * one_minus
    assert nudged == pytest.approx(own, rel=1e-3)
    ours = (world.shelf.slopes / one_minus / world.owner_prices[0]).reshape(-1, 2).mean(axis=1)
    assert -world.sensitivity[::2] == pytest.approx(ours)


def _nudged(prices: Floats, sku: int) -> Floats:
    moved = prices.copy()
    moved[:, :, sku] *= np.exp(1e-5)
    return moved


@pytest.mark.play
def test_the_twins_expected_profit_is_what_it_sells_on_average() -> None:
    world = TwinStore(11)
    prices = at_owner_prices(world, 8) * np.linspace(0.8, 1.2, 5)
    units = np.array([world.play_week(prices[: week + 1]).sum(axis=0) for week in range(8)])
    expected = (world.expected_profit(prices) / (prices - world.unit_costs)).sum(axis=(0, 1))
    assert (np.abs(units.sum(axis=(0, 1)) - expected) < 3 * np.sqrt(expected)).all()
    assert expected.min() > 2_000


@given(mean=st.floats(0.1, 150), most=st.integers(1, 120))
def test_the_smaller_of_a_poisson_number_and_the_shelf(mean: float, most: int) -> None:
    counts = np.arange(600)
    shelves = np.array([[most], [most + 20]])
    brute = (np.minimum(counts, shelves) * stats.poisson.pmf(counts, mean)).sum(axis=1)
    assert smaller_of_poisson(np.array([[mean], [mean]]), shelves)[:, 0] == pytest.approx(brute, rel=1e-9)


def test_the_twin_asks_for_prices_at_each_tick_and_its_day_adds_up() -> None:
    world, asked = TwinStore(2), list[int]()

    def ask(shelf: object) -> Floats:
        asked.append(shelf.ticks_left)  # type: ignore[attr-defined]
        return world.owner_prices * (1.1 if len(asked) % 2 else 1.0)

    day = world.sell_day(dt.date(2026, 1, 5), ask)
    assert asked == list(range(48, 0, -1))
    assert len(day.lines) == day.units.sum()
    assert sum(line.price for line in day.lines) == pytest.approx(day.revenue_eur.sum())
    everybody = world.play_day(dt.date(2026, 1, 5), lambda _: world.owner_prices).store
    assert sum(hour["visitors"] for hour in day.visitors) == len(everybody) > day.units.sum()
    left = {count["sku"]: count["units"] for count in day.stock if count["store_id"] == "S01"}
    assert [100 - left[sku] for sku in world.skus] == day.units[0].tolist()
    assert {line.price / world.owner_prices[0][world.skus.index(line.sku)] for line in day.lines} == {1.0, 1.1}


def test_a_policy_is_held_to_the_owners_rules_and_sees_nothing_but_sales() -> None:
    world = CountGrocer(1, *SMALL)

    def greedy(seen: WeeksSeen, _: np.random.Generator) -> WeekPrices:
        assert seen.units.shape == seen.prices.shape == (OWNER_WEEKS + len(weeks), 2, 4)
        weeks.append(len(seen.prices))
        return WeekPrices(seen.owner_prices * 2)

    weeks = list[int]()
    played = play(world, greedy, 4, 0)
    assert played.prices[:, 0, 0] / world.owner_prices[0, 0] == pytest.approx([1.1, 1.21, 1.25, 1.25])
    assert OwnersRules().kept(world.owner_prices, played.prices).all()
    assert play(world, owner_policy, 4, 0).lost(1, 4) == pytest.approx(
        1 - played.owner_eur.sum() / played.attainable.weekly_eur.sum()
    )


def test_what_is_lost_at_tried_prices_is_told_apart() -> None:
    world = CountGrocer(1, *SMALL)
    best = world.attainable(6).prices
    tries = np.zeros((2, 4), dtype=bool)
    tries[0] = True

    def owners_that_are_tried_in_one_store(seen: WeeksSeen, _: np.random.Generator) -> WeekPrices:
        prices = best[len(seen.prices) - OWNER_WEEKS].copy()
        prices[:, :2] = world.owner_prices[:, :2]
        return WeekPrices(prices, tries)

    played = play(world, owners_that_are_tried_in_one_store, 6, 0)
    missing = played.attainable.cells_eur - played.owner_eur
    attainable = played.attainable.weekly_eur.sum()
    assert played.lost_by_trying(1, 6) == pytest.approx(missing[:, 0, :2].sum() / attainable)
    assert played.lost(1, 6) == pytest.approx(missing[:, :, :2].sum() / attainable)
    assert missing[:, :, :2].sum(axis=(0, 2)).min() > 0


def test_outside_stores_know_nothing_of_the_project() -> None:
    """The import contract holds for what is written; this one for what is loaded."""
    code = (
        "import sys, evaluation.outside_store.__main__; "
        "print({name.partition('.')[0] for name in sys.modules} & "
        "{'catalog', 'simulation', 'serving', 'warehouse', 'scipy', 'pandas', 'httpx'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
