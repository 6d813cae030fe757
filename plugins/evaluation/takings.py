"""What days brought: revenue, what the units had cost, and what was thrown away and kept."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from catalog.decisions.store_day import StoreDay
from catalog.load import Catalog
from catalog.records.pricing import Objective


@dataclass(frozen=True)
class Takings:
    """What some days brought, EUR and units; of a mean day, the mean of each.

    Attributes
    ----------
    revenue_eur, cost_eur
        Of the units that were sold: their prices, and what they had cost.
    waste_eur, holding_eur
        Cost of what was thrown away with its disposal, and of what was kept overnight.
    units, spoiled
        Units sold, and units thrown away.
    """

    revenue_eur: float
    cost_eur: float
    waste_eur: float = 0.0
    holding_eur: float = 0.0
    units: float = 0
    spoiled: float = 0

    @property
    def margin_eur(self) -> float:
        """Revenue less what the units had cost."""
        return self.revenue_eur - self.cost_eur

    @property
    def profit_eur(self) -> float:
        """Margin less what was thrown away and what was kept; what is left is worth its cost until it spoils."""
        return self.margin_eur - self.waste_eur - self.holding_eur

    @property
    def wasted_share(self) -> float:
        """Share of the units that left the shelf which were thrown away."""
        return self.spoiled / max(self.units + self.spoiled, 1e-9)

    def counted(self, objective: Objective) -> float:
        """Return what an objective counts, EUR."""
        return {"revenue": self.revenue_eur, "margin": self.margin_eur, "profit": self.profit_eur}[objective]

    def over(self, days: int) -> "Takings":
        """Return the mean of so many days."""
        return Takings(*(value / days for value in astuple(self)))


def sum_of(days: Sequence[Takings]) -> Takings:
    """Add days up."""
    return Takings(*map(sum, zip(*map(astuple, days), strict=True)))


def takings_of(day: StoreDay, catalog: Catalog) -> Takings:
    """Return what a played day brought, all stores together."""
    sold = day.bought()
    revenue, cost = float(sold.price.sum()), float(catalog.unit_costs[sold.product].sum())
    rules, moves = catalog.stock_rules, day.moves
    if rules is None or moves is None:
        return Takings(revenue, cost, units=len(sold.product))
    waste = (moves.spoiled.sum(axis=2) * rules.lost_with_a_unit).sum()
    holding = (moves.kept.units.sum(axis=2) * rules.holding_costs).sum()
    return Takings(revenue, cost, float(waste), float(holding), len(sold.product), int(moves.spoiled.sum()))
