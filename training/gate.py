"""The gate: what a model must show before it may price anything."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from training.candidates import FittedModel
from training.dataset import Dataset
from training.judge import log_loss

_PRICE_STEP = 1.1  # the sign test raises each price by a tenth
_RISE_ALLOWED = 1e-9
_TOLERATED_LOSS = 0.001  # nats: within this a fresher model is preferred to the champion


@dataclass(frozen=True)
class Condition:
    """One condition, whether it is met, and what was found."""

    name: str
    met: bool
    found: str


@dataclass(frozen=True)
class Verdict:
    """The gate's answer: the model is promoted when every condition is met."""

    conditions: tuple[Condition, ...]

    @property
    def promoted(self) -> bool:
        """Whether the model may become champion."""
        return all(condition.met for condition in self.conditions)

    @property
    def refusals(self) -> list[str]:
        """What stood in the way, one sentence per condition that is not met."""
        return [f"{condition.name}: {condition.found}" for condition in self.conditions if not condition.met]


def pass_gate(
    challenger: FittedModel, dataset: Dataset, skus: tuple[str, ...], champion_p_sale: Floats | None
) -> Verdict:
    """Judge a challenger on the held-out days.

    Parameters
    ----------
    skus
        Products that are to be priced.
    champion_p_sale
        The champion's chance of sale for each held-out cell, or None when there is no champion.
    """
    holdout = dataset.holdout
    chance = challenger.p_sale(holdout)
    conditions = [
        _sees_every_product(dataset, skus),
        _prices_varied(dataset, skus),
        _is_finite(chance),
        _never_rises_with_price(challenger, dataset),
        _beats_the_base_rate(chance, dataset),
    ]
    if champion_p_sale is not None:
        conditions.append(_not_worse_than_champion(chance, champion_p_sale, holdout))
    return Verdict(tuple(conditions))


def _sees_every_product(dataset: Dataset, skus: tuple[str, ...]) -> Condition:
    missing = sorted(set(skus) - set(dataset.training["sku"]))
    found = f"no decisions about {', '.join(missing)}" if missing else f"decisions about all {len(skus)} products"
    return Condition("every product was seen", not missing, found)


def _prices_varied(dataset: Dataset, skus: tuple[str, ...]) -> Condition:
    prices = dataset.training.groupby("sku")["price_offered"].nunique()
    constant = [sku for sku in skus if prices.get(sku, 0) == 1]
    found = f"one price only for {', '.join(constant)}" if constant else f"at least {prices.min()} prices per product"
    return Condition("every price varied", not constant, found)


def _is_finite(chance: Floats) -> Condition:
    bad = int((~np.isfinite(chance) | (chance < 0) | (chance > 1)).sum())
    return Condition("every chance of sale is a probability", bad == 0, f"{bad} of {len(chance)} are not")


def _never_rises_with_price(challenger: FittedModel, dataset: Dataset) -> Condition:
    cells = dataset.holdout
    dearer = cells.assign(
        price_offered=cells["price_offered"] * _PRICE_STEP, price_ratio=cells["price_ratio"] * _PRICE_STEP
    )
    rise = challenger.p_sale(dearer) - challenger.p_sale(cells)
    worst = int(np.argmax(rise))
    met = bool(rise[worst] <= _RISE_ALLOWED)
    found = (
        "never"
        if met
        else f"by {rise[worst]:.3f} for {cells['sku'].iloc[worst]} at {cells['price_offered'].iloc[worst]:.2f}"
    )
    return Condition("a price 10 % higher never sells more", met, found if met else f"it does, {found}")


def _beats_the_base_rate(chance: Floats, dataset: Dataset) -> Condition:
    totals = dataset.training.groupby("sku")[["n_purchased", "n_offered"]].sum()
    rates: pd.Series = totals["n_purchased"] / totals["n_offered"]
    base = dataset.holdout["sku"].map(rates).fillna(0.5).to_numpy()
    ours, theirs = log_loss(chance, dataset.holdout), log_loss(base, dataset.holdout)
    return Condition("better than each product's base rate", ours < theirs, f"log loss {ours:.4f} against {theirs:.4f}")


def _not_worse_than_champion(chance: Floats, champion: Floats, holdout: pd.DataFrame) -> Condition:
    ours, theirs = log_loss(chance, holdout), log_loss(champion, holdout)
    met = ours <= theirs + _TOLERATED_LOSS
    return Condition(
        "not worse than the champion", met, f"log loss {ours:.4f} against {theirs:.4f}, {_TOLERATED_LOSS} tolerated"
    )
