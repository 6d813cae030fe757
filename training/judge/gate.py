"""The gate: what a model must show before it may price anything. A refusal says which condition and by how much."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from catalog.arrays import Floats
from catalog.currency import EUR, Currency
from catalog.hooks import SecondOpinion
from catalog.load import Catalog
from catalog.names import AS_GOOD_AS_BELIEF, EARNS_MORE, EARNS_MORE_THAN_BASE, SAW_THE_ROLLBACK, Outcome, outcome_of
from training.fit.candidates import FittedModel
from training.fit.dataset import Dataset
from training.judge import conditions
from training.judge.believed_gain import BelievedGain
from training.judge.conditions import STANDARD_ERRORS, Condition
from training.judge.scores import NEARLY_SURE, log_loss, losses

_FEW_PRODUCTS = 5  # of which the worst may show two standard errors
_REGRESSION_ALLOWED = 0.01  # nats per decision, for each product
_TOLERATED_LOSS = 0.001  # nats per decision, over all products: within this two models are as good
_LOSS_THAT_COUNTS = 0.01  # of what the prices in force earn
_SURELY_LIKELIER = 3.0  # log of how many times likelier sales are, 20 times
_MOST_TOLD = float(np.log(1_000_000))
_NO_LONGER_HOLDS = "the champion no longer holds"


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
class ExpectedGain:
    """The believed gain of a challenger's prices, None when they cannot be made, and what plugins have against it.

    `borne_out` is the logarithm of how many times likelier the sales were with the challenger's forests than without.
    """

    gain: BelievedGain | None
    money: Currency = EUR
    vetoes: tuple[str, ...] = ()
    borne_out: float = 0.0

    def _is(self, holds: Callable[[BelievedGain], bool]) -> bool:
        return self.gain is not None and not self.vetoes and holds(self.gain)

    @property
    def is_shown(self) -> bool:
        """Whether the gain is surely above zero, on average over such days."""
        return self._is(lambda gain: gain.on_average > 0)

    @property
    def is_no_loss(self) -> bool:
        """Whether, with 99 %, nothing is lost that counts."""
        return self._is(lambda gain: gain.at_least >= -_LOSS_THAT_COUNTS * gain.usual)

    @property
    def expects_no_loss(self) -> bool:
        """Whether no loss that counts is expected."""
        return self._is(lambda gain: gain.mean >= -_LOSS_THAT_COUNTS * gain.usual)

    @property
    def is_borne_out(self) -> bool:
        """Whether the sales were surely likelier with what it says beforehand, and no loss is expected."""
        return self.borne_out > _SURELY_LIKELIER and self._is(lambda gain: gain.mean >= 0)

    @property
    def in_words(self) -> str:
        """The gain with its interval, and every veto."""
        gain, amount = self.gain, self.money.format_difference
        if gain is None:
            return "no estimate: its price book cannot be made"
        noise = ", within noise" if gain.mean < 0 < gain.upper else ""
        average = ""
        if gain.on_average > 0 >= gain.lower:
            average = f", on average over such days at least {amount(gain.on_average)}"
        share = abs(gain.mean) / max(gain.usual, 1e-9)
        return (
            f"expected to earn {amount(gain.mean)} per store day ({share:.1%}){noise}, "
            f"95 % from {amount(gain.lower)} to {amount(gain.upper)}{average}"
            f"{self._likelier}{''.join(f', but {veto}' for veto in self.vetoes)}"
        )

    @property
    def _likelier(self) -> str:
        if self.borne_out <= _SURELY_LIKELIER:
            return ""
        times = f"{np.exp(min(self.borne_out, _MOST_TOLD)):,.0f}"
        return (
            f"; its forests make the sales {'more than ' if self.borne_out > _MOST_TOLD else ''}{times} times likelier"
        )


@dataclass(frozen=True)
class GateInput:
    """Everything that the gate judges by.

    Attributes
    ----------
    challenger, dataset
        The model, and the days it was fitted on and is judged on.
    load_check
        What a process of its own made of the stored model.
    gain
        The expected gain of the challenger's prices; None when they cannot be made.
    borne_out
        As in `ExpectedGain`.
    shares
        How much of its forests holds, as `LogEvidence.shares` gives it.
    incumbent
        The champion, or None when there is none.
    opinions
        What plugins say of the challenger's prices.
    rolled_back_on
        First business date priced after a rollback that no later change followed, or None.
    is_exported
        Whether somebody else set some of the held-out prices.
    """

    challenger: FittedModel
    dataset: Dataset
    catalog: Catalog
    load_check: Condition
    gain: BelievedGain | None
    incumbent: Incumbent | None
    opinions: tuple[SecondOpinion, ...] = ()
    rolled_back_on: dt.date | None = None
    is_exported: bool = False
    borne_out: float = 0.0
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def speaks(self) -> bool:
        """Whether anything holds of what its forests say."""
        return any(self.shares.values())

    @property
    def expected(self) -> ExpectedGain:
        """What the challenger's prices are expected to earn, and the objections of plugins."""
        vetoes = tuple(opinion.veto for opinion in self.opinions if opinion.veto)
        return ExpectedGain(self.gain, self.catalog.store.money, vetoes, self.borne_out)


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


def pass_gate(evidence: GateInput) -> Verdict:
    """Judge a challenger on the held-out days.

    Where part of what its forests say before a sale holds, prices hear these and not its curves: then the belief that
    hears them is asked, and nothing of the curves. Where the held-out days hold exported decisions, it waits: their
    prices were not randomised, and a model of them prices nothing.
    """
    challenger, dataset, skus = evidence.challenger, evidence.dataset, evidence.catalog.skus
    conditions_asked = [evidence.load_check, conditions.sees_only_what_is_known(challenger, dataset)]
    after_a_rollback = (
        [] if evidence.rolled_back_on is None else [saw_the_rollback(dataset.judged_through, evidence.rolled_back_on)]
    )
    if evidence.is_exported:
        return Verdict((*conditions_asked, *after_a_rollback, conditions.prices_were_ours()))
    if evidence.speaks:
        return Verdict((*conditions_asked, *after_a_rollback, _of_forests(evidence)))
    chance = challenger.p_sale(dataset.holdout)
    conditions_asked += [
        conditions.every_product_was_seen(dataset, skus),
        conditions.every_price_varied(dataset, skus),
        *after_a_rollback,
        conditions.chances_are_probabilities(chance),
    ]
    if conditions_asked[-1].met:  # what follows needs probabilities
        conditions_asked += [
            conditions.never_rises_with_price(challenger, dataset.holdout),
            conditions.is_calibrated(chance, dataset.holdout),
            conditions.is_reliable(chance, dataset.holdout),
            conditions.beats_the_base_rate(chance, dataset),
            *_against_incumbent(chance, evidence),
        ]
    return Verdict(tuple(conditions_asked))


def _of_forests(evidence: GateInput) -> Condition:
    """Ask of a version whose forests speak what it must earn; it is not worse where the sales are as likely with it."""
    incumbent, store, expected = evidence.incumbent, evidence.catalog.store, evidence.expected
    if incumbent is None:
        return (as_good_as_belief if store.policies.before_champion == "belief" else earns_more)(expected)
    times = f"the sales are {np.exp(np.clip(evidence.borne_out, -_MOST_TOLD, _MOST_TOLD)):.3g} times as likely"
    as_likely = Condition("not worse than the champion", evidence.borne_out >= 0, times)
    age = age_of(incumbent, evidence.dataset.judged_through, store.gate.stale_after_days, evidence.rolled_back_on)
    return earns_more_or_replaces(expected, as_likely, age)


def _against_incumbent(chance: Floats, evidence: GateInput) -> list[Condition]:
    incumbent, dataset, store = evidence.incumbent, evidence.dataset, evidence.catalog.store
    if incumbent is None or incumbent.p_sale is None:
        return [(as_good_as_belief if store.policies.before_champion == "belief" else earns_more)(evidence.expected)]
    not_worse = is_not_worse(chance, incumbent.p_sale, dataset.holdout)
    age = age_of(incumbent, dataset.judged_through, store.gate.stale_after_days, evidence.rolled_back_on)
    return [
        no_product_regresses(chance, incumbent.p_sale, dataset.holdout),
        earns_more_or_replaces(evidence.expected, not_worse, age),
    ]


def no_product_regresses(chance: Floats, champion: Floats, holdout: pd.DataFrame) -> Condition:
    """Ask that no product's held-out log loss is surely more than 0.01 nats above the champion's."""
    more = losses(chance, holdout) - losses(champion, holdout)
    frame = pd.DataFrame({"sku": holdout["sku"].to_numpy(), "offered": holdout["n_offered"].to_numpy()})
    frame["more"], frame["variance"] = more, _luck_of_difference(chance, champion, holdout)
    sums = frame.groupby("sku")[["offered", "more", "variance"]].sum()
    mean = sums["more"] / sums["offered"]
    luck = _errors_of_worst(len(sums)) * np.sqrt(sums["variance"]) / sums["offered"]
    worst = str((mean - luck).idxmax())
    finding = (
        f"worst {worst}: log loss {mean[worst]:+.4f} against the champion's, of at most "
        f"{_REGRESSION_ALLOWED + luck[worst]:.4f}, of which {luck[worst]:.4f} is luck"
    )
    return Condition("no product regresses", bool((mean - luck)[worst] <= _REGRESSION_ALLOWED), finding)


def _errors_of_worst(n_products: int) -> float:
    """Return the standard errors that luck may show for the worst of some products, as rarely as for one of five."""
    return max(STANDARD_ERRORS, float(-ndtri(ndtr(-STANDARD_ERRORS) * _FEW_PRODUCTS / n_products)))


def is_not_worse(chance: Floats, champion: Floats, holdout: pd.DataFrame) -> Condition:
    """Compare the log loss over all products with the champion's."""
    ours, theirs = log_loss(chance, holdout), log_loss(champion, holdout)
    finding = f"log loss {ours:.4f} against {theirs:.4f}, {_TOLERATED_LOSS} tolerated"
    return Condition("not worse than the champion", ours <= theirs + _TOLERATED_LOSS, finding)


def age_of(
    incumbent: Incumbent, judged_through: dt.date, stale_after_days: int, rolled_back_on: dt.date | None
) -> Condition:
    """Return whether a champion is stale, or shoppers no longer answer prices as it says.

    One that was gone back to is old on purpose: its days count from then, and so do changes of demand.
    """
    drifted_since, trained_through = incumbent.drifted_since, incumbent.trained_through
    if drifted_since is not None and (rolled_back_on is None or drifted_since >= rolled_back_on):
        finding = f"shoppers answer prices otherwise than the champion says since {drifted_since}"
        return Condition(_NO_LONGER_HOLDS, met=True, found=finding)
    if rolled_back_on is not None and (trained_through is None or trained_through < rolled_back_on):
        finding = f"the champion was gone back to for {rolled_back_on}, stale {stale_after_days} days after that"
        return Condition("the champion is stale", (judged_through - rolled_back_on).days > stale_after_days, finding)
    if trained_through is None:
        return Condition("the champion is stale", met=True, found="champion of unknown age")
    days = (judged_through - trained_through).days
    finding = f"the champion has not seen the last {days} days, stale after {stale_after_days}"
    return Condition("the champion is stale", days > stale_after_days, finding)


def earns_more(expected: ExpectedGain) -> Condition:
    """Ask, where there is no champion, for a gain over the base prices that is above zero at its lower end."""
    return Condition(EARNS_MORE_THAN_BASE, expected.is_shown, expected.in_words)


def as_good_as_belief(expected: ExpectedGain) -> Condition:
    """Ask, where a belief prices without a champion, that the first champion does not earn 1 % less, with 99 %.

    Where the sales bear its forests out, it is enough that no loss is expected.
    """
    as_good = "as good: " if expected.is_no_loss and not expected.is_shown else ""
    return Condition(AS_GOOD_AS_BELIEF, expected.is_no_loss or expected.is_borne_out, as_good + expected.in_words)


def earns_more_or_replaces(expected: ExpectedGain, not_worse: Condition, age: Condition) -> Condition:
    """Ask for a gain over the champion, or that the champion is stale or drifted and the challenger is not worse.

    A gain is shown where it is surely above zero, or where one is expected and the sales bear the forests out.

    Of a stale champion it must be sure that nothing is lost that counts; where one no longer holds, it is enough that
    no such loss is expected.
    """
    is_safe = expected.is_no_loss or (age.name == _NO_LONGER_HOLDS and expected.expects_no_loss)
    takes_over, how = is_safe and not_worse.met and age.met, ""
    earns = expected.is_shown or expected.is_borne_out
    if earns:
        how = "earns more: "
    elif takes_over:
        how = "as good, and fresher: "
    finding = f"{how}{expected.in_words}; {not_worse.found}; {age.found}"
    return Condition(EARNS_MORE, earns or takes_over, finding)


def saw_the_rollback(judged_through: dt.date, rolled_back_on: dt.date) -> Condition:
    """Ask for decisions of the days since a rollback: the same evidence cannot re-promote an equivalent model.

    `rolled_back_on` is the first business date that the champion before was to price again.
    """
    finding = f"judged through {judged_through}, rolled back for {rolled_back_on}"
    return Condition(SAW_THE_ROLLBACK, judged_through >= rolled_back_on, finding)


def _luck_of_difference(chance: Floats, champion: Floats, holdout: pd.DataFrame) -> Floats:
    """Variance of each cell's summed difference in loss when purchases come as the champion says, shape (n_cells,)."""
    ours, theirs = (np.clip(p, NEARLY_SURE, 1 - NEARLY_SURE) for p in (chance, champion))
    swing = np.log(theirs / (1 - theirs)) - np.log(ours / (1 - ours))
    return holdout["n_offered"].to_numpy() * theirs * (1 - theirs) * swing**2
