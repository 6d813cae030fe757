"""The candidate models, all behind one interface: which features they see and how their forest is built.

`balanced_forest` and `plain_forest` are what one would try first; `demand_forest` knows two things about demand:
only the price relative to the usual price matters across products, and a higher price never sells more.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from catalog.arrays import Floats, Ints
from catalog.errors import DataError
from features.stored_model import with_odds
from training.dataset import Dataset, weighted_rows

_BOOTSTRAP_DRAWS = 20_000  # decisions drawn for each tree at most; measured: more cost time and improve nothing
_SEES_STOCK = ("price_offered", "inventory_level")


class Classifier(Protocol):
    """The part of a scikit-learn classifier that judging and pricing rely on."""

    classes_: Any

    def predict_proba(self, X: Any) -> Any:
        """Return one column of probabilities per class."""
        ...


@dataclass(frozen=True)
class Candidate:
    """A model family: `features` beside the products one-hot, and the forest's parameters."""

    name: str
    description: str
    features: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    balance_classes: bool = False
    decreasing_in: str | None = None


CANDIDATES = (
    Candidate(
        "balanced_forest",
        "The textbook start: price, stock and product, classes reweighted to the same total, odds corrected after.",
        _SEES_STOCK,
        {"n_estimators": 100, "max_depth": 10},
        balance_classes=True,
    ),
    Candidate(
        "plain_forest",
        "The same forest with every decision counted once.",
        _SEES_STOCK,
        {"n_estimators": 100, "max_depth": 10},
    ),
    Candidate(
        "demand_forest",
        "Price over base price and product, never increasing in price, leaves of at least 3 % of the decisions.",
        ("price_ratio",),
        {"n_estimators": 100, "min_weight_fraction_leaf": 0.03, "max_features": 1.0},
        decreasing_in="price_ratio",
    ),
)


@dataclass(frozen=True)
class FittedModel:
    """A fitted candidate; `features` are its input columns in their order.

    `odds_factor` takes reweighted classes back: the classifier's odds times it are honest odds.
    """

    candidate: Candidate
    features: list[str]
    model: Classifier
    odds_factor: float = 1.0

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        """Chance of sale for rows that have the features, shape (n_rows,)."""
        return with_odds(p_sale(self.model, rows[self.features]), self.odds_factor)


def fit(candidate: Candidate, dataset: Dataset, seed: int) -> FittedModel:
    """Fit a candidate on the training cells. Cost grows with distinct cells, not with decisions.

    Raises
    ------
    DataError
        When the decisions hold one outcome only, so that there is nothing to tell apart.
    """
    features = [*candidate.features, *dataset.one_hot]
    X, y, weight = weighted_rows(dataset.training, features)
    if len(np.unique(y)) < 2:  # noqa: PLR2004 - bought or not
        outcome = "bought" if y.all() else "refused"
        raise DataError(
            f"{candidate.name}: every decision up to {dataset.trained_through} was {outcome}, so there is no demand "
            "to learn; no model was trained: try prices further apart"
        )
    class_weight = _balancing_weights(y, weight) if candidate.balance_classes else None
    forest = RandomForestClassifier(
        **candidate.parameters,
        max_samples=int(min(weight.sum(), _BOOTSTRAP_DRAWS)),
        class_weight=class_weight,
        monotonic_cst=_falling(features, candidate.decreasing_in),
        random_state=seed,
        n_jobs=1,
    )
    forest.fit(X, y, sample_weight=weight)
    return FittedModel(candidate, features, forest, class_weight[0] / class_weight[1] if class_weight else 1.0)


def p_sale(model: Classifier, X: pd.DataFrame) -> Floats:
    """Chance of sale from any classifier, whichever classes it has seen, shape (n_rows,)."""
    classes = [int(label) for label in model.classes_]
    if 1 not in classes:
        return np.zeros(len(X))
    return np.asarray(model.predict_proba(X)[:, classes.index(1)], dtype=float)


def _balancing_weights(y: Ints, weight: Floats) -> dict[int, float]:
    """Class weights that `class_weight="balanced"` gives row by row; on cells it would count cells instead."""
    totals = np.bincount(y, weights=weight)
    return {label: float(weight.sum() / (2 * total)) for label, total in enumerate(totals)}


def _falling(features: list[str], decreasing_in: str | None) -> list[int] | None:
    if decreasing_in is None:
        return None
    return [-1 if feature == decreasing_in else 0 for feature in features]
