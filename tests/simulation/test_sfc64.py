"""Compiled streams draw what NumPy draws from the same seed, whatever was drawn from them before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from simulation.sfc64 import begun, fill_below, fill_narrow_normal, fill_narrow_uniform, fill_poisson, fill_uniform

MEANS = np.array([0.0, 0.01, 1.0, 5.0, 9.99, 10.0, 10.5, 30.0, 1_000.0, 1e6])
DRAWN = {
    "random": (fill_uniform, float),
    "narrow": (fill_narrow_uniform, np.float32),
    "normal": (fill_narrow_normal, np.float32),
    "poisson": (fill_poisson, np.int64),
    "integers": (fill_below, np.int32),
}


def both(seed: int) -> tuple[np.ndarray, np.random.Generator]:
    entropy = np.random.SeedSequence(seed)
    (stream,) = begun(entropy.generate_state(3, np.uint64)[None])
    return stream, np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))


@given_settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**64),
    st.lists(st.tuples(st.sampled_from(sorted(DRAWN)), st.integers(0, 2_000), st.integers(1, 2**31 - 1)), max_size=9),
)
def test_numbers_are_those_of_numpy_in_any_order(seed: int, asked: list[tuple[str, int, int]]) -> None:
    stream, numpys = both(seed)
    for kind, count, end in asked:
        fill, of_type = DRAWN[kind]
        drawn = np.empty(count, of_type)
        means = np.resize(MEANS, count)
        more = {"poisson": (means,), "integers": (end,)}.get(kind, ())
        fill(stream, *more, drawn)
        expected = {
            "random": lambda count=count: numpys.random(count),
            "narrow": lambda count=count: numpys.random(count, dtype=np.float32),
            "normal": lambda count=count: numpys.standard_normal(count, dtype=np.float32),
            "poisson": lambda means=means: numpys.poisson(means),
            "integers": lambda count=count, end=end: numpys.integers(0, end, count, dtype=np.int32),
        }[kind]()
        np.testing.assert_array_equal(drawn, expected, strict=True)


@pytest.mark.parametrize("end", [1, 2, 3, 2_000, 2**30 + 7, 2**31 - 1])
def test_a_number_below_an_end_is_drawn_as_numpy_draws_it(end: int) -> None:
    stream, numpys = both(1)
    drawn = np.empty(100_000, np.int32)
    fill_below(stream, end, drawn)
    np.testing.assert_array_equal(drawn, numpys.integers(0, end, len(drawn), dtype=np.int32), strict=True)


def test_rare_normal_numbers_are_drawn_as_numpy_draws_them() -> None:
    stream, numpys = both(2)
    drawn = np.empty(2_000_000, np.float32)
    fill_narrow_normal(stream, drawn)
    np.testing.assert_array_equal(drawn, numpys.standard_normal(len(drawn), dtype=np.float32), strict=True)
    assert np.abs(drawn).max() > 4  # beyond the last layer
