"""What is believed of a shelf is what one system of all latent numbers gives, however long it is."""

import numpy as np
import pytest
from believing import HOURS, days_sold

from catalog.load import CLASSIC, load
from serving.belief.belief import USUAL_SHAPE, Opened, State, shelf_prior
from serving.belief.effects import EffectsFit, EffectSpreads, fit_effects
from serving.belief.gaussian import Counts, Knots
from serving.belief.posterior import Latents, Likelihood, Point, Roots, posterior
from serving.belief.sales import Sales

SETTINGS = load(CLASSIC).store.belief
STATES = (np.arange(8) >= 4).astype(np.int64)
SPREADS = EffectSpreads(day=0.3, own_day=0.2)


def sold_by(n_products: int, seed: int = 3) -> tuple[Knots, Sales]:
    return days_sold(load(CLASSIC), np.where(STATES, -1.5, 0.3), n_products, seed)


def taught(knots: Knots, sales: Sales, near: Latents | None = None) -> EffectsFit:
    prior = shelf_prior(knots, SETTINGS, USUAL_SHAPE)
    return fit_effects(knots.ratios, prior, sales, SPREADS, STATES, np.zeros((len(knots.ratios), 8)), near)


def test_a_step_solves_the_whole_system_of_latents_at_once() -> None:
    """Held against the curvature of all latents of three groups, written out as one matrix."""
    draw, (n_groups, size, n_own, n_shared, n_cells) = np.random.default_rng(5), (3, 6, 5, 4, 2)
    roots = Roots(draw.normal(size=(n_groups, size, n_own)), draw.normal(size=(n_groups, size, n_shared)), 0.2, 0.3)
    at = Latents(*(draw.normal(0, 0.3, own.shape) for own in Latents.zeros(n_groups, n_own, n_shared, n_cells)))
    factor = draw.normal(size=(n_groups, size + n_cells, 9))
    weight = factor @ factor.swapaxes(1, 2)
    cells = size + np.arange(n_cells)
    of_cells = weight[:, cells, cells] + 5.0
    weight[:, size:, size:] = of_cells[:, :, None] * np.eye(n_cells)
    weight += 30.0 * np.eye(size + n_cells)
    slopes = draw.normal(size=(n_groups, size + n_cells))
    parts = (
        weight[:, :size, :size],
        weight[:, :size, size:],
        weight[:, cells, cells],
        slopes[:, :size],
        slopes[:, size:],
    )
    point = Point(at, lambda _own, _at: (roots, Likelihood(0.0, *parts)))
    to_all = np.zeros((n_groups, size + n_cells, n_groups * (n_own + n_cells) + n_shared + n_cells))
    last = n_groups * (n_own + n_cells)
    for group in range(n_groups):
        to_all[group, :size, group * n_own : (group + 1) * n_own] = roots.own[group]
        to_all[group, cells, n_groups * n_own + group * n_cells + np.arange(n_cells)] = 0.2
        to_all[group, :size, last : last + n_shared] = roots.shared[group]
        to_all[group, cells, last + n_shared + np.arange(n_cells)] = 0.3
    curvature = np.eye(to_all.shape[2]) + (to_all.swapaxes(1, 2) @ weight @ to_all).sum(axis=0)
    slope = (slopes[:, None] @ to_all).sum(axis=(0, 1)) - np.concatenate(
        [at.own.ravel(), at.own_cells.ravel(), at.shared, at.shared_cells]
    )
    step, wanted = point.step, np.linalg.solve(curvature, slope)
    found = np.concatenate([step.own.ravel(), step.own_cells.ravel(), step.shared, step.shared_cells])
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-7)
    assert point.log_evidence == pytest.approx(at.log_prior - 0.5 * np.linalg.slogdet(curvature)[1])
    assert point.promised == pytest.approx(0.5 * slope @ wanted)
    own, shared = point.left(slice(0, 250))
    left = to_all[:, :size] @ np.linalg.inv(curvature) @ to_all[:, :size].swapaxes(1, 2)
    np.testing.assert_allclose(own + shared @ shared.swapaxes(1, 2), left, rtol=1e-7, atol=1e-7)


def test_a_long_shelf_learns_the_same_wherever_its_mode_is_looked_for() -> None:
    knots, sales = sold_by(260)
    usual = taught(knots, sales)
    for near in (taught(*sold_by(60)).mode.at, taught(knots, sold_by(260, seed=4)[1]).mode.at):
        found = taught(knots, sales, near)
        assert found.log_evidence == pytest.approx(usual.log_evidence, abs=1e-3)
        np.testing.assert_allclose(found.curves, usual.curves, atol=1e-4)
        np.testing.assert_allclose(found.days, usual.days, atol=1e-4)


def opened_and_today(n_products: int) -> tuple[Opened, Counts]:
    """Return a shelf on its first day, and what was sold in the first three of its hours."""
    knots, draw = sold_by(n_products)[0], np.random.default_rng(8)
    met, hours = np.zeros((HOURS, *knots.shape)), draw.normal(0, 0.2, (HOURS, n_products))
    met[:3] = draw.poisson(4, met[:3].shape)
    today = Counts(met, draw.binomial(met.astype(int), 0.6).astype(float))
    return Opened(knots, (State(1.0, shelf_prior(knots, SETTINGS, USUAL_SHAPE)),), hours, 0.1, is_first_day=True), today


@pytest.mark.parametrize("n_products", [5, 210])
def test_hours_to_come_change_no_bit_of_what_is_believed(n_products: int) -> None:
    opened, today = opened_and_today(n_products)
    so_far = Counts(today.met[:3], today.bought[:3])
    prior = opened.states[0].demand
    found = [posterior(prior, today, opened.hours).belief, posterior(prior, so_far, opened.hours[:3]).belief]
    assert found[0].mean.tobytes() == found[1].mean.tobytes()
    assert found[0].own.tobytes() == found[1].own.tobytes()
