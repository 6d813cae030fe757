"""Units as a chain with known slopes would sell them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from plugins.own_store.learning.unit_rows import UnitRows


@dataclass(frozen=True)
class Sold:
    rows: UnitRows
    slopes: np.ndarray


@pytest.fixture(scope="session")
def sold_by() -> Callable[..., Sold]:
    """Return units at randomised prices, after four periods at the owner's."""

    def sell(
        shape: tuple[int, int, int] = (12, 3, 20),
        seed: int = 1,
        units: float = 70.0,
        spread: float = 0.07,
        shock: float = 0.0,
        weekdays: np.ndarray | None = None,
        weekday_effects: np.ndarray | None = None,
        slopes: np.ndarray | None = None,
    ) -> Sold:
        dice = np.random.default_rng(seed)
        n_products, n_stores, n_periods = shape
        slopes = dice.normal(-2.2, 0.7, n_products) if slopes is None else slopes
        log_ratios = dice.normal(0.05, spread, shape)
        log_ratios[:, :, :4] = 0.0
        rates = np.log(units) + dice.normal(0.0, 0.4, (n_products, n_stores, 1)) + dice.normal(0.0, 0.08, n_periods)
        rates = rates + shock * dice.standard_normal((1, n_stores, n_periods))
        if weekdays is not None and weekday_effects is not None:
            rates = rates + weekday_effects[weekdays]
        rates += slopes[:, None, None] * log_ratios
        mean = np.exp(rates)
        sold = dice.negative_binomial(56, 56 / (56 + mean)).astype(float)
        return Sold(UnitRows(sold, np.ones(shape), log_ratios, weekdays), slopes)

    return sell
