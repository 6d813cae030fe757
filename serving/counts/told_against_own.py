"""What a log told of a slope, beside what our own randomised prices say: where they disagree, the log is withdrawn.

A log's prices were somebody's decisions, and may have moved with what moves sales; ours were drawn. So the log never
overrules a draw: it is a prior, and where the product's own draws exclude it, it is none. The own draws are taken alone
for the question, without what the other products or the log say.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from catalog.arrays import Flags, Floats
from serving.counts.belief_from_units import UnitsBelief, believed_of_units
from serving.counts.belief_priors import RateTerms, ToldPrior
from serving.counts.unit_rows import UnitRows

DISAGREE = 0.01
"""Two-sided level below which own draws contradict a log."""


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
        Two-sided, of both being the same, with the errors that the log claims; 1 where nothing was told.
    """

    slopes: Floats
    deviations: Floats
    told: Floats
    p_values: Floats

    @property
    def contradict(self) -> Flags:
        """Which told slopes the own draws exclude."""
        return np.asarray(self.p_values < DISAGREE)


def own_draws(
    rows: UnitRows, told: ToldPrior, terms: RateTerms | None = None, before: UnitsBelief | None = None
) -> OwnDraws:
    """Return what each product's own draws say, and whether they contradict what a log told.

    Asked each week anew, one true log in some is withdrawn by chance: that costs what it told, and no more.
    """
    alone = believed_of_units(rows, None, terms, before, alone=True)
    apart = np.abs(alone.slopes - told.slopes) / np.hypot(alone.slopes_deviation, told.errors)
    p_values = np.where(np.isfinite(told.slopes), 2 * ndtr(-apart), 1.0)
    return OwnDraws(alone.slopes, alone.slopes_deviation, told.slopes, p_values)
