"""Eliminating levels and shocks gives what a dense solver gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.own_store.learning.belief_elimination import Curvatures

N_PRIOR_ONLY = 2


def dense_design(log_ratios: np.ndarray, covariates: np.ndarray, n_shared: int) -> np.ndarray:
    """Return what each row sees: levels, shocks, then shared terms."""
    n_products, n_stores, n_periods = log_ratios.shape
    rows = []
    for product, store, period in np.ndindex(n_products, n_stores, n_periods):
        levels, shocks = np.zeros((n_products, n_stores)), np.zeros((n_stores, n_periods))
        shared = np.zeros(n_shared)
        levels[product, store] = shocks[store, period] = 1.0
        shared[product], shared[n_products + period] = log_ratios[product, store, period], 1.0
        for number, term in enumerate(covariates):
            shared[n_products + n_periods + number] = term[product, store, period]
        rows.append(np.concatenate([levels.ravel(), shocks.ravel(), shared]))
    return np.array(rows)


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(2, 4)),
    n_covariates=st.integers(0, 2),
    has_shocks=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_a_step_and_what_stays_uncertain_are_those_of_a_dense_solver(
    shape: tuple[int, int, int], n_covariates: int, has_shocks: bool, seed: int
) -> None:
    dice = np.random.default_rng(seed)
    n_products, n_stores, n_periods = shape
    n_shared = n_products + n_periods + n_covariates + N_PRIOR_ONLY
    weights = dice.uniform(0.0, 3.0, shape) * (dice.random(shape) < 0.8)
    log_ratios, covariates = dice.normal(0, 0.3, shape), dice.normal(0, 0.3, (n_covariates, *shape))
    root = dice.normal(0, 1, (n_shared, n_shared))
    shared_prior = root @ root.T / n_shared + 0.3 * np.eye(n_shared)
    shocks_prior = 2.0 * np.eye(n_periods) - 0.5 * (np.eye(n_periods, k=1) + np.eye(n_periods, k=-1))
    curved = Curvatures(weights, log_ratios, covariates, 0.7, shocks_prior if has_shocks else None, shared_prior)
    n_levels, n_shocks = n_products * n_stores, n_stores * n_periods
    design = dense_design(log_ratios, covariates, n_shared)
    prior = np.zeros((n_levels + n_shocks + n_shared,) * 2)
    prior[:n_levels, :n_levels] = 0.7 * np.eye(n_levels)
    prior[n_levels : n_levels + n_shocks, n_levels : n_levels + n_shocks] = np.kron(np.eye(n_stores), shocks_prior)
    prior[n_levels + n_shocks :, n_levels + n_shocks :] = shared_prior
    dense = design.T @ (weights.ravel()[:, None] * design) + prior
    gradient = dice.normal(0, 1, len(dense))
    kept = np.ones(len(dense), dtype=bool)
    kept[n_levels : n_levels + n_shocks] = has_shocks
    gradient[~kept] = 0.0
    wanted = np.zeros(len(dense))
    wanted[kept] = np.linalg.solve(dense[np.ix_(kept, kept)], gradient[kept])
    step = curved.step(
        gradient[:n_levels].reshape(n_products, n_stores),
        gradient[n_levels : n_levels + n_shocks].reshape(n_stores, n_periods),
        gradient[n_levels + n_shocks :],
    )
    assert np.concatenate([part.ravel() for part in step]) == pytest.approx(wanted, abs=1e-8)
    covariance = np.linalg.inv(dense[np.ix_(kept, kept)])
    assert curved.covariance == pytest.approx(covariance[-n_shared:, -n_shared:], abs=1e-8)
    if has_shocks:
        of_store = covariance[n_levels : n_levels + n_periods, n_levels : n_levels + n_periods]
        assert curved.shocks_covariance[0] == pytest.approx(of_store, abs=1e-8)
