"""A long shelf is worked out in another way than a short one, and learns the same."""

import numpy as np
import pytest
from believing import HOURS, days_sold

from catalog.load import CLASSIC, load
from serving.belief.belief import USUAL_SHAPE, Opened, State, shelf_prior
from serving.belief.effects import Basis, EffectSpreads, Taught, taught_by
from serving.belief.gaussian import Counts, Knots
from serving.belief.learned_block import LearnedBlock
from serving.belief.likelihood import likelihood
from serving.belief.long_block import LongBlock
from serving.belief.newton import Newton
from serving.belief.normals import Normals, Roots
from serving.belief.posterior import updated
from serving.belief.sales import Sales

SETTINGS = load(CLASSIC).store.belief
STATES = (np.arange(8) >= 4).astype(np.int64)
SPREADS = EffectSpreads(day=0.3, own_day=0.2)


def sold_by(n_products: int, seed: int = 3) -> tuple[Knots, Sales]:
    return days_sold(load(CLASSIC), np.where(STATES, -1.5, 0.3), n_products, seed)


def taught(knots: Knots, sales: Sales, near: Normals | None = None) -> Taught:
    prior = shelf_prior(knots, SETTINGS, USUAL_SHAPE)
    return taught_by(knots.ratios, prior.among, sales, SPREADS, STATES, np.zeros((len(knots.ratios), 8)), near)


def point() -> tuple[Roots, Normals]:
    """Return a point far from the mode, with curves and effects of 210 products."""
    draw, basis = np.random.default_rng(5), Basis(20, HOURS, 2)
    prior = shelf_prior(sold_by(210)[0], SETTINGS, USUAL_SHAPE)
    effects = basis.roots_of_effects(0.1, 0.05), basis.roots_of_effects(0.3, 0.1)
    roots = Roots(np.linalg.cholesky(prior.own + 1e-9 * np.eye(20)), prior.shared, *effects, 0.2, 0.3)
    none = Normals.none(210, basis.size, prior.shared.shape[2] + len(effects[0]), 8)
    return roots, Normals(*(draw.normal(0, 0.3, own.shape) for own in none))


def test_a_block_of_a_long_shelf_says_what_one_of_a_short_shelf_does() -> None:
    (knots, sales), (roots, at) = sold_by(210), point()
    known = (knots.ratios, shelf_prior(knots, SETTINGS, USUAL_SHAPE).mean), (roots.coefficients(at), roots.days(at))
    sold = likelihood(sales, sales.starts, STATES, Basis(20, HOURS, 2).places, *known)
    n_shared, found = len(at.shared) + 8, []
    shared = np.random.default_rng(6).normal(size=n_shared)
    for block in (LearnedBlock(roots, sold, at), LongBlock(roots, sold, at)):
        curvature, slope = 1e3 * np.eye(n_shared), np.zeros(n_shared)
        block.add_to(curvature, slope)
        factor = np.linalg.cholesky(curvature)
        found.append((block.log, block.half_log_volume, factor, slope, *block.step(shared), *block.left(factor)))
    for short, long in zip(*found, strict=True):
        np.testing.assert_allclose(long, short, rtol=1e-9, atol=1e-9)


def test_coefficients_of_a_long_shelf_are_those_of_its_products_alone() -> None:
    roots, at = point()
    few = [roots.own[own] @ at.own[own] + roots.shared[own] @ at.shared for own in range(210)]
    assert roots.coefficients(at) == pytest.approx(np.array(few), abs=1e-12)


def test_the_mode_of_a_long_shelf_is_where_no_step_gains_more() -> None:
    found = taught(*sold_by(260))
    assert 0 <= found.left.promised < 1e-5
    step = found.left.step
    assert max(np.abs(own).max() for own in step) < 1e-3


def test_what_a_step_promises_on_a_long_shelf_it_gains_near_the_mode() -> None:
    knots, sales = sold_by(260)
    mode = taught(knots, sales).left
    off = mode.at.moved(Normals(*(np.full(own.shape, 1e-3) for own in mode.at)), 1.0)
    begun = Newton(off, mode._curved)  # the same sales at another point
    gained = mode.log + mode.at.log_prior - begun.log - off.log_prior
    assert begun.promised == pytest.approx(gained, rel=0.01)


def test_a_long_shelf_learns_the_same_wherever_its_mode_is_looked_for() -> None:
    knots, sales = sold_by(260)
    usual = taught(knots, sales)
    for near in (taught(*sold_by(60)).left.at, taught(knots, sold_by(260, seed=4)[1]).left.at):
        found = taught(knots, sales, near)
        assert found.log_evidence == pytest.approx(usual.log_evidence, abs=1e-3)
        np.testing.assert_allclose(found.mean, usual.mean, atol=1e-4)
        np.testing.assert_allclose(found.days, usual.days, atol=1e-4)


def test_a_short_shelf_keeps_its_bits_wherever_it_is_told_to_look() -> None:
    knots, sales = sold_by(5)
    near = taught(knots, sold_by(5, seed=4)[1]).left.at
    found = [taught(knots, sales, own) for own in (None, near)]
    assert found[0].mean.tobytes() == found[1].mean.tobytes()
    assert found[0].log_evidence == found[1].log_evidence


def test_products_of_a_part_of_a_shelf_are_believed_in_as_in_the_whole() -> None:
    knots, some = Knots.of(load(CLASSIC)), slice(1, 2)
    whole = shelf_prior(knots, SETTINGS, USUAL_SHAPE)
    part = shelf_prior(knots.among(some), SETTINGS, USUAL_SHAPE, knots.span)
    for own, of_whole in zip((part.mean, part.own, part.shared), vars(whole.among(some)).values(), strict=True):
        assert own.tobytes() == of_whole.tobytes()


def test_a_shelf_whose_prices_are_fixed_is_believed_in_too() -> None:
    fixed = shelf_prior(Knots(np.ones((3, 4)), np.ones(3)), SETTINGS, USUAL_SHAPE)
    assert np.isfinite(fixed.shared).all()
    assert (fixed.shared == fixed.shared[0, 0]).all()


def opened_and_today(n_products: int) -> tuple[Opened, Counts]:
    """Return a shelf on its first day, and what was sold in the first three of its hours."""
    knots, draw = sold_by(n_products)[0], np.random.default_rng(8)
    met, hours = np.zeros((HOURS, *knots.shape)), draw.normal(0, 0.2, (HOURS, n_products))
    met[:3] = draw.poisson(4, met[:3].shape)
    today = Counts(met, draw.binomial(met.astype(int), 0.6).astype(float))
    return Opened(knots, (State(1.0, shelf_prior(knots, SETTINGS, USUAL_SHAPE)),), hours, 0.1, is_first_day=True), today


def test_a_long_shelf_is_corrected_within_the_day_as_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, today = opened_and_today(260)
    found = [opened.given(today)]
    for module in ("belief", "posterior"):
        monkeypatch.setattr(f"serving.belief.{module}.FEW", 1_000)
    found.append(opened.given(today))
    for long, short in zip(*(known.beliefs for known in found), strict=True):
        np.testing.assert_allclose(long.mean, short.mean, atol=2e-6)
        np.testing.assert_allclose(long.covariance, short.covariance, atol=1e-6)
    np.testing.assert_allclose(found[0].hours, found[1].hours, atol=1e-6)
    assert found[0].weights == pytest.approx(found[1].weights, rel=1e-3)


@pytest.mark.parametrize("away", [-2.0, 0.5, 3.0])
def test_a_long_shelf_finds_its_mode_wherever_it_is_looked_for(away: float) -> None:
    opened, today = opened_and_today(210)
    prior = opened.states[0].demand
    found = [updated(prior, today, opened.hours, near) for near in (None, prior.mean + away)]
    np.testing.assert_allclose(found[1].belief.mean, found[0].belief.mean, atol=2e-6)
    assert found[1].log_evidence == pytest.approx(found[0].log_evidence, abs=1e-3)


@pytest.mark.parametrize("n_products", [5, 210])
def test_hours_to_come_change_no_bit_of_what_is_believed(n_products: int) -> None:
    opened, today = opened_and_today(n_products)
    so_far = Counts(today.met[:3], today.bought[:3])
    prior = opened.states[0].demand
    found = [updated(prior, today, opened.hours).belief, updated(prior, so_far, opened.hours[:3]).belief]
    assert found[0].mean.tobytes() == found[1].mean.tobytes()
    assert found[0].own.tobytes() == found[1].own.tobytes()
