"""A world whose response to the price is planted: prices, what else moves demand, and what prices would truly earn.

What must hold: the log shows prices and sales alone. What else moves demand (`shift`) stays here, so that an estimate
can be judged by the truth.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from catalog.arrays import Flags, Floats
from own_data.exports.columns import Grain

GRAINS: tuple[Grain, ...] = get_args(Grain)

VISITS = 12.0
"""Visits per store, day and product, on average."""
BASE_CHANCE = 0.25
"""Chance of a purchase at the base price, where nothing else moves demand."""
DAYS_A_WEEK = 7
_BASE_PRICES = (2.0, 9.0)  # EUR, cheapest and dearest product
_SLOPES = (-1.0, -2.5)
_STORE_LEVELS, _SEASON, _BUSY_DAYS = 0.2, 0.15, 0.1  # logs: standard deviation, amplitude, standard deviation
_WEEKDAYS = np.array([-0.14, -0.14, -0.09, -0.04, 0.11, 0.24, 0.06])  # logs, from Monday


@dataclass(frozen=True)
class Size:
    """How many stores, days and products a log has."""

    stores: int = 10
    days: int = 280
    products: int = 8

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one value per store, day and product."""
        return self.stores, self.days, self.products


@dataclass(frozen=True)
class Causes:
    """What a scenario plants. All logs are natural.

    Attributes
    ----------
    log_price
        Log of the price over the base price, shape (n_stores, n_days, n_products, n_prices): each visit meets one of
        the prices of its day at random.
    shift
        What moves demand beside the price, in log odds of a purchase or in the log of the rate of sale; broadcasts to
        shape (n_stores, n_days, n_products).
    promotion
        Which store days of a product the file calls a promotion, same shape; None where it has no such column.
    """

    log_price: Floats
    shift: Floats
    promotion: Flags | None = None


@dataclass(frozen=True)
class PlantedWorld:
    """Planted prices and demand.

    Attributes
    ----------
    base_price, slope
        The usual price, EUR, and the true change of the log odds of a purchase (visits) or of the log rate of sale
        (receipts and units) per unit of log price, shape (n_products,).
    price
        EUR in whole cents, shape (n_stores, n_days, n_products, n_prices).
    shift
        What moves demand beside the price, log, shape (n_stores, n_days, n_products).
    promotion
        As in `Causes`.
    """

    base_price: Floats
    slope: Floats
    price: Floats
    shift: Floats
    promotion: Flags | None

    @property
    def skus(self) -> tuple[str, ...]:
        """Names of the products in the log."""
        return tuple(f"P{number:02d}" for number in range(1, len(self.slope) + 1))

    @property
    def log_price(self) -> Floats:
        """Log of the price over the base price, in the shape of `price`."""
        return np.asarray(np.log(self.price / self.base_price[:, None]))

    def chance(self) -> Floats:
        """Chance that a visit buys, in the shape of `price`."""
        return _chance(self.slope[:, None] * self.log_price + self.shift[..., None])

    def rate(self) -> Floats:
        """Units expected per store and day at each price, in the shape of `price`."""
        units = VISITS * BASE_CHANCE / self.price.shape[3]
        return np.asarray(units * np.exp(self.slope[:, None] * self.log_price + self.shift[..., None]))


def usual_demand(size: Size, rng: np.random.Generator) -> Floats:
    """Return what moves demand everywhere, log, shape (n_stores, n_days, n_products).

    Stores differ, weekdays do, each product has a season, and some days of a store are busier. No price follows these.
    """
    day = np.arange(size.days)
    phase = rng.uniform(0, 2 * np.pi, size.products)
    season = _SEASON * np.sin(2 * np.pi * day[:, None] / 364 + phase)
    level = rng.normal(0, _STORE_LEVELS, (size.stores, 1, 1))
    busy = rng.normal(0, _BUSY_DAYS, (size.stores, size.days, 1))
    return np.asarray(level + _WEEKDAYS[day % DAYS_A_WEEK][:, None] + season + busy)


def world_of(causes: Causes, size: Size, rng: np.random.Generator, *, zero_effect: bool = False) -> PlantedWorld:
    """Return the world in which a scenario's causes act, each product with a slope of its own."""
    base_price = np.round(np.linspace(*_BASE_PRICES, size.products), 2)
    slope = np.zeros(size.products) if zero_effect else rng.permutation(np.linspace(*_SLOPES, size.products))
    price = np.round(base_price[:, None] * np.exp(causes.log_price), 2)
    shift = usual_demand(size, rng) + causes.shift
    return PlantedWorld(base_price, slope, price, shift, causes.promotion)


def _chance(moved: Floats) -> Floats:
    """Return the chance of a purchase where something moves the log odds."""
    return np.asarray(1 / (1 + (1 - BASE_CHANCE) / BASE_CHANCE * np.exp(-moved)))
