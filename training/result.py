"""What a training found: the record that its report, the registry and the command line read."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from catalog.arrays import Floats
from catalog.currency import EUR, Currency
from features.response import PriceResponse
from training.candidates import FittedModel
from training.dataset import Dataset
from training.gate import Verdict
from training.judge import base_rates, log_loss
from training.off_policy import OffPolicyEstimate


@dataclass(frozen=True)
class Rival:
    """The champion at the time of judging; `p_sale` per held-out cell, None when it does not know this shelf."""

    version: str
    p_sale: Floats | None


@dataclass(frozen=True)
class TrainingResult:
    """What a training found. Arrays have shape (n_cells,): one chance of sale per held-out cell.

    Attributes
    ----------
    dataset
        The days it was fitted on and judged on.
    fitted, version, p_sale
        The best candidate, its registered version and its chances.
    curves
        Chances of sale at every `sku` and `price_offered` (rising): `predicted`, and `champion` and `truth` where they
        are known.
    scores
        Metrics of every candidate by name, as `judge` gives them.
    names
        Product names by sku.
    run_id, seed
        The training's run in the registry, and the seed of its forests.
    champion, truth, gain
        None where there is none; the gain is over the champion's prices, or over base prices.
    budget_groups
        Held-out decisions as `holdout_budget_groups` reads them; empty where nobody knows the budgets.
    responses
        How exported decisions answer to prices; empty where all prices were ours.
    belief_prices
        Whether a belief prices the store where there is no champion.
    money
        The currency of the shelf.
    """

    dataset: Dataset
    fitted: FittedModel
    version: str
    p_sale: Floats
    curves: pd.DataFrame
    scores: Mapping[str, Mapping[str, float]]
    verdict: Verdict
    names: Mapping[str, str]
    run_id: str
    seed: int
    champion: Rival | None
    truth: Floats | None
    budget_groups: pd.DataFrame
    gain: OffPolicyEstimate | None = None
    responses: tuple[PriceResponse, ...] = ()
    belief_prices: bool = False
    money: Currency = EUR

    @property
    def best(self) -> str:
        """Name of the best candidate."""
        return self.fitted.candidate.name

    @property
    def rival(self) -> str:
        """Whose prices it is judged against."""
        without = "the belief without a champion" if self.belief_prices else "base prices"
        return f"champion {self.champion.version}" if self.champion else without

    @property
    def said(self) -> str:
        """What the challenger is expected to earn, how sure that is, and what happens next, in a sentence."""
        return promoted_because(self) if self.verdict.promoted else stays_because(self)

    @property
    def base_rate_log_loss(self) -> float:
        """Log loss of each product's own share of purchases, nats per decision."""
        holdout = self.dataset.holdout
        return log_loss(base_rates(self.dataset.training, holdout), holdout)


def promoted_because(trained: TrainingResult) -> str:
    """Say which version prices from now on, and what it is expected to earn."""
    return f"version {trained.version} prices from now on: {trained.verdict.conditions[-1].found}"


def stays_because(trained: TrainingResult) -> str:
    """Say who prices instead of a version that was not promoted, and why; that it waits is no alarm."""
    without = "the belief prices on" if trained.belief_prices else "base prices stay"
    stays = without if trained.champion is None else f"champion {trained.champion.version} stays"
    if trained.verdict.waits:
        found = "; ".join(condition.found for condition in trained.verdict.unmet)
        return f"{stays}; version {trained.version} is sound, but not shown to earn more: {found}"
    return f"{stays}; version {trained.version} was refused: {'; '.join(trained.verdict.refusals)}"
