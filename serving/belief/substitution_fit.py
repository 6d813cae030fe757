"""Learn how shoppers take substitutes: the two numbers of a logit, from the choices that stood before them.

The weight of a substitute is exp(level - slope x (price ratio - 1)), and leaving has the weight 1. Level and slope are
those under which the choices are likeliest, with a weak prior that takes nearly everybody to leave. The likelihood is
concave, so a few steps of Newton find its top (Train, "Discrete Choice Methods with Simulation", 2009, chapter 3).
"""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.load import Catalog
from features.substitutes import choices_in
from serving.belief.sales import LOOKS_BACK
from serving.optimise.curves import LogitSwitching

_USUAL, _SPREAD = np.array([-5.0, 4.0]), np.array([3.0, 2.0])
"""Of level and slope before anybody chose: mean, and standard deviation."""
_STEPS, _LONGEST, _NEAR = 50, 2.0, 1e-9


def switching_from(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> LogitSwitching | None:
    """Return how shoppers take substitutes, by the days up to a date; None where no choice was seen."""
    if not catalog.names_substitutes:
        return None
    choices = choices_in(connection, through - dt.timedelta(days=LOOKS_BACK - 1), through)
    known = dict(zip(catalog.skus, catalog.base_prices.tolist(), strict=True))
    choices = choices[choices["others"].map(lambda others: all(own in known for own in others)).astype(bool)]
    if choices.empty:
        return None
    return LogitSwitching(catalog.substitutes, *likeliest(*_as_arrays(choices, known)).tolist())


def likeliest(off: Floats, took: Floats, count: Floats) -> Floats:
    """Return the likeliest level and slope, shape (2,).

    Parameters
    ----------
    off
        Price ratio of each substitute in a choice less 1, infinite where a choice has fewer, shape (n_choices, n_most).
    took
        1 for the substitute that was taken, of the same shape.
    count
        Shoppers who chose so, shape (n_choices,).
    """
    there = np.isfinite(off)
    features = np.stack([there.astype(float), np.where(there, -off, 0.0)], axis=-1)
    found, precision = _USUAL.copy(), np.diag(_SPREAD**-2.0)
    for _ in range(_STEPS):
        weights = np.exp(features @ found) * there
        chances = weights / (1 + weights.sum(axis=1, keepdims=True))
        expected = np.einsum("cj,cjk->ck", chances, features)
        slope = np.einsum("c,cj,cjk->k", count, took - chances, features) - precision @ (found - _USUAL)
        second = np.einsum("c,cj,cjk,cjl->kl", count, chances, features, features)
        second += precision - np.einsum("c,ck,cl->kl", count, expected, expected)
        step = np.linalg.solve(second, slope)
        found = found + step * min(1.0, _LONGEST / max(float(np.abs(step).max()), _NEAR))
        if np.abs(step).max() < _NEAR:
            break
    return found


def _as_arrays(choices: pd.DataFrame, base_prices: dict[str, float]) -> tuple[Floats, Floats, Floats]:
    """Return choices as `likeliest` takes them."""
    most = max(map(len, choices["others"]))
    off, took = np.full((len(choices), most), np.inf), np.zeros((len(choices), most))
    rows = zip(choices["others"], choices["prices"], choices["taken"], strict=True)
    for row, (others, prices, taken) in enumerate(rows):
        off[row, : len(others)] = [price / base_prices[own] - 1 for own, price in zip(others, prices, strict=True)]
        took[row, : len(others)] = [own == taken for own in others]
    return off, took, choices["count_shoppers"].to_numpy(dtype=float)
