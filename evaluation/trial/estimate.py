"""What a trial found: B minus A per store day, with an interval from the randomisation.

Each pair of days gives one difference, and the coin decides its sign: under no effect a pair's difference is as likely
to be the one as the other way around, whatever the shoppers do. The mean of the differences over its standard error is
compared with Student's t (the studentised statistic, as in Bojinov, Simchi-Levi and Zhao 2023). Levels of stores,
weekdays and hours fall out of a pair; pairs that differ in their true effect make the interval too wide, never too
narrow.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from catalog.arrays import Floats
from evaluation.trial.design import Design

_UPPER = 0.975
_LEVEL = 0.05
_DIGITS = 6


@dataclass(frozen=True)
class TrialOutcome:
    """B minus A.

    Attributes
    ----------
    effect_eur, low_eur, high_eur
        Difference and its 95 % interval, EUR per store day.
    p_value
        Two-sided.
    a_eur
        What a store day of A earned, EUR; where hours take turns, what a mixed day earned less half of the effect.
    n_pairs
        Pairs of store days.
    """

    effect_eur: float
    low_eur: float
    high_eur: float
    p_value: float
    a_eur: float
    n_pairs: int

    @property
    def is_decided(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.p_value < _LEVEL

    def share(self, euros: float) -> float | None:
        """Return an amount as a share of what A earns; None where that is nothing."""
        return euros / self.a_eur if self.a_eur > 0 else None


def differences(design: Design, rewards: Floats) -> Floats:
    """Return B minus A of each pair of store days, EUR, shape (n_stores, n_pairs_of_days).

    Parameters
    ----------
    rewards
        What each tick brought, EUR, shape (n_stores, n_days, n_ticks).
    """
    signs = np.repeat(np.where(design.is_b, 1.0, -1.0), design.block_ticks, axis=2)
    of_days = (signs * design.weights * rewards).sum(axis=2)
    first, second = np.array(design.pairs).T
    return of_days[:, first] + of_days[:, second]


def outcome_of(design: Design, rewards: Floats, earned: Floats) -> TrialOutcome:
    """Estimate B minus A.

    Parameters
    ----------
    rewards
        What counts of each tick, EUR, shape (n_stores, n_days, n_ticks).
    earned
        What each store day earned, EUR, shape (n_stores, n_days).
    """
    found = differences(design, rewards).ravel()
    effect = float(found.mean())
    a_eur = float(earned[~design.is_b[..., 0]].mean()) if design.is_by_day else float(earned.mean()) - effect / 2
    return outcome_from(found, a_eur)


def outcome_from(found: Floats, a_eur: float) -> TrialOutcome:
    """Return the outcome of differences of pairs, EUR, shape (n_pairs,), beside what a store day of A earned."""
    exact = np.round(found, _DIGITS)  # equal days differ by rounding alone, which is no difference
    n, effect = len(exact), float(exact.mean())
    error = float(exact.std(ddof=1)) / np.sqrt(n)
    half = float(stdtrit(n - 1, _UPPER)) * error
    p_value = float(2 * stdtr(n - 1, -abs(effect) / error)) if error > 0 else float(effect == 0)
    return TrialOutcome(effect, effect - half, effect + half, p_value, a_eur, n)
