"""What is believed of a shelf is what one system of all latent numbers gives, however long it is."""

import numpy as np
import pytest
from believing import HOURS, days_sold

from catalog.load import CLASSIC, load
from serving.belief.belief import USUAL_SHAPE, Opened, State, shelf_prior
from serving.belief.effects import Basis, EffectsFit, EffectSpreads, fit_effects
from serving.belief.gaussian import Counts, Knots
from serving.belief.posterior import Newton, Normals, Roots, likelihood, updated
from serving.belief.sales import Sales

SETTINGS = load(CLASSIC).store.belief
STATES = (np.arange(8) >= 4).astype(np.int64)
SPREADS = EffectSpreads(day=0.3, own_day=0.2)


def sold_by(n_products: int, seed: int = 3) -> tuple[Knots, Sales]:
    return days_sold(load(CLASSIC), np.where(STATES, -1.5, 0.3), n_products, seed)


def taught(knots: Knots, sales: Sales, near: Normals | None = None) -> EffectsFit:
    prior = shelf_prior(knots, SETTINGS, USUAL_SHAPE)
    return fit_effects(knots.ratios, prior.among, sales, SPREADS, STATES, np.zeros((len(knots.ratios), 8)), near)


def point() -> tuple[Roots, Normals]:
    """Return a point far from the mode, with curves and effects of 210 products."""
    draw, basis = np.random.default_rng(5), Basis(20, HOURS, 2)
    prior = shelf_prior(sold_by(210)[0], SETTINGS, USUAL_SHAPE)
    effects = basis.roots_of_effects(0.1, 0.05), basis.roots_of_effects(0.3, 0.1)
    roots = Roots(np.linalg.cholesky(prior.own + 1e-9 * np.eye(20)), prior.shared, *effects, 0.2, 0.3)
    none = Normals.none(210, basis.size, prior.shared.shape[2] + len(effects[0]), 8)
    return roots, Normals(*(draw.normal(0, 0.3, own.shape) for own in none))


def test_a_step_solves_the_whole_system_of_latent_numbers_at_once() -> None:
    """Held against the curvature of all latent numbers of three products, written out as one matrix."""
    knots, sales = sold_by(3)
    _, at = point()
    at = Normals(at.own[:3], at.own_days[:3], at.shared, at.shared_days)
    basis, prior = Basis(20, HOURS, 2), shelf_prior(knots, SETTINGS, USUAL_SHAPE)
    effects = basis.roots_of_effects(0.1, 0.05), basis.roots_of_effects(0.3, 0.1)
    roots = Roots(np.linalg.cholesky(prior.own + 1e-9 * np.eye(20)), prior.shared, *effects, 0.2, 0.3)
    known = (knots.ratios, prior.mean), (roots.coefficients(at), roots.days(at))
    sold = likelihood(sales, sales.starts, STATES, basis.places, *known)
    newton = Newton(at, lambda _own, _at: (roots, sold))
    n_own, n_shared, n_days, size = at.own.shape[1], len(at.shared), 8, basis.size
    n_all = 3 * (n_own + n_days) + n_shared + n_days
    curvature, slope = np.eye(n_all), np.zeros(n_all)
    for product in range(3):
        to_all = np.zeros((size + n_days, n_all))  # coefficients and days by all latent numbers
        own, days = slice(product * n_own, (product + 1) * n_own), 3 * n_own + product * n_days + np.arange(n_days)
        to_all[:size, own] = roots.own[product]
        to_all[:size, shared_at(n_own, n_days, n_shared)] = roots.shared[product]
        to_all[size + np.arange(n_days), days] = 0.2
        to_all[size + np.arange(n_days), n_all - n_days + np.arange(n_days)] = 0.3
        weight = np.zeros((size + n_days, size + n_days))
        weight[:size, :size], weight[:size, size:] = sold.weight[product], sold.weight_by_day[product]
        weight[size:, :size], weight[size:, size:] = weight[:size, size:].T, np.diag(sold.weight_of_day[product])
        curvature += to_all.T @ weight @ to_all
        slope += to_all.T @ np.concatenate([sold.slope[product], sold.slope_of_day[product]])
    slope -= np.concatenate([at.own.ravel(), at.own_days.ravel(), at.shared, at.shared_days])
    step, wanted = newton.step, np.linalg.solve(curvature, slope)
    found = np.concatenate([step.own.ravel(), step.own_days.ravel(), step.shared, step.shared_days])
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-7)
    assert newton.half_log_volume == pytest.approx(0.5 * np.linalg.slogdet(curvature)[1])
    assert newton.promised == pytest.approx(0.5 * slope @ wanted)
    own, shared = newton.block(slice(0, 250)).left(newton.shared_factor)
    to_own = np.zeros((size, n_all))
    to_own[:, :n_own], to_own[:, shared_at(n_own, n_days, n_shared)] = roots.own[0], roots.shared[0]
    left = to_own @ np.linalg.inv(curvature) @ to_own.T
    np.testing.assert_allclose(own[0] + shared[0] @ shared[0].T, left, rtol=1e-7, atol=1e-7)


def shared_at(n_own: int, n_days: int, n_shared: int) -> slice:
    return slice(3 * (n_own + n_days), 3 * (n_own + n_days) + n_shared)


def test_a_long_shelf_learns_the_same_wherever_its_mode_is_looked_for() -> None:
    knots, sales = sold_by(260)
    usual = taught(knots, sales)
    for near in (taught(*sold_by(60)).left.at, taught(knots, sold_by(260, seed=4)[1]).left.at):
        found = taught(knots, sales, near)
        assert found.log_evidence == pytest.approx(usual.log_evidence, abs=1e-3)
        np.testing.assert_allclose(found.mean, usual.mean, atol=1e-4)
        np.testing.assert_allclose(found.days, usual.days, atol=1e-4)


def test_products_of_a_part_of_a_shelf_are_believed_in_as_in_the_whole() -> None:
    knots, some = Knots.of(load(CLASSIC)), slice(1, 2)
    whole = shelf_prior(knots, SETTINGS, USUAL_SHAPE)
    part = shelf_prior(knots.among(some), SETTINGS, USUAL_SHAPE, knots.span)
    for own, of_whole in zip((part.mean, part.own, part.shared), vars(whole.among(some)).values(), strict=True):
        assert own.tobytes() == of_whole.tobytes()


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
    found = [updated(prior, today, opened.hours).belief, updated(prior, so_far, opened.hours[:3]).belief]
    assert found[0].mean.tobytes() == found[1].mean.tobytes()
    assert found[0].own.tobytes() == found[1].own.tobytes()
