"""How policies are scored: exactly, by the recursion on true demand, and played, on the same shoppers."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog, price_ladder
from catalog.pricing import Policy
from catalog.store_day import BOUGHT, OUT_OF_STOCK, StoreDay
from evaluation.contestants import clairvoyant
from evaluation.worlds import PLAYED_ON
from serving.curves import DemandCurves
from serving.policies import costs_that_count
from serving.pricing_policy import PricingPolicy
from serving.recursion import value_of_prices
from serving.storefront import Storefront
from serving.tabulate import tabulate
from simulation.store_day import meet
from simulation.truth import chance_on
from simulation.visits import Visits, draw_visits, expected_visits_on


@dataclass(frozen=True)
class Tally:
    """What some store days brought: money in EUR, units, counts of product days and visits, mean price shown."""

    revenue_eur: float
    gain_eur: float
    units: int
    sell_outs: int
    lost_sales: int
    mean_price_eur: float
    repricings_per_day: float


def expected_gain(policy: PricingPolicy, catalog: Catalog, date: dt.date, curves: DemandCurves | None = None) -> Floats:
    """Return what a policy gains on average on one store day under true demand, EUR, shape (n_products,).

    Products without support in the curves that it chooses from are sold at their base price.
    """
    prices = tabulate(policy, catalog, dt.datetime.combine(date, dt.time(), dt.UTC), curves).prices
    ratio = prices.reshape(len(prices), -1) / catalog.base_prices[:, None]
    chance = chance_on(catalog, date, ratio).reshape(prices.shape)
    gains = prices - costs_that_count(catalog)[:, None, None]
    visits = expected_visits_on(catalog, date)
    return np.array(
        [
            value_of_prices(gain, p_sale * coming[::-1])[par, -1]
            for gain, p_sale, coming, par in zip(gains, chance, visits, catalog.par_stock, strict=True)
        ]
    )


def play_all(policies: Mapping[str, PricingPolicy], catalog: Catalog, store_days: int, seed: int) -> dict[str, Tally]:
    """Let every policy meet the same shoppers on `store_days` store days of one date."""
    stores = [f"C{number:05d}" for number in range(store_days)]
    visits = draw_visits(catalog, stores, PLAYED_ON, seed)
    return {
        name: tally(meet(catalog, Storefront(policy), stores, PLAYED_ON, visits), catalog)
        for name, policy in policies.items()
    }


def tally(day: StoreDay, catalog: Catalog) -> Tally:
    """Add up what was played."""
    sold = day.outcome == BOUGHT
    n_stores, n_products = len(day.stores), len(catalog.skus)
    units = np.zeros((n_stores, n_products), dtype=np.int64)
    np.add.at(units, (day.store[sold], day.product[sold]), 1)
    revenue = float(day.price[sold].sum())
    moves = int((np.diff(day.decisions.prices, axis=0) != 0).sum())
    return Tally(
        revenue_eur=revenue,
        gain_eur=revenue - float((units * costs_that_count(catalog)).sum()),
        units=int(units.sum()),
        sell_outs=int((units >= day.stock[0]).sum()),
        lost_sales=int((day.outcome == OUT_OF_STOCK).sum()),
        mean_price_eur=float(day.price.mean()),
        repricings_per_day=moves / n_stores,
    )


def day_gain(catalog: Catalog, policy: Policy, date: dt.date, visits: Visits) -> float:
    """Return what a policy earns from given visits on a date, EUR, all stores together."""
    return tally(meet(catalog, policy, catalog.store.stores, date, visits), catalog).gain_eur


class Clairvoyants:
    """The clairvoyant of each date, worked out once for each state of the world."""

    def __init__(self, catalog: Catalog) -> None:
        """Know a world."""
        self._catalog = catalog
        self._policies: dict[bytes, PricingPolicy] = {}

    def on(self, date: dt.date) -> PricingPolicy:
        """Return the policy that knows the date's demand and expected footfall."""
        catalog = self._catalog
        ratios = price_ladder(catalog) / catalog.base_prices[:, None]
        state = chance_on(catalog, date, ratios).tobytes() + expected_visits_on(catalog, date).tobytes()
        if state not in self._policies:
            self._policies[state] = clairvoyant(catalog, date)
        return self._policies[state]
