"""What a log told of a slope, beside what our own randomised prices say: where they disagree, the log is withdrawn.

A log's prices were somebody's decisions, and may have moved with what moves sales; ours were drawn. So the log never
overrules a draw: it is a prior, and where the product's own draws exclude it, it is none. The own draws are taken alone
for the question, without what the other products or the log say.

The question is asked anew each week, so its level has to hold for all weeks together. What is compared is how likely
the own draws are if the log errs by as much as is believed of logs, and if it errs by no more than it claims. Under the
latter the ratio is a martingale: that it ever reaches 1 / level has at most the chance of the level (Ville; see Howard,
Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics
49, 2021). So a log is withdrawn some weeks later than a test for a single look would, and a true one hardly ever.
"""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Flags, Floats
from plugins.own_store.learning.belief_from_units import UnitsBelief, believed_of_units
from plugins.own_store.learning.belief_priors import ToldPrior
from plugins.own_store.learning.unit_rows import UnitRows

DISAGREE = 0.01
"""Chance with which a true log is ever contradicted, however often that is asked."""


@dataclass(frozen=True)
class OwnDraws:
    """Each product's slope from its own draws, beside what a log told of it, arrays of shape (n_products,).

    Attributes
    ----------
    slopes, deviations
        Mean and standard deviation from the own draws alone; wide where the price was hardly drawn.
    told
        What a log told; NaN where nothing.
    p_values
        Of both being the same, with the errors that the log claims, valid at any week and for all weeks together; 1
        where nothing was told.
    """

    slopes: Floats
    deviations: Floats
    told: Floats
    p_values: Floats

    @property
    def contradict(self) -> Flags:
        """Which told slopes the own draws exclude."""
        return np.asarray(self.p_values < DISAGREE)


def own_draws(rows: UnitRows, told: ToldPrior) -> OwnDraws:
    """Return what each product's own draws say, and whether they contradict what a log told."""
    alone = believed_of_units(rows, alone=True)
    return OwnDraws(alone.slopes, alone.slopes_deviation, told.slopes, _p_values(alone, told))


def _p_values(alone: UnitsBelief, told: ToldPrior) -> Floats:
    """Return the inverse of the ratio of both likelihoods, at most 1, shape (n_products,)."""
    apart, variance = (alone.slopes - told.slopes) ** 2, alone.slopes_deviation**2
    as_claimed = variance + told.errors**2
    as_believed = variance + told.widths**2
    log_ratio = (np.log(as_claimed / as_believed) + apart * (1 / as_claimed - 1 / as_believed)) / 2
    return np.where(np.isfinite(told.slopes), np.exp(-np.maximum(log_ratio, 0.0)), 1.0)
