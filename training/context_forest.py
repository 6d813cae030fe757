"""The candidate that looks at the context: boosted trees over price, product, weekday, hour, store and the like.

A tree of a random forest spends its splits on whichever feature matters most, while boosted trees add up: what a
weekend does to demand is learned once for all products and hours (Friedman, "Greedy function approximation: a gradient
boosting machine", Annals of Statistics, 2001). No tree rises with the price.

How many trees, and whether the context is worth looking at, is found out on whole dates that were left out: decisions
of one date are alike for reasons that no feature knows, and trees that saw some of them would seem to know the others.
First a test that costs little: where purchases differ from what price and product say by no more than luck, in
every context, nothing else is fitted. Else the most striking feature is taken in, and the others are tested again, so
that trees see no feature twice: a weekday beside the weekend would only fit luck.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import chdtri

from catalog.arrays import Floats, Ints
from features.one_core import on_one_core
from features.product_columns import input_of
from features.smoothing import RATIO
from training.dataset import Dataset, weighted_rows

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

PARAMETERS = {"learning_rate": 0.1, "max_leaf_nodes": 8, "min_samples_leaf": 10, "l2_regularization": 1.0}
_MOST_TREES = 100
_USUAL_TREES = 40  # that tell what is known so far
_BY_LUCK = 0.01  # chance that one feature of the context seems to matter where it does not
_GROUPS = 12  # that a feature with many values is cut into
_SURE = 0.0025


Rows = tuple[pd.DataFrame, Ints, Floats]
"""Features, class (1 = bought) and weight in decisions."""


@dataclass(frozen=True)
class ContextGain:
    """What the context tells beyond price and product, by the log loss of dates that were left out.

    Attributes
    ----------
    differing
        Features by which purchases differ by more than luck, each beyond those before it: those that the trees look at.
    n_trees
        Trees at which the loss was least, 0 where nothing was fitted.
    gain, standard_error
        Nats per decision less than without the context, and its standard error over the parts of the days.
    """

    differing: tuple[str, ...] = ()
    n_trees: int = 0
    gain: float = 0.0
    standard_error: float = 0.0

    @property
    def matters(self) -> bool:
        """Whether the gain is more than its standard error: that of a rare weekend is never far above."""
        return self.n_trees > 0 and self.gain > self.standard_error

    @property
    def said(self) -> str:
        """What was found, in a sentence."""
        if not self.differing:
            return "at the same prices purchases differ by no more than luck in any context"
        found = f"{self.gain:+.4f} nats per decision on days left out, standard error {self.standard_error:.4f}"
        named = ", ".join(self.differing)
        return f"the context tells {'more' if self.matters else 'nothing'} than prices: {found} ({named})"


def context_gain(dataset: Dataset, seed: int) -> ContextGain:
    """Find out whether trees that look at the context of some days predict others of them better.

    Parameters
    ----------
    dataset
        Days by context, whose training cells say which `fold` they belong to.
    """
    rows = weighted_rows(dataset.training, [RATIO, *dataset.context, *dataset.one_hot, "fold"])
    differing = _differing(dataset, rows, seed)
    if not differing:
        return ContextGain()
    plain = [RATIO, *dataset.one_hot]
    without, told = (_losses_of_folds(rows, own, seed) for own in (plain, [*plain, *differing]))
    offered = dataset.training.groupby("fold")["n_offered"].sum().to_numpy().astype(float)
    n_trees = int(np.argmin(told.sum(axis=0)))
    gains = (without[:, np.argmin(without.sum(axis=0))] - told[:, n_trees]) / offered
    mean = float(np.average(gains, weights=offered))
    error = float(np.sqrt(np.average((gains - mean) ** 2, weights=offered) / max(1, len(gains) - 1)))
    return ContextGain(tuple(differing), n_trees + 1, mean, error)


def boosted(X: pd.DataFrame, y: Ints, weight: Floats, n_trees: int, seed: int) -> "HistGradientBoostingClassifier":
    """Fit trees that never rise with the price.

    Parameters
    ----------
    X, y, weight
        Rows as `weighted_rows` gives them.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        **PARAMETERS,
        max_iter=n_trees,
        early_stopping=False,
        monotonic_cst=[-1 if name == RATIO else 0 for name in X.columns],
        random_state=seed,
    )
    with on_one_core():
        return model.fit(X, y, sample_weight=weight)


def _differing(dataset: Dataset, rows: Rows, seed: int) -> list[str]:
    """Return features by which purchases differ, the most striking first, each beyond what those before it tell."""
    X, y, weight = rows
    cells, found = dataset.training, list[str]()
    offered = cells["n_offered"].to_numpy().astype(float)
    while len(np.unique(y)) > 1 and len(found) < len(dataset.context):
        told = [RATIO, *found, *dataset.one_hot]
        model = boosted(X[told], y, weight, _USUAL_TREES, seed)
        with on_one_core():
            chance = np.clip(model.predict_proba(input_of(cells, told))[:, 1], _SURE, 1 - _SURE)
        apart, variance = cells["n_purchased"].to_numpy() - offered * chance, offered * chance * (1 - chance)
        sums = pd.DataFrame({"sku": cells["sku"].to_numpy(), "apart": apart, "variance": variance})
        striking = {name: _striking(sums, cells[name]) for name in dataset.context if name not in found}
        most = max(striking, key=lambda name: striking[name])
        if striking[most] <= 0:
            break
        found.append(most)
    return found


def _striking(sums: pd.DataFrame, feature: pd.Series) -> float:
    """Return how far purchases in the groups of a feature are from what luck may do, in standard deviations of it."""
    group = feature.rank(method="dense", na_option="bottom").to_numpy()
    if group.max() > _GROUPS:
        group = np.ceil(group * _GROUPS / group.max())
    by_group = sums.groupby([sums["sku"], group])[["apart", "variance"]].sum()
    distance = float((by_group["apart"] ** 2 / by_group["variance"]).sum())
    return (distance - float(chdtri(len(by_group), _BY_LUCK))) / float(np.sqrt(2 * len(by_group)))


def _losses_of_folds(rows: Rows, features: list[str], seed: int) -> Floats:
    """Return the summed log loss of each fold after each tree, of trees that saw the others, shape (n_folds, n_trees).

    Rows are the same whatever features are looked at: how small a leaf may be is counted in rows. A fold without which
    one outcome alone is left tells nothing.
    """
    X, y, weight = rows
    folds = X["fold"].to_numpy()
    losses = np.zeros((len(np.unique(folds)), _MOST_TREES))
    for number, fold in enumerate(np.unique(folds)):
        kept, left = folds != fold, folds == fold
        if len(np.unique(y[kept])) < 2:  # noqa: PLR2004 - bought or not
            continue
        model = boosted(X.loc[kept, features], y[kept], weight[kept], _MOST_TREES, seed)
        with on_one_core():
            for tree, answers in enumerate(model.staged_predict_proba(X.loc[left, features])):
                chance = np.clip(answers[:, 1], _SURE, 1 - _SURE)
                losses[number, tree] = -weight[left] @ np.log(np.where(y[left] == 1, chance, 1 - chance))
    return losses
