"""The gate: what a model must show before it may price anything. A refusal says which condition and by how much."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.currency import EUR, Currency
from catalog.names import AS_GOOD_AS_BELIEF, EARNS_MORE, EARNS_MORE_THAN_BASE, SAW_THE_ROLLBACK, Outcome, outcome_of
from training.fit.candidates import FittedModel
from training.fit.dataset import Dataset
from training.judge import conditions
from training.judge.believed_gain import BelievedGain
from training.judge.conditions import STANDARD_ERRORS, Condition
from training.judge.off_policy import OffPolicyEstimate
from training.judge.scores import NEARLY_SURE, log_loss, losses

_REGRESSION_ALLOWED = 0.01  # nats per decision, for each product
_TOLERATED_LOSS = 0.001  # nats per decision, over all products: within this two models are as good
_LEAST_EVIDENCE = 50.0  # effective visits without which an interval is not believed
_LOSS_THAT_COUNTS = 0.01  # of what the prices in force earn
_NO_LONGER_HOLDS = "the champion no longer holds"
_LEAST_SUPPORT = 0.8  # share of the visits without which the gain would be the model's own word


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
    return [saw_the_rollback(found.dataset.judged_through, found.rolled_back_on)]


def _against_incumbent(chance: Floats, found: GateInput) -> list[Condition]:
    incumbent, dataset = found.incumbent, found.dataset
    if incumbent is None or incumbent.p_sale is None:
        asks = as_good_as_belief if found.belief_prices else earns_more
        return [asks(found.gain, found.money)]
    not_worse = is_not_worse(chance, incumbent.p_sale, dataset.holdout)
    age = age_of(
        incumbent.trained_through,
        dataset.judged_through,
        found.stale_after_days,
        drifted_since=incumbent.drifted_since,
        rolled_back_on=found.rolled_back_on,
    )
    return [
        no_product_regresses(chance, incumbent.p_sale, dataset.holdout),
        earns_more_or_replaces(found.gain, not_worse, age, found.money),
    ]


def no_product_regresses(chance: Floats, champion: Floats, holdout: pd.DataFrame) -> Condition:
    """Ask that no product's held-out log loss is surely more than 0.01 nats above the champion's."""
    more = losses(chance, holdout) - losses(champion, holdout)
    frame = pd.DataFrame({"sku": holdout["sku"].to_numpy(), "offered": holdout["n_offered"].to_numpy()})
    frame["more"], frame["variance"] = more, _luck_of_difference(chance, champion, holdout)
    sums = frame.groupby("sku")[["offered", "more", "variance"]].sum()
    mean = sums["more"] / sums["offered"]
    luck = STANDARD_ERRORS * np.sqrt(sums["variance"]) / sums["offered"]
    worst = str((mean - luck).idxmax())
    found = (
        f"worst {worst}: log loss {mean[worst]:+.4f} against the champion's, of at most "
        f"{_REGRESSION_ALLOWED + luck[worst]:.4f}, of which {luck[worst]:.4f} is luck"
    )
    return Condition("no product regresses", bool((mean - luck)[worst] <= _REGRESSION_ALLOWED), found)


def is_not_worse(chance: Floats, champion: Floats, holdout: pd.DataFrame) -> Condition:
    """Compare the log loss over all products with the champion's."""
    ours, theirs = log_loss(chance, holdout), log_loss(champion, holdout)
    found = f"log loss {ours:.4f} against {theirs:.4f}, {_TOLERATED_LOSS} tolerated"
    return Condition("not worse than the champion", ours <= theirs + _TOLERATED_LOSS, found)


def age_of(
    trained_through: dt.date | None,
    judged_through: dt.date,
    stale_after_days: int,
    drifted_since: dt.date | None = None,
    rolled_back_on: dt.date | None = None,
) -> Condition:
    """Tell whether a champion is stale, or shoppers no longer answer prices as it says.

    One that was gone back to is old on purpose: its days count from then, and so do changes of demand.
    """
    if drifted_since is not None and (rolled_back_on is None or drifted_since >= rolled_back_on):
        found = f"shoppers answer prices otherwise than the champion says since {drifted_since}"
        return Condition(_NO_LONGER_HOLDS, met=True, found=found)
    if rolled_back_on is not None and (trained_through is None or trained_through < rolled_back_on):
        days = (judged_through - rolled_back_on).days
        found = f"the champion was gone back to for {rolled_back_on}, stale {stale_after_days} days after that"
        return Condition("the champion is stale", days > stale_after_days, found)
    if trained_through is None:
        return Condition("the champion is stale", met=True, found="champion of unknown age")
    days = (judged_through - trained_through).days
    found = f"the champion has not seen the last {days} days, stale after {stale_after_days}"
    return Condition("the champion is stale", days > stale_after_days, found)


def earns_more(gain: OffPolicyEstimate | None, money: Currency = EUR) -> Condition:
    """Ask, where there is no champion, for a gain over the base prices that is above zero at its lower end."""
    return Condition(EARNS_MORE_THAN_BASE, gain is not None and _is_shown(gain), _gain_found(gain, money))


def as_good_as_belief(gain: OffPolicyEstimate | None, money: Currency = EUR) -> Condition:
    """Ask, where a belief prices without a champion, that the first champion does not earn 1 % less, with 99 %."""
    found = _gain_found(gain, money)
    if gain is None or not _is_not_less(gain):
        return Condition(AS_GOOD_AS_BELIEF, met=False, found=found)
    return Condition(AS_GOOD_AS_BELIEF, met=True, found=found if _is_shown(gain) else f"as good: {found}")


def earns_more_or_replaces(
    gain: OffPolicyEstimate | None, not_worse: Condition, age: Condition, money: Currency = EUR
) -> Condition:
    """Ask for a gain over the champion, or that the champion is stale or drifted and the challenger is not worse.

    Of a stale champion it must be sure that nothing is lost that counts; where one no longer holds, it is enough that
    no such loss is expected.
    """
    shown = gain is not None and _is_shown(gain)
    is_safe = gain is not None and (_is_not_less(gain) or (age.name == _NO_LONGER_HOLDS and _expects_no_loss(gain)))
    takes_over = is_safe and not_worse.met and age.met
    found = [_gain_found(gain, money), not_worse.found, age.found]
    if shown:
        found[0] = f"earns more: {found[0]}"
    elif takes_over:
        found[0] = f"as good, and fresher: {found[0]}"
    return Condition(EARNS_MORE, shown or takes_over, "; ".join(found))


def saw_the_rollback(judged_through: dt.date, rolled_back_on: dt.date) -> Condition:
    """Ask for decisions of the days since a rollback: the same evidence cannot re-promote an equivalent model.

    `rolled_back_on` is the first business date that the champion before was to price again.
    """
    found = f"judged through {judged_through}, rolled back for {rolled_back_on}"
    return Condition(SAW_THE_ROLLBACK, judged_through >= rolled_back_on, found)


def _is_shown(gain: OffPolicyEstimate) -> bool:
    """Tell whether a gain is surely above zero: by the belief, if the log does not gainsay it; else by the log."""
    if gain.believed is not None:
        return gain.believed.on_average > 0 and not _is_gainsaid(gain)
    believed = gain.effective_sample_size >= _LEAST_EVIDENCE and gain.supported >= _LEAST_SUPPORT
    return believed and gain.dr.lower > 0


def _is_not_less(gain: OffPolicyEstimate) -> bool:
    """Tell whether a gain is surely no loss that counts."""
    if gain.believed is not None:
        return gain.believed.at_least >= -_LOSS_THAT_COUNTS * gain.believed.usual and not _is_gainsaid(gain)
    return gain.dr.upper >= 0


def _expects_no_loss(gain: OffPolicyEstimate) -> bool:
    """Tell whether no loss that counts is expected, by a belief and by the log."""
    expected = gain.believed is not None and gain.believed.mean >= -_LOSS_THAT_COUNTS * gain.believed.usual
    return expected and not _is_gainsaid(gain)


def _is_gainsaid(gain: OffPolicyEstimate) -> bool:
    """Tell whether logged visits, where they overlap well with the prices, show a loss."""
    return gain.warning is None and gain.dr.upper < 0


def _gain_found(gain: OffPolicyEstimate | None, money: Currency) -> str:
    if gain is None:
        return "no estimate: its price book cannot be made, or no held-out visit met stock"
    own, believed = gain.dr, gain.believed
    if believed is not None:
        return (
            f"expected to earn {money.format_difference(believed.mean)} per store day "
            f"({abs(believed.mean) / max(believed.usual, 1e-9):.1%})"
            f"{', within noise' if believed.mean < 0 < believed.upper else ''}, "
            f"95 % from {money.format_difference(believed.lower)} to {money.format_difference(believed.upper)}"
            f"{_on_average(believed, money)}"
            f"{', but logged visits show a loss' if _is_gainsaid(gain) else ''}"
        )
    found = f"by logged visits {own.told(money)}"
    if gain.warning is not None and own.lower > 0 and not _is_shown(gain):
        return f"{found}, not believed: {gain.warning}"
    return found if gain.warning is None else f"{found} ({gain.warning})"


def _on_average(believed: BelievedGain, money: Currency) -> str:
    """Say what such days surely gain on average, where that is more than what one of them does."""
    told = believed.on_average > 0 >= believed.lower
    return f", on average over such days at least {money.format_difference(believed.on_average)}" if told else ""


def _luck_of_difference(chance: Floats, champion: Floats, holdout: pd.DataFrame) -> Floats:
    """Variance of each cell's summed difference in loss when purchases come as the champion says, shape (n_cells,)."""
    ours, theirs = (np.clip(p, NEARLY_SURE, 1 - NEARLY_SURE) for p in (chance, champion))
    swing = np.log(theirs / (1 - theirs)) - np.log(ours / (1 - ours))
    return holdout["n_offered"].to_numpy() * theirs * (1 - theirs) * swing**2
