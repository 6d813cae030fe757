"""What exploration may do: how often, or at what cost, and with which prices."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats, Ints


@dataclass(frozen=True)
class ExplorationPlan:
    """How prices are tried.

    Attributes
    ----------
    share
        Chance of trying a price, in [0, 1], per store, product and tick, for products that have no budget.
    ladder
        Candidate prices, EUR, ascending, shape (n_products, n_prices).
    budget
        Share of expected revenue that trying may cost, shape (n_products,); NaN for products tried by `share`, None
        for no budget at all. A budget needs demand curves.
    allowed
        Which candidates may be tried, of the shape of the ladder, at least one of each product; None for all.
    """

    share: float
    ladder: Floats
    budget: Floats | None = None
    allowed: Flags | None = None

    @cached_property
    def choice(self) -> Flags:
        """Candidates that may be tried, shape (n_products, n_prices)."""
        return np.ones(self.ladder.shape, dtype=bool) if self.allowed is None else self.allowed

    @cached_property
    def counts(self) -> Ints:
        """How many candidates each product may try, shape (n_products,)."""
        return np.asarray(self.choice.sum(axis=1))

    @cached_property
    def positions(self) -> Ints:
        """Positions on the ladder, those that may be tried first, shape (n_products, n_prices)."""
        return np.argsort(~self.choice, axis=1, kind="stable")
