"""The worlds that sellers are played in, by name. This module imports no learner, so a wrong name is refused at once.

Policies are compared in *scenarios*: one store's day from plentiful to scarce, and days that are harder. Whole learners
live in *worlds*, most of which break an assumption of the planner. The planner prices each product by its own curve of
two parameters, takes footfall to be Poisson around the usual profile, and every visit to be another shopper's. A
learner that does well where each of these is wrong is robust; one that does well where they hold shows only that
examiner and planner agree. The scorecard of drift plays *shocks*: a store that sells well, and what happens to its
shoppers then.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from catalog.errors import DataError, did_you_mean
from catalog.load import DEFAULT_DIR, Catalog, load
from catalog.records.pricing_rules import Learning
from catalog.records.shoppers import Persona, Shock
from catalog.spread import Job

POLICIES = ("static", "rule", "prototype", "greedy", "stock_aware")
"""What can be compared. `prototype` is the textbook way: balanced classes, raw price, greedy."""
DECISIONS = (500, 2_000, 20_000)
"""Sizes of the logs to learn from."""
PLAYED_ON = dt.date(2026, 6, 1)
"""The date of every scenario."""
FIRST_SHOCKED_DAY = dt.date(2026, 1, 5)
EXPLORE_DAYS = 7

_STOCK = 100
_VISITS = (100, 150, 200, 400, 1_000)
_VISITS_TWO_PEAKS = (100, 200, 400, 1_000)
_PEAKS = (
    Persona(name="frugal", share=0.6, mean=0.8, standard_deviation=0.08),
    Persona(name="wealthy", share=0.4, mean=1.35, standard_deviation=0.08),
)
_POPULAR = 5.0
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
_PLAIN: dict[str, Any] = {"shocks": (), "demand_effects": (), "day_shift": 0.0}
"""No change of demand, and none that comes and goes."""
_NARROW = Persona(name="everyone", share=1.0, mean=1.0, standard_deviation=0.08)
_NARROW_VISITS = 300.0  # to each product, for 100 units of it
_QUIET_DAYS = 60
_SCARCE = 4.0  # times the visits, for the same stock
_CHANGES_AFTER = 14  # days: a week of trying and a week priced by the champion
_DAYS_AFTER = 21
_SLIDE_DAYS = 14
_FAR = dt.date(2099, 12, 31)

_Named = TypeVar("_Named", bound=Job)


@dataclass(frozen=True)
class StoreWorld:
    """A shelf, its stores and their shoppers, with a sentence on what is special about them.

    Attributes
    ----------
    days
        How many days are played where the world is scripted, the days of trying prices included; 0 is as asked.
    changes
        Dates on which demand changes; an alarm on any day before the first, or where there is none, is false.
    demand
        What shoppers are like; scenarios with the same demand can be priced from the same log.
    """

    name: str
    description: str
    catalog: Catalog
    days: int = 0
    changes: tuple[dt.date, ...] = ()
    demand: str = "usual"

    @property
    def dates(self) -> list[dt.date]:
        """The business dates of a scripted world."""
        return [FIRST_SHOCKED_DAY + dt.timedelta(days=day) for day in range(self.days)]


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


def asked_comparison(
    catalog: Catalog, policies: Sequence[str], scenarios: Sequence[str]
) -> tuple[tuple[str, ...], tuple[StoreWorld, ...]]:
    """Return the policies and scenarios of a comparison by their names; no scenario means all of them.

    Raises
    ------
    DataError
        When a policy or scenario is unknown.
    """
    refuse_unknown("policy", policies, POLICIES, "compared")
    return tuple(policies), chosen("scenario", scenarios, built_in(catalog))


def asked_worlds(names: Sequence[str], catalog: Catalog | None = None) -> tuple[StoreWorld, ...]:
    """Return worlds by their names, in the order asked; no name means all of them.

    Raises
    ------
    DataError
        When a world is unknown.
    """
    return chosen("world", names, as_shipped_worlds(catalog))


def asked_shocks(catalog: Catalog, names: Sequence[str]) -> tuple[StoreWorld, ...]:
    """Return scripted worlds by their names; no name means all of them.

    Raises
    ------
    DataError
        When a scenario is unknown.
    """
    return chosen("scenario", names, shocked_worlds(catalog))


def built_in(catalog: Catalog) -> tuple[StoreWorld, ...]:
    """Return the scenarios on a shelf, each for the date `PLAYED_ON`; its shocks and demand effects are left out.

    The visits of a scenario are those to each product on a store day, for 100 units of each.
    """
    crowd = Shock(business_date=PLAYED_ON, starts="14:00", demand_factor=3.0)
    first = catalog.skus[0]
    popular = {sku: _POPULAR if sku == first else 1.0 for sku in catalog.skus}
    two_peaks: dict[str, Any] = {"demand": "two peaks", "personas": _PEAKS}
    return (
        *(_scenario(catalog, f"{n} visits", f"{n} visits to each product for 100 units", n) for n in _VISITS),
        *(
            _scenario(catalog, f"two peaks, {n} visits", f"frugal and wealthy shoppers, {n} visits", n, **two_peaks)
            for n in _VISITS_TWO_PEAKS
        ),
        _scenario(catalog, "popular product", f"{first} draws five times the visits", 150, popularity=popular),
        _scenario(catalog, "mid-day shock", "from 14:00 three times as many come", 150, shocks=(crowd,)),
    )


def as_shipped_worlds(catalog: Catalog | None = None) -> tuple[StoreWorld, ...]:
    """Return every world: those made of a shelf, by default the one that ships, then those with one of their own.

    All have one store, and begin on the first business date of a new lake.
    """
    learning = load().store.learning  # of the product, which is what is measured
    return (*_on_a_shelf(catalog or load()), *(_shipped(name, learning) for name in _SHIPPED))


def shocked_worlds(catalog: Catalog) -> tuple[StoreWorld, ...]:
    """Return the scripted worlds on a catalog's own shelf and stores; its shocks and demand effects are left out."""
    change = FIRST_SHOCKED_DAY + dt.timedelta(days=_CHANGES_AFTER)
    second = change + dt.timedelta(days=_DAYS_AFTER)
    product = catalog.skus[0]

    def world(
        name: str, description: str, shocks: tuple[Shock, ...], *changes: dt.date, days: int = 0, busy: float = 1.0
    ) -> StoreWorld:
        changed = _changed(catalog, **_PLAIN | {"shocks": shocks}, visits_per_day=busy * catalog.store.visits_per_day)
        played = days or _CHANGES_AFTER + _DAYS_AFTER * max(1, len(changes))
        return StoreWorld(name, description, changed, played, changes)

    less, more = _lasting(change, budget_shift=-0.2), _lasting(change, budget_shift=0.2)
    one = less.model_copy(update={"sku": product})
    slide = tuple(
        _lasting(change + dt.timedelta(days=day), budget_shift=-0.25 / _SLIDE_DAYS) for day in range(_SLIDE_DAYS)
    )
    back = _lasting(second, budget_shift=0.3)
    missed = Shock(business_date=change, through=change + dt.timedelta(days=2), delivered_share=0.2)
    quiet = EXPLORE_DAYS + _QUIET_DAYS
    return (
        world("quiet", "nothing happens for 60 days", (), days=quiet),
        world("quiet and scarce", "the same with four times the visits", (), days=quiet, busy=_SCARCE),
        world("budgets fall", "everyone's budget falls by 20 % of the base price", (less,), change),
        world("budgets rise", "everyone's budget rises by 20 % of the base price", (more,), change),
        world("one product", f"budgets for {product} alone fall by 20 %", (one,), change),
        world("slow slide", f"budgets fall by 25 % over {_SLIDE_DAYS} days", slide, change),
        world("second change", "budgets fall by 20 %, three weeks later rise by 30 %", (less, back), change, second),
        world("doubled footfall", "twice as many come", (_lasting(change, demand_factor=2.0),)),
        world("missed delivery", "for three days a fifth is delivered", (missed,)),
    )


def _scenario(
    catalog: Catalog, name: str, description: str, visits: int, demand: str = "usual", **changes: Any
) -> StoreWorld:
    share = sum(changes["popularity"].values()) if "popularity" in changes else len(catalog.products)
    usual = _PLAIN | {"popularity": {}, "stores": _ONE_STORE, "visits_per_day": float(visits * share)}
    products = tuple(product.model_copy(update={"par_stock": _STOCK}) for product in catalog.products)
    return StoreWorld(name, description, Catalog(products, _changed(catalog, **usual | changes).store), demand=demand)


def _on_a_shelf(catalog: Catalog) -> tuple[StoreWorld, ...]:
    """Return the worlds of plain shoppers; shocks and demand effects of the catalog are left out."""
    scenarios = {scenario.name: scenario for scenario in built_in(catalog)}
    scarce, scarcer, peaks = (scenarios[name] for name in ("200 visits", "400 visits", "two peaks, 200 visits"))
    usual = _PLAIN | {"stores": _ONE_STORE}
    narrow = usual | {"personas": (_NARROW,), "visits_per_day": _NARROW_VISITS * len(catalog.products)}
    return (
        StoreWorld("default", "the shelf and its shoppers as configured, one store", _changed(catalog, **usual)),
        scarce,
        scarcer,
        replace(peaks, name="two peaks"),
        StoreWorld("narrow budgets", "all shoppers pay nearly the same", _changed(scarce.catalog, **narrow)),
    )


def _shipped(name: str, learning: Learning) -> StoreWorld:
    catalog = load(DEFAULT_DIR / "worlds" / name.replace(" ", "_"))
    return StoreWorld(name, _SHIPPED[name], _changed(catalog, learning=learning))


def _changed(catalog: Catalog, **changes: Any) -> Catalog:
    return Catalog(catalog.products, catalog.store.model_copy(update=changes))


def _lasting(since: dt.date, *, budget_shift: float = 0.0, demand_factor: float = 1.0) -> Shock:
    return Shock(business_date=since, through=_FAR, budget_shift=budget_shift, demand_factor=demand_factor)
