"""The nearest curves that never rise with the price, for many curves at once.

What is known less gives way to what is known better: where a price was sold often, ignorance of a lower price does not
pull its chance down. Neighbours that rise are pooled (Ayer, Brunk, Ewing, Reid and Silverman, "An empirical
distribution function for sampling with incomplete information", 1955).
"""

import numba
import numpy as np

from catalog.arrays import Floats


@numba.njit(cache=True, nogil=True)
def falling(curves: Floats, sure: Floats) -> Floats:
    """Return the curves that never rise and are nearest, by squares that are weighed by how sure each value is.

    Parameters
    ----------
    curves
        Values at ascending prices, shape (n_curves, n_products, n_prices).
    sure
        Weight of each value, above 0, shape (n_products, n_prices).
    """
    n_curves, n_products, n_prices = curves.shape
    nearest = np.empty(curves.shape)
    mean, weight = np.empty(n_prices), np.empty(n_prices)  # of each pool of neighbours
    ends = np.empty(n_prices, dtype=np.int64)
    for curve in range(n_curves):
        for product in range(n_products):
            pools = 0
            for price in range(n_prices):
                mean[pools], weight[pools] = curves[curve, product, price], sure[product, price]
                ends[pools] = price + 1
                pools += 1
                while pools > 1 and mean[pools - 1] > mean[pools - 2]:
                    before, last = weight[pools - 2], weight[pools - 1]
                    mean[pools - 2] = (mean[pools - 2] * before + mean[pools - 1] * last) / (before + last)
                    weight[pools - 2], ends[pools - 2] = before + last, ends[pools - 1]
                    pools -= 1
            first = 0
            for pool in range(pools):
                nearest[curve, product, first : ends[pool]] = mean[pool]
                first = ends[pool]
    return nearest
