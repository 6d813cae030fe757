"""Stickers and labels that are chosen together earn what the exact answer with both ages of units allows."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.load import Catalog
from catalog.records.deliveries import Deliveries
from catalog.records.guardrails import Guardrails
from serving.limits.limits import ShelfLimits, limits_of
from serving.limits.orders import Orders, PriceRanges
from serving.optimise.policies import Asked, PricingPolicy, policy_with_model
from serving.store.storefront import Storefront
from tests.serving.test_stock_ahead import COST, DISPOSAL, TwoAges, curves_of, shop, visits_of
from tests.serving.two_ages import day_with_sticker

WEDNESDAY = dt.date(2026, 1, 7)
NOISE = 1e-9
NO_LABELS: Ints = np.empty((0, 0, 0), dtype=np.int64)


def shop_with_stickers(visits: float, share: float, *, stickers: bool = True, **product: object) -> Catalog:
    lives: dict[str, object] = {"shelf_life_days": 2, "disposal_cost": DISPOSAL, "par_stock": 22}
    catalog = shop(visits, 60, "profit", share, **lives | product)
    policies = catalog.store.policies.model_copy(update={"stickers": stickers})
    return Catalog(catalog.products, catalog.store.model_copy(update={"policies": policies, "ladder_prices": 13}))


def policy_of(catalog: Catalog) -> PricingPolicy:
    return policy_with_model(catalog, curves_of(catalog), visits_of(catalog))


def ask(policy: PricingPolicy, left: int, opened: tuple[int, int], sticker: Floats | None = None) -> Asked:
    """Ask for the label of every number of young and of old units, of a shelf that opened with so many of each."""
    young, old = np.divmod(np.arange((opened[0] + 1) * (opened[1] + 1)), opened[1] + 1)
    stock, nothing = np.maximum(young + old, 1)[:, None], np.full((len(young), 1), np.nan)
    lives, stuck = np.tile(np.array([*opened[::-1], 0]), (len(stock), 1, 1)), None
    if sticker is not None:
        stuck = np.full(stock.shape, sticker[0, 0])
    at = (stock, nothing, left, np.zeros(stock.shape), None, None, 0, lives, WEDNESDAY, stuck, old[:, None])
    return policy.ask(Shelf(*at))


@dataclass(frozen=True)
class TwoPrices(TwoAges):
    """A product of two ages with a label and, where old units are on the shelf at opening, a sticker."""

    def _stuck(self, gain: float) -> tuple[float, Floats]:
        return gain, np.array([np.interp(gain, self.gains, own) for own in self.rates.T])

    def best(self) -> float:
        solved = dict[bytes, Floats]()

        def day(evening: Floats, _old: int) -> Floats:
            key = evening.tobytes()
            if key not in solved:
                solved.clear()
                of_stickers = [
                    day_with_sticker(self.gains, self.rates, self._stuck(gain), self.share, evening, NO_LABELS)
                    for gain in self.gains
                ]
                solved[key] = np.max(of_stickers, axis=0)
            return solved[key]

        return self.profit_a_day(day)

    def of(self, policy: PricingPolicy) -> float:
        return self.profit_a_day(self._day_of(policy))

    def _day_of(self, policy: PricingPolicy) -> Callable[[Floats, int], Floats]:
        n_ticks, ladder = self.rates.shape[1], curves_of(self.catalog).prices[0]
        chosen, stuck = [], []
        for old in self.carried:
            opened = self.opening(old)
            sticker = ask(policy, n_ticks, opened).sticker
            of_ticks = [ask(policy, n_ticks - tick, opened, sticker).prices[:, 0] for tick in range(n_ticks)]
            labels = np.searchsorted(ladder, np.stack(of_ticks, axis=-1) - NOISE)
            all_labels = np.zeros((len(self.carried), len(self.carried), n_ticks), dtype=np.int64)
            all_labels[: opened[0] + 1, : old + 1] = labels.reshape(opened[0] + 1, old + 1, n_ticks)
            chosen.append(all_labels)
            price = np.nan if sticker is None else float(sticker[0, 0])
            stuck.append(self._stuck(float(self.gains[-1]) if np.isnan(price) else price - COST))

        def day(evening: Floats, old: int) -> Floats:
            there = tuple(slice(units + 1) for units in self.opening(old))  # units only become fewer
            return day_with_sticker(self.gains, self.rates, stuck[old], self.share, evening[there], chosen[old][there])

        return day


@pytest.mark.play
@pytest.mark.parametrize(
    ("share", "quantity", "least", "without"),
    [
        (0.3, None, 0.965, 0.91),
        (0.9, 20, 0.965, 0.75),
        pytest.param(0.9, None, 0.95, 0.6, marks=pytest.mark.slow),
        pytest.param(0.3, 20, 0.975, 0.94, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_where_units_keep_for_two_days_it_earns_nearly_what_the_exact_answer_does_and_one_price_far_less(
    share: float, quantity: int | None, least: float, without: float
) -> None:
    product: dict[str, object] = {"par_stock": quantity or 30, "deliveries": Deliveries(quantity=quantity)}
    catalog = shop_with_stickers(30, share, stickers=True, **product)
    shelf, one_price = TwoPrices(catalog, share), shop_with_stickers(30, share, stickers=False, **product)
    best = shelf.best()
    assert least * best <= shelf.of(policy_of(catalog)) <= 1.0005 * best
    assert shelf.of(policy_of(one_price)) < without * best


def sticker_of(catalog: Catalog, opened: tuple[int, int]) -> float:
    sticker = ask(policy_of(catalog), 12, opened).sticker
    return np.nan if sticker is None else float(sticker[0, 0])


def test_units_on_their_last_day_beside_young_ones_carry_a_sticker_below_the_label_and_alone_none() -> None:
    catalog = shop_with_stickers(30, 0.5)
    asked = ask(policy_of(catalog), 12, (14, 6))
    assert asked.sticker is not None
    assert asked.saving is not None
    assert np.isfinite(asked.sticker).all()
    assert asked.sticker[0, 0] < asked.prices[-1, 0]
    assert asked.saving[0, 0] > 0
    for opened in ((14, 0), (0, 6)):
        assert np.isnan(sticker_of(catalog, opened))


def test_nobody_sticks_any_where_all_take_the_oldest_unit_or_a_zone_says_the_price() -> None:
    catalog = shop_with_stickers(30, 0.5)
    store = catalog.store
    for changes in (
        {"freshest_share": 0.0},
        {"guardrails": store.guardrails.model_copy(update={"one_price": "zone"})},
        {"policies": store.policies.model_copy(update={"stickers": False})},
    ):
        other = Catalog(catalog.products, store.model_copy(update=changes))
        assert ask(policy_of(other), 12, (14, 6)).sticker is None


def test_a_sticker_below_what_passes_without_a_person_is_raised_to_that_and_saves_in_proportion() -> None:
    catalog = shop_with_stickers(30, 0.5)
    lowest, highest, price = np.array([[0.8]]), np.array([[1.3]]), np.array([[1.0]])
    passes = Orders((), catalog.skus, catalog.store.opening.ticks, ranges=PriceRanges(("S01",), lowest, highest))
    front = Storefront(policy_of(catalog), limits=limits_of(catalog, passes))
    at = (np.array([[20]]), np.full((1, 1), np.nan), catalog.store.opening.ticks, np.zeros((1, 1)))
    shelf, nothing = Shelf(*at, stores=("S01",)), np.zeros((1, 1))
    for wanted, stuck, saved in ((0.6, 0.8, 2.0), (0.9, 0.9, 4.0)):
        asked = Asked(price, nothing.astype(np.int64), nothing, nothing, np.array([[wanted]]), np.array([[4.0]]))
        found = front.stickers(asked, price, ShelfLimits(front.limits, shelf))
        np.testing.assert_allclose([found["sticker"], found["saving"]], [[[stuck]], [[saved]]])
    fixed = front.stickers(asked, lowest, ShelfLimits(front.limits, shelf))["sticker"]
    assert fixed is not None
    assert np.isnan(fixed).all()  # the label is the lowest that passes already


def test_a_sticker_keeps_floor_minimum_margin_and_price_ending() -> None:
    catalog = shop_with_stickers(18, 0.5, floor_price=0.6)
    rails = Guardrails(minimum_margin=0.5, price_ending=9)
    limited = Catalog(catalog.products, catalog.store.model_copy(update={"guardrails": rails}))
    free = [sticker_of(catalog, (14, old)) for old in range(1, 9)]
    bound = [sticker_of(limited, (14, old)) for old in range(1, 9)]
    assert np.nanmin(free) < COST * 1.5
    assert np.isfinite(bound).any()
    for price in np.array(bound)[np.isfinite(bound)]:
        assert price >= COST * 1.5
        assert round(price * 100) % 10 == 9
