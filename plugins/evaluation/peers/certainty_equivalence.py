"""Certainty equivalence with inventory: estimate, and price as if the estimate were the truth.

After den Boer and Zwart, "Dynamic pricing and learning with finite inventories" (Operations Research 63(4), 2015):
repeated seasons in which what is unsold perishes, here days. Demand is a logit in price ratio; every hour it is
estimated anew from all visits so far, and the recursion makes the prices. Learning needs prices that differ: stock that
runs down moves them, and where a day's prices all lie within one step of the ladder near closing, one tick is moved by
a step (our form of their condition). A weak prior stands in place of their first prices: it prices from opening on.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf, Sold
from catalog.load import Catalog
from plugins.evaluation.peers.known_shelf import KnownShelf, ShelfPlan, known_before_opening, plan_for
from plugins.evaluation.peers.logit import WEAK, chance_of, fit_logits
from plugins.evaluation.peers.seen import ShelfCounts, nothing_seen, seen_after
from serving.optimise.policies import Asked

_MOVED_BEFORE_CLOSING = 2  # ticks left in which prices that did not differ are moved


@dataclass(frozen=True)
class CertaintyEquivalence:
    """The peer at one moment.

    Attributes
    ----------
    plan
        What the newest estimate says.
    most_units
        The most units of any product after restocking.
    """

    known: KnownShelf
    seen: ShelfCounts
    most_units: int
    plan: ShelfPlan
    name: str = "certainty_equivalence"
    model_version: str | None = None
    rules: tuple[str, ...] = ("stock_value",)

    def ask(self, shelf: Shelf) -> Asked:
        """Ask for the plan's prices, or for those that teach."""
        candidate = self.plan.candidates_on(shelf)
        if shelf.ticks_left == _MOVED_BEFORE_CLOSING:
            candidate = self._dispersed(candidate)
        return self.known.ask(candidate)

    def learned(self, sold: Sold) -> "CertaintyEquivalence":
        """Count what was sold; at the end of each hour and of the day, estimate and plan anew."""
        seen = seen_after(self.seen, self.known, sold)
        is_due = seen.tick % self.known.hour == 0
        return replace(self, seen=seen, plan=planned(self.known, seen, self.most_units) if is_due else self.plan)

    def _dispersed(self, candidate: Ints) -> Ints:
        """Move a step up, or down from the top, where all of today's prices lie within one step."""
        lowest = np.minimum(self.seen.lowest, candidate.min(axis=0))
        highest = np.maximum(self.seen.highest, candidate.max(axis=0))
        top = self.known.candidates.shape[1] - 1
        moved = np.where(highest < top, np.minimum(highest + 1, top), np.maximum(lowest - 1, 0))
        return np.where(highest - lowest <= 1, moved, candidate)


def estimated(known: KnownShelf, seen: ShelfCounts) -> Floats:
    """Return level and log slope of each product with the weak prior, shape (n_products, 2)."""
    mean = np.tile(WEAK.mean, (len(seen.offered), 1))
    return fit_logits(known.distance, seen.offered, seen.bought, mean, WEAK.deviation**-2.0, mean)[0]


def planned(known: KnownShelf, seen: ShelfCounts, most_units: int) -> ShelfPlan:
    """Return a plan for the rest of the day from all that was seen."""
    shape, rate = seen.footfall()
    return plan_for(
        known, chance_of(estimated(known, seen), known.distance), seen.visits_ahead(shape / rate), most_units
    )


def certainty_equivalence(catalog: Catalog) -> CertaintyEquivalence:
    """Return the peer before the first day of a store."""
    known, most_units = known_before_opening(catalog), int(catalog.par_stock.max())
    seen = nothing_seen(known)
    return CertaintyEquivalence(known, seen, most_units, planned(known, seen, most_units))
