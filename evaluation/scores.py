"""How sellers are scored: exactly, by the recursion on true demand, and played, on the same shoppers."""

import datetime as dt

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.pricing import Policy
from catalog.store_day import StoreDay
from catalog.takings import takings_of
from serving.curves import DemandCurves
from serving.pricing_policy import PricingPolicy
from serving.tabulate import tabulate
from simulation.over_days import OverDays
from simulation.visits import Visits
from training.same_shoppers import truly_gained


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
    return truly_gained(book.of().prices, catalog, date, store)


def gained(day: StoreDay, catalog: Catalog) -> float:
    """Return what a played day earned by the catalog's objective, EUR, all stores together."""
    return takings_of(day, catalog).counted(catalog.store.policies.objective)


def day_gain(catalog: Catalog, policy: Policy, date: dt.date, visits: Visits, over_days: OverDays) -> float:
    """Return what a policy earns from given visits on a date, EUR, all stores together.

    `over_days` has what the stores were left with under this policy.
    """
    return gained(over_days.meet(catalog, policy, catalog.store.stores, date, visits), catalog)
