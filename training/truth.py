"""The twin's truth, for scoring alone: what shoppers would really do, on days that the twin has played.

No model is fitted on it and no price is made from it. Where decisions came from outside, nobody knows the truth.
"""

import datetime as dt

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.load import Catalog
from features.logged_visits import LoggedVisits
from simulation.truth import chance_of_sale, chance_on
from simulation.visits import budget_shifts_on
from training.dataset import Dataset
from warehouse.origin import origin_of
from warehouse.workspace import Workspace


def is_known(workspace: Workspace) -> bool:
    """Tell whether the decisions are the twin's, of which the true demand is known."""
    return origin_of(workspace.lake.store) == "twin"


def true_chances(workspace: Workspace, dataset: Dataset) -> Floats | None:
    """Return the true chance of sale of each held-out cell, shape (n_cells,); None where nobody knows it."""
    if not is_known(workspace):
        return None
    catalog, holdout = workspace.catalog, dataset.holdout
    positions = {sku: position for position, sku in enumerate(catalog.skus)}
    truth = np.empty(len(holdout))
    for stamp, rows in holdout.groupby("business_date").indices.items():
        cells = holdout.iloc[rows]
        ratios = np.broadcast_to(cells["price_ratio"].to_numpy(), (len(positions), len(cells)))
        chances = chance_on(catalog, _date_of(stamp), ratios)
        truth[rows] = chances[cells["sku"].map(positions).to_numpy(), np.arange(len(cells))]
    return truth


def true_chances_at(catalog: Catalog, visits: LoggedVisits, price: Floats) -> Floats:
    """Return the true chance of sale at a price for each visit, shocks included, shape (n_visits,)."""
    shifts = np.array([budget_shifts_on(catalog, day) for day in visits.days])
    product = visits.product
    return chance_of_sale(catalog, price / catalog.base_prices[product], shifts[visits.day, product], product)


def _date_of(stamp: object) -> dt.date:
    date: dt.date = pd.Timestamp(str(stamp)).date()
    return date
