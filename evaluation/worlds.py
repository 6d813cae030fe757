"""The worlds that whole learners are played in, by name: most of them break an assumption of the planner.

The planner prices each product by its own curve of two parameters, takes footfall to be Poisson around the usual
profile, and every visit to be another shopper's. A learner that does well where each of these is wrong is robust; one
that does well where they hold shows only that examiner and planner agree. All worlds have one store, and begin on the
first business date of a new lake. This module imports no learner, so that a wrong name is refused at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog.errors import DataError
from catalog.load import DEFAULT_DIR, Catalog, load
from catalog.near import did_you_mean
from catalog.records.pricing_rules import Learning
from catalog.records.shoppers import Persona
from evaluation.scenarios import built_in

_SHIPPED = {
    "own curves": "the shoppers of each product are others: five demand curves of different level and shape",
    "uneven days": "visits vary by 30 % from day to day, and with the weekday",
    "waiting shoppers": "a tenth of the shoppers come back later when the price is too high, and buy if it has fallen",
    "three segments": "three narrow segments of shoppers, at 0.8, 1.1 and 1.45 of the base price",
    "wide prices": "base prices from 0.19 to 499 EUR",
    "small shelves": "ten products of which 3 to 20 units are on the shelf",
    "rich and poor": "half of the shoppers pay about 0.65 of the base price, half about 1.5",
    "fall in visits": "from the 20th day, a quarter fewer shoppers come",
    "fall in budgets": "from the 20th day, all budgets are a quarter of the base price lower",
}
"""Worlds that ship as a catalog of their own, each in a folder of `catalog/worlds` of that name."""
_ONE_STORE = ("S01",)
_NARROW = Persona(name="everyone", share=1.0, mean=1.0, standard_deviation=0.08)
_NARROW_VISITS = 300.0  # to each product, for 100 units of it


@dataclass(frozen=True)
class World:
    """A shelf, a store and its shoppers, with a sentence on what is special about them."""

    name: str
    description: str
    catalog: Catalog


def as_shipped_worlds(catalog: Catalog | None = None) -> tuple[World, ...]:
    """Return every world: those made of a shelf, by default the one that ships, then those with one of their own."""
    learning = load().store.learning  # of the product, which is what is measured
    return (*_on_a_shelf(catalog or load()), *(_shipped(name, learning) for name in _SHIPPED))


def asked_worlds(names: Sequence[str], catalog: Catalog | None = None) -> tuple[World, ...]:
    """Return worlds by their names, in the order asked; no name means all of them.

    Raises
    ------
    DataError
        When a world is unknown.
    """
    known = {world.name: world for world in as_shipped_worlds(catalog)}
    for name in names:
        if name not in known:
            raise DataError(
                f"expected a world out of {'; '.join(known)}, found {name!r}; nothing was played"
                f"{did_you_mean(name, known)}"
            )
    return tuple(known[name] for name in dict.fromkeys(names)) if names else tuple(known.values())


def _on_a_shelf(catalog: Catalog) -> tuple[World, ...]:
    """Return the worlds of plain shoppers; shocks of the catalog are left out."""
    scenarios = {scenario.name: scenario for scenario in built_in(catalog)}
    scarce, scarcer, peaks = (scenarios[name] for name in ("200 visits", "400 visits", "two peaks, 200 visits"))
    narrow = {"personas": (_NARROW,), "visits_per_day": _NARROW_VISITS * len(catalog.products)}
    return (
        World("default", "the shelf and its shoppers as configured, one store", _changed(catalog)),
        World(scarce.name, scarce.description, scarce.catalog),
        World(scarcer.name, scarcer.description, scarcer.catalog),
        World("two peaks", peaks.description, peaks.catalog),
        World("narrow budgets", "all shoppers pay nearly the same", _changed(scarce.catalog, **narrow)),
    )


def _changed(catalog: Catalog, **changes: Any) -> Catalog:
    changed = {"stores": _ONE_STORE, "shocks": ()} | changes
    return Catalog(catalog.products, catalog.store.model_copy(update=changed))


def _shipped(name: str, learning: Learning) -> World:
    catalog = load(DEFAULT_DIR / "worlds" / name.replace(" ", "_"))
    store = catalog.store.model_copy(update={"learning": learning})
    return World(name, _SHIPPED[name], Catalog(catalog.products, store))
