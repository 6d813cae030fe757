"""The candidate models, all behind one interface: which features they see and how their forest is built.

`balanced_forest` and `plain_forest` are what one would try first; `demand_forest` knows two things about demand: only
the price relative to the usual price matters across products, and a higher price never sells more.

How far a forest's staircase may be smoothed is found out from the data. Every kernel of a family is tried on forests
that saw four fifths of the decisions, and scored by the log likelihood of the last fifth, five times over. Kernels are
then mixed in proportion to their likelihood, averaged over a Bayesian bootstrap of the decisions (pseudo-BMA+: Yao,
Vehtari, Simpson and Gelman, "Using stacking to average Bayesian predictive distributions", Bayesian Analysis, 2018):
where the data cannot tell two widths apart, and luck could, the mixture is steadier than the choice of either.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from catalog.errors import DataError
from features.attributes import with_attributes
from features.prior_forests import NO_PRIOR, PriorForests
from features.smoothing import RATIO, Kernel, Smoothing, chance_of, staircase_of
from features.stored_model import model_as_data, model_from_data, with_odds
from training.fit.dataset import Dataset, weighted_rows

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

Rows = tuple[pd.DataFrame, Ints, Floats]
"""Features, class (1 = bought) and weight in decisions."""

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
        staircase = staircase_of(model, X, list(map(str, X)), Smoothing(lowest, highest, ()).grid)
        for position, kernel in enumerate(FAMILY):
            likelihood[:, position] += drawn @ _log_likelihood(staircase.smoothed((kernel,)), y)
    shares = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    share = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    share[share < _NEGLIGIBLE] = 0
    share /= share.sum()
    kernels = tuple(replace(kernel, weight=float(part)) for kernel, part in zip(FAMILY, share, strict=True) if part)
    return Smoothing(lowest, highest, kernels)


def _log_likelihood(chance: Floats, y: Ints) -> Floats:
    """Log likelihood of one decision of each row, nats, shape (n_rows,)."""
    sure = np.clip(chance, _SURE, 1 - _SURE)
    return np.where(y == 1, np.log(sure), np.log(1 - sure))


_BOOTSTRAP_DRAWS = 20_000  # decisions drawn for each tree at most; measured: more cost time and improve nothing
_FOLD_TREES = 50  # of the forests that only help to choose the smoothing
_SEES_STOCK = ("price_offered", "inventory_level")


class Classifier(Protocol):
    """The part of a scikit-learn classifier that judging and pricing rely on."""

    classes_: Any

    def predict_proba(self, X: Any) -> Any:
        """Return one column of probabilities per class."""
        ...


@dataclass(frozen=True)
class Candidate:
    """A model family: `features` beside the products one-hot, or attributes in their place, and its parameters."""

    name: str
    description: str
    features: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    balance_classes: bool = False
    decreasing_in: str | None = None
    smooth: bool = False
    by_attributes: bool = False


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
        "Price over base price and product, never increasing in price, leaves of at least 3 %, smoothed.",
        ("price_ratio",),
        {"n_estimators": 100, "min_weight_fraction_leaf": 0.03, "max_features": 1.0},
        decreasing_in="price_ratio",
        smooth=True,
    ),
    Candidate(
        "attribute_forest",
        "What a product is in place of which it is: category, brand, tier, size and usual price; for a long shelf.",
        ("price_ratio",),
        {"n_estimators": 100, "min_weight_fraction_leaf": 0.005, "max_features": 0.5},
        decreasing_in="price_ratio",
        by_attributes=True,
    ),
)


@dataclass(frozen=True)
class FittedModel:
    """A fitted candidate: `features` are its input columns in order, `smoothing` is how its staircase is smoothed.

    `odds_factor` takes reweighted classes back: the classifier's odds times it are honest odds. It learned from some
    business dates, and has a `version` once it is registered. `prior` is what it says of products and days before a
    sale.
    """

    candidate: Candidate
    features: list[str]
    model: Classifier
    smoothing: Smoothing | None = None
    odds_factor: float = 1.0
    learned_from: dt.date | None = None
    trained_through: dt.date | None = None
    version: str = ""
    prior: PriorForests = NO_PRIOR

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        """Chance of sale for rows that have the features, shape (n_rows,)."""
        return chance_of(self._raw, with_attributes(rows, self.prior.attributes), self.features, self.smoothing)

    def _raw(self, X: pd.DataFrame) -> Floats:
        return with_odds(p_sale(self.model, X), self.odds_factor)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "model": model_as_data(self.model)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, model=model_from_data(state["model"]))


def candidates_for(dataset: Dataset) -> list[Candidate]:
    """Return the candidates that a dataset can teach: one by attributes needs products that differ in them."""
    return [candidate for candidate in CANDIDATES if dataset.attributes is not None or not candidate.by_attributes]


class FittedCandidate(NamedTuple):
    """A fitted candidate, its chance of sale in each held-out cell, and the threshold chosen on its training cells.

    `loss_of_new` is the log loss on products that it did not see, nats per decision, of a candidate by attributes.
    """

    fitted: FittedModel
    p_sale: Floats
    threshold: float
    loss_of_new: float | None = None

    @property
    def name(self) -> str:
        """Name of the candidate."""
        return self.fitted.candidate.name


def fit(candidate: Candidate, dataset: Dataset, seed: int) -> FittedModel:
    """Fit a candidate on the training cells. Cost grows with distinct cells, not with decisions.

    Raises
    ------
    DataError
        When the decisions hold one outcome only, so that there is nothing to tell apart.
    """
    attributes = dataset.attributes if candidate.by_attributes else None
    features = [*candidate.features, *(dataset.one_hot if attributes is None else attributes)]
    X, y, weight = weighted_rows(with_attributes(dataset.training, attributes), features)
    if len(np.unique(y)) < 2:  # noqa: PLR2004 - bought or not
        outcome = "bought" if y.all() else "refused"
        raise DataError(
            f"{candidate.name}: every decision up to {dataset.trained_through} was {outcome}, so there is no demand "
            "to learn; no model was trained: try prices further apart"
        )
    rows = X, y, weight
    forest = _forest(candidate, rows, seed, candidate.parameters["n_estimators"])
    smoothing = None
    if candidate.smooth:
        smoothing = choose_smoothing(
            rows, lambda kept: partial(p_sale, _forest(candidate, kept, seed, _FOLD_TREES)), seed
        )
    balanced = _balancing_weights(y, weight) if candidate.balance_classes else {0: 1.0, 1: 1.0}
    days = dataset.learned_from, dataset.trained_through
    prior = PriorForests(attributes=attributes)
    return FittedModel(candidate, features, forest, smoothing, balanced[0] / balanced[1], *days, prior=prior)


def left_out(candidate: Candidate, dataset: Dataset, seed: int) -> tuple[Floats, pd.DataFrame]:
    """Fit a candidate without a fifth of the products; return its chance of sale in their held-out cells, and these."""
    drawn = np.random.default_rng(seed).permutation(dataset.training["sku"].astype(str).unique())[::_FOLDS]
    kept, judged = (
        rows[rows["sku"].astype(str).isin(drawn) == is_drawn]
        for rows, is_drawn in ((dataset.training, False), (dataset.holdout, True))
    )
    return fit(candidate, replace(dataset, training=kept), seed).p_sale(judged), judged


def _forest(candidate: Candidate, rows: Rows, seed: int, n_trees: int) -> "RandomForestClassifier":
    """Fit a forest, in this thread alone: threads of scikit-learn's would take away the process's warning filters.

    Each puts its own in place of those of the whole process, and they meet.
    """
    from sklearn.ensemble import RandomForestClassifier

    X, y, weight = rows
    forest = RandomForestClassifier(
        **candidate.parameters | {"n_estimators": n_trees},
        max_samples=int(min(weight.sum(), _BOOTSTRAP_DRAWS)),
        class_weight=_balancing_weights(y, weight) if candidate.balance_classes else None,
        monotonic_cst=_falling(list(X.columns), candidate.decreasing_in),
        random_state=seed,
        n_jobs=1,
    )
    return forest.fit(X, y, sample_weight=weight)


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
