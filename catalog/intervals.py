"""95 % confidence intervals of shares and of means."""

import numpy as np
from scipy.special import stdtrit

from catalog.arrays import Floats

_Z95 = 1.959964
_UPPER = 0.975


def wilson(bought: Floats, offered: Floats) -> tuple[Floats, Floats]:
    """Return the lower and upper end of an observed share, shape (n,) each.

    The score interval of Wilson ("Probable inference", JASA 1927): it stays within 0 and 1, also for few decisions.
    """
    share = bought / offered
    centre = (share + _Z95**2 / (2 * offered)) / (1 + _Z95**2 / offered)
    half = _Z95 / (1 + _Z95**2 / offered) * np.sqrt(share * (1 - share) / offered + _Z95**2 / (4 * offered**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def half_width(standard_deviation: Floats, n: Floats) -> Floats:
    """Return half the width of the interval of a mean of `n` independent values (Student's t), shape (n_means,).

    NaN where `n` is 1: a single value has no interval.
    """
    half = stdtrit(np.maximum(n - 1, 1), _UPPER) * standard_deviation / np.sqrt(n)
    return np.where(n > 1, half, np.nan)
