"""The gate: what a model must show before it may price anything. A refusal says which condition and by how much."""

import datetime as dt
from dataclasses import dataclass

from catalog.arrays import Floats
from training import conditions
from training.candidates import FittedModel
from training.conditions import Condition
from training.dataset import Dataset
from training.off_policy import OffPolicyEstimate


@dataclass(frozen=True)
class Incumbent:
    """The champion that the challenger is judged against.

    Attributes
    ----------
    p_sale
        Its chance of sale for each held-out cell, shape (n_cells,); None when it does not know this shelf.
    trained_through
        Last business date it was fitted on; None when it does not say, which counts as stale.
    drifted_since
        Date from which shoppers answer prices otherwise than it says; None while it holds.
    """

    p_sale: Floats | None
    trained_through: dt.date | None
    drifted_since: dt.date | None = None


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

    @property
    def waits(self) -> bool:
        """Whether the model is sound and only not shown to be the better choice: nothing is wrong."""
        open_questions = {condition.name for condition in self.conditions if not condition.met}
        return bool(open_questions) and open_questions <= {conditions.EARNS_MORE, conditions.EARNS_MORE_THAN_BASE}


def pass_gate(
    challenger: FittedModel,
    dataset: Dataset,
    skus: tuple[str, ...],
    *,
    trial: Condition,
    money: OffPolicyEstimate | None,
    champion: Incumbent | None,
    stale_after_days: int,
) -> Verdict:
    """Judge a challenger on the held-out days.

    Parameters
    ----------
    skus
        Products that are to be priced.
    trial
        What a fresh process made of the stored model.
    money
        The estimated gain of the challenger's prices, or None when there is no estimate.
    champion
        The champion, or None when there is none.
    stale_after_days
        Days between the champion's last training day and the last day judged after which it is stale.
    """
    chance = challenger.p_sale(dataset.holdout)
    found = [
        trial,
        conditions.sees_only_what_is_known(challenger, dataset),
        conditions.every_product_was_seen(dataset, skus),
        conditions.every_price_varied(dataset, skus),
        conditions.chances_are_probabilities(chance),
    ]
    if found[-1].met:  # what follows reckons with probabilities
        found += [
            conditions.never_rises_with_price(challenger, dataset.holdout),
            conditions.is_calibrated(chance, dataset.holdout),
            conditions.is_reliable(chance, dataset.holdout),
            conditions.beats_the_base_rate(chance, dataset),
            *_against_champion(chance, dataset, money, champion, stale_after_days),
        ]
    return Verdict(tuple(found))


def _against_champion(
    chance: Floats,
    dataset: Dataset,
    money: OffPolicyEstimate | None,
    champion: Incumbent | None,
    stale_after_days: int,
) -> list[Condition]:
    if champion is None or champion.p_sale is None:
        return [conditions.earns_more(money)]
    not_worse = conditions.is_not_worse(chance, champion.p_sale, dataset.holdout)
    age = conditions.age_of(champion.trained_through, dataset.judged_through, stale_after_days, champion.drifted_since)
    return [
        conditions.no_product_regresses(chance, champion.p_sale, dataset.holdout),
        conditions.earns_more_or_replaces(money, not_worse, age),
    ]
