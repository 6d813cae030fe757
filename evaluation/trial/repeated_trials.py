"""Many trials of two policies whose true difference is known: how often is it covered, how often is none rejected.

Runs are played side by side: the stores of run r are other stores, on the same dates, with coins of their own. What
must hold: the policies explore nothing, so that the recursion on true demand says exactly what they earn.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.pricing import Policy
from evaluation.scores import expected_gain
from evaluation.trial.design import Design
from evaluation.trial.estimate import TrialOutcome, differences, outcome_from
from evaluation.trial.rewards import advantages, sales_of, stock_values, total
from evaluation.trial.switchback_sales import sell_by_turns, turns
from serving.policies import costs_that_count
from serving.price_book import PriceBook
from serving.pricing_policy import PricingPolicy
from serving.storefront import Storefront
from simulation.stock import opening_stock


@dataclass(frozen=True)
class Calibration:
    """What many trials found.

    Attributes
    ----------
    truth_eur
        What B truly earns more than A in a store day, EUR.
    outcomes
        One for each run.
    """

    truth_eur: float
    outcomes: tuple[TrialOutcome, ...]

    @property
    def rejected(self) -> float:
        """Share of the runs that found a difference."""
        return float(np.mean([found.is_decided for found in self.outcomes]))

    @property
    def coverage(self) -> float:
        """Share of the runs whose interval holds the truth."""
        return float(np.mean([found.low_eur <= self.truth_eur <= found.high_eur for found in self.outcomes]))

    @property
    def bias_eur(self) -> float:
        """Mean estimate less the truth, EUR per store day."""
        return float(np.mean([found.effect_eur for found in self.outcomes])) - self.truth_eur

    @property
    def error_eur(self) -> float:
        """Standard error of `bias_eur`."""
        return float(np.std([found.effect_eur for found in self.outcomes]) / np.sqrt(len(self.outcomes)))


def calibrate(
    catalog: Catalog,
    policies: tuple[PricingPolicy, PricingPolicy],
    design: Design,
    runs: int,
    seed: int,
    book: PriceBook | None = None,
) -> Calibration:
    """Play a design many times, each with other shoppers and other coins.

    Parameters
    ----------
    policies
        A and B, played without exploration and without guardrails.
    book
        What values the stock where hours take turns; without it, and by whole days, what is sold counts alone.
    """
    n_stores = len(design.stores)
    every = replace(design, stores=tuple(f"R{number:06d}" for number in range(runs * n_stores)), seed=seed)
    rewards = _rewards(catalog, (Storefront(policies[0]), Storefront(policies[1])), every, book)
    by_run = differences(every, rewards).reshape(runs, -1)
    a, b = (float(expected_gain(policy, catalog, design.start).sum()) for policy in policies)
    return Calibration(b - a, tuple(outcome_from(run, a) for run in by_run))


def _rewards(catalog: Catalog, policies: tuple[Policy, Policy], every: Design, book: PriceBook | None) -> Floats:
    """Play all dates, stores with the same turns together; return what each tick brought, as `differences` takes it."""
    values = None if every.is_by_day or book is None else stock_values(book, catalog.skus)
    costs, rewards = costs_that_count(catalog), np.empty(every.weights.shape)
    for day, date in enumerate(every.dates):
        patterns, of_store = np.unique(every.is_b[:, day], axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            places = np.flatnonzero(of_store.ravel() == number)
            stores = [every.stores[store] for store in places]
            taking = turns(pattern, every.block_ticks)
            parts = sell_by_turns(catalog, policies, taking, stores, date, every.seed)
            sold = total(sales_of(part, costs, every.ticks) for part in parts)
            rewards[places, day] = (
                sold.gain_eur if values is None else advantages(sold, opening_stock(catalog, date), values)
            )
    return rewards
