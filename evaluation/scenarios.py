"""The worlds that policies are compared in: one store's day from plentiful to scarce, and worlds that are harder."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.load import Catalog
from catalog.records.shoppers import Persona, Shock

PLAYED_ON = dt.date(2026, 6, 1)
_STOCK = 100
_VISITS = (100, 150, 200, 400, 1_000)
_VISITS_TWO_PEAKS = (100, 200, 400, 1_000)
_PEAKS = (
    Persona(name="frugal", share=0.6, mean=0.8, standard_deviation=0.08),
    Persona(name="wealthy", share=0.4, mean=1.35, standard_deviation=0.08),
)
_POPULAR = 5.0


@dataclass(frozen=True)
class Scenario:
    """A world: `visits` are those to each product on a store day, for 100 units of each.

    `demand` names what shoppers are like; scenarios with the same demand can be priced from the same log.
    """

    name: str
    description: str
    demand: str
    visits: int
    catalog: Catalog


def built_in(catalog: Catalog) -> tuple[Scenario, ...]:
    """Return the built-in scenarios on a shelf, each for the date `PLAYED_ON`; shocks of the catalog are left out."""
    crowd = Shock(business_date=PLAYED_ON, starts="14:00", demand_factor=3.0)
    popular = {sku: _POPULAR if sku == catalog.skus[0] else 1.0 for sku in catalog.skus}
    usual = [_scenario(catalog, f"{n} visits", f"{n} visits to each product for 100 units", n) for n in _VISITS]
    two_peaks = [
        _scenario(catalog, f"two peaks, {n} visits", f"frugal and wealthy shoppers, {n} visits", n, two_peaks=True)
        for n in _VISITS_TWO_PEAKS
    ]
    return (
        *usual,
        *two_peaks,
        _scenario(
            catalog, "popular product", f"{catalog.skus[0]} draws five times the visits", 150, {"popularity": popular}
        ),
        _scenario(catalog, "mid-day shock", "from 14:00 three times as many come", 150, {"shocks": (crowd,)}),
    )


def _scenario(
    catalog: Catalog,
    name: str,
    description: str,
    visits: int,
    update: Mapping[str, Any] | None = None,
    *,
    two_peaks: bool = False,
) -> Scenario:
    changed = {"popularity": {}, "shocks": (), "stores": ("S01",)} | dict(update or {})
    if two_peaks:
        changed["personas"] = _PEAKS
    weights = changed["popularity"]
    share = sum(weights.values()) if weights else len(catalog.products)
    products = tuple(product.model_copy(update={"par_stock": _STOCK}) for product in catalog.products)
    store = catalog.store.model_copy(update=changed | {"visits_per_day": float(visits * share)})
    return Scenario(name, description, "two peaks" if two_peaks else "usual", visits, Catalog(products, store))
