"""The scenarios: how a retailer sets prices, and what else moves demand on the same days.

Each plants one way in which prices and demand can belong together. A promotion's own effect beside the price is never
part of the response to the price.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags
from evaluation.planted.causes import (
    FRIDAY,
    LEVELS,
    THURSDAY,
    chain_weeks_at_random,
    held,
    levels_by_week,
    regular_prices,
    walks,
    weekdays_of,
    weeks_at_random,
    weeks_of,
)
from evaluation.planted.planted_world import DAYS_A_WEEK, GRAINS, Causes, Size
from own_data.exports.columns import Grain

Kind = Literal["randomised", "drifting", "confounded", "zero effect"]
"""What a scenario asks: is the truth found; is it told from drift; is a false one refused; is nothing found."""
_Rng = np.random.Generator
Plant = Callable[[Size, _Rng], Causes]
_Logs = NDArray[np.floating[Any]]
_BUSY = 0.3  # standard deviation of the log of demand
_PRICE_NOISE = 0.03  # standard deviation of the log price
_OFFER, _LEAFLET_SHARE, _LEAFLET_DEMAND = math.log(0.75), 0.15, math.log(1.6)
_LOW_PRICE, _LOW_SHARE, _LEAFLET_BESIDE_LOW = math.log(0.85), 0.5, 0.3
_PRICE_WALK, _DEMAND_WALK, _CHANGE_EVERY = 0.006, 0.012, 28  # logs a day, and days


@dataclass(frozen=True)
class PlantedScenario:
    """One way in which a log comes about.

    Attributes
    ----------
    plant
        Draws the causes.
    stores
        How many stores it has, whatever is asked; None for as many as asked.
    grains
        The grains that can show it.
    """

    name: str
    kind: Kind
    description: str
    plant: Plant
    stores: int | None = None
    grains: tuple[Grain, ...] = GRAINS


def _one_price(log_price: _Logs, shift: _Logs | float = 0.0, promotion: Flags | None = None) -> Causes:
    return Causes(np.asarray(log_price, dtype=np.float64)[..., None], np.asarray(shift, dtype=np.float64), promotion)


def _by_store_day(size: Size, rng: _Rng) -> Causes:
    return _one_price(rng.choice(LEVELS, size.shape))


def _by_visit(size: Size, rng: _Rng) -> Causes:
    del rng  # nothing but the visits is random
    return Causes(np.broadcast_to(LEVELS, (*size.shape, len(LEVELS))), np.zeros(1))


def _by_store_week(size: Size, rng: _Rng) -> Causes:
    return _one_price(levels_by_week(size, rng))


def _national(size: Size, rng: _Rng) -> Causes:
    """Draw one price for all stores every four weeks; demand follows a season and drifts, the same in all stores."""
    chain = Size(1, size.days, size.products)
    price = held(rng.uniform(-0.15, 0.15, chain.shape), chain, rng, _CHANGE_EVERY)
    season = 0.3 * np.sin(2 * np.pi * np.arange(size.days)[:, None] / 364 + rng.uniform(0, 2 * np.pi, size.products))
    return _one_price(np.broadcast_to(price, size.shape), season + walks(chain, rng, _DEMAND_WALK))


def _busy(size: Size, rng: _Rng, follow: float, *, each: bool = False) -> Causes:
    """Let the price follow the demand of the day by `follow`, log price per standard deviation."""
    z = rng.normal(0, 1, size.shape if each else (size.stores, size.days, 1))
    return _one_price(follow * z + rng.normal(0, _PRICE_NOISE, size.shape), _BUSY * z)


def _weekend(size: Size, rng: _Rng, ratio: float) -> Causes:
    """Change the price from Friday to Sunday in half of the weeks, and let more people buy on those days."""
    is_weekend = (weekdays_of(size) >= FRIDAY)[:, None]
    is_offered = weeks_at_random(size, rng, 0.5) & is_weekend
    return _one_price(math.log(ratio) * is_offered, 0.1 * is_weekend + math.log(1.3) * is_offered)


def _leaflet(size: Size, rng: _Rng, *, chain: bool, known: bool) -> Causes:
    """Offer products by the week beside regular prices that change now and then; a leaflet tells people."""
    find = chain_weeks_at_random if chain else weeks_at_random
    is_offered = find(size, rng, _LEAFLET_SHARE, THURSDAY if chain else 0)
    price = regular_prices(size, rng) + _OFFER * is_offered
    return _one_price(price, _LEAFLET_DEMAND * is_offered, is_offered if known else None)


def _markdown_day(size: Size, rng: _Rng) -> Causes:
    """Mark everything down on one weekday of each store and week, a slow one."""
    week = weeks_of(size)
    marked = rng.integers(0, DAYS_A_WEEK, (size.stores, week[-1] + 1))[:, week] == weekdays_of(size)
    is_marked = np.broadcast_to(marked[..., None], size.shape)
    return _one_price(math.log(0.7) * is_marked, math.log(0.7) * is_marked)


def _drift(size: Size, rng: _Rng, *, together: bool) -> Causes:
    """Let price and demand of each store drift; together, every other product's price goes against its demand."""
    demand, other = walks(size, rng, 1.0), walks(size, rng, 1.0)
    sign = np.where(np.arange(size.products) % 2, -1.0, 1.0)
    target = 0.8 * sign * demand + 0.6 * other if together else other
    return _one_price(held(_PRICE_WALK * target, size, rng, _CHANGE_EVERY), _DEMAND_WALK * demand)


def _two_prices(size: Size, rng: _Rng, *, leaflet_beside: float) -> Causes:
    """Draw one of two prices for each store and week, and a leaflet beside a share of the low ones."""
    is_low = weeks_at_random(size, rng, _LOW_SHARE)
    is_in_leaflet = is_low & weeks_at_random(size, rng, leaflet_beside)
    return _one_price(_LOW_PRICE * is_low, _LEAFLET_DEMAND * is_in_leaflet)


_PLANTED: dict[Kind, dict[str, tuple[str, Plant]]] = {
    "randomised": {
        "randomised": ("a price for each store and day at random, five from -20 to +20 %", _by_store_day),
        "by-visit": ("a price for each visit at random", _by_visit),
        "store-week": ("a price for each store and week at random", _by_store_week),
        "two-prices": ("15 % off in half of the weeks of a store, at random", partial(_two_prices, leaflet_beside=0.0)),
        "one-store-week": ("one store, a price for each week at random", _by_store_week),
        "one-store-day": ("one store, a price for each day at random", _by_store_day),
    },
    "drifting": {
        "national": ("one list price for all stores, changed every four weeks; demand drifts", _national),
        "drift": ("prices and demand of each store drift, each on its own", partial(_drift, together=False)),
    },
    "confounded": {
        "drift-together": (
            "prices of each store follow its slow demand, up for one product and down for the next",
            partial(_drift, together=True),
        ),
        "busy-mild": ("3 % dearer per standard deviation of the day's demand", partial(_busy, follow=0.03)),
        "busy-strong": ("10 % dearer per standard deviation of the day's demand", partial(_busy, follow=0.10)),
        "busy-own": ("10 % dearer where the product's own demand is high", partial(_busy, follow=0.10, each=True)),
        "busy-cheaper": ("3 % cheaper per standard deviation of the day's demand", partial(_busy, follow=-0.03)),
        "weekend-cheaper": ("15 % off on half of the weekends, which are busier", partial(_weekend, ratio=0.85)),
        "weekend-dearer": ("10 % dearer on half of the weekends, which are busier", partial(_weekend, ratio=1.1)),
        "local-leaflet": (
            "25 % off in 15 % of the weeks of a store, with a leaflet that sells 60 % more",
            partial(_leaflet, chain=False, known=False),
        ),
        "local-leaflet-known": ("the same, and the file says when", partial(_leaflet, chain=False, known=True)),
        "chain-leaflet": (
            "the leaflet in all stores at once, Thursday to Wednesday",
            partial(_leaflet, chain=True, known=False),
        ),
        "chain-leaflet-known": ("the same, and the file says when", partial(_leaflet, chain=True, known=True)),
        "markdown-day": ("30 % off on one slow day of each week of a store", _markdown_day),
        "two-prices-leaflet": (
            "two prices, with a leaflet beside three in ten of the low ones",
            partial(_two_prices, leaflet_beside=_LEAFLET_BESIDE_LOW),
        ),
    },
    "zero effect": {
        "zero-drift": ("nobody minds the price; prices and demand drift", partial(_drift, together=False)),
        "zero-store-week": ("nobody minds the price, which changes at random by week", _by_store_week),
    },
}
_STORES = {"one-store-week": 1, "one-store-day": 1}
_ONLY_GRAINS: dict[str, tuple[Grain, ...]] = {"by-visit": ("visits",)}

SCENARIOS = tuple(
    PlantedScenario(name, kind, description, plant, _STORES.get(name), _ONLY_GRAINS.get(name, GRAINS))
    for kind, scenarios in _PLANTED.items()
    for name, (description, plant) in scenarios.items()
)
