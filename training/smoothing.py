"""Find out from the data how far a forest's staircase may be smoothed.

Every kernel of a family is tried on forests that saw four fifths of the decisions, and scored by the log likelihood
of the last fifth, five times over. Kernels are then mixed in proportion to their likelihood (pseudo-BMA: Yao, Vehtari,
Simpson and Gelman, "Using stacking to average Bayesian predictive distributions", Bayesian Analysis, 2018): where the
data cannot tell two widths apart, the mixture is steadier than the choice of either.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from features.smoothing import RATIO, Kernel, Smoothing, staircase_of

FAMILY = tuple(
    Kernel(degree, round(steps * 0.045, 5))
    for degree, widths in ((1, (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)), (2, (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)))
    for steps in widths
)
"""Kernels that are tried, from one half of a usual ladder step to ten of them."""

_FOLDS = 5
_SURE = 0.0025
_NEGLIGIBLE = 0.01

Rows = tuple[pd.DataFrame, Ints, Floats]
"""Features, class (1 = bought) and weight in decisions."""


def choose_smoothing(rows: Rows, fit: Callable[[Rows], Callable[[pd.DataFrame], Floats]], seed: int) -> Smoothing:
    """Weigh the family of kernels by cross-validated likelihood.

    Parameters
    ----------
    rows
        What the model is fitted on.
    fit
        Fits a model of the same kind on other rows and returns its chance of sale.
    seed
        Of the draw that cuts the decisions into folds.
    """
    X, y, weight = rows
    lowest, highest = float(X[RATIO].min()), float(X[RATIO].max())
    if not highest > lowest:
        return Smoothing(lowest, highest, (Kernel(1, FAMILY[0].bandwidth),))
    stream = np.random.default_rng(seed)
    folds = stream.multinomial(weight.astype(np.int64), np.full(_FOLDS, 1 / _FOLDS)).T
    likelihood = np.zeros(len(FAMILY))
    for held_out in folds:
        kept = weight - held_out
        model = fit((X[kept > 0], y[kept > 0], kept[kept > 0]))
        staircase = staircase_of(model, X, Smoothing(lowest, highest, ()).grid)
        for position, kernel in enumerate(FAMILY):
            likelihood[position] += _log_likelihood(staircase.smoothed((kernel,)), y, held_out)
    share = np.exp(likelihood - likelihood.max())
    share[share < _NEGLIGIBLE * share.sum()] = 0
    share /= share.sum()
    kernels = tuple(
        Kernel(kernel.degree, kernel.bandwidth, float(own)) for kernel, own in zip(FAMILY, share, strict=True) if own
    )
    return Smoothing(lowest, highest, kernels)


def _log_likelihood(chance: Floats, y: Ints, decisions: Ints) -> float:
    sure = np.clip(chance, _SURE, 1 - _SURE)
    return float((decisions * np.where(y == 1, np.log(sure), np.log(1 - sure))).sum())
