"""Fit what a version says beforehand: forests of what products are, what days are, and what stores are.

Purchases themselves would mislead a forest, since prices follow products and days: a rich day sells as often as
another, at higher prices. So all learn from effects on log odds that the belief fitted.

The forest of products learns lines in price ratio, a level and a slope for each product. Lines come from the sales and
from the forest by turns, as an EM algorithm has it (Dempster, Laird and Rubin, "Maximum likelihood from incomplete data
via the EM algorithm", Journal of the Royal Statistical Society B, 1977): where a product sold little, the forest fills
its line in.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from catalog.arrays import Flags, Floats
from catalog.load import Catalog
from features.attributes import FEWEST_STORES, attributes_of, attributes_of_stores, telling
from features.prior_forests import DayForest, PriorForests, ProductForest, StoreForest
from serving.belief.gaussian import Knots
from serving.belief.log import KindEvidence, LogEvidence, levels_of_kinds
from serving.belief.posterior import binomial
from serving.belief.sales import Sales
from serving.belief.states import Fit, Study

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestRegressor

_TREES, _SEED = 200, 20260105
_FEWEST_DAYS = 4
_LEAF = 3  # products
_ROUNDS = 6  # of forest and lines
_SPREADS = np.array([1.0, 3.0])  # of level and slope around the forest in the first round, log odds
_RIDGE = 1e-6


def fit_prior(catalog: Catalog, evidence: LogEvidence | None, attributes: pd.DataFrame | None) -> PriorForests:
    """Fit the forests to what the log shows; None of each where nothing tells products, days or stores apart.

    `attributes` are those that the classifier of the same version looks at.
    """
    if evidence is None or evidence.fit is None or evidence.days is None:
        return PriorForests(attributes=attributes)
    of_sales = catalog, Knots.of(catalog), evidence.sales, evidence.fit
    forests = fit_product_forest(*of_sales), fit_day_forest(*of_sales, evidence.days)
    return PriorForests(*forests, fit_store_forest(catalog, evidence.kinds), attributes)


def fit_product_forest(catalog: Catalog, knots: Knots, sales: Sales, fit: Fit) -> ProductForest | None:
    """Fit the forest of products; None where too few sold, or their attributes are alike."""
    is_sold = np.diff(sales.starts) > 0
    differing = telling(attributes_of(catalog), is_sold)
    if differing is None:
        return None
    forest, scale = _forest_of_lines(*_lines(fit, knots, catalog, sales), differing.to_numpy(), is_sold)
    return ProductForest(tuple(differing.columns), tuple(differing.index), scale, forest)


def _lines(fit: Fit, knots: Knots, catalog: Catalog, sales: Sales) -> tuple[Floats, Floats]:
    """Return what sales alone say of each product's line around the shelf's prior.

    All other effects are as fitted, and purchases are normal around that fit.

    Returns
    -------
    tuple
        Precision of level and slope, shape (n_products, 2, 2), and that times their mean, shape (n_products, 2).
    """
    apart = fit.effects.curves - Study(knots, catalog.store.belief, sales).prior(fit.shape).mean
    product, off = sales.product, knots.ratios[sales.product, sales.knot] - 1
    odds = fit.effects.odds(knots.ratios, sales, fit.state_of_day)
    _, surplus, curved = binomial(odds, sales.met, sales.bought)
    pull = surplus + curved * apart[product, sales.knot]

    def by_product(rows: Floats) -> Floats:
        return np.bincount(product, rows, len(apart)).astype(float)

    met, tilted, twice = (by_product(curved * off**power) for power in range(3))
    precision = np.stack([met, tilted, tilted, twice], axis=1).reshape(-1, 2, 2)
    return precision, np.stack([by_product(pull), by_product(pull * off)], axis=1)


def _forest_of_lines(
    precision: Floats, pull: Floats, attributes: Floats, is_sold: Flags
) -> tuple["RandomForestRegressor", Floats]:
    """Return the forest of level and slope, and the scale of both, from lines and attributes of products."""
    precision, pull = precision[is_sold], pull[is_sold]
    word, spread = np.zeros(pull.shape), np.diag(_SPREADS**2)
    for _ in range(_ROUNDS):
        left = np.linalg.inv(precision + np.linalg.inv(spread))
        apart = (left @ (pull - (precision @ word[:, :, None])[:, :, 0])[:, :, None])[:, :, 0]
        spread = np.mean(apart[:, :, None] * apart[:, None, :] + left, axis=0) + _RIDGE * np.eye(2)
        scale = np.sqrt(np.diag(spread))
        forest = _forest(_LEAF).fit(attributes, (word + apart) / scale)
        word = forest.oob_prediction_ * scale
    return forest, scale


def fit_day_forest(catalog: Catalog, knots: Knots, sales: Sales, fit: Fit, days: pd.DataFrame) -> DayForest | None:
    """Fit the forest of days to the level of each product on each day beyond its weekday and hours.

    What it says first is taken out of the other effects as far as it holds, then it is fitted again.

    Parameters
    ----------
    days
        Context of the days of the sales and of a date after them, as `days_in_context` returns it.

    Returns
    -------
    DayForest | None
        None where the context does not differ, or the days are too few.
    """
    seen = days.iloc[:-1]
    seen = seen.loc[:, seen.nunique(dropna=False) > 1]
    if len(seen) < _FEWEST_DAYS or seen.empty:
        return None
    dates = tuple(date.isoformat()[:10] for date in seen.index)

    def forest_of(levels: Floats) -> DayForest:
        context = seen.to_numpy(dtype=float)
        return DayForest(tuple(seen.columns), dates, context, catalog.skus, _forest(1).fit(context, levels.T))

    first = forest_of(fit.levels).levels(seen, catalog.skus)
    heard, share = fit.with_day_effects(knots, catalog.store.belief, sales, first)
    return forest_of(heard.levels + share * first)


def fit_store_forest(catalog: Catalog, kinds: Sequence[KindEvidence]) -> StoreForest | None:
    """Fit the forest of stores to the level of each store's kind; None where stores or their attributes are alike."""
    level_of = {
        store: level for kind, level in zip(kinds, levels_of_kinds(kinds), strict=True) for store in kind.stores
    }
    attributes = attributes_of_stores(catalog)
    differing = telling(attributes, attributes.index.isin(list(level_of)), FEWEST_STORES)
    if differing is None:
        return None
    levels = np.array([level_of[store] for store in differing.index])
    return StoreForest(tuple(differing.columns), tuple(differing.index), _forest(1).fit(differing.to_numpy(), levels))


def _forest(leaf: int) -> "RandomForestRegressor":
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(
        _TREES, min_samples_leaf=leaf, bootstrap=True, oob_score=True, random_state=_SEED, n_jobs=1
    )
