"""The belief from units against a dense reference: levels, shocks, effects and slopes as one vector, in one system."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from catalog.arrays import Floats
from plugins.own_store.learning import belief_from_units
from plugins.own_store.learning.belief_from_units import UnitsBelief, believed_of_units
from plugins.own_store.learning.belief_priors import SHELF_SLOPE, ToldPrior
from plugins.own_store.learning.belief_spreads import Spreads
from plugins.own_store.learning.unit_rows import UnitRows

PINNED = Path(__file__).with_name("beliefs_of_random_units.csv")
"""A row for each seed; made by a block elimination of its own, with Newton steps down to 1e-12 log units."""


@dataclass(frozen=True)
class Problem:
    rows: UnitRows
    told: ToldPrior
    alone: bool


def problem_of(seed: int) -> Problem:
    dice = np.random.default_rng(seed)
    shape = n_products, n_stores, n_periods = tuple(int(dice.integers(1, most)) for most in (7, 5, 10))
    slopes, log_ratios = dice.normal(-2.2, 0.7, n_products), dice.normal(0.05, 0.1, shape)
    log_ratios[:, :, : n_periods // 4] = 0
    exposure = np.where(dice.random(shape) < 0.15, 0.0, dice.uniform(0.3, 1, shape))
    weekdays = np.arange(n_periods) % 7 if dice.random() < 0.4 else None
    rates = dice.normal(2.5, 1.0, (n_products, 1, 1)) + dice.normal(0, 0.4, (n_products, n_stores, 1))
    rates = rates + dice.normal(0, 0.1, n_periods) + dice.normal(0, 0.1, (1, n_stores, n_periods))
    mean = np.exp(rates + slopes[:, None, None] * log_ratios) * np.maximum(exposure, 1e-3)
    shape_of_units = dice.choice([5.0, 30.0, 200.0])
    units = dice.negative_binomial(shape_of_units, shape_of_units / (shape_of_units + mean)).astype(float)
    told = ToldPrior.none(n_products)
    if dice.random() < 0.5:
        of_log = np.where(dice.random(n_products) < 0.3, np.nan, slopes + dice.normal(0, 1, n_products))
        told = ToldPrior.of(of_log, dice.uniform(0.1, 1.5, n_products))
    return Problem(UnitRows(units, exposure, log_ratios, weekdays), told, bool(dice.random() < 0.25))


def belief_of(problem: Problem) -> UnitsBelief:
    return believed_of_units(problem.rows, problem.told, alone=problem.alone, stocks_up=False)


def prior_of(problem: Problem, spreads: Spreads) -> tuple[Floats, Floats]:
    """Return precision of the prior and precision x mean: levels, shocks, slopes, effects, and what is above them."""
    rows, told = problem.rows, problem.told
    n_products, n_stores, n_periods = rows.shape
    sold, offered = (rows.units * (rows.exposure > 0)).sum(axis=(1, 2)), rows.exposure.sum(axis=(1, 2))
    level = np.repeat(np.log((sold + 0.5) / np.maximum(offered, 1e-9)), n_stores)
    size = len(level) + n_stores * n_periods + n_products + n_periods + 9
    precision, pull = np.zeros((size, size)), np.zeros(size)
    mean, error = size - 9, size - 8

    def near(terms: dict[int, float], value: float, deviation: float) -> None:
        """Add that a sum of terms is near a value."""
        sums = np.zeros(size)
        sums[list(terms)] = list(terms.values())
        precision[:] += np.outer(sums, sums) / deviation**2
        pull[:] += sums * value / deviation**2

    for place, value in enumerate(level):
        near({place: 1.0}, value, 1.5)
    apart = np.abs(np.subtract.outer(np.arange(n_periods), np.arange(n_periods)))
    shocks = np.linalg.inv(spreads.shock**2 * spreads.remains**apart)
    first = len(level)
    precision[first : mean - n_products - n_periods, first : mean - n_products - n_periods] = np.kron(
        np.eye(n_stores), shocks
    )
    is_told = np.isfinite(told.slopes)
    for product, slope in enumerate(range(mean - n_products - n_periods, mean - n_periods)):
        near({slope: 1.0, mean: -1.0}, 0.0, 10.0 if problem.alone else spreads.slope)
        if is_told[product]:
            near({slope: 1.0, error: 1.0}, told.slopes[product], told.widths[product] * np.sqrt(0.5))
    for period, effect in enumerate(range(mean - n_periods, mean)):
        weekday = 0 if rows.weekdays is None else rows.weekdays[period]
        near({effect: 1.0, size - 7 + int(weekday): -1.0}, 0.0, spreads.effect)
    near({mean: 1.0}, SHELF_SLOPE, 0.7)
    near({error: 1.0}, 0.0, float(np.sqrt(0.5 * (told.widths[is_told] ** 2).mean())) if is_told.any() else 1.0)
    for weekday in range(size - 7, size):
        near({weekday: 1.0}, 0.0, 0.5)
    return precision, pull


def dense(problem: Problem, spreads: Spreads) -> tuple[Floats, Floats]:
    """Return mode and covariance of all terms by Newton's method with expected curvatures."""
    rows = problem.rows
    product, store, period = np.nonzero(rows.exposure)
    n_products, n_stores, n_periods = rows.shape
    precision, pull = prior_of(problem, spreads)
    design, row = np.zeros((len(product), len(pull))), np.arange(len(product))
    slopes = len(pull) - 9 - n_periods - n_products
    design[row, product * n_stores + store] = 1.0
    design[row, n_products * n_stores + store * n_periods + period] = 1.0
    design[row, slopes + product] = rows.log_ratios[product, store, period]
    design[row, slopes + n_products + period] = 1.0
    units, exposure = rows.units[product, store, period], rows.exposure[product, store, period]
    terms = np.linalg.solve(precision, pull)
    for _ in range(100):
        mean = exposure * np.exp(design @ terms)
        left = 1 / (1 + mean / spreads.shapes[product])
        curvature = precision + (design.T * (mean * left)) @ design
        step = np.linalg.solve(curvature, pull - precision @ terms + design.T @ ((units - mean) * left))
        terms = terms + step * min(1.0, 2.0 / np.abs(step).max())
        if np.abs(step).max() < 1e-11:
            break
    return terms, np.linalg.inv(curvature)


@pytest.fixture(autouse=True)
def _to_the_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belief_from_units, "_CLOSE", 1e-13)


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_slopes_levels_and_effects_are_those_of_one_dense_system(first: int) -> None:
    for seed in range(first, first + 50):
        problem = problem_of(seed)
        belief = belief_of(problem)
        terms, covariance = dense(problem, belief.spreads)
        n_products, n_stores, n_periods = problem.rows.shape
        effects = slice(len(terms) - 9 - n_periods, len(terms) - 9)
        slopes = slice(effects.start - n_products, effects.start)
        np.testing.assert_allclose(belief.slopes, terms[slopes], atol=1e-6)
        np.testing.assert_allclose(belief.slopes_deviation, np.sqrt(np.diagonal(covariance)[slopes]), atol=1e-6)
        np.testing.assert_allclose(belief.levels.ravel(), terms[: n_products * n_stores], atol=1e-6)
        np.testing.assert_allclose(belief.effects, terms[effects], atol=1e-6)


def summary(belief: UnitsBelief) -> list[float]:
    spreads = belief.spreads
    means = belief.slopes, belief.slopes_deviation, belief.levels, np.log(spreads.shapes)
    return [spreads.slope, spreads.effect, spreads.shock, spreads.remains, *(float(own.mean()) for own in means)]


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_learned_spreads_and_the_belief_under_them_are_the_pinned_ones(first: int) -> None:
    pinned = np.loadtxt(PINNED, delimiter=",", skiprows=1)
    for seed in range(first, first + 50):
        np.testing.assert_allclose(summary(belief_of(problem_of(seed))), pinned[seed], atol=1e-6)
