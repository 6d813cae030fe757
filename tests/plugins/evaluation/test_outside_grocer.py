"""A grocer that is not ours: what it sells follows from seed and prices alone, and its clairvoyant is right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.evaluation.outside_store.grocer import CARRIED, Floats, Grocer, allowed, best_ratio, price_points, reach

SHOPPERS = ("plain", "stock up", "substitute")


def grocer(seed: int, shoppers: str = "plain", n_stores: int = 2, n_products: int = 4) -> Grocer:
    return Grocer(seed, n_stores, 8.0, n_products, shoppers)  # type: ignore[arg-type]


def walk(world: Grocer, n_weeks: int, seed: int) -> Floats:
    """Return random prices that keep the owner's rules and end at random places of what they allow."""
    dice, prices, before = np.random.default_rng(seed), world.at_owner_prices(n_weeks), world.owner_prices
    for week in range(n_weeks):
        low, high = allowed(world.owner_prices, before)
        prices[week] = before = low + (high - low) * dice.choice([0.0, 0.3, 0.7, 1.0], low.shape)
    return prices


@pytest.mark.parametrize("shoppers", SHOPPERS)
@given(seed=st.integers(0, 1000), asked=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_sales_follow_from_seed_and_prices_whoever_asks_and_whenever(shoppers: str, seed: int, asked: int) -> None:
    world = grocer(seed, shoppers)
    prices = walk(world, 5, asked)
    sold = [world.play_week(prices[: week + 1]) for week in range(5)]
    again = [grocer(seed, shoppers).play_week(prices[: week + 1]) for week in reversed(range(5))]
    assert np.array_equal(sold, again[::-1])
    assert not np.array_equal(sold[-1], grocer(seed + 1, shoppers).play_week(prices))


@given(seed=st.integers(0, 100), ratio=st.floats(0.75, 1.25), product=st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_a_dearer_product_sells_no_more_and_the_luck_of_the_others_stays(seed: int, ratio: float, product: int) -> None:
    world = grocer(seed)
    prices = world.at_owner_prices(2)
    before = world.play_week(prices)
    prices[-1, :, product] *= ratio
    change = world.play_week(prices) - before
    assert (change[:, :, product] * np.sign(ratio - 1) <= 0).all()
    assert (np.delete(change, product, axis=2) == 0).all()


@pytest.mark.parametrize("shoppers", SHOPPERS)
@given(seed=st.integers(0, 50), asked=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_no_prices_that_keep_the_rules_earn_more_than_the_clairvoyant(shoppers: str, seed: int, asked: int) -> None:
    world = grocer(seed, shoppers, 1, 2)
    earned, best = (world.expected_profit(own).sum() for own in (walk(world, 6, asked), world.best_prices(6)))
    assert earned <= best * (1 + 1e-4)  # of prices between its points
    assert world.expected_profit(world.at_owner_prices(6)).sum() < best


@pytest.mark.parametrize("shoppers", ["plain", "substitute"])
def test_in_each_week_no_other_price_that_can_be_reached_earns_more(shoppers: str) -> None:
    world = grocer(3, shoppers)
    best = world.best_prices(4)
    for week in range(4):
        most = world.expected_profit(best[week : week + 1]).sum(axis=2)[0]
        for product in range(len(world.skus)):
            for ratio in np.linspace(*reach(week + 1), 25):
                prices = best[week : week + 1].copy()
                prices[..., product] = world.owner_prices[:, product] * ratio
                earned = world.expected_profit(prices).sum(axis=2)[0]
                assert (earned <= most * (1 + 1e-4)).all()  # between two of its points


@given(seed=st.integers(0, 50), week=st.integers(0, 7), step=st.sampled_from([-3, -1, 1, 3]))
@settings(max_examples=25, deadline=None)
def test_moving_one_week_of_the_clairvoyant_who_looks_ahead_loses(seed: int, week: int, step: int) -> None:
    world, points = grocer(seed, "stock up", 1, 1), price_points()
    best = world.best_prices(8)
    moved = best.copy()
    place = int(np.abs(points - moved[week, 0, 0] / world.owner_prices[0, 0]).argmin()) + step
    moved[week] = world.owner_prices * points[np.clip(place, 0, len(points) - 1)]
    before = np.concatenate([world.owner_prices[None], moved[:-1]])
    lowest, highest = allowed(world.owner_prices, before)
    if ((moved >= lowest - 1e-9) & (moved <= highest + 1e-9)).all():
        assert world.expected_profit(moved).sum() <= world.expected_profit(best).sum() + 1e-9


@given(slope=st.floats(-4.5, -0.4), cost=st.floats(0.55, 0.75))
def test_the_best_price_of_a_constant_elasticity_is_the_best_of_many(slope: float, cost: float) -> None:
    ratios = np.linspace(0.75, 1.25, 2001)
    best = float(best_ratio(np.array(slope), np.array(cost)))
    assert best**slope * (best - cost) >= (ratios**slope * (ratios - cost)).max() - 1e-12


def test_weeks_are_negative_binomial_around_chain_and_local_effects() -> None:
    quiet, shocked = Grocer(1, 30, 50.0, 40), Grocer(1, 30, 50.0, 40, shock_of="store")
    sold, local = (
        np.array([world.play_week(world.at_owner_prices(week + 1)).sum(axis=0) for week in range(60)])
        / world.mean_units
        for world in (quiet, shocked)
    )
    of_week = sold.mean(axis=(1, 2)) / [quiet.season(week) for week in range(60)]
    assert np.std(np.log(of_week)) == pytest.approx(0.08, rel=0.3)
    within = (sold / sold.mean(axis=(1, 2), keepdims=True)).var(axis=0) - 1 / quiet.mean_units
    assert within.mean() == pytest.approx(1 / 56, rel=0.1)
    shocks = np.log(local.mean(axis=2)) - np.log(local.mean(axis=(1, 2)))[:, None]
    assert shocks.std() == pytest.approx(0.15, rel=0.2)
    assert np.corrcoef(shocks[1:].ravel(), shocks[:-1].ravel())[0, 1] == pytest.approx(0.7, abs=0.1)


def test_a_low_price_takes_demand_from_the_two_weeks_after_and_a_high_one_does_not() -> None:
    world = grocer(2, "stock up")
    prices = world.at_owner_prices(5)
    prices[1] *= 0.9
    low = world.demand(prices)[:, 0]
    for week, share in ((0, 0.0), (1, 1.0), (2, -CARRIED[0]), (3, -CARRIED[1]), (4, 0.0)):
        assert low[week] == pytest.approx(0.9 ** (share * world.slopes))
    prices[1] = world.owner_prices * 1.1
    assert world.demand(prices)[2:] == pytest.approx(1)


def test_a_dearer_product_sends_shoppers_to_its_substitute_and_nowhere_else() -> None:
    world = grocer(4, "substitute")
    prices = world.at_owner_prices(1)
    prices[:, :, 0] *= 1.1
    demand = world.demand(prices)[0, 0]
    assert demand[0] < 1 < demand[1]
    assert demand[2:] == pytest.approx(1)
