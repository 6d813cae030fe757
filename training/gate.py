"""The gate: what a model must show before it may price anything. A refusal says which condition and by how much."""

import datetime as dt
from dataclasses import dataclass

from catalog.arrays import Floats
from catalog.currency import EUR, Currency
from catalog.names import Outcome, outcome_of
from training import against_champion
from training import model_conditions as conditions
from training.candidates import FittedModel
from training.dataset import Dataset
from training.model_conditions import Condition
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
class GateInput:
    """Everything that the gate judges by.

    Attributes
    ----------
    challenger, dataset
        The model, and the days it was fitted on and is judged on.
    skus
        Products that are to be priced.
    load_check
        What a process of its own made of the stored model.
    gain
        The estimated gain of the challenger's prices, or None when there is no estimate.
    incumbent
        The champion, or None when there is none.
    stale_after_days
        Days between the champion's last training day and the last day judged after which it is stale.
    rolled_back_on
        First business date priced after a rollback that no later change followed, or None.
    is_exported
        Whether somebody else set some of the held-out prices.
    belief_prices
        Whether, without a champion, a belief prices the store and not base prices.
    money
        The currency of the shelf, in which gains are told.
    """

    challenger: FittedModel
    dataset: Dataset
    skus: tuple[str, ...]
    load_check: Condition
    gain: OffPolicyEstimate | None
    incumbent: Incumbent | None
    stale_after_days: int
    rolled_back_on: dt.date | None = None
    is_exported: bool = False
    belief_prices: bool = False
    money: Currency = EUR


@dataclass(frozen=True)
class Verdict:
    """The gate's answer: the model is promoted when every condition is met."""

    conditions: tuple[Condition, ...]

    @property
    def promoted(self) -> bool:
        """Whether the model may become champion."""
        return all(condition.met for condition in self.conditions)

    @property
    def waits(self) -> bool:
        """Whether the model is sound and only not shown to be the better choice: nothing is wrong."""
        return self.outcome == "waits"

    @property
    def outcome(self) -> Outcome:
        """The answer in one word."""
        return outcome_of(condition.name for condition in self.unmet)

    @property
    def unmet(self) -> tuple[Condition, ...]:
        """The conditions that are not met."""
        return tuple(condition for condition in self.conditions if not condition.met)

    @property
    def refusals(self) -> list[str]:
        """What stood in the way, one sentence per condition that is not met."""
        return [f"{condition.name}: {condition.found}" for condition in self.unmet]


def pass_gate(found: GateInput) -> Verdict:
    """Judge a challenger on the held-out days.

    Where those hold exported decisions, it waits: their prices were not randomised, and a model of them prices nothing.
    """
    if found.is_exported:
        return _pass_on_exported(found)
    challenger, dataset = found.challenger, found.dataset
    chance = challenger.p_sale(dataset.holdout)
    asked = [
        found.load_check,
        conditions.sees_only_what_is_known(challenger, dataset),
        conditions.every_product_was_seen(dataset, found.skus),
        conditions.every_price_varied(dataset, found.skus),
        *_after_a_rollback(found),
        conditions.chances_are_probabilities(chance),
    ]
    if asked[-1].met:  # what follows needs probabilities
        asked += [
            conditions.never_rises_with_price(challenger, dataset.holdout),
            conditions.is_calibrated(chance, dataset.holdout),
            conditions.is_reliable(chance, dataset.holdout),
            conditions.beats_the_base_rate(chance, dataset),
            *_against_incumbent(chance, found),
        ]
    return Verdict(tuple(asked))


def _pass_on_exported(found: GateInput) -> Verdict:
    """Say what is wrong with a model of prices that were not ours, and that it prices nothing where nothing is."""
    conditions_met = [
        found.load_check,
        conditions.sees_only_what_is_known(found.challenger, found.dataset),
        *_after_a_rollback(found),
        conditions.prices_were_ours(),
    ]
    return Verdict(tuple(conditions_met))


def _after_a_rollback(found: GateInput) -> list[Condition]:
    if found.rolled_back_on is None:
        return []
    return [against_champion.saw_the_rollback(found.dataset.judged_through, found.rolled_back_on)]


def _against_incumbent(chance: Floats, found: GateInput) -> list[Condition]:
    incumbent, dataset = found.incumbent, found.dataset
    if incumbent is None or incumbent.p_sale is None:
        asks = against_champion.as_good_as_belief if found.belief_prices else against_champion.earns_more
        return [asks(found.gain, found.money)]
    not_worse = against_champion.is_not_worse(chance, incumbent.p_sale, dataset.holdout)
    age = against_champion.age_of(
        incumbent.trained_through,
        dataset.judged_through,
        found.stale_after_days,
        drifted_since=incumbent.drifted_since,
        rolled_back_on=found.rolled_back_on,
    )
    return [
        against_champion.no_product_regresses(chance, incumbent.p_sale, dataset.holdout),
        against_champion.earns_more_or_replaces(found.gain, not_worse, age, found.money),
    ]
