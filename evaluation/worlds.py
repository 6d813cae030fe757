"""The worlds that sellers are played in, by name. This module imports no learner, so a wrong name is refused at once.

A *scenario* is one store's day, from plentiful to scarce. Whole learners live in the worlds of
`evaluation.learner_worlds`.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from catalog.errors import DataError, did_you_mean
from catalog.load import Catalog
from catalog.records.shoppers import Persona, Shock, Substitution
from catalog.spread import Job

PLAYED_ON = dt.date(2026, 6, 1)
"""The date of every scenario."""

_STOCK = 100
_VISITS = (100, 150, 200, 400, 1_000)
_VISITS_TWO_PEAKS = (100, 200, 400, 1_000)
_PEAKS = (
    Persona(name="frugal", share=0.6, mean=0.8, standard_deviation=0.08),
    Persona(name="wealthy", share=0.4, mean=1.35, standard_deviation=0.08),
)
_POPULAR = 5.0
ONE_STORE = ("S01",)
"""The store of a world that needs no more."""
PLAIN: dict[str, Any] = {"shocks": (), "demand_effects": (), "day_shift": 0.0, "substitution": Substitution()}
"""No change of demand, none that comes and goes, and nobody who takes a substitute."""

_Named = TypeVar("_Named", bound=Job)


@dataclass(frozen=True)
class StoreWorld:
    """A shelf, its stores and their shoppers, with a sentence on what is special about them.

    Attributes
    ----------
    has_context
        Whether demand depends on when and where shoppers come.
    """

    name: str
    description: str
    catalog: Catalog
    has_context: bool = False


def chosen(kind: str, names: Sequence[str], choices: Sequence[_Named]) -> tuple[_Named, ...]:
    """Return choices by their names, in the order asked; no name means all of them.

    Raises
    ------
    DataError
        When a name is unknown.
    """
    by_name = {choice.name: choice for choice in choices}
    refuse_unknown(kind, names, by_name)
    return tuple(by_name[name] for name in dict.fromkeys(names)) if names else tuple(choices)


def refuse_unknown(kind: str, names: Sequence[str], known: Collection[str], undone: str = "played") -> None:
    """Refuse names that are not known.

    Raises
    ------
    DataError
        With the first of them, and the nearest known name.
    """
    between = "; " if any(" " in name for name in known) else ", "
    for name in names:
        if name not in known:
            raise DataError(
                f"expected a {kind} out of {between.join(known)}, found {name!r}; nothing was {undone}"
                f"{did_you_mean(name, known)}"
            )


def filled_each_morning(catalog: Catalog) -> Catalog:
    """Return a catalog whose shelf is simply full at each opening: what is left in the evening does not matter."""
    whole = {"shelf_life_days": None, "deliveries": None, "disposal_cost": 0.0, "holding_cost": 0.0}
    products = tuple(product.model_copy(update=whole) for product in catalog.products)
    return changed(Catalog(products, catalog.store), freshest_share=0.0)


def built_in(catalog: Catalog) -> tuple[StoreWorld, ...]:
    """Return the scenarios on a shelf, each for the date `PLAYED_ON`; its shocks and demand effects are left out.

    The visits of a scenario are those to each product on a store day, for 100 units of each.
    """
    crowd = Shock(business_date=PLAYED_ON, starts="14:00", demand_factor=3.0)
    first = catalog.skus[0]
    popular = {sku: _POPULAR if sku == first else 1.0 for sku in catalog.skus}
    two_peaks: dict[str, Any] = {"personas": _PEAKS}
    return (
        *(_scenario(catalog, f"{n} visits", f"{n} visits to each product for 100 units", n) for n in _VISITS),
        *(
            _scenario(catalog, f"two peaks, {n} visits", f"frugal and wealthy shoppers, {n} visits", n, **two_peaks)
            for n in _VISITS_TWO_PEAKS
        ),
        _scenario(catalog, "popular product", f"{first} draws five times the visits", 150, popularity=popular),
        _scenario(catalog, "mid-day shock", "from 14:00 three times as many come", 150, shocks=(crowd,)),
    )


def _scenario(catalog: Catalog, name: str, description: str, visits: int, **changes: Any) -> StoreWorld:
    share = sum(changes["popularity"].values()) if "popularity" in changes else len(catalog.products)
    usual = PLAIN | {"popularity": {}, "stores": ONE_STORE, "visits_per_day": float(visits * share)}
    shelf = filled_each_morning(catalog)
    products = tuple(product.model_copy(update={"par_stock": _STOCK}) for product in shelf.products)
    return StoreWorld(name, description, Catalog(products, changed(shelf, **usual | changes).store))


def changed(catalog: Catalog, **changes: Any) -> Catalog:
    """Return a catalog with some fields of its store changed."""
    return Catalog(catalog.products, catalog.store.model_copy(update=changes))
