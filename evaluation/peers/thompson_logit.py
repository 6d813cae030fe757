"""Thompson sampling on a hierarchical logit, with the recursion: draw a world that may be true, and price for it.

A hybrid of posterior sampling and certainty equivalence: every hour level and log slope of each product and the
footfall are drawn from what is believed, the recursion makes prices from the draw, and the draw stands for an hour.
"""

from dataclasses import dataclass, replace

import numpy as np

from catalog.load import Catalog
from catalog.pricing import Shelf, Sold
from evaluation.peers.known_shelf import KnownShelf, ShelfPlan, known_before_opening, plan_for
from evaluation.peers.logit import HIGHEST, LOWEST, WEAK_TOGETHER, HierarchicalPrior, chance_of, posterior_of
from evaluation.peers.seen import ShelfCounts, nothing_seen, seen_after
from serving.pricing_policy import Asked


@dataclass(frozen=True)
class ThompsonLogit:
    """The peer at one moment.

    `plan` is the recursion on the hour's draw, `most_units` the most units of any product after restocking.
    """

    known: KnownShelf
    seen: ShelfCounts
    seed: int
    plan: ShelfPlan
    most_units: int
    prior: HierarchicalPrior = WEAK_TOGETHER
    name: str = "thompson_logit"
    model_version: str | None = None
    rules: tuple[str, ...] = ("stock_value",)

    def ask(self, shelf: Shelf) -> Asked:
        """Ask for the plan's prices."""
        return self.known.ask(self.plan.candidates_on(shelf))

    def learned(self, sold: Sold) -> "ThompsonLogit":
        """Count what was sold; at the end of each hour and of the day, draw anew."""
        seen = seen_after(self.seen, self.known, sold)
        plan = self.plan
        if seen.tick % self.known.hour == 0:
            plan = drawn_plan(self.known, seen, self.seed, self.most_units, self.prior)
        return replace(self, seen=seen, plan=plan)


def drawn_plan(known: KnownShelf, seen: ShelfCounts, seed: int, most_units: int, prior: HierarchicalPrior) -> ShelfPlan:
    """Draw demand and footfall from what is believed, and plan the rest of the day for that draw."""
    dice = seen.dice(seed)
    drawn = posterior_of(known.distance, seen.offered, seen.bought, prior).draw(dice)
    p_sale = chance_of(np.clip(drawn, LOWEST, HIGHEST), known.distance)
    shape, rate = seen.footfall()
    return plan_for(known, p_sale, seen.visits_ahead(dice.gamma(shape) / rate), most_units)


def thompson_logit(catalog: Catalog, seed: int, prior: HierarchicalPrior = WEAK_TOGETHER) -> ThompsonLogit:
    """Return the peer before the first day of a store."""
    known, most_units = known_before_opening(catalog), int(catalog.par_stock.max())
    seen = nothing_seen(known)
    return ThompsonLogit(known, seen, seed, drawn_plan(known, seen, seed, most_units, prior), most_units, prior)
