"""What policies and played days earn, exactly: for tests of policies, curves and worlds."""

import datetime as dt

from catalog.arrays import Floats
from catalog.decisions.store_day import StoreDay
from catalog.load import Catalog
from plugins.evaluation.takings import takings_of
from plugins.evaluation.truth import truly_gained
from serving.book.make import tabulate
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import PricingPolicy


def expected_gain(
    policy: PricingPolicy,
    catalog: Catalog,
    date: dt.date,
    curves: DemandCurves | None = None,
    store: str | None = None,
) -> Floats:
    """Return what a policy gains on average on one store day under true demand, EUR, shape (n_products,)."""
    book = tabulate(policy, catalog, dt.datetime.combine(date, dt.time(), dt.UTC), curves)
    return truly_gained(book.of().prices, catalog, date, store)


def gained(day: StoreDay, catalog: Catalog) -> float:
    """Return what a played day earned by the catalog's objective, EUR, all stores together."""
    return takings_of(day, catalog).counted(catalog.store.policies.objective)
