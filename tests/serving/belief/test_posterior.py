"""The posterior of a day's sales against a dense reference: all log odds as one vector, in one system."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.linalg import block_diag, cho_factor, cho_solve
from scipy.special import expit

from catalog.arrays import Floats
from serving.belief.gaussian import Counts, Gaussian
from serving.belief.posterior import posterior


@dataclass(frozen=True)
class Problem:
    """A random prior, what some hours sold, and what each hour adds to the log odds, shape (n_hours, n_products)."""

    prior: Gaussian
    sold: Counts
    hours: Floats


def problem_of(seed: int) -> Problem:
    dice = np.random.default_rng(seed)
    n_products, n_knots, n_shared, n_hours = (int(dice.integers(1, most)) for most in (6, 7, 4, 4))
    root = dice.normal(0, 0.8, (n_products, n_knots, n_knots))
    own = root @ root.swapaxes(1, 2) + 0.05 * np.eye(n_knots)
    shape = (n_products, n_knots)
    prior = Gaussian(dice.normal(0, 1.5, shape), own, dice.normal(0, 0.7, (*shape, n_shared)))
    met = dice.poisson(10.0 ** dice.uniform(-1, 3), (n_hours, *shape)).astype(float)
    bought = dice.binomial(met.astype(int), dice.uniform(size=shape)).astype(float)
    return Problem(prior, Counts(met, bought), dice.normal(0, 0.4, (n_hours, n_products)))


def dense(problem: Problem) -> tuple[Floats, Floats, float]:
    """Return mode, covariance and log evidence of all log odds together, by Newton's method in one dense system."""
    prior, size = problem.prior, problem.prior.mean.size
    shared = prior.shared.reshape(size, -1)
    covariance, mean = block_diag(*prior.own) + shared @ shared.T, prior.mean.ravel()
    factor = cho_factor(covariance)
    met, bought = (counts.reshape(-1, size) for counts in (problem.sold.met, problem.sold.bought))
    more = np.repeat(problem.hours, prior.mean.shape[1], axis=1)

    def log_joint(odds: Floats) -> float:
        likelihood = (bought * (odds + more) - met * np.logaddexp(0, odds + more)).sum()
        return float(likelihood - 0.5 * (odds - mean) @ cho_solve(factor, odds - mean))

    odds, precision = mean, cho_solve(factor, np.eye(size))
    for _ in range(200):
        chance = expit(odds + more)
        slope = (bought - met * chance).sum(axis=0) - cho_solve(factor, odds - mean)
        curvature = precision + np.diag((met * chance * (1 - chance)).sum(axis=0))
        step = np.linalg.solve(curvature, slope)
        while log_joint(odds + step) < log_joint(odds) - 1e-9:
            step = step / 2
        odds = odds + step
        if np.abs(step).max() < 1e-10:
            break
    volume = -0.5 * (np.linalg.slogdet(curvature)[1] + np.linalg.slogdet(covariance)[1])
    return odds, np.linalg.inv(curvature), log_joint(odds) + volume


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_mode_covariance_and_evidence_are_those_of_one_dense_system(first: int) -> None:
    for seed in range(first, first + 20):
        problem = problem_of(seed)
        found = posterior(problem.prior, problem.sold, problem.hours)
        mode, covariance, log_evidence = dense(problem)
        belief, (n_products, n_knots) = found.belief, problem.prior.mean.shape
        shared = belief.shared.reshape(mode.size, -1)
        np.testing.assert_allclose(belief.mean.ravel(), mode, atol=1e-6)
        np.testing.assert_allclose(block_diag(*belief.own) + shared @ shared.T, covariance, atol=1e-6)
        assert found.log_evidence == pytest.approx(log_evidence, abs=1e-6)
        assert belief.own.shape == (n_products, n_knots, n_knots)
