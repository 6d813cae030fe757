"""The Gaussian belief against brute force, and what evidence may and may not do to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.special import expit

from serving.belief.gaussian import Counts, Gaussian
from serving.belief.posterior import posterior

MEAN = np.array([[0.4, -0.8]])
OWN = np.array([[[0.9, 0.3], [0.3, 0.6]]])
SHARED = np.array([[[0.7, 0.2], [0.5, -0.3]]])
PRIOR = Gaussian(MEAN, OWN, SHARED)

counts_of_three = st.lists(
    st.tuples(st.integers(0, 3_000), st.floats(0, 1)), min_size=12, max_size=12
).map(lambda cells: np.array(cells).reshape(3, 4, 2))  # fmt: skip


def three_products() -> Gaussian:
    """Three equal products with four knots."""
    ratios = np.linspace(0.7, 1.6, 4)
    bend = np.exp(-0.5 * ((ratios[:, None] - ratios) / 0.2) ** 2)
    own, shared = 0.3 + 0.2 * bend, np.linalg.cholesky(2.0 + 0.6 * bend)
    return Gaussian(np.tile(-5 * (ratios - 1), (3, 1)), np.tile(own, (3, 1, 1)), np.tile(shared, (3, 1, 1)))


def as_counts(cells: np.ndarray) -> Counts:
    met = np.round(cells[..., 0])
    return Counts(met, np.round(met * cells[..., 1]))


def variances(belief: Gaussian) -> np.ndarray:
    return np.diagonal(belief.covariance, axis1=1, axis2=2)


@pytest.mark.parametrize(
    ("met", "bought"), [([30.0, 40.0], [21.0, 9.0]), ([200.0, 5.0], [120.0, 5.0]), ([60.0, 60.0], [0.0, 30.0])]
)
def test_mode_spread_and_evidence_are_those_of_the_brute_force_grid(met: list[float], bought: list[float]) -> None:
    found = posterior(PRIOR, Counts(np.array([met]), np.array([bought])))
    axis = np.linspace(-8, 6, 1401)
    odds = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    covariance = PRIOR.covariance[0]
    off = odds - MEAN[0]
    log_prior = -0.5 * np.einsum("ijk,kl,ijl->ij", off, np.linalg.inv(covariance), off)
    log_prior -= np.log(2 * np.pi) + 0.5 * np.linalg.slogdet(covariance)[1]
    log_joint = log_prior + (np.array(bought) * odds - np.array(met) * np.logaddexp(0, odds)).sum(axis=-1)
    mode = odds[np.unravel_index(log_joint.argmax(), log_joint.shape)]
    assert found.belief.mean[0] == pytest.approx(mode, abs=0.011)
    density = np.exp(log_joint - log_joint.max())
    log_evidence = log_joint.max() + np.log(trapezoid(trapezoid(density, axis), axis))
    assert found.log_evidence == pytest.approx(log_evidence, abs=0.06)  # Laplace's approximation
    density /= density.sum()
    centre = np.einsum("ij,ijk->k", density, odds)
    spread = np.einsum("ij,ijk,ijl->kl", density, odds - centre, odds - centre)
    assert np.sqrt(variances(found.belief)[0]) == pytest.approx(np.sqrt(np.diag(spread)), rel=0.1)


@settings(deadline=None)
@given(cells=counts_of_three)
def test_whatever_is_sold_no_interval_is_wider_than_the_priors_and_the_covariance_stays_positive(
    cells: np.ndarray,
) -> None:
    prior = three_products()
    found = posterior(prior, as_counts(cells)).belief
    assert (variances(found) <= variances(prior) + 1e-9).all()
    assert np.isfinite(found.mean).all()
    assert (np.linalg.eigvalsh(found.covariance) > 0).all()


@settings(deadline=None)
@given(met=st.integers(5, 500), knot=st.integers(0, 3), all_buy=st.booleans())
def test_what_one_product_teaches_moves_the_others_too_but_less_than_itself(met: int, knot: int, all_buy: bool) -> None:
    prior, counts = three_products(), Counts.none((3, 4))
    counts.met[0, knot], counts.bought[0, knot] = met, met * all_buy
    moved = (posterior(prior, counts).belief.mean - prior.mean)[:, knot] * (1 if all_buy else -1)
    assert moved[0] > moved[1] > 0
    assert moved[1] == pytest.approx(moved[2])


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_millions_of_visits_are_followed_without_overshooting(share: float) -> None:
    met = np.full((3, 4), 5e6)
    found = posterior(three_products(), Counts(met, met * share))
    assert np.isfinite(found.log_evidence)
    assert expit(found.belief.mean) == pytest.approx(np.full((3, 4), share), abs=1e-4)
    assert (np.linalg.eigvalsh(found.belief.covariance) > 0).all()
