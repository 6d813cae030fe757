"""Points that fill a cube more evenly than independent ones: a scrambled Sobol sequence, the same on every call.

They are those of `scipy.stats.qmc.Sobol`, to the bit. To import SciPy's statistics for them took each process that
prices most of a second.

Joe and Kuo, "Constructing Sobol sequences with better two-dimensional projections", SIAM Journal on Scientific
Computing, 2008, has the direction numbers; Matoušek, "On the L2-discrepancy for anchored boxes", Journal of Complexity,
1998, the scrambling.
"""

import numpy as np

from catalog.arrays import Floats, Ints

_BITS = 30
_POLYNOMIALS = (
    (1, (1,)),
    (3, (1,)),
    (7, (1, 3)),
    (11, (1, 3, 1)),
    (13, (1, 1, 1)),
    (19, (1, 1, 3, 3)),
    (25, (1, 3, 5, 13)),
    (37, (1, 1, 5, 5, 17)),
    (41, (1, 1, 5, 5, 5)),
    (47, (1, 1, 7, 11, 19)),
    (55, (1, 1, 5, 1, 1)),
    (59, (1, 1, 1, 3, 11)),
    (61, (1, 3, 5, 5, 31)),
    (67, (1, 3, 3, 9, 7, 49)),
    (91, (1, 1, 1, 15, 21, 21)),
    (97, (1, 3, 1, 13, 27, 49)),
    (103, (1, 1, 1, 15, 7, 5)),
    (109, (1, 3, 1, 15, 13, 25)),
    (115, (1, 1, 5, 5, 19, 61)),
    (131, (1, 3, 7, 11, 23, 15, 103)),
    (137, (1, 3, 7, 13, 13, 15, 69)),
    (143, (1, 1, 3, 13, 7, 35, 63)),
    (145, (1, 3, 5, 9, 1, 25, 53)),
    (157, (1, 3, 1, 13, 9, 35, 107)),
)
"""A primitive polynomial of each dimension, and the direction numbers that the others follow from."""


def even_draws(n_dimensions: int, n_draws: int, seed: int) -> Floats:
    """Return points in a cube, each from 0 up to but not including 1, shape (n_draws, n_dimensions).

    There are at most 24 of the latter. `n_draws` is a power of two.
    """
    (dice,) = np.random.default_rng(seed).spawn(1)
    places = 1 << np.arange(_BITS, dtype=np.int64)
    begin = dice.integers(2, size=(n_dimensions, _BITS), dtype=np.uint32) @ places
    mixed = np.tril(dice.integers(2, size=(n_dimensions, _BITS, _BITS), dtype=np.uint32)).astype(np.int64)
    mixed[:, np.arange(_BITS), np.arange(_BITS)] = 1
    directions = np.stack([_directions(*own) for own in _POLYNOMIALS[:n_dimensions]])
    digits = directions[:, :, None] // places[::-1] % 2  # the highest first
    scrambled = (np.einsum("dpk,djk->djp", mixed, digits) % 2) @ places[::-1]
    turned = [(~step & (step + 1)).bit_length() - 1 for step in range(n_draws - 1)]  # the lowest bit that is 0
    points = np.bitwise_xor.accumulate(np.vstack([begin, scrambled[:, turned].T]), axis=0)
    return np.asarray(points / 2.0**_BITS)


def _directions(polynomial: int, first: tuple[int, ...]) -> Ints:
    """Return the direction numbers of a dimension, each moved to the left as far as it goes, shape (_BITS,)."""
    found, degree = list(first), polynomial.bit_length() - 1
    while len(found) < _BITS:
        number = found[-degree] if degree else 1
        for back in range(1, degree + 1):
            number ^= (polynomial >> (degree - back) & 1) * found[-back] << back
        found.append(number)
    return np.array([number << (_BITS - 1 - place) for place, number in enumerate(found)], dtype=np.int64)
