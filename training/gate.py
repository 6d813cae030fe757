"""The gate: what a model must show before it may price anything. A refusal says which condition and by how much."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.arrays import Floats
from catalog.gate import outcome_of
from features.price_response import PriceResponse, at_base_price, slopes_of, told_skus, with_response
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
        Its chance of sale for each held-out cell, shape (n_cells,), on exported decisions at the base price; None when
        it does not know this shelf.
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
        return outcome_of(condition.name for condition in self.conditions if not condition.met) == "waits"


def pass_gate(
    challenger: FittedModel,
    dataset: Dataset,
    skus: tuple[str, ...],
    *,
    trial: Condition,
    money: OffPolicyEstimate | None,
    champion: Incumbent | None,
    stale_after_days: int,
    rolled_back_on: dt.date | None = None,
    responses: Sequence[PriceResponse] = (),
) -> Verdict:
    """Judge a challenger on the held-out days.

    Where those hold exported decisions, `responses` are given: then it is judged on the products whose response is
    told, the only ones it may price; the others keep their base prices and stand in nobody's way.

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
    rolled_back_on
        First business date priced after a rollback that no later change followed, or None.
    responses
        Each product's response to prices that somebody else set; empty where all prices were ours.
    """
    if responses:
        return _pass_on_exported(challenger, dataset, trial, champion, responses, rolled_back_on)
    chance = challenger.p_sale(dataset.holdout)
    found = [
        trial,
        conditions.sees_only_what_is_known(challenger, dataset),
        conditions.every_product_was_seen(dataset, skus),
        conditions.every_price_varied(dataset, skus),
        *_after_a_rollback(dataset, rolled_back_on),
        conditions.chances_are_probabilities(chance),
    ]
    if found[-1].met:  # what follows reckons with probabilities
        found += [
            conditions.never_rises_with_price(challenger, dataset.holdout),
            conditions.is_calibrated(chance, dataset.holdout),
            conditions.is_reliable(chance, dataset.holdout),
            conditions.beats_the_base_rate(chance, dataset),
            *_against_champion(chance, dataset, money, champion, stale_after_days, rolled_back_on),
        ]
    return Verdict(tuple(found))


def _pass_on_exported(
    challenger: FittedModel,
    dataset: Dataset,
    trial: Condition,
    champion: Incumbent | None,
    responses: Sequence[PriceResponse],
    rolled_back_on: dt.date | None,
) -> Verdict:
    """Judge by decisions at prices that nobody drew by lot: no estimate in money can be believed there.

    What is judged is what will price: the model's level at the base price with the response that is told, whose slope
    falls by its verdict and was estimated on the days trained on.
    """
    told = told_skus(responses)
    is_told = dataset.holdout["sku"].isin(told).to_numpy()
    own = replace(
        dataset,
        training=dataset.training[dataset.training["sku"].isin(told)].reset_index(drop=True),
        holdout=dataset.holdout[is_told].reset_index(drop=True),
    )
    found = [
        trial,
        conditions.sees_only_what_is_known(challenger, dataset),
        *_after_a_rollback(dataset, rolled_back_on),
        conditions.price_response_is_told(responses),
    ]
    if not is_told.any():
        return Verdict(tuple(found))
    ratio, slope = own.holdout["price_ratio"].to_numpy(), slopes_of(responses, list(own.holdout["sku"]))
    chance = with_response(challenger.p_sale(at_base_price(own.holdout)), ratio, slope)
    found += [conditions.every_product_was_seen(own, told), conditions.chances_are_probabilities(chance)]
    if found[-1].met:
        found += [
            conditions.is_calibrated(chance, own.holdout),
            conditions.is_reliable(chance, own.holdout),
            conditions.not_worse_than_the_base_rate(chance, own),
        ]
        if champion is not None and champion.p_sale is not None:
            theirs = with_response(champion.p_sale[is_told], ratio, slope)
            found += [
                conditions.no_product_regresses(chance, theirs, own.holdout),
                conditions.is_not_worse(chance, theirs, own.holdout),
            ]
    return Verdict(tuple(found))


def _after_a_rollback(dataset: Dataset, rolled_back_on: dt.date | None) -> list[Condition]:
    return [conditions.saw_the_rollback(dataset.judged_through, rolled_back_on)] if rolled_back_on else []


def _against_champion(
    chance: Floats,
    dataset: Dataset,
    money: OffPolicyEstimate | None,
    champion: Incumbent | None,
    stale_after_days: int,
    rolled_back_on: dt.date | None,
) -> list[Condition]:
    if champion is None or champion.p_sale is None:
        return [conditions.earns_more(money)]
    not_worse = conditions.is_not_worse(chance, champion.p_sale, dataset.holdout)
    age = conditions.age_of(
        champion.trained_through,
        dataset.judged_through,
        stale_after_days,
        drifted_since=champion.drifted_since,
        rolled_back_on=rolled_back_on,
    )
    return [
        conditions.no_product_regresses(chance, champion.p_sale, dataset.holdout),
        conditions.earns_more_or_replaces(money, not_worse, age),
    ]
