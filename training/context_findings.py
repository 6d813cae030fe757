"""What a training found out about the context: whether it matters, which part of it, and how demand depends on it.

Importance is what the log loss grows by when a part of the context is dealt to other cells at
random (Breiman, "Random forests", Machine Learning, 2001). Partial dependence is the mean chance of sale at the base
price with one feature set for all cells (Friedman, 2001).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.context_names import HOUR, is_context
from features.product_columns import input_of
from features.smoothing import RATIO
from training.candidates import FittedModel
from training.context_forest import ContextGain
from training.dataset import Dataset
from training.judge import log_loss

_MOST_CELLS = 2000
_PARTS = {"category": "product", "sku": "product", "region": "store", "tag": "store", "size": "store"}


@dataclass(frozen=True)
class ContextFindings:
    """What a training found out about the context.

    Attributes
    ----------
    gain
        What the context tells beyond price and product.
    importance
        One row per `part` of the features with `nats` per decision; no rows unless the best candidate looks at the
        context.
    dependence
        One row per `feature` (weekday or hour) and `value` with `p_sale`, the mean chance of sale at the base price;
        rows as above.
    """

    gain: ContextGain
    importance: pd.DataFrame
    dependence: pd.DataFrame

    def as_record(self) -> dict[str, Any]:
        """Return the findings as plain values, as `model_versions` keeps them."""
        return {
            "matters": self.gain.matters,
            "said": self.gain.said,
            "gain": self.gain.gain,
            "standard_error": self.gain.standard_error,
            "importance": self.importance.to_dict("records"),
            "dependence": self.dependence.to_dict("records"),
        }


def findings_of(gain: ContextGain, best: FittedModel, days: Dataset, seed: int) -> ContextFindings:
    """Gather what was found; `days` are those by context if the best candidate looks at it."""
    importance = pd.DataFrame({"part": pd.Series(dtype=str), "nats": pd.Series(dtype=float)})
    dependence = pd.DataFrame({"feature": pd.Series(dtype=str), "value": [], "p_sale": []})
    if best.context is not None and not days.holdout.empty:
        cells = pd.concat([days.training, days.holdout], ignore_index=True)
        if len(cells) > _MOST_CELLS:
            cells = cells.sample(_MOST_CELLS, random_state=seed, ignore_index=True)
        importance, dependence = _importance(best, cells, seed), _dependence(best, cells)
    return ContextFindings(gain, importance, dependence)


def _importance(model: FittedModel, cells: pd.DataFrame, seed: int) -> pd.DataFrame:
    cells = input_of(cells, [*model.features, "n_offered", "n_purchased"])
    parts: dict[str, list[str]] = {}
    for name in model.features:
        parts.setdefault(_part_of(name), []).append(name)
    usual = log_loss(model.p_sale(cells), cells)
    stream = np.random.default_rng(seed)
    losses = {part: log_loss(model.p_sale(_dealt(cells, own, stream)), cells) - usual for part, own in parts.items()}
    found = pd.DataFrame({"part": list(losses), "nats": list(losses.values())})
    return found.sort_values(["nats", "part"], ascending=[False, True], ignore_index=True)


def _dealt(cells: pd.DataFrame, features: list[str], stream: np.random.Generator) -> pd.DataFrame:
    dealt = cells[features].iloc[stream.permutation(len(cells))].set_axis(cells.index)
    return cells.assign(**{name: dealt[name] for name in features})


def _part_of(feature: str) -> str:
    """Return what a feature tells of: the product, the store, an event, or itself."""
    kind = feature.split("_", 1)[0]
    if feature == RATIO or (is_context(feature) and kind not in {*_PARTS, "store", "event"}):
        return feature.replace("_", " ")
    return _PARTS.get(kind, kind)


def _dependence(model: FittedModel, cells: pd.DataFrame) -> pd.DataFrame:
    """Set weekday, with what it says of the weekend, and hour in turn, where the model looks at them."""
    at_base, weight = cells.assign(**{RATIO: 1.0}), cells["n_offered"].to_numpy()
    rows = []
    for feature, with_it in (("weekday", ["is_weekend"]), (HOUR, [])):
        changed = [name for name in (feature, *with_it) if name in model.features]
        known = (
            cells[[feature, *with_it]].dropna().drop_duplicates().sort_values(feature) if changed else cells.iloc[:0]
        )
        for values in known.to_dict("records"):
            chance = np.average(
                model.p_sale(at_base.assign(**{name: values[name] for name in changed})), weights=weight
            )
            rows.append({"feature": feature, "value": float(values[feature]), "p_sale": float(chance)})
    return pd.DataFrame(rows, columns=["feature", "value", "p_sale"])
