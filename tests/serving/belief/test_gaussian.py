"""The Gaussian belief against brute force, and what evidence may and may not do to it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.special import expit

from serving.belief.gaussian import Counts, Gaussian
from serving.belief.posterior import updated

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
    found = updated(PRIOR, Counts(np.array([met]), np.array([bought])))
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
def test_the_spread_left_is_the_inverse_of_prior_precision_and_curvature_at_the_mode(cells: np.ndarray) -> None:
    prior, counts = three_products(), as_counts(cells)
    found = updated(prior, counts).belief
    joint = _joint(prior)
    chance = expit(found.mean.ravel())
    curvature = np.maximum(counts.met.ravel() * chance * (1 - chance), 1e-9)
    expected = np.linalg.inv(np.linalg.inv(joint) + np.diag(curvature))
    assert _joint(found) == pytest.approx(expected, rel=1e-5, abs=1e-7)
    pull = np.linalg.solve(joint, (found.mean - prior.mean).ravel())
    assert pull == pytest.approx((counts.bought - counts.met * expit(found.mean)).ravel(), abs=1e-3)


def _joint(belief: Gaussian) -> np.ndarray:
    """Covariance of all products' log odds together."""
    products, knots, directions = belief.shared.shape
    stacked = belief.shared.reshape(products * knots, directions)
    joint = stacked @ stacked.T
    for product in range(products):
        own = slice(product * knots, (product + 1) * knots)
        joint[own, own] += belief.own[product]
    return joint


def test_without_counts_the_belief_is_the_prior() -> None:
    prior = three_products()
    found = updated(prior, Counts.none((3, 4)))
    assert found.belief.mean == pytest.approx(prior.mean, abs=1e-8)
    assert found.belief.covariance == pytest.approx(prior.covariance, abs=1e-6)
    assert found.log_evidence == pytest.approx(0.0, abs=1e-6)


@settings(deadline=None)
@given(cells=counts_of_three)
def test_whatever_is_sold_no_interval_is_wider_than_the_priors_and_the_covariance_stays_positive(
    cells: np.ndarray,
) -> None:
    prior = three_products()
    found = updated(prior, as_counts(cells)).belief
    assert (variances(found) <= variances(prior) + 1e-9).all()
    assert np.isfinite(found.mean).all()
    assert (np.linalg.eigvalsh(found.covariance) > 0).all()


@settings(deadline=None)
@given(cells=counts_of_three, more=counts_of_three)
def test_more_evidence_of_what_is_believed_never_widens_an_interval(cells: np.ndarray, more: np.ndarray) -> None:
    prior = three_products()
    chance = expit(prior.mean)
    some = Counts(cells[..., 0], cells[..., 0] * chance)
    added = Counts(more[..., 0], more[..., 0] * chance)
    before, after = updated(prior, some).belief, updated(prior, some + added).belief
    assert before.mean == pytest.approx(prior.mean, abs=1e-6)
    assert (variances(after) <= variances(before) * (1 + 1e-6)).all()


@settings(deadline=None)
@given(met=st.integers(5, 500), knot=st.integers(0, 3), all_buy=st.booleans())
def test_what_one_product_teaches_moves_the_others_too_but_less_than_itself(met: int, knot: int, all_buy: bool) -> None:
    prior, counts = three_products(), Counts.none((3, 4))
    counts.met[0, knot], counts.bought[0, knot] = met, met * all_buy
    moved = (updated(prior, counts).belief.mean - prior.mean)[:, knot] * (1 if all_buy else -1)
    assert moved[0] > moved[1] > 0
    assert moved[1] == pytest.approx(moved[2])


def test_with_nothing_shared_one_product_teaches_the_others_nothing() -> None:
    prior, counts = three_products(), Counts.none((3, 4))
    counts.met[0], counts.bought[0] = 100, 90
    found = updated(Gaussian(prior.mean, prior.own, np.zeros((3, 4, 1))), counts).belief
    assert found.mean[1:] == pytest.approx(prior.mean[1:], abs=1e-8)


@pytest.mark.parametrize(("of_all", "of_one"), [(0.7, 0.7), (0.0, 0.5), (1.2, 0.0)])
def test_loosened_adds_exactly_the_variance_of_the_level(of_all: float, of_one: float) -> None:
    belief = three_products()
    loose = belief.loosened(of_all, of_one)
    assert loose.covariance == pytest.approx(belief.covariance + of_all**2 + of_one**2)
    assert np.array_equal(loose.mean, belief.mean)
    between = _joint(loose)[:4, 4:8]  # what a change has in common to two products
    assert between == pytest.approx(np.full((4, 4), of_all**2))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_millions_of_visits_are_followed_without_overshooting(share: float) -> None:
    met = np.full((3, 4), 5e6)
    found = updated(three_products(), Counts(met, met * share))
    assert np.isfinite(found.log_evidence)
    assert expit(found.belief.mean) == pytest.approx(np.full((3, 4), share), abs=1e-4)
    assert (np.linalg.eigvalsh(found.belief.covariance) > 0).all()
