"""Predicted against observed chances of sale, in ten equal bins: one definition for the gate and for the monitor."""

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints

_BINS = 10


def bins_of(p_sale: Floats) -> Ints:
    """Return the bin of each predicted chance of sale, 0 to 9, shape (n_cells,)."""
    return np.minimum((p_sale * _BINS).astype(int), _BINS - 1)


def calibration_table(p_sale: Floats, cells: pd.DataFrame) -> pd.DataFrame:
    """Compare predicted with observed shares bought, bin by bin.

    Parameters
    ----------
    p_sale
        Predicted chance of sale of each cell, shape (n_cells,).
    cells
        Cells with `n_offered` and `n_purchased`, in decisions.

    Returns
    -------
    pandas.DataFrame
        `predicted` and `observed` (shares), `decisions` and `bought` (counts) of each bin that holds decisions.
    """
    offered = cells["n_offered"].to_numpy().astype(float)
    frame = pd.DataFrame(
        {
            "bin": bins_of(p_sale),
            "expected": p_sale * offered,
            "bought": cells["n_purchased"].to_numpy(),
            "decisions": offered,
        }
    )
    sums = frame.groupby("bin").sum()
    return pd.DataFrame(
        {
            "predicted": sums["expected"] / sums["decisions"],
            "observed": sums["bought"] / sums["decisions"],
            "decisions": sums["decisions"],
            "bought": sums["bought"],
        }
    ).reset_index(drop=True)


def calibration_error(p_sale: Floats, cells: pd.DataFrame) -> float:
    """Return the distance between predicted and observed, averaged over the bins by decisions; NaN without any."""
    table = calibration_table(p_sale, cells)
    if not table["decisions"].sum():
        return float("nan")
    return float(np.average((table["predicted"] - table["observed"]).abs(), weights=table["decisions"]))
