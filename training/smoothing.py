"""Find out from the data how far a forest's staircase may be smoothed.

Every kernel of a family is tried on forests that saw four fifths of the decisions, and scored by the log likelihood
of the last fifth, five times over. Kernels are then mixed in proportion to their likelihood, averaged over a Bayesian
bootstrap of the decisions (pseudo-BMA+: Yao, Vehtari, Simpson and Gelman, "Using stacking to average Bayesian
predictive distributions", Bayesian Analysis, 2018): where the data cannot tell two widths apart, and luck could, the
mixture is steadier than the choice of either.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from features.smoothing import RATIO, Kernel, Smoothing, staircase_of

_WIDTHS = {1: (0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0), 2: (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0)}
_LADDER_STEP = 0.045  # of the default ladder, in price ratio
FAMILY = tuple(
    Kernel(degree, round(steps * _LADDER_STEP, 5), pooled)
    for pooled in (False, True)
    for degree, widths in _WIDTHS.items()
    for steps in widths
)
"""Kernels that are tried: local lines and parabolas, three quarters to ten ladder steps wide, own and pooled curves."""

_FOLDS = 5
_BOOTSTRAPS = 100
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
    likelihood = np.zeros((_BOOTSTRAPS, len(FAMILY)))
    for held_out in folds:
        drawn = stream.gamma(held_out, size=(_BOOTSTRAPS, len(held_out)))
        kept = weight - held_out
        model = fit((X[kept > 0], y[kept > 0], kept[kept > 0]))
        staircase = staircase_of(model, X, Smoothing(lowest, highest, ()).grid)
        for position, kernel in enumerate(FAMILY):
            likelihood[:, position] += drawn @ _log_likelihood(staircase.smoothed((kernel,)), y)
    shares = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    share = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    share[share < _NEGLIGIBLE] = 0
    share /= share.sum()
    kernels = tuple(replace(kernel, weight=float(own)) for kernel, own in zip(FAMILY, share, strict=True) if own)
    return Smoothing(lowest, highest, kernels)


def _log_likelihood(chance: Floats, y: Ints) -> Floats:
    """Log likelihood of one decision of each row, nats, shape (n_rows,)."""
    sure = np.clip(chance, _SURE, 1 - _SURE)
    return np.where(y == 1, np.log(sure), np.log(1 - sure))
