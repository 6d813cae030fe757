"""What an outside store is: its owner's prices, what it sells at others, and what could have been earned.

Prices stand for a week. They are given as all weeks so far, shape (n_weeks, n_stores, n_products), so a week's sales
are a pure function of what was charged until its end: every question, in any order, gets the same sales.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

WEEK = 7  # days
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class OwnersRules:
    """What prices the owner allows.

    Attributes
    ----------
    band
        Largest distance from the owner's price, as a share of it.
    step
        Largest change from one week to the next, as a share of the price that stood.
    """

    band: float = 0.25
    step: float = 0.10

    def allowed(self, owner: Floats, before: Floats) -> tuple[Floats, Floats]:
        """Return the lowest and the highest price after a price that stood, EUR, both shaped like `before`."""
        lowest = np.maximum(owner * (1 - self.band), before * (1 - self.step))
        highest = np.minimum(owner * (1 + self.band), before * (1 + self.step))
        return np.minimum(lowest, highest), highest

    def kept(self, owner: Floats, prices: Floats, rounding: float = 0.0) -> Flags:
        """Tell which prices keep the rules, the first week's after the owner's price.

        Parameters
        ----------
        owner, prices
            EUR, shape (n_stores, n_products) and (n_weeks, n_stores, n_products).
        rounding
            By how much a price may miss a bound, EUR: half of the smallest coin.

        Returns
        -------
        Flags
            Shape (n_weeks, n_stores, n_products).
        """
        before = np.concatenate([owner[None], prices[:-1]])
        lowest, highest = self.allowed(owner, before)
        slack = rounding + _TOLERANCE
        return (prices >= lowest - slack) & (prices <= highest + slack)

    def reach(self, weeks: int) -> tuple[float, float]:
        """Return the lowest and the highest price ratio that so many weeks after the owner's price can reach."""
        return max(1 - self.band, (1 - self.step) ** weeks), min(1 + self.band, (1 + self.step) ** weeks)


RULES = OwnersRules()


@dataclass(frozen=True)
class AttainableProfit:
    """What a seller who knows the demand earns under the owner's rules.

    Attributes
    ----------
    cells_eur
        Expected profit, EUR, shape (n_weeks, n_stores, n_products).
    prices
        The prices that earn it, EUR, shape (n_weeks, n_stores, n_products).
    is_exact
        Whether these prices keep the rules and none earn more over these weeks; otherwise it is an upper bound.
    """

    cells_eur: Floats
    prices: Floats
    is_exact: bool

    @property
    def weekly_eur(self) -> Floats:
        """Expected profit of each week, all stores together, EUR, shape (n_weeks,)."""
        return self.cells_eur.sum(axis=(1, 2))


class OutsideWorld(Protocol):
    """A store that is not ours.

    Attributes
    ----------
    stores, skus
        Ids, `n_stores` and `n_products` of them.
    owner_prices
        The owner's prices, EUR, shape (n_stores, n_products).
    unit_costs
        What a unit costs the owner, EUR, shape (n_products,).
    rules
        What prices the owner allows.
    """

    @property
    def stores(self) -> tuple[str, ...]: ...  # noqa: D102 - described above
    @property
    def skus(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def owner_prices(self) -> Floats: ...  # noqa: D102
    @property
    def unit_costs(self) -> Floats: ...  # noqa: D102
    @property
    def rules(self) -> OwnersRules: ...  # noqa: D102

    def play_week(self, prices: Floats) -> Ints:
        """Return the units that the last of these weeks sells, by day: shape (7, n_stores, n_products)."""
        ...

    def expected_profit(self, prices: Floats) -> Floats:
        """Return what these weeks earn on average over all luck, EUR, shape (n_weeks, n_stores, n_products).

        The first of the weeks comes after weeks at the owner's prices.
        """
        ...

    def attainable(self, n_weeks: int) -> AttainableProfit:
        """Return the most that so many weeks can earn after weeks at the owner's prices."""
        ...


def at_owner_prices(world: OutsideWorld, n_weeks: int) -> Floats:
    """Return weeks at the owner's prices, EUR, shape (n_weeks, n_stores, n_products)."""
    return np.tile(world.owner_prices, (n_weeks, 1, 1))
