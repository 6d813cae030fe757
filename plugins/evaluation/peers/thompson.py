"""Thompson sampling twice: with a linear program that keeps to the stock, and with the recursion.

`ThompsonInventory` has a Beta posterior for each price, after Ferreira, Simchi-Levi and Wang, "Online network revenue
management using Thompson sampling" (Operations Research 66(6), 2018). In each tick a chance of sale is drawn for every
candidate; the program finds how often to show each so that the visits still expected buy no more than is left. It is
solved anew in each tick, as stock falls. Where it would rather not sell, the highest candidate is shown.

`ThompsonLogit` is a hybrid of posterior sampling and certainty equivalence: every hour level and log slope of each
product and the footfall are drawn from what is believed, the recursion makes prices from the draw, and the draw stands
for an hour.
"""

from dataclasses import dataclass, replace

import numba
import numpy as np

from catalog.arrays import Floats
from catalog.decisions.pricing import Shelf, Sold
from catalog.load import Catalog
from plugins.evaluation.peers.known_shelf import KnownShelf, ShelfPlan, known_before_opening, plan_for
from plugins.evaluation.peers.logit import HIGHEST, LOWEST, WEAK_TOGETHER, HierarchicalPrior, chance_of, posterior_of
from plugins.evaluation.peers.seen import ShelfCounts, nothing_seen, seen_after
from serving.optimise.policies import Asked

_HALVINGS = 60


@dataclass(frozen=True)
class ThompsonInventory:
    """The peer at one moment."""

    known: KnownShelf
    seen: ShelfCounts
    seed: int
    name: str = "thompson_inventory"
    model_version: str | None = None
    rules: tuple[str, ...] = ("stock_value",)

    def ask(self, shelf: Shelf) -> Asked:
        """Draw chances of sale for the zone, and for each store and product a price from the program's mixture."""
        shape = shelf.stock.shape
        dice = self.seen.dice(self.seed)
        chances = dice.beta(*self.posterior())
        visits, rate = self.seen.footfall()
        coming = self.seen.visits_ahead(visits / rate).sum(axis=1)
        u = dice.random(shape)
        candidate = np.full(shape, self.known.candidates.shape[1] - 1)
        for store, product in np.ndindex(shape):
            first, second, share = best_mixture(
                self.known.gains[product], chances[product], float(coming[product]), float(shelf.stock[store, product])
            )
            chosen = first if u[store, product] < share else second
            if chosen >= 0:
                candidate[store, product] = chosen
        return self.known.ask(candidate)

    def posterior(self) -> tuple[Floats, Floats]:
        """Return both parameters of the Beta distribution of each chance of sale, shape (n_products, n_prices)."""
        return 1 + self.seen.bought, 1 + self.seen.offered - self.seen.bought

    def learned(self, sold: Sold) -> "ThompsonInventory":
        """Count what was sold."""
        return replace(self, seen=seen_after(self.seen, self.known, sold))


@numba.njit(cache=True, nogil=True)
def best_mixture(gains: Floats, chances: Floats, coming: float, stock: float) -> tuple[int, int, float]:
    """Solve the program of one product: which two candidates to show, and how often the first.

    Maximise sum g_k q_k x_k subject to M sum q_k x_k <= c and sum x_k <= 1. By duality x mixes candidates that
    maximise (g_k - mu) q_k, where a unit is worth mu; sales fall as mu rises, so mu is found by bisection.

    Parameters
    ----------
    gains, chances
        What a sale brings, EUR, and the chance of it, at each candidate, shape (n_prices,).
    coming
        Visits still expected, M.
    stock
        Units left, c.

    Returns
    -------
    tuple
        First and second candidate, -1 where nothing is to be sold, and the share of visits for the first.
    """
    freely = _best_at(gains, chances, 0.0)
    if freely < 0 or coming * chances[freely] <= stock:
        return freely, -1, 1.0
    low, high = 0.0, gains.max()
    more, less = freely, -1
    for _ in range(_HALVINGS):
        mu = (low + high) / 2
        chosen = _best_at(gains, chances, mu)
        if chosen >= 0 and coming * chances[chosen] > stock:
            low, more = mu, chosen
        else:
            high, less = mu, chosen
    fewer = chances[less] if less >= 0 else 0.0
    return more, less, (stock / coming - fewer) / (chances[more] - fewer)


@numba.njit(cache=True, nogil=True)
def _best_at(gains: Floats, chances: Floats, mu: float) -> int:
    """Return the candidate that earns most where a unit is worth mu, -1 where none earns more than keeping it."""
    best, most = -1, 0.0
    for price in range(len(gains)):
        worth = (gains[price] - mu) * chances[price]
        if worth > most:
            best, most = price, worth
    return best


def thompson_inventory(catalog: Catalog, seed: int) -> ThompsonInventory:
    """Return the peer before the first day of a store."""
    known = known_before_opening(catalog)
    return ThompsonInventory(known, nothing_seen(known), seed)


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
