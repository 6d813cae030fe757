"""How policies are scored: exactly, by the recursion on true demand, and played, on the same shoppers."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.pricing import Policy, Shelf
from catalog.store_day import OUT_OF_STOCK, StoreDay
from catalog.takings import Takings, takings_of
from evaluation.contestants import clairvoyant
from evaluation.worlds import PLAYED_ON
from serving.curves import DemandCurves
from serving.pricing_policy import Asked, PricingPolicy
from serving.storefront import Storefront
from serving.tabulate import tabulate
from simulation.over_days import OverDays
from simulation.store_day import meet
from simulation.visits import Visits, budget_shifts_on, draw_visits, expected_visits_on, stores_alike
from training.same_shoppers import truly_gained


@dataclass(frozen=True)
class Tally:
    """What some store days brought: money in EUR, units, counts of product days and visits, mean price shown.

    `gain_eur` is what the catalog's objective counts of the takings.
    """

    revenue_eur: float
    gain_eur: float
    units: int
    sell_outs: int
    lost_sales: int
    mean_price_eur: float
    repricings_per_day: float
    takings: Takings


def expected_gain(
    policy: PricingPolicy,
    catalog: Catalog,
    date: dt.date,
    curves: DemandCurves | None = None,
    store: str | None = None,
) -> Floats:
    """Return what a policy gains on average on one store day under true demand, EUR, shape (n_products,).

    Products without support in the curves that it chooses from are sold at their base price. Without a store it is one
    that no demand effect names.
    """
    book = tabulate(policy, catalog, dt.datetime.combine(date, dt.time(), dt.UTC), curves)
    return truly_gained(book.shown(), catalog, date, store)


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
    sold = day.bought()
    n_stores, n_products = len(day.stores), len(catalog.skus)
    units = np.zeros((n_stores, n_products), dtype=np.int64)
    np.add.at(units, (sold.store, sold.product), 1)
    moves = int((np.diff(day.decisions.prices, axis=0) != 0).sum())
    takings = takings_of(day, catalog)
    return Tally(
        revenue_eur=takings.revenue_eur,
        gain_eur=takings.counted(catalog.store.policies.objective),
        units=int(units.sum()),
        sell_outs=int((units >= day.stock[0]).sum()),
        lost_sales=int((day.outcome == OUT_OF_STOCK).sum()),
        mean_price_eur=float(day.price.mean()) if len(day.price) else float(day.decisions.prices.mean()),
        repricings_per_day=moves / n_stores,
        takings=takings,
    )


def day_gain(catalog: Catalog, policy: Policy, date: dt.date, visits: Visits, over_days: OverDays) -> float:
    """Return what a policy earns from given visits on a date, EUR, all stores together.

    `over_days` has what the stores were left with under this policy.
    """
    day = over_days.meet(catalog, policy, catalog.store.stores, date, visits)
    return takings_of(day, catalog).counted(catalog.store.policies.objective)


@dataclass(frozen=True)
class OnePolicyEach:
    """Stores that are priced by policies of their own. Implements `serving.pricing_policy.PricingPolicy`.

    `group` is the position of each store's policy, shape (n_stores,), in the order in which a shelf has the stores.
    """

    policies: tuple[PricingPolicy, ...]
    group: Ints

    @property
    def name(self) -> str:
        """Name of the first policy: all have the same."""
        return self.policies[0].name

    @property
    def model_version(self) -> str | None:
        """The model version behind the first policy."""
        return self.policies[0].model_version

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules of each of them."""
        return self.policies[0].rules

    def ask(self, shelf: Shelf) -> Asked:
        """Ask each store's policy for its own row."""
        answers, rows = [policy.ask(shelf) for policy in self.policies], np.arange(len(self.group))
        each = {one.name: [getattr(own, one.name) for own in answers] for one in fields(Asked)}
        none = np.full(shelf.stock.shape, np.nan)  # of stickers, where a policy sticks none
        told = {name: found for name, found in each.items() if any(own is not None for own in found)}
        return Asked(
            **{
                name: np.stack([none if own is None else own for own in found])[self.group, rows]
                for name, found in told.items()
            }
        )


class Clairvoyants:
    """The clairvoyant of each date, worked out once for each state of the world."""

    def __init__(self, catalog: Catalog) -> None:
        """Know a world."""
        self._catalog = catalog
        self._policies: dict[bytes, PricingPolicy] = {}

    def on(self, date: dt.date) -> PricingPolicy:
        """Return the policy that knows the date's demand and expected footfall."""
        examples, group = stores_alike(self._catalog, self._catalog.store.stores)
        each = tuple(self._of(date, store) for store in examples)
        return each[0] if len(each) == 1 else OnePolicyEach(each, group)

    def _of(self, date: dt.date, store: str) -> PricingPolicy:
        """Return the policy that knows a store's demand on a date."""
        catalog = self._catalog
        state = budget_shifts_on(catalog, date, store).tobytes() + expected_visits_on(catalog, date, store).tobytes()
        if state not in self._policies:
            self._policies[state] = clairvoyant(catalog, date, store)
        return self._policies[state]
