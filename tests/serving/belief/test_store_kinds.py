"""Stores of several kinds: found where their shoppers differ clearly, taken for alike otherwise."""

import numpy as np
import pytest

from catalog.arrays import Floats, Ints
from catalog.records.pricing import BeliefSettings
from serving.belief.shoppers import SoldInStores, kinds_of_stores

N_PRODUCTS, RATIOS = 5, np.linspace(0.8, 1.2, 6)


def sold(levels: Floats, dearer: Floats, seed: int, visits: int = 40) -> SoldInStores:
    """Sales of stores whose demand lies so far from a line, and whose prices are so much dearer, as a share."""
    dice, n_stores = np.random.default_rng(seed), len(levels)
    store, product, place = (own.ravel() for own in np.mgrid[:n_stores, :N_PRODUCTS, : len(RATIOS)])
    ratio = RATIOS[place] + dearer[store]
    chance = 1 / (1 + np.exp(-(levels[store] + 0.2 * product - 5 * (ratio - 1))))
    met = np.full(len(store), float(visits))
    return SoldInStores(store, product, ratio, met, dice.binomial(visits, chance).astype(float))


def kinds(found: SoldInStores, n_stores: int) -> Ints:
    return kinds_of_stores(found, n_stores, BeliefSettings())


@pytest.mark.parametrize("n_stores", [2, 3, 6, 40])
def test_rich_and_poor_stores_are_told_apart_by_a_day(n_stores: int) -> None:
    is_rich = np.arange(n_stores) % 2 == 0
    found = kinds(sold(np.where(is_rich, 1.0, -1.0), np.zeros(n_stores), 1), n_stores)
    assert found.tolist() == is_rich.astype(int).tolist()


@pytest.mark.parametrize("n_stores", [3, 6, 40])
def test_they_stay_apart_when_the_rich_ones_have_become_dearer(n_stores: int) -> None:
    is_rich = np.arange(n_stores) % 3 == 0
    dearer = np.where(is_rich, 0.15, -0.15)
    found = kinds(sold(np.where(is_rich, 1.0, -1.0), dearer, 2), n_stores)
    assert found.tolist() == is_rich.astype(int).tolist()


@pytest.mark.parametrize("n_stores", [2, 10, 100, 400])
@pytest.mark.parametrize("visits", [2, 40])
def test_stores_that_are_alike_are_hardly_ever_taken_for_several_kinds(n_stores: int, visits: int) -> None:
    parted = 0
    for seed in range(8):
        slightly = 0.05 * np.random.default_rng(seed).normal(size=n_stores)
        parted += kinds(sold(slightly, np.zeros(n_stores), seed, visits), n_stores).any()
    assert parted == 0


def test_three_kinds_are_found_as_three_from_the_poorest_up() -> None:
    levels = np.array([0.0, 1.2, -1.2] * 4)
    assert kinds(sold(levels, np.zeros(12), 3), 12).tolist() == [1, 2, 0] * 4


def test_one_store_and_stores_that_sold_nothing_are_of_one_kind() -> None:
    nothing = SoldInStores(*(np.zeros(0, dtype=np.int64) for _ in range(2)), *(np.zeros(0) for _ in range(3)))
    assert kinds(nothing, 3).tolist() == [0, 0, 0]
    assert kinds(sold(np.array([2.0]), np.zeros(1), 1), 1).tolist() == [0]
