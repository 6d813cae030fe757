"""A shelf with stickers sells as a ledger kept by hand says, and teaches the lowest price that a shopper saw."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Floats
from catalog.decisions.pricing import PriceDecision, Shelf, Sold
from catalog.decisions.rules import NO_CLAMPS
from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, KeptStock, StoreDay
from catalog.load import CLASSIC, Catalog, load
from etl.twin.store_day import meet
from etl.twin.visits import Visits, draw_visits

TODAY = dt.date(2026, 1, 7)
STORES = ("S01", "S02")
LIFE = 3


@dataclass
class Labels:
    """Shows given labels, tick by tick, and sticks given stickers; keeps what it was told of the sales."""

    labels: Floats
    sticker: Floats | None
    told: list[Sold]
    name = "labels"
    model_version = None
    rules = ("base_price",)

    def decide(self, shelf: Shelf) -> PriceDecision:
        prices = self.labels[len(self.labels) - shelf.ticks_left][None].repeat(len(shelf.stock), axis=0)
        nothing, rule = np.full(prices.shape, np.nan), np.zeros(prices.shape, dtype=np.int64)
        stuck = None if self.sticker is None else np.broadcast_to(self.sticker, prices.shape)
        yes = np.ones(prices.shape)
        return PriceDecision(prices, yes, yes < 0, rule, nothing, nothing, prices, 0 * yes, NO_CLAMPS, stuck)

    def learned(self, sold: Sold) -> "Labels":
        self.told.append(sold)
        return self


@lru_cache
def shop(visits: float, share: float, waiting: float = 0.0, *, stickers: bool = True) -> Catalog:
    own = load(CLASSIC)
    products = tuple(
        each.model_copy(update={"base_price": 1.0, "unit_cost": 0.5, "par_stock": 30, "shelf_life_days": LIFE})
        for each in own.products[:2]
    )
    policies = own.store.policies.model_copy(update={"objective": "profit", "stickers": stickers})
    changes = {
        "popularity": {},
        "visits_per_day": visits,
        "freshest_share": share,
        "waiting_share": waiting,
        "stores": STORES,
        "policies": policies,
    }
    return Catalog(products, own.store.model_copy(update=changes))


def kept(young: int, old: int) -> KeptStock:
    """What two stores have from the day before: units on their last day, and others with a day more."""
    units = np.zeros((len(STORES), 2, LIFE + 1), dtype=np.int64)
    units[..., 0], units[..., 1] = old, young
    return KeptStock(units, np.full((len(STORES), 2), 3), np.ones((len(STORES), 2), dtype=np.bool_))


def play(catalog: Catalog, labels: Floats, sticker: Floats | None, before: KeptStock) -> tuple[StoreDay, list[Sold]]:
    policy = Labels(labels, sticker, [])
    return meet(catalog, policy, STORES, TODAY, visits_of(catalog), before), policy.told


def visits_of(catalog: Catalog) -> Visits:
    return draw_visits(catalog, STORES, TODAY, 7)


Row = tuple[int, float, float]
"""Outcome, price and sticker of one visit, NaN without one."""


def by_hand(catalog: Catalog, visits: Visits, labels: Floats, sticker: Floats, before: KeptStock) -> Iterator[Row]:
    """Yield what becomes of each visit, one shopper after another."""
    prices = catalog.base_prices.astype(np.float32)
    first = np.full(visits.count, -1) if visits.first_visit is None else visits.first_visit
    picks = np.zeros(visits.count, dtype=bool) if visits.picks_freshest is None else visits.picks_freshest
    outcome = dict[int, str]()
    for store in range(len(STORES)):
        units = before.units[store].copy()
        units[:, LIFE - 1] += before.on_order[store]
        for tick in range(len(labels)):
            for row in range(visits.starts[store, tick], visits.starts[store, tick + 1]):
                if first[row] >= 0 and outcome[first[row]] != "dear":
                    outcome[row] = "away"
                    continue
                own, label = visits.product[row], labels[tick, visits.product[row]]
                can_pay = prices[own] * visits.multiplier[row]
                old, young = units[own, 0], units[own, 1:]
                stands = bool(old and sticker[own] < label)
                stood = float(sticker[own]) if stands else np.nan
                wanted = [("young", label), ("old", sticker[own])] if picks[row] else [("old", sticker[own])]
                if not stands:
                    wanted = [("young" if picks[row] else "old", label), ("old" if picks[row] else "young", label)]
                there = [(age, asked) for age, asked in wanted if (old if age == "old" else young.sum())]
                taken = [(age, asked) for age, asked in there if asked <= can_pay]
                if not old and not young.sum():
                    outcome[row] = "none"
                    yield OUT_OF_STOCK, float(label), stood
                elif not taken:
                    outcome[row] = "dear"
                    yield 1, float(min(asked for _, asked in there)), stood
                else:
                    outcome[row] = "bought"
                    age, asked = taken[0]
                    lives = np.flatnonzero(units[own])
                    units[own, lives[-1] if picks[row] and age == "young" else lives[0]] -= 1
                    yield BOUGHT, float(asked), stood


@settings(max_examples=40, deadline=None)
@given(
    share=st.sampled_from([0.1, 0.5, 1.0]),
    waiting=st.sampled_from([0.0, 0.4]),
    counts=st.tuples(st.integers(0, 12), st.integers(0, 20)),
    sticker=st.floats(0.4, 1.3),
    low=st.floats(0.6, 1.4),
    visits=st.sampled_from([20.0, 120.0]),
)
def test_each_shopper_takes_what_a_ledger_by_hand_says(
    share: float, waiting: float, counts: tuple[int, int], sticker: float, low: float, visits: float
) -> None:
    catalog, before = shop(visits, share, waiting), kept(*counts)
    ticks = catalog.store.opening.ticks
    labels = np.stack([np.linspace(1.2, low, ticks), np.linspace(low, 1.0, ticks)], axis=1)
    stuck = np.array([sticker, np.nan])
    day, _ = play(catalog, labels, stuck, before)
    assert day.sticker is not None
    expected = np.array([*by_hand(catalog, visits_of(catalog), labels, stuck, before)]).reshape(-1, 3)
    assert np.array_equal(day.outcome, expected[:, 0])
    assert np.array_equal(day.price, expected[:, 1])
    assert np.array_equal(day.sticker, expected[:, 2], equal_nan=True)
    moves = day.moves
    assert moves is not None
    assert np.array_equal(moves.carried + moves.delivered, moves.sold + moves.spoiled + _stays(moves.kept))
    assert moves.sold.sum() == np.count_nonzero(day.outcome == BOUGHT)


def _stays(after: KeptStock) -> np.ndarray:
    as_of_today = np.zeros_like(after.units)
    as_of_today[..., 1:-1], as_of_today[..., -1] = after.units[..., :-2], after.units[..., -1]
    return as_of_today


def test_who_can_pay_the_sticker_buys_whichever_unit_she_takes() -> None:
    catalog = shop(120.0, 0.5)
    day, told = play(catalog, np.ones((catalog.store.opening.ticks, 2)), np.array([0.7, 0.8]), kept(12, 20))
    assert day.sticker is not None
    met = np.isfinite(day.sticker)
    can_pay = day.multiplier * catalog.base_prices.astype(np.float32)[day.product] >= day.sticker
    assert met.sum() > 20
    assert np.array_equal(day.outcome[met] == BOUGHT, can_pay[met])
    assert set(np.unique(day.price[met & (day.outcome == BOUGHT)])) == {0.7, 0.8, 1.0}
    counted = [sold.marked for sold in told if sold.marked is not None]
    assert sum(own.met.sum() for own in counted) == met.sum()
    assert sum(own.bought.sum() for own in counted) == (met & (day.outcome == BOUGHT)).sum()
    for sold in told:
        assert sum(own.sum() for _, own, _ in sold.by_lowest_price()) == sold.met.sum()


@pytest.mark.parametrize("share", [0.2, 1.0])
def test_a_day_without_a_sticker_that_stands_is_the_day_of_a_catalog_without_them(share: float) -> None:
    labels = np.full((shop(120.0, share).store.opening.ticks, 2), 0.9)
    plain, _ = play(shop(120.0, share, stickers=False), labels, None, kept(4, 6))
    for sticker in (np.array([0.9, 1.5]), np.array([np.nan, np.nan])):
        day, _ = play(shop(120.0, share), labels, sticker, kept(4, 6))
        assert day.sticker is not None
        assert np.isnan(day.sticker).all()
        for name in ("outcome", "price", "inventory", "propensity"):
            assert np.array_equal(getattr(day, name), getattr(plain, name))
        assert day.moves is not None
        assert plain.moves is not None
        assert np.array_equal(day.moves.sold, plain.moves.sold)
