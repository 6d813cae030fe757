"""Certainty equivalence with inventory: estimate, and price as if the estimate were the truth.

After den Boer and Zwart, "Dynamic pricing and learning with finite inventories" (Operations Research 63(4), 2015):
repeated seasons in which what is unsold perishes, here days. Demand is a logit in price ratio; every hour it is
estimated anew from all visits so far, and the recursion makes the prices. Learning needs prices that differ: stock that
runs down moves them, and where a day's prices all lie within one step of the ladder near closing, one tick is moved by
a step (our form of their condition). Without a prior it is their maximum likelihood, and the first day alternates two
prices of the ladder. With the weak prior it prices from opening on.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.pricing import Shelf, Sold
from evaluation.peers.known_shelf import KnownShelf, ShelfPlan, known_before_opening, plan_for
from evaluation.peers.logit import WEAK, LogitPrior, chance_of, fit_logits
from evaluation.peers.seen import ShelfCounts, nothing_seen, seen_after
from serving.pricing_policy import Asked

_MOVED_BEFORE_CLOSING = 2  # ticks left in which prices that did not differ are moved


@dataclass(frozen=True)
class CertaintyEquivalence:
    """The peer at one moment.

    Attributes
    ----------
    prior
        Prior of level and log slope; None is maximum likelihood.
    plan
        What the newest estimate says; None while two prices are alternated.
    most_units
        The most units of any product after restocking.
    """

    known: KnownShelf
    seen: ShelfCounts
    prior: LogitPrior | None
    plan: ShelfPlan | None
    most_units: int
    name: str = "certainty_equivalence"
    model_version: str | None = None
    rules: tuple[str, ...] = ("stock_value",)

    def ask(self, shelf: Shelf) -> Asked:
        """Ask for the plan's prices, or for those that teach."""
        shape = shelf.stock.shape
        candidate = np.broadcast_to(self._alternating(), shape) if self.plan is None else self.plan.candidates_on(shelf)
        if shelf.ticks_left == _MOVED_BEFORE_CLOSING and self.plan is not None:
            candidate = self._dispersed(candidate)
        return self.known.ask(candidate)

    def learned(self, sold: Sold) -> "CertaintyEquivalence":
        """Count what was sold; at the end of each hour and of the day, estimate and plan anew."""
        after = replace(self, seen=seen_after(self.seen, self.known, sold))
        return after.planned() if after.seen.tick % self.known.hour == 0 else after

    def planned(self) -> "CertaintyEquivalence":
        """Return the peer with a plan from all that was seen."""
        if self.prior is None and self.seen.day == 0:
            return self
        shape, rate = self.seen.footfall()
        p_sale = chance_of(self.estimate(), self.known.distance)
        return replace(self, plan=plan_for(self.known, p_sale, self.seen.visits_ahead(shape / rate), self.most_units))

    def estimate(self) -> Floats:
        """Return level and log slope of each product, shape (n_products, 2)."""
        return estimated(self.known, self.seen, self.prior)

    def _alternating(self) -> Ints:
        """Return the candidate at a third or at two thirds of the ladder, by turns, shape (n_products,)."""
        n_products, n_prices = self.known.candidates.shape
        thirds = 1 + self.seen.tick % 2
        return np.full(n_products, thirds * (n_prices - 1) // 3)

    def _dispersed(self, candidate: Ints) -> Ints:
        """Move a step up, or down from the top, where all of today's prices lie within one step."""
        lowest = np.minimum(self.seen.lowest, candidate.min(axis=0))
        highest = np.maximum(self.seen.highest, candidate.max(axis=0))
        top = self.known.candidates.shape[1] - 1
        moved = np.where(highest < top, np.minimum(highest + 1, top), np.maximum(lowest - 1, 0))
        return np.where(highest - lowest <= 1, moved, candidate)


def estimated(known: KnownShelf, seen: ShelfCounts, prior: LogitPrior | None) -> Floats:
    """Return level and log slope of each product by maximum likelihood, or with a prior, shape (n_products, 2)."""
    mean = np.tile(WEAK.mean if prior is None else prior.mean, (len(seen.offered), 1))
    precision = np.zeros(2) if prior is None else prior.deviation**-2.0
    return fit_logits(known.distance, seen.offered, seen.bought, mean, precision, mean)[0]


def certainty_equivalence(catalog: Catalog, prior: LogitPrior | None = WEAK) -> CertaintyEquivalence:
    """Return the peer before the first day of a store."""
    known = known_before_opening(catalog)
    return CertaintyEquivalence(known, nothing_seen(known), prior, None, int(catalog.par_stock.max())).planned()
