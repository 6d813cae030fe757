"""Who is still to come: a usual day changes little, a crowd is followed at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Floats
from catalog.load import Catalog, load
from serving.belief.belief import believed_before_anybody_came
from serving.belief.footfall import Footfall
from simulation.visits import tick_profile

CATALOG = load()
PROFILE = tick_profile(CATALOG.store)
DAILY = CATALOG.store.visits_per_day * CATALOG.popularity
KNOWN = Footfall(DAILY, PROFILE, store_days=60.0, day_spread=0.05)
NEW = believed_before_anybody_came(CATALOG).footfall


def poisson_day(seed: int, factor: float = 1.0, n_stores: int = 1) -> Floats:
    drawn = np.random.default_rng(seed).poisson(factor * n_stores * DAILY[:, None] * PROFILE)
    return drawn.astype(float)


@pytest.mark.parametrize("footfall", [KNOWN, NEW], ids=["known", "new"])
def test_before_the_first_tick_the_usual_visits_are_expected(footfall: Footfall) -> None:
    assert footfall.given(np.zeros((5, 0)), 3) == pytest.approx(footfall.by_tick)
    assert footfall.profile.sum() == pytest.approx(1)
    assert footfall.by_tick.sum(axis=1) == pytest.approx(footfall.daily)


def test_before_anybody_came_two_visits_are_expected_for_each_unit(shelf: Catalog) -> None:
    assert NEW.daily.tolist() == [200.0] * 5
    assert NEW.store_days == 0
    assert NEW.profile == pytest.approx(np.full(48, 1 / 48))


@pytest.mark.parametrize("seed", range(30))
def test_the_luck_of_a_usual_day_moves_what_is_expected_by_less_than_a_tenth(seed: int) -> None:
    seen = poisson_day(seed)
    for ticks in range(1, 48):
        coming = KNOWN.given(seen[:, :ticks], 1)[:, ticks:].sum()
        assert coming == pytest.approx(KNOWN.by_tick[:, ticks:].sum(), rel=0.1)


@pytest.mark.parametrize("begins", [1, 8, 24, 40])
@pytest.mark.parametrize("seed", range(5))
def test_a_crowd_three_times_as_large_is_followed_within_two_ticks(begins: int, seed: int) -> None:
    seen = np.concatenate([poisson_day(seed)[:, :begins], poisson_day(seed, 3.0)[:, begins:]], axis=1)
    ticks = begins + 2
    coming = KNOWN.given(seen[:, :ticks], 1)[:, ticks:].sum()
    assert coming > 2 * KNOWN.by_tick[:, ticks:].sum()


def test_a_product_that_draws_five_times_its_visits_is_seen_and_the_others_are_left_alone() -> None:
    seen = poisson_day(3)
    seen[2] *= 5
    left = KNOWN.given(seen[:, :12], 1)[:, 12:].sum(axis=1) / KNOWN.by_tick[:, 12:].sum(axis=1)
    assert left[2] > 3
    assert (np.abs(left[[0, 1, 3, 4]] - 1) < 0.5).all()


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_a_new_store_learns_how_many_come(factor: float) -> None:
    daily = 200.0 * factor
    seen = np.random.default_rng(1).poisson(np.full((5, 12), daily / 48)).astype(float)
    assert NEW.given(seen, 1).sum(axis=1) == pytest.approx(np.full(5, daily), rel=0.25)


@settings(deadline=None)
@given(n_stores=st.integers(1, 500))
def test_what_is_expected_is_for_one_store_however_many_share_the_visits(n_stores: int) -> None:
    seen = n_stores * DAILY[:, None] * PROFILE[:10]
    assert KNOWN.given(seen, n_stores) == pytest.approx(KNOWN.by_tick, rel=1e-6)


visits = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=48)


@settings(deadline=None)
@given(seen=visits, product=st.integers(0, 4), n_stores=st.sampled_from([1, 3, 10_000]))
def test_whatever_comes_the_expectation_is_finite_and_never_negative(
    seen: list[int], product: int, n_stores: int
) -> None:
    found = np.zeros((5, len(seen)))
    found[product] = seen
    for footfall in (KNOWN, NEW, Footfall(np.zeros(5), PROFILE, 3.0, 0.0)):
        expected = footfall.given(found, n_stores)
        assert expected.shape == (5, 48)
        assert np.isfinite(expected).all()
        assert (expected >= 0).all()
