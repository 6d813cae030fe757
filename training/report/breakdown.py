"""The same judgement in parts: by product, by price and by the shoppers' hidden budget. Pure, frame -> frame.

Precondition: an array of chances holds one chance of sale per held-out cell, in the order of the cells.
"""

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.metrics import calibration_error
from features.context_names import is_context
from training.dataset import Dataset
from training.judge import excess_log_loss, log_loss

BUDGET_GROUPS = {"frugal": "below 0.9", "average": "0.9 to 1.1", "wealthy": "above 1.1"}
"""Budget groups by the shopper's multiplier, as warehouse/marts/budget_groups.sql cuts them."""
_CELL = ["business_date", "sku", "price_offered", "inventory_level"]


def prices_by_product(dataset: Dataset) -> pd.DataFrame:
    """Return what was offered, one row per `sku`, fitted and held-out decisions together.

    Returns
    -------
    pd.DataFrame
        `decisions`, `purchases`, `lowest_eur` and `highest_eur` (prices observed), `prices` (distinct ones) and
        `base_share` (share of the decisions at the base price).
    """
    cells = pd.concat([dataset.training, dataset.holdout], ignore_index=True)
    at_base = np.isclose(cells["price_ratio"], 1.0)
    grouped = cells.assign(at_base=cells["n_offered"].where(at_base, 0)).groupby("sku", sort=True)
    offered = grouped.agg(
        decisions=("n_offered", "sum"),
        purchases=("n_purchased", "sum"),
        lowest_eur=("price_offered", "min"),
        highest_eur=("price_offered", "max"),
        prices=("price_offered", "nunique"),
        at_base=("at_base", "sum"),
    )
    return offered.assign(base_share=offered["at_base"] / offered["decisions"]).reset_index()


def curve_points(dataset: Dataset) -> pd.DataFrame:
    """Return every price that was ever offered, as model input: where demand curves are drawn.

    Returns
    -------
    pd.DataFrame
        One row per `sku` and `price_offered` (EUR), in that order, with the features; `inventory_level` is the
        product's median, `business_date` the last day judged, and the context the commonest one of the days held out.
    """
    cells = pd.concat([dataset.training, dataset.holdout], ignore_index=True)
    stock = cells.groupby("sku")["inventory_level"].median()
    points = cells[["sku", "price_offered", "price_ratio"]].drop_duplicates(["sku", "price_offered"])
    points = points.sort_values(["sku", "price_offered"], ignore_index=True)
    points = points.assign(
        **{name: _commonest(dataset.holdout, name) for name in map(str, dataset.holdout) if is_context(name)}
    )
    return points.assign(
        inventory_level=stock.loc[points["sku"]].to_numpy(), business_date=pd.Timestamp(dataset.judged_through)
    )


def _commonest(cells: pd.DataFrame, feature: str) -> float:
    decisions = cells.groupby(feature, dropna=False)["n_offered"].sum()
    return float(decisions.index[int(decisions.argmax())]) if len(decisions) else float("nan")


def scores_by_product(
    cells: pd.DataFrame, p_sale: Floats, champion: Floats | None = None, truth: Floats | None = None
) -> pd.DataFrame:
    """Score chances of sale product by product.

    Returns
    -------
    pd.DataFrame
        One row per `sku`: `decisions`, `observed` and `predicted` (shares bought), `log_loss`, `calibration_error`,
        and NaN where there is no truth or champion: `excess_log_loss`, `champion_log_loss`. Losses in nats.
    """
    rows = []
    for sku, positions in sorted(cells.groupby("sku").indices.items()):
        own = cells.iloc[positions]
        rows.append(
            {
                "sku": sku,
                **_scores(own, p_sale[positions]),
                "calibration_error": calibration_error(p_sale[positions], own),
                "excess_log_loss": np.nan
                if truth is None
                else excess_log_loss(truth[positions], p_sale[positions], own),
                "champion_log_loss": np.nan if champion is None else log_loss(champion[positions], own),
            }
        )
    return pd.DataFrame(rows)


def scores_by_budget_group(budget_groups: pd.DataFrame, cells: pd.DataFrame, p_sale: Floats) -> pd.DataFrame:
    """Score chances of sale for each budget group, which the model cannot tell apart.

    Parameters
    ----------
    budget_groups
        The decisions of the held-out cells by `budget_group`, as `holdout_budget_groups` reads them.

    Returns
    -------
    pd.DataFrame
        One row per `budget_group` and a last one for `all`: `multiplier` (its range in words), `decisions`, `observed`,
        `predicted` and `log_loss` (nats); no rows where no budget is known.
    """
    known = budget_groups.merge(cells[_CELL].assign(p_sale=p_sale), on=_CELL)
    parts = [(name, words, known[known["budget_group"] == name]) for name, words in BUDGET_GROUPS.items()]
    return pd.DataFrame(
        {"budget_group": name, "multiplier": words, **_scores(own, own["p_sale"].to_numpy())}
        for name, words, own in [*parts, ("all", "", known)]
        if len(own)
    )


def _scores(cells: pd.DataFrame, p_sale: Floats) -> dict[str, float]:
    offered = cells["n_offered"].to_numpy()
    return {
        "decisions": int(offered.sum()),
        "observed": float(cells["n_purchased"].sum() / offered.sum()),
        "predicted": float(np.average(p_sale, weights=offered)),
        "log_loss": log_loss(p_sale, cells),
    }
