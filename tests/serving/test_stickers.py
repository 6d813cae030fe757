"""Stickers and labels that are chosen together earn what the exact answer with both ages of units allows."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.pricing import Shelf
from catalog.records.deliveries import Deliveries
from serving.policies import policy_with_model
from serving.pricing_policy import Asked, PricingPolicy
from tests.serving.test_stock_ahead import COST, DISPOSAL, TwoAges, curves_of, shop, visits_of
from tests.serving.two_ages import day_with_sticker

WEDNESDAY = dt.date(2026, 1, 7)
NOISE = 1e-9
NO_LABELS: Ints = np.empty((0, 0, 0), dtype=np.int64)


def shop_with_stickers(visits: float, share: float, *, stickers: bool = True, **product: object) -> Catalog:
    lives = {"shelf_life_days": 2, "disposal_cost": DISPOSAL, "par_stock": 22}
    catalog = shop(visits, share=share, **lives | product)
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
            is_none = sticker is None or np.isnan(sticker[0, 0])
            stuck.append(self._stuck(self.gains[-1] if is_none else sticker[0, 0] - COST))

        def day(evening: Floats, old: int) -> Floats:
            return day_with_sticker(self.gains, self.rates, stuck[old], self.share, evening, chosen[old])

        return day
