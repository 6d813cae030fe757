"""Logistic regression on grouped decisions by Newton's method, which is iteratively reweighted least squares.

McCullagh and Nelder, "Generalized Linear Models" (2nd ed., 1989), chapter 4.
"""

from typing import NamedTuple

import numpy as np

from catalog.arrays import Floats

_STEPS = 50
_CLOSE = 1e-8
_LONGEST_STEP = 2.0
_FAR = 30.0  # log odds beyond which the chance is 0 or 1
_RIDGE = 1e-8  # keeps the information matrix solvable


class LogisticFit(NamedTuple):
    """Coefficients, shape (n_columns,), their information matrix, and the fitted chances, shape (n_rows,)."""

    coefficients: Floats
    information: Floats
    chance: Floats


def fit_logistic(X: Floats, offered: Floats, bought: Floats, start: Floats | None = None) -> LogisticFit:
    """Regress purchases on the columns of a design matrix.

    Parameters
    ----------
    X
        Design matrix, shape (n_rows, n_columns).
    offered, bought
        Decisions and purchases of each row, shape (n_rows,).
    start
        Coefficients to begin with, by default zeros, shape (n_columns,).
    """
    beta = np.zeros(X.shape[1]) if start is None else start
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(X @ beta, -_FAR, _FAR)))
        weight = offered * chance * (1 - chance)
        information = X.T @ (X * weight[:, None]) + _RIDGE * np.eye(X.shape[1])
        step = np.clip(np.linalg.solve(information, X.T @ (bought - offered * chance)), -_LONGEST_STEP, _LONGEST_STEP)
        beta = beta + step
        if np.abs(step).max() < _CLOSE:
            break
    return LogisticFit(beta, information, chance)
