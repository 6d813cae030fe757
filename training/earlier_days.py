"""Let days before a change in demand lend the shape of their curve to the few days since.

A champion shows nearly one price, so the first days after a change say how much is bought there and nothing about any
other price: a forest fitted on them alone is flat beyond, and its best price can be absurd. The days before know the
shape. When budgets move, the odds of a sale move by about the same factor at every price, so the purchases of the days
before are weighted by that factor and kept beside the decisions since.

The factor of a product is the Mantel-Haenszel odds ratio over the prices that both periods showed: prices are compared
with themselves alone, so it does not matter that the two showed them in different shares (Mantel and Haenszel,
"Statistical aspects of the analysis of data from retrospective studies of disease", Journal of the National Cancer
Institute, 1959). A price that was shown very often is given less weight: how likely a sale is there is known by then,
and in a forest it would swallow its rare neighbours.
"""

from collections.abc import Sequence
from functools import reduce

import pandas as pd

_COUNTS = ["n_offered", "n_purchased"]
_PRICE = ["sku", "price_offered"]
_MOST_OF_A_PRICE = 100.0  # decisions of a product at one price
_CONTINUITY = 0.5  # keeps the ratio finite where nobody bought, or everybody did


def carried_through(periods: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Carry cells from period to period; what remains answers prices as the last one does.

    Parameters
    ----------
    periods
        Training cells of each period between two changes in demand, oldest first, at least one.

    Returns
    -------
    pd.DataFrame
        A single period as it is. Of several, all cells with counts that are weights and no longer whole numbers.
    """
    return reduce(carried_over, periods)


def carried_over(before: pd.DataFrame, since: pd.DataFrame) -> pd.DataFrame:
    """Join the cells of the days before a change, their odds moved, to those of the days since.

    A product that was shown since, and at no price that it was shown at before, lends nothing: nobody can compare. One
    that was not shown since is left as it was.
    """
    ratios = odds_ratios(before, since)
    shown_since = set(since["sku"])
    kept = before[before["sku"].isin(ratios.index) | ~before["sku"].isin(shown_since)]
    refused = kept["n_offered"] - kept["n_purchased"]
    bought = kept["n_purchased"] * kept["sku"].map(ratios).fillna(1.0).astype(float)
    joined = pd.concat([kept.assign(n_offered=refused + bought, n_purchased=bought), since], ignore_index=True)
    of_price = joined.groupby(_PRICE)["n_offered"].transform("sum")
    weight = (_MOST_OF_A_PRICE / of_price).clip(upper=1.0)
    return joined.assign(**{count: joined[count] * weight for count in _COUNTS})


def odds_ratios(before: pd.DataFrame, since: pd.DataFrame) -> pd.Series:
    """Return how the odds of a sale changed, by `sku`, for products with a price that both periods showed."""
    both = _by_price(before).add_suffix("_before").join(_by_price(since).add_suffix("_since"), how="inner")
    bought_before, bought_since = both["n_purchased_before"], both["n_purchased_since"]
    refused_before, refused_since = both["n_offered_before"] - bought_before, both["n_offered_since"] - bought_since
    total = both["n_offered_before"] + both["n_offered_since"]
    rose = (bought_since * refused_before / total).groupby(level="sku").sum() + _CONTINUITY
    fell = (refused_since * bought_before / total).groupby(level="sku").sum() + _CONTINUITY
    return rose / fell


def _by_price(cells: pd.DataFrame) -> pd.DataFrame:
    return cells.groupby(_PRICE)[_COUNTS].sum()
