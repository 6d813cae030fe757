"""The worlds in which whole learners live, by name. This module imports no learner, so a wrong name is refused at once.

Most break an assumption of the planner. It prices each product by its own smooth curve, takes footfall to be Poisson
around the usual profile, and every visit to be another shopper's. A learner that does well where each of these is wrong
is robust; one that does well where they hold shows only that examiner and planner agree. In the first group demand does
not depend on when and where shoppers come; in the second, *with context*, it does, and a learner may find out on what.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import numpy as np
from scipy.special import ndtri

from catalog.errors import DataError, did_you_mean
from catalog.load import CLASSIC, DEFAULT_DIR, Catalog, load
from catalog.records.pricing import Learning
from catalog.records.product import Product
from catalog.records.shoppers import DemandEffect, Persona, Shock, Substitution, WeatherSettings
from etl.calendar import DEFAULT_START

ONE_STORE = ("S01",)
"""The store of a world that needs no more."""
PLAIN: dict[str, Any] = {"shocks": (), "demand_effects": (), "day_shift": 0.0, "substitution": Substitution()}
"""No change of demand, none that comes and goes, and nobody who takes a substitute."""
_STOCK = 100
_PEAKS = (
    Persona(name="frugal", share=0.6, mean=0.8, standard_deviation=0.08),
    Persona(name="wealthy", share=0.4, mean=1.35, standard_deviation=0.08),
)
_SHIPPED = {
    "own curves": "the shoppers of each product are others: five demand curves of different level and shape",
    "uneven days": "visits vary by 30 % from day to day, and with the weekday",
    "waiting shoppers": "a tenth of the shoppers come back later when the price is too high, and buy if it has fallen",
    "three segments": "three narrow segments of shoppers, at 0.8, 1.1 and 1.45 of the base price",
    "wide prices": "base prices from 0.19 to 499 EUR",
    "small shelves": "ten products of which 3 to 20 units are on the shelf",
    "rich and poor": "half of the shoppers pay about 0.65 of the base price, half about 1.5",
    "substitutes": "who finds one of three milks too dear or sold out may take another; profit counts",
    "fall in visits": "from the 20th day, a quarter fewer shoppers come",
    "fall in budgets": "from the 20th day, all budgets are a quarter of the base price lower",
}
"""Worlds that ship as a catalog of their own, each in a folder of `catalog/worlds` of that name."""
_FRESH = "the shelf that ships: units keep for 1 to 30 days, are delivered by weekday, and waste costs; profit counts"
_NARROW = Persona(name="everyone", share=1.0, mean=1.0, standard_deviation=0.08)
_NARROW_VISITS = 300.0  # to each product, for 100 units of it
_SIX_STORES = ("S01", "S02", "S03", "S04", "S05", "S06")
_DEVIATION = 0.25  # of the budget multiplier, as on the shelf of `classic`
_BEST_AT_BASE = 1.2764  # mean multiplier with which price x chance of sale is highest at the base price

_OWN_PEAKS = ((0.7, 1.2, 0.3), (0.8, 1.45, 0.55), (0.9, 1.3, 0.25), (0.75, 1.5, 0.65), (0.85, 1.25, 0.35))
"""For each product by turns: mean of the frugal, mean of the wealthy, share of the frugal."""
_POPULAR_SHARE = 0.87
_FORTY = 40
_CURVES: tuple[tuple[tuple[float, float, float], ...], ...] = (
    ((1.0, 0.8, 0.25),),
    ((1.0, 1.0, 0.25),),
    ((1.0, 1.2, 0.25),),
    ((0.5, 0.75, 0.1), (0.5, 1.3, 0.1)),
    ((0.3, 0.8, 0.15), (0.7, 1.5, 0.15)),
    ((1.0, 1.1, 0.08),),
    ((1.0, 0.9, 0.45),),
)
"""Seven kinds of curve: of each kind of shopper the share, and the mean and deviation of the budget multiplier."""
_FOR_GOOD = dt.date(2099, 12, 31)
_KINDS_PRODUCTS, _KINDS_VISITS, _KINDS_SEED = 200, 20.0, 46
_CATEGORIES, _TIERS = 10, ("value", "standard", "premium")
_LEVEL, _SLOPE = 1.2, 5.0  # log odds at the base price, and their fall by price ratio
_OF_KINDS, _OF_ONE = 0.6, 0.3  # spreads around these: of a kind, and of a product of it
_PROBIT = 1.702  # a normal deviation is like so many logistic ones
_LAUNCHED_EVERY, _LAUNCHED_ON, _HARDLY_ANY = 7, 8, 1e-6
_CHAIN_STORES = 30
_TAGS = tuple((place, size) for place in ("city", "campus", "village") for size in ("small", "large"))
_SHIFTS_OF_KINDS = (0.05, -0.05, -0.25, -0.15, 0.15, 0.25)
"""Of budgets in the stores with each pair of tags."""


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


def asked_worlds(names: Sequence[str], catalog: Catalog | None = None) -> tuple[StoreWorld, ...]:
    """Return worlds by their names, in the order asked; no name means all of them.

    Raises
    ------
    DataError
        When a world is unknown.
    """
    worlds = {world.name: world for world in as_shipped_worlds(catalog)}
    for name in names:
        if name not in worlds:
            raise DataError(
                f"expected a world out of {'; '.join(worlds)}, found {name!r}; nothing was played"
                f"{did_you_mean(name, worlds)}"
            )
    return tuple(worlds[name] for name in dict.fromkeys(names)) if names else tuple(worlds.values())


def as_shipped_worlds(catalog: Catalog | None = None) -> tuple[StoreWorld, ...]:
    """Return every world: first those without context, then those with it.

    They are made of a shelf, by default that of `classic`, or have one of their own. All begin on the first business
    date of a new lake, and have one store unless stores differ.
    """
    learning = load().store.learning  # of the product, which is what is measured
    shipped = [_shipped(name, learning) for name in _SHIPPED]
    fresh = StoreWorld("fresh", _FRESH, changed(load(), **PLAIN, stores=ONE_STORE))
    shelf = changed(filled_each_morning(catalog or load(CLASSIC)), **PLAIN, stores=ONE_STORE)
    harder = _harder(shelf, {world.name: world.catalog for world in shipped})
    without = (*_on_a_shelf(shelf), fresh, *shipped, *harder)
    return (*without, *(replace(world, has_context=True) for world in _with_context(shelf)))


def _on_a_shelf(catalog: Catalog) -> tuple[StoreWorld, ...]:
    """Return the worlds of plain shoppers."""
    scarce, scarcer = (_scenario(catalog, f"{visits} visits", visits) for visits in (200, 400))
    narrow: dict[str, Any] = {"personas": (_NARROW,), "visits_per_day": _NARROW_VISITS * len(catalog.products)}
    return (
        StoreWorld("classic", "plain shoppers, and a shelf that is simply full each morning", catalog),
        scarce,
        scarcer,
        _scenario(catalog, "two peaks", 200, personas=_PEAKS),
        StoreWorld("narrow budgets", "all shoppers pay nearly the same", changed(scarce.catalog, **narrow)),
    )


def _harder(shelf: Catalog, shipped: dict[str, Catalog]) -> Iterable[StoreWorld]:
    """Yield worlds whose demand is far from what a planner expects, or leaves it nothing to gain."""
    own_curves, small = shipped["own curves"], shipped["small shelves"]
    rest = (1 - _POPULAR_SHARE) / (len(own_curves.skus) - 1)
    popularity = {sku: _POPULAR_SHARE if sku == own_curves.skus[0] else rest for sku in own_curves.skus}
    popular = changed(own_curves, popularity=popularity, visits_per_day=500.0)
    yield StoreWorld("popular product", "87 % of the visits are to one product, and each has its own curve", popular)
    sparse = changed(own_curves, popularity={}, visits_per_day=80.0 * len(own_curves.skus))
    peaks = changed(shelf, popularity={}, visits_per_day=200.0 * len(shelf.skus))
    peaks = _with_personas(peaks, [_two_kinds(*peak, 0.07) for peak in _OWN_PEAKS])
    yield StoreWorld("own peaks", "each product has frugal and wealthy shoppers of its own", peaks)
    yield StoreWorld("own curves, 80 visits", "the same shoppers as of own curves, 80 a day to each product", sparse)
    cliffs = changed(shelf, personas=_two_kinds(0.85, 1.3, 0.45, 0.01))
    yield StoreWorld("cliffs", "all budgets are within 2 % of 0.85 or of 1.3 of the base price", cliffs)
    few = tuple(product.model_copy(update={"par_stock": 2 + place % 3}) for place, product in enumerate(small.products))
    few_units = changed(Catalog(few, small.store), popularity={}, visits_per_day=150.0)
    yield StoreWorld("two to four units", "ten products of which 2 to 4 units are on the shelf", few_units)
    wide = changed(_scenario(shelf, "", 200).catalog, personas=_two_kinds(0.75, 1.45, 0.5, 0.1))
    wide = Catalog(tuple(_from_half_to_twice(product) for product in wide.products), wide.store)
    yield StoreWorld("wide two kinds", "prices from half to twice the base, and two kinds of shoppers", wide)
    yield StoreWorld(
        "forty products", "forty products of seven kinds of curve, 100 visits a day to each", _forty(shelf)
    )
    kinds = _kinds(shelf)
    yield StoreWorld("kinds", "200 products; category and tier decide most of how each sells; 20 visits a day", kinds)
    unknown = [
        Shock(business_date=DEFAULT_START, through=_on_day(_LAUNCHED_ON - 1), sku=sku, demand_factor=_HARDLY_ANY)
        for sku in kinds.skus[::_LAUNCHED_EVERY]
    ]
    launches = changed(kinds, shocks=tuple(unknown))
    yield StoreWorld("launches", "the products of kinds, of which nobody comes to every seventh until day 8", launches)
    first = shelf.skus[0]
    doubled = Shock(business_date=_on_day(15), through=_FOR_GOOD, sku=first, demand_factor=2.0)
    doubles = changed(shelf, shocks=(doubled,))
    yield StoreWorld("doubled visits", "from the 15th day, twice as many shoppers come to one product", doubles)
    for visits in (400, 60):
        best = changed(shelf, personas=_one_kind(_BEST_AT_BASE), popularity={}, visits_per_day=float(visits))
        name = f"best base prices, {visits} visits"
        yield StoreWorld(name, f"base prices are the best there are; {visits} visits a day to all products", best)
    for share in (15, 30, 70, 97):
        bought = changed(shelf, personas=_one_kind(1 + _DEVIATION * float(ndtri(share / 100))))
        yield StoreWorld(f"bought by {share} %", f"{share} % of the shoppers pay the base price", bought)


def _with_context(shelf: Catalog) -> Iterable[StoreWorld]:
    """Yield worlds whose demand depends on when and where shoppers come."""
    first = next(iter(shelf.products)).category
    react = tuple(product.sku for product in shelf.products if product.category == first)
    others = tuple(product.sku for product in shelf.products if product.category != first)
    stores = tuple(f"S{number:02d}" for number in range(1, _CHAIN_STORES + 1))

    def world(name: str, description: str, *effects: DemandEffect, **changes: Any) -> StoreWorld:
        return StoreWorld(name, description, changed(shelf, demand_effects=effects, **changes))

    yield world(
        "rich weekends",
        "on Saturdays and Sundays budgets are 0.25 of the base price higher, and 30 % more come",
        DemandEffect(weekdays=("sat", "sun"), budget_shift=0.25, demand_factor=1.3),
    )
    yield world(
        "poor evenings",
        "until 12:00 budgets are 0.2 of the base price higher, from 16:00 on 0.2 lower",
        DemandEffect(ends="12:00", budget_shift=0.2),
        DemandEffect(starts="16:00", budget_shift=-0.2),
    )
    yield world(
        "rich Wednesdays",
        "on Wednesdays budgets are 0.2 of the base price higher",
        DemandEffect(weekdays=("wed",), budget_shift=0.2),
    )
    poor = [Shock(business_date=_on_day(day), through=_on_day(day + 6), budget_shift=-0.2) for day in range(8, 100, 21)]
    yield world("poor weeks", "in every third week, from the second on, budgets are 0.2 lower", shocks=tuple(poor))
    falls = [Shock(business_date=_on_day(day), through=_FOR_GOOD, budget_shift=-0.01) for day in range(2, 32)]
    yield world("slow fall", "budgets fall by 0.01 of the base price a day for thirty days", shocks=tuple(falls))
    yield world("shifting days", "all budgets of a day are up to 0.2 of the base price higher or lower", day_shift=0.2)
    yield world(
        "rich and poor stores",
        "in three stores budgets are 0.25 of the base price higher, in three 0.25 lower",
        DemandEffect(stores=_SIX_STORES[:3], budget_shift=0.25),
        DemandEffect(stores=_SIX_STORES[3:], budget_shift=-0.25),
        stores=_SIX_STORES,
    )
    yield world(
        "new stores",
        "24 stores of six kinds, by their tags: budgets are up to 0.25 higher or lower; six more open on day 8",
        *(DemandEffect(stores=stores[kind::6], budget_shift=shift) for kind, shift in enumerate(_SHIFTS_OF_KINDS)),
        DemandEffect(stores=stores[-6:], before=_on_day(_LAUNCHED_ON), demand_factor=0.0),
        stores=stores,
        tags={store: _TAGS[place % 6] for place, store in enumerate(stores)},
        visits_per_day=_KINDS_VISITS * len(shelf.skus),
        popularity={},
    )
    yield world(
        "holidays",
        "on public holidays, about every tenth day, budgets are 0.3 higher, on the day before 0.15, and more come",
        DemandEffect(holidays=True, budget_shift=0.3, demand_factor=1.3),
        DemandEffect(day_before_holiday=True, budget_shift=0.15, demand_factor=1.5),
        country="NP",
    )
    yield world(
        "pay days",
        "for five days from the 15th on budgets are 0.25 higher, and from the 22nd day after it on 0.2 lower",
        DemandEffect(days_since_pay_day=(0, 4), budget_shift=0.25, demand_factor=1.2),
        DemandEffect(days_since_pay_day=(22, 30), budget_shift=-0.2),
        pay_day=15,
    )
    yield world(
        "hot days",
        "above 28 degrees budgets for one category are 0.3 higher and half as many again come to it; others 0.15 lower",
        DemandEffect(above_temperature=28.0, skus=react, budget_shift=0.3, demand_factor=1.5),
        DemandEffect(above_temperature=28.0, skus=others, budget_shift=-0.15),
        weather=WeatherSettings(mean=23.0, swing=5.0, warmest_day=15, day_variation=4.0),
    )


def _on_day(number: int) -> dt.date:
    """Return the date of a day of these worlds, the first is 1."""
    return DEFAULT_START + dt.timedelta(days=number - 1)


def _from_half_to_twice(product: Product) -> Product:
    """Return a product whose prices reach from half to twice its base price, at a cost that allows them."""
    floor, ceiling = (round(product.base_price * factor, 2) for factor in (0.5, 2.0))
    prices = {"floor_price": floor, "ceiling_price": ceiling, "unit_cost": min(product.unit_cost, floor)}
    return Product.model_validate(product.model_dump() | prices)


def _forty(shelf: Catalog) -> Catalog:
    """Return forty products of a shelf, by turns, with 100 visits a day to each for 100 units."""
    stocked = _scenario(shelf, "", 100).catalog
    products = tuple(
        product.model_copy(update={"sku": f"P{place:02d}", "name": f"{product.name} {place:02d}"})
        for place, product in zip(range(_FORTY), cycle(stocked.products), strict=False)
    )
    many = changed(Catalog(products, stocked.store), visits_per_day=100.0 * _FORTY)
    kinds = [
        tuple(
            Persona(name=f"kind {place}", share=share, mean=mean, standard_deviation=deviation)
            for place, (share, mean, deviation) in enumerate(curve)
        )
        for curve in _CURVES
    ]
    return _with_personas(many, kinds)


def _kinds(shelf: Catalog) -> Catalog:
    """Return 200 products of ten categories and three tiers, which decide most of the level and slope of demand.

    Log odds of a sale at the base price and the logarithm of their slope are sums of normal effects of the category, of
    the tier and of the product itself.
    """
    draws = np.random.default_rng(_KINDS_SEED)
    shape = (_CATEGORIES, len(_TIERS), -(-_KINDS_PRODUCTS // (_CATEGORIES * len(_TIERS))), 2)
    by_kind = 0.8 * draws.normal(size=(_CATEGORIES, 1, 1, 2)) + 0.6 * draws.normal(size=(1, len(_TIERS), 1, 2))
    level, slope = np.moveaxis((_OF_KINDS * by_kind + _OF_ONE * draws.normal(size=shape)) * (1.0, 0.7), -1, 0)
    slope, level = _SLOPE * np.exp(slope), _LEVEL + level
    some = next(iter(shelf.products))
    products = []
    for place in range(_KINDS_PRODUCTS):
        cell = place % _CATEGORIES, place // _CATEGORIES % len(_TIERS), place // (_CATEGORIES * len(_TIERS))
        buyer = Persona(
            name="everyone",
            share=1.0,
            mean=round(float(1 + level[cell] / slope[cell]), 3),
            standard_deviation=round(float(_PROBIT / slope[cell]), 3),
        )
        changes = {"category": f"category {cell[0] + 1}", "tier": _TIERS[cell[1]], "personas": (buyer,)}
        names = {"sku": f"K{place:03d}", "name": f"{_TIERS[cell[1]]} {place:03d}", "par_stock": _STOCK}
        products.append(some.model_copy(update=changes | names))
    return changed(Catalog(tuple(products), shelf.store), popularity={}, visits_per_day=_KINDS_VISITS * _KINDS_PRODUCTS)


def _one_kind(mean: float) -> tuple[Persona, ...]:
    return (Persona(name="everyone", share=1.0, mean=mean, standard_deviation=_DEVIATION),)


def _two_kinds(frugal: float, wealthy: float, share: float, deviation: float) -> tuple[Persona, ...]:
    return (
        Persona(name="frugal", share=share, mean=frugal, standard_deviation=deviation),
        Persona(name="wealthy", share=1 - share, mean=wealthy, standard_deviation=deviation),
    )


def _with_personas(catalog: Catalog, personas: Sequence[tuple[Persona, ...]]) -> Catalog:
    """Return a catalog whose products have shoppers of their own, by turns."""
    both = zip(catalog.products, cycle(personas), strict=False)
    return Catalog(
        tuple(product.model_copy(update={"personas": kinds}) for product, kinds in both),
        catalog.store,
    )


def _shipped(name: str, learning: Learning) -> StoreWorld:
    catalog = load(DEFAULT_DIR / "worlds" / name.replace(" ", "_"))
    return StoreWorld(name, _SHIPPED[name], changed(catalog, learning=learning))


def filled_each_morning(catalog: Catalog) -> Catalog:
    """Return a catalog whose shelf is simply full at each opening: what is left in the evening does not matter."""
    whole = {"shelf_life_days": None, "deliveries": None, "disposal_cost": 0.0, "holding_cost": 0.0}
    products = tuple(product.model_copy(update=whole) for product in catalog.products)
    return changed(Catalog(products, catalog.store), freshest_share=0.0)


def _scenario(catalog: Catalog, name: str, visits: int, **changes: Any) -> StoreWorld:
    """Return a store with so many visits to each product on a store day, for 100 units of it."""
    usual = PLAIN | {"popularity": {}, "stores": ONE_STORE, "visits_per_day": float(visits * len(catalog.products))}
    shelf = filled_each_morning(catalog)
    products = tuple(product.model_copy(update={"par_stock": _STOCK}) for product in shelf.products)
    described = f"{visits} visits to each product for {_STOCK} units"
    return StoreWorld(name, described, Catalog(products, changed(shelf, **usual | changes).store))


def changed(catalog: Catalog, **changes: Any) -> Catalog:
    """Return a catalog with some fields of its store changed."""
    return Catalog(catalog.products, catalog.store.model_copy(update=changes))
